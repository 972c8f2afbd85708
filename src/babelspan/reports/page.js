"use strict";

// The page shows what its address says: #<question>-<context>, then &show=, &order=, &search=.

const data = JSON.parse(document.getElementById("data").textContent);
const cells = new Map(data.cells.map((cell) => [`${cell.question}-${cell.context}`, cell]));
const LETTERS = data.systems.length > 1 ? ["A", "B"] : [""];
const MARKS = ["a", "b"]; // classes of the systems' marks
const RIGHT_TO_LEFT = new Set(["ar", "arc", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"]);
const PORTION = 25; // questions put on the page at a time
const LONG = 1200; // characters between two marks, above which the middle is left out

const byId = (id) => document.getElementById(id);
const controls = byId("controls").elements;

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function direction(language) {
  return RIGHT_TO_LEFT.has(language.split("-")[0]) ? "rtl" : "auto";
}

function languageName(code) {
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(code);
  } catch {
    return code;
  }
}

// The matrix: one metric at a time, rows ordered by a column and columns by a row.

function chooseMetric(id) {
  for (const section of document.querySelectorAll(".metric")) section.hidden = section.id !== id;
  for (const button of byId("views").children) {
    button.setAttribute("aria-pressed", String(button.value === id));
  }
}

function orderedBy(items, valueOf, sense) {
  const known = (item) => (Number.isNaN(valueOf(item)) ? -Infinity : sense * valueOf(item));
  return sense === 0 ? items : [...items].sort((x, y) => known(y) - known(x));
}

function makeSortable(table) {
  const head = table.tHead.rows[0];
  const rows = [...table.tBodies[0].rows];
  const columns = [...head.cells].slice(1).map((th) => th.textContent);
  const value = (row, column) => {
    const cell = [...row.cells].find((td) => td.dataset.context === column);
    return Number.parseFloat(cell.dataset.value);
  };
  const orderRows = (column, sense) => {
    table.tBodies[0].append(...orderedBy(rows, (row) => value(row, column), sense));
  };
  const orderColumns = (row, sense) => {
    const order = orderedBy(columns, (column) => value(row, column), sense);
    for (const line of [head, ...rows]) {
      const name = (cell) => cell.dataset.context ?? cell.textContent;
      line.append(...order.map((column) => [...line.cells].slice(1).find((c) => name(c) === column)));
    }
  };
  const columnHeads = [...head.cells].slice(1);
  const rowHeads = rows.map((row) => row.cells[0]);
  for (const th of columnHeads) addSorter(th, columnHeads, orderRows.bind(null, th.textContent));
  for (const th of rowHeads) addSorter(th, rowHeads, orderColumns.bind(null, th.parentElement));
}

function addSorter(th, others, order) {
  const code = th.textContent;
  const button = element("button", { type: "button", title: `${languageName(code)}: sort` }, code);
  button.addEventListener("click", () => {
    const sense = { descending: -1, ascending: 0 }[th.getAttribute("aria-sort")] ?? 1;
    for (const other of others) other.removeAttribute("aria-sort");
    if (sense !== 0) th.setAttribute("aria-sort", sense === 1 ? "descending" : "ascending");
    order(sense);
  });
  th.replaceChildren(button);
}

// The questions of a pair.

function questionsOf(cell) {
  const column = (name) => data.columns[cell[name]];
  const [ids, questions, contexts, golds] = ["ids", "questions", "contexts", "golds"].map(column);
  return ids.map((id, index) => ({
    index,
    id: data.ids[id],
    question: data.questions[cell.question][questions[index]],
    context: data.contexts[cell.context][contexts[index]],
    golds: data.golds[golds[index]],
    systems: cell.systems.map((system) => ({
      answer: system.answers[index],
      f1: system.f1[index],
      verdict: verdictOf(system.exact_match[index]),
    })),
    languages: cell,
  }));
}

function verdictOf(exactMatch) {
  if (exactMatch === null) return "not counted";
  return exactMatch === 1000 ? "right" : "wrong";
}

const verdict = (item) => item.systems.map((system) => system.verdict).join("-");

function verdicts() {
  if (LETTERS.length === 1) return { all: "all", right: "right", wrong: "wrong" };
  return {
    all: "all",
    "right-right": "both right",
    "right-wrong": "A right, B wrong",
    "wrong-right": "A wrong, B right",
    "wrong-wrong": "both wrong",
  };
}

const f1 = (item) => item.systems.reduce((sum, system) => sum + system.f1, 0);
const lead = (item) => item.systems[0].f1 - item.systems.at(-1).f1;
const ORDERS = {
  file: ["as in the file", (x, y) => x.index - y.index],
  low: ["lowest F1 first", (x, y) => f1(x) - f1(y)],
  high: ["highest F1 first", (x, y) => f1(y) - f1(x)],
};
if (LETTERS.length > 1) {
  ORDERS.a = ["A furthest ahead first", (x, y) => lead(y) - lead(x)];
  ORDERS.b = ["B furthest ahead first", (x, y) => lead(x) - lead(y)];
}

const folded = (text) => text.normalize("NFC").toLowerCase();

function holds(item, wanted) {
  const answers = [...item.systems.map((s) => s.answer ?? ""), ...item.golds.map(([text]) => text)];
  return folded([item.id, item.question, item.context, ...answers].join("\n")).includes(wanted);
}

// Places are code units of the context here; a gold answer's start counts code points.
function placesOf(item) {
  const places = item.golds.flatMap(([text, start]) => {
    if (start === null) return [];
    const from = [...item.context].slice(0, start).join("").length;
    return [{ from, to: from + text.length, mark: "gold" }];
  });
  item.systems.forEach(({ answer }, number) => {
    const from = answer ? item.context.indexOf(answer) : -1;
    if (from >= 0) places.push({ from, to: from + answer.length, mark: MARKS[number] });
  });
  return places;
}

function shortened(text, isFirst, isLast, whole) {
  if (whole || text.length <= LONG) return text;
  const head = isFirst && !isLast ? "" : text.slice(0, LONG / 4).replace(/\s\S{0,20}$|\p{Cs}$/u, "");
  const tail = isLast ? "" : text.slice(-LONG / 4).replace(/^\S{0,20}\s|^[\p{Cs}\p{M}]+/u, "");
  return `${head} … ${tail}`;
}

function markedContext(item, whole) {
  const places = placesOf(item);
  const edges = new Set([0, item.context.length, ...places.flatMap(({ from, to }) => [from, to])]);
  const bounds = [...edges].sort((x, y) => x - y);
  return bounds.slice(1).map((to, number) => {
    const from = bounds[number];
    const part = item.context.slice(from, to);
    const marks = places.filter((place) => place.from <= from && to <= place.to);
    if (marks.length === 0) {
      return shortened(part, from === 0, to === item.context.length, whole);
    }
    return element("mark", { class: [...new Set(marks.map((m) => m.mark))].join(" ") }, part);
  });
}

function contextLine(item) {
  const language = item.languages.context;
  const line = element("p", { class: "context", lang: language, dir: direction(language) });
  line.append(...markedContext(item, false));
  if (line.textContent === item.context) return [line];
  const button = element("button", { type: "button", class: "whole" }, "Show the whole context");
  button.addEventListener("click", () => {
    line.replaceChildren(...markedContext(item, true));
    button.remove();
  });
  return [line, button];
}

function answerNote(answer, context) {
  if (answer === null) return "no prediction";
  if (answer === "") return "no answer";
  const times = context.split(answer).length - 1;
  if (times === 0) return "(not in the context as it stands)";
  return times === 1 ? "" : `(stands ${times} times, the first is marked)`;
}

function answerLines(item) {
  const inContext = (text) => element("bdi", { lang: item.languages.context }, text);
  const lines = element("dl", {});
  item.systems.forEach(({ answer }, number) => {
    const mark = element("mark", { class: MARKS[number] }, LETTERS[number] || "answer");
    const note = element("span", { class: "note" }, answerNote(answer, item.context));
    lines.append(element("dt", {}, mark), element("dd", {}, inContext(answer ?? ""), " ", note));
  });
  const texts = [...new Set(item.golds.map(([text]) => text))];
  const golds = texts.flatMap((text, number) => (number ? [" · ", inContext(text)] : [inContext(text)]));
  const none = element("span", { class: "note" }, "no answer");
  lines.append(
    element("dt", {}, element("mark", { class: "gold" }, "gold")),
    element("dd", {}, ...(golds.length ? golds : [none])),
  );
  return lines;
}

function scoreLine(item) {
  const line = element("p", { class: "scores" });
  item.systems.forEach(({ verdict: word, f1: score }, number) => {
    const system = LETTERS[number] ? `${LETTERS[number]} ` : "";
    const figure = score === null ? "" : ` F1 ${(score / 10).toFixed(1)}`;
    line.append(element("span", {}, system, element("span", { class: word }, word), figure));
  });
  line.append(element("span", { class: "id" }, item.id));
  return line;
}

function questionItem(item) {
  const language = item.languages.question;
  return element(
    "li",
    { "data-id": item.id },
    scoreLine(item),
    element("p", { class: "question", lang: language, dir: direction(language) }, item.question),
    answerLines(item),
    ...contextLine(item),
  );
}

// What is open now, and its address.

let waiting = []; // questions of the list that are not on the page yet

function showPortion() {
  byId("items").append(...waiting.splice(0, PORTION).map(questionItem));
  byId("more").hidden = waiting.length === 0;
}

function listQuestions(cell) {
  const all = questionsOf(cell);
  const wanted = folded(controls.search.value.trim());
  const { value } = controls.show;
  for (const option of controls.show.options) {
    const count = all.filter((i) => option.value === "all" || verdict(i) === option.value).length;
    option.textContent = `${verdicts()[option.value]} (${count})`;
  }
  waiting = all
    .filter((item) => value === "all" || verdict(item) === value)
    .filter((item) => wanted === "" || holds(item, wanted))
    .sort(ORDERS[controls.order.value][1]);
  byId("count").textContent = `${waiting.length} of ${all.length}`;
  byId("items").replaceChildren();
  showPortion();
}

function remember(pair) {
  const state = new URLSearchParams({ pair });
  if (controls.show.value !== "all") state.set("show", controls.show.value);
  if (controls.order.value !== "file") state.set("order", controls.order.value);
  if (controls.search.value) state.set("search", controls.search.value);
  history.replaceState(null, "", `#${state.toString().slice("pair=".length)}`);
}

function openedPair() {
  return new URLSearchParams(`pair=${location.hash.slice(1)}`);
}

function open() {
  const state = openedPair();
  const pair = state.get("pair");
  const cell = cells.get(pair);
  byId("cell").hidden = cell === undefined;
  for (const link of document.querySelectorAll(".matrix td a")) {
    if (cell && link.hash === `#${pair}`) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  if (cell === undefined) return;
  for (const name of ["show", "order", "search"]) {
    if (state.has(name)) controls[name].value = state.get(name);
    if (controls[name].selectedIndex === -1) controls[name].selectedIndex = 0;
  }
  const [questions, contexts] = [cell.question, cell.context].map(languageName);
  byId("pair").textContent = `Questions: ${questions}. Contexts: ${contexts}.`;
  listQuestions(cell);
  remember(pair);
  byId("cell").scrollIntoView();
}

function narrow() {
  const pair = openedPair().get("pair");
  listQuestions(cells.get(pair));
  remember(pair);
}

function start() {
  for (const section of document.querySelectorAll(".metric")) {
    const button = element("button", { type: "button", value: section.id }, section.dataset.title);
    button.addEventListener("click", () => chooseMetric(section.id));
    byId("views").append(button);
  }
  byId("views").hidden = false;
  chooseMetric(document.querySelector(".metric").id);
  document.querySelectorAll(".matrix").forEach(makeSortable);

  for (const value of Object.keys(verdicts())) controls.show.append(element("option", { value }));
  for (const [value, [title]] of Object.entries(ORDERS)) {
    controls.order.append(element("option", { value }, title));
  }
  byId("controls").addEventListener("input", narrow);
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  byId("more").addEventListener("click", showPortion);
  new IntersectionObserver(([entry]) => entry.isIntersecting && showPortion()).observe(byId("more"));
  window.addEventListener("hashchange", () => {
    open();
    byId("pair").focus({ preventScroll: true });
  });
  open();
}

start();
