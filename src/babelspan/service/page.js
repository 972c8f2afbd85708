"use strict";

// Asks the service at v1/answer and marks what it answers. Places come as UTF-16 code units, which
// is how JavaScript counts, or for files of a collection as code points, which are counted here;
// nothing is ever searched for. Foreign text is set as text, never as HTML.

const EXAMPLES = [
  ["de", "Wann wurde die Brücke eröffnet?", "zh",
    "大桥横跨两岸，全长两千三百米。工程由女工程师林岚主持，历时六年，于1932年5月建成通车。桥上原有电车，后来改为两条车道。"],
  ["en", "When was the library founded?", "ar",
    "تقع المكتبة القديمة في وسط المدينة قرب الميناء. تأسست عام 1924 على يد مريم الصباغ، وفيها تسعمئة كتاب."],
  ["es", "¿Cuántos kilómetros tiene el río?", "ru",
    "Река Серебрянка берёт начало в горном озере Тихом и течёт на юг. Её длина 120 километров. Она впадает в море у посёлка Маячный."],
];
const LANGUAGES = "am ar bg bn ca cs da de el en es et fa fi fr ga he hi hr hu id it ja ka kk ko lt lv ms nb nl pl pt ro ru sk sl sr sv sw ta te th tr uk ur vi yo zh".split(" ");
const RIGHT_TO_LEFT = new Set(["ar", "arc", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"]);
const PART = 100000; // UTF-16 units of a text in one element
const LEAST = 0.01; // score of an answer that is shown beside a better one
const AROUND = 2000; // code points shown on each side of an answer from a collection
const KEPT = 50; // questions in the history
const PATIENCE = 600; // seconds for one question
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);

const byId = (id) => document.getElementById(id);
const names = new Intl.DisplayNames(["en"], { type: "language" });
const percent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 0 });
const number = new Intl.NumberFormat("en");
const address = new URLSearchParams(location.hash.slice(1));
let files = []; // { name, text }, and an id where the service keeps it
let shown = null; // { question, collection, texts, answers } that the page shows
let asking = null; // the AbortController of the question under way
let takesFeedback = false;

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function button(label, act, attributes = {}) {
  const made = element("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", act);
  return made;
}

const direction = (language, otherwise = "auto") =>
  RIGHT_TO_LEFT.has((language ?? "").split("-")[0]) ? "rtl" : otherwise;
const foreign = (language) =>
  language && language !== "und" ? { lang: language, dir: direction(language) } : { dir: "auto" };

// Asking.

function texts() {
  const language = byId("language").value;
  const pasted = byId("text").value;
  const all = pasted.trim() ? [{ name: "pasted text", text: pasted }, ...files] : [...files];
  return all.map((one) => ({
    name: one.name,
    text: one.text.toWellFormed?.() ?? one.text,
    ...(one.id ? { id: one.id } : {}),
    ...(language ? { language } : {}),
  }));
}

// What is asked about: a collection; files that the service keeps, if there is nothing else; texts.
function about(collection, over) {
  if (collection) return { collection, surroundings: AROUND };
  if (over.every((one) => one.id)) return { documents: over.map((one) => one.id) };
  return { texts: over.map(({ id, ...text }) => text) };
}

async function ask() {
  const question = byId("question").value.trim();
  const collection = byId("collection").value;
  const over = collection ? [] : texts();
  if (!question) return complain("Type a question first.", byId("question"));
  if (!collection && !over.length) return complain("Paste a text, or choose a file, to ask about.", byId("text"));
  asking?.abort();
  const mine = (asking = new AbortController());
  begin();
  try {
    const request = { question, ...about(collection, over), top_k: Number(byId("count").value), within: PATIENCE };
    if (byId("reader").value) request.reader = byId("reader").value;
    await listen(request, mine.signal, (event, data) => {
      if (event === "progress") far(data);
      else if (event === "error") complain(data.detail);
      else show({ question, collection, texts: over }, data, event === "answers");
      if (event === "done") keep(question);
    });
  } catch (error) {
    if (error.status === 404 && over.some((one) => one.id)) {
      for (const file of files) delete file.id; // the service keeps them no longer
      return ask();
    }
    if (error.name === "AbortError") say("Stopped.");
    else complain(error instanceof Refused ? error.message : "The service cannot be reached.");
  } finally {
    if (asking === mine) {
      asking = null;
      byId("reading").hidden = byId("stop").hidden = true;
    }
  }
}

class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

async function call(path, options = {}) {
  const token = sessionStorage.getItem("token");
  const headers = { "Content-Type": "application/json", ...options.headers };
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(path, { ...options, headers });
  if (response.ok) return response;
  if (response.status === 401) {
    byId("entry").hidden = false;
    byId("token").focus();
  }
  const problem = await response.json().catch(() => ({}));
  throw new Refused(problem.detail ?? `The service answered with ${response.status}.`, response.status);
}

async function listen(request, signal, told) {
  const response = await call("v1/answer", {
    method: "POST",
    headers: { Accept: "text/event-stream" },
    body: JSON.stringify(request),
    signal,
  });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const blocks = (rest + part.value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const [event, data] = block.split("\n").map((line) => line.slice(line.indexOf(": ") + 2));
      told(event, JSON.parse(data));
    }
  }
}

// What the page says.

function begin() {
  byId("trouble").hidden = byId("empty").hidden = byId("stop").hidden = true;
  byId("results").hidden = byId("whole").hidden = true;
  byId("reading").hidden = byId("stop").hidden = false;
  byId("bar").removeAttribute("value");
  byId("far").textContent = "";
  say("Reading…");
}

let lastSaid = 0;
function far({ windows, of }) {
  byId("bar").max = of;
  byId("bar").value = windows;
  byId("far").textContent = `${number.format(windows)} of ${number.format(of)}`;
  if (performance.now() - lastSaid < 2000) return;
  lastSaid = performance.now();
  say(`Reading, ${percent.format(windows / of)} done.`);
}

function say(...what) {
  byId("said").replaceChildren(...what);
}

function complain(what, focus) {
  say("");
  byId("trouble").textContent = what;
  byId("trouble").hidden = false;
  (focus ?? byId("trouble")).focus();
}

function show(asked, data, isProvisional) {
  const likely = data.answers.filter((answer, i) => !i || answer.score >= LEAST);
  shown = { ...asked, answers: likely };
  byId("results").hidden = false;
  byId("answers").classList.toggle("provisional", isProvisional);
  const old = document.activeElement?.closest?.("#answers li");
  const at = old ? [...byId("answers").children].indexOf(old) : -1;
  byId("answers").replaceChildren(...likely.map(card));
  if (at >= 0) byId("answers").children[at]?.focus();
  if (isProvisional) return;
  const [first] = likely;
  const count = likely.length === 1 ? "1 answer: " : `${likely.length} answers. First: `;
  const fewer = likely.length < data.answers.length ? "Answers below 1% are left out. " : "";
  const none = `No answer: ${percent.format(data.no_answer_score)}. ${fewer}`;
  if (first) say(count, element("bdi", foreign(first.language), first.answer), `, ${worth(first)}.`);
  else say("There is nothing to answer from.");
  const { question, collection } = asked;
  const held = { q: question, k: byId("count").value, ...(collection ? { in: collection } : {}) };
  const link = element("a", { href: `#${new URLSearchParams(held)}` }, "Link to this question");
  const read = `Parts read: ${number.format(data.read.windows)}. `;
  byId("foot").replaceChildren(read, none, link, collection ? "." : " (it holds the question, not the text).");
}

function card(answer, index) {
  const { place } = answer;
  const text = foreign(answer.language);
  const around = { ...text, dir: answer.language === "und" ? answer.direction : direction(answer.language, "ltr") };
  const bar = element("i", {});
  bar.style.setProperty("inline-size", `${100 * (answer.probability ?? answer.score)}%`);
  const made = element(
    "li",
    { tabindex: index ? "-1" : "0", "aria-label": `Answer ${index + 1}: ${answer.answer}` },
    element(
      "div",
      { class: "found" },
      element("p", { class: "answer" }, element("bdi", text, answer.answer)),
      element("p", { class: "worth" }, element("span", { class: "score", "aria-hidden": "true" }, bar), worth(answer)),
    ),
    element("p", { class: "around", ...around }, ...surroundings(answer)),
    element(
      "p",
      { class: "facts" },
      element("bdi", {}, place.document),
      element("span", {}, where(place)),
      ...(answer.language === "und" ? [] : [element("span", {}, names.of(answer.language))]),
    ),
  );
  const tools = element("div", { class: "tools" }, button("Show in the text", () => open(index)), button("Copy citation", (e) => cite(index, e.target)));
  if (takesFeedback) tools.append(button("Right", (e) => judge(index, "right", e.target)), button("Wrong", (e) => judge(index, "wrong", e.target)));
  made.append(tools);
  return made;
}

// How far to trust an answer; the score, which ranks, says it only where the reader is not calibrated.
function worth({ probability, score }) {
  if (probability === undefined) return `score ${percent.format(score)}`;
  return `${percent.format(probability)} likely to be right`;
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const whole = (text) => [...segmenter.segment(text)].map((part) => part.segment);

const where = ({ page, start, end }) =>
  `${page ? `page ${number.format(page)}, ` : ""}characters ${number.format(start)} to ${number.format(end)}`;

// UTF-16 code units before the two ends of a span that counts code points.
function utf16(text, { start, end }) {
  const before = (places, units, points) => {
    for (; points < places && units < text.length; points += 1) units += text.codePointAt(units) > 0xffff ? 2 : 1;
    return units;
  };
  const first = before(start, 0, 0);
  return { start: first, end: before(end, first, start) };
}

// The text that an answer was read in, and the answer's place there.
function readIn({ place, passage }) {
  if (!passage) return { text: shown.texts[place.index].text, ...place.utf16 };
  const within = { start: place.start - passage.start, end: place.end - passage.start };
  return { text: passage.text, ...utf16(passage.text, within) };
}

function surroundings(found) {
  const { answer, before, after } = found;
  const { text, start, end } = readIn(found);
  const isCut = [start > before.length, end + after.length < text.length];
  return [
    isCut[0] ? `…${whole(before).slice(1).join("")}` : before,
    element("mark", {}, answer),
    isCut[1] ? `${whole(after).slice(0, -1).join("")}…` : after,
  ];
}

// The whole text with its marks.

async function open(index) {
  const chosen = shown.answers[index];
  const isThere = ({ place }) => (chosen.passage ? place.document === chosen.place.document : place.index === chosen.place.index);
  try {
    const text = await wholeText(chosen);
    const marks = shown.answers
      .map((answer, i) => ({ answer, i }))
      .filter(({ answer }) => isThere(answer))
      .map(({ answer: { place }, i }) => ({ ...(place.utf16 ?? utf16(text, place)), i }))
      .sort((a, b) => a.start - b.start);
    const passage = chosen.passage && utf16(text, chosen.passage);
    byId("body").replaceChildren(...parts(text, marks, index, passage));
  } catch (error) {
    return complain(error.message);
  }
  byId("name").replaceChildren(element("bdi", {}, chosen.place.document));
  byId("body").classList.toggle("long", byId("body").children.length > 1);
  const language = chosen.passage ? chosen.language.replace("und", "") : byId("language").value;
  for (const [key, value] of Object.entries({ lang: language, dir: direction(language, chosen.direction) })) byId("body").setAttribute(key, value);
  byId("whole").hidden = false;
  byId("name").focus({ preventScroll: true });
  byId("body").querySelector("[aria-current]").scrollIntoView({ block: "center" });
}

async function wholeText({ place, passage }) {
  if (!passage) return shown.texts[place.index].text;
  const file = encodeURIComponent(place.document.toWellFormed?.() ?? place.document);
  return textOf(await call(`v1/collections/${encodeURIComponent(shown.collection)}/text?file=${file}`));
}

const textOf = async (response) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(await response.arrayBuffer());

function parts(text, marks, current, passage) {
  const made = [];
  const marked = (start, end) => {
    const found = [];
    let at = start;
    for (const mark of marks.filter((m) => m.start >= start && m.end <= end)) {
      const about = mark.i === current ? { "aria-current": "true" } : {};
      found.push(text.slice(at, mark.start), element("mark", about, text.slice(mark.start, mark.end)));
      at = mark.end;
    }
    return [...found, text.slice(at, end)];
  };
  for (let start = 0, end; start < text.length; start = end) {
    end = partEnd(text, start, passage ? [...marks, passage] : marks);
    const isHere = passage && passage.start >= start && passage.end <= end;
    const pieces = isHere
      ? [...marked(start, passage.start), element("span", { class: "passage" }, ...marked(passage.start, passage.end)), ...marked(passage.end, end)]
      : marked(start, end);
    made.push(element("div", {}, ...pieces));
  }
  return made;
}

// Parts end where lines do, for each is a block of its own, and not within a mark.
function partEnd(text, start, marks) {
  if (start + PART >= text.length) return text.length;
  const lineAfter = (at) => text.indexOf("\n", at) + 1 || text.length;
  const last = text.lastIndexOf("\n", start + PART) + 1;
  const end = last > start ? last : lineAfter(start + PART);
  const cut = marks.find((mark) => mark.start < end && mark.end > end);
  return cut ? lineAfter(cut.end) : end;
}

function shut() {
  byId("whole").hidden = true;
  byId("answers").querySelector("[tabindex='0']")?.focus();
}

// Citations, judgements, history.

async function cite(index, pressed) {
  const { answer, place } = shown.answers[index];
  const day = new Date().toISOString().slice(0, 10);
  await navigator.clipboard.writeText(`“${answer}”, ${place.document}, ${where(place)}, asked ${day}`);
  if (pressed) pressed.textContent = "Copied";
  say("The citation is copied.");
}

async function judge(index, verdict, pressed) {
  const { place, passage, language } = shown.answers[index];
  const text = passage?.text ?? shown.texts[place.index].text;
  const before = passage?.start ?? 0;
  const known = language === "und" ? {} : { language };
  const judged = { question: shown.question, text, verdict, start: place.start - before, end: place.end - before, name: place.document.slice(-255), ...known };
  try {
    await call("v1/feedback", { method: "POST", body: JSON.stringify(judged) });
    for (const other of pressed.parentElement.querySelectorAll("[aria-pressed]")) other.removeAttribute("aria-pressed");
    pressed.setAttribute("aria-pressed", "true");
    say(`Kept: this answer is ${verdict}.`);
  } catch (error) {
    complain(error.message);
  }
}

function kept() {
  try {
    return LOOPBACK ? JSON.parse(localStorage.getItem("asked") ?? "[]") : [];
  } catch {
    return [];
  }
}

function keep(question) {
  if (!LOOPBACK) return;
  localStorage.setItem("asked", JSON.stringify([question, ...kept().filter((q) => q !== question)].slice(0, KEPT)));
  remember();
}

function remember() {
  byId("asked").replaceChildren(...kept().map((value) => element("option", { value })));
  byId("forget").hidden = !kept().length;
}

// Files.

async function add(list) {
  for (const file of list) {
    try {
      const name = files.some((one) => one.name === file.name) ? `${file.name} (${files.length + 1})` : file.name;
      files.push({ name, ...(await contents(file)) });
    } catch (error) {
      complain(error.message);
    }
  }
  listFiles();
}

// Plain text is read here; the text of any other file, by the service.
async function contents(file) {
  const raw = await file.arrayBuffer();
  if (!/\.x?html?$/i.test(file.name)) {
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(raw);
      if (!text.includes("\u0000") && !text.startsWith("%PDF-")) return { text };
    } catch {} // it is not UTF-8
  }
  const path = `v1/documents/${encodeURIComponent(file.name)}`;
  const { id } = await (await call(path, { method: "PUT", body: raw, headers: { "Content-Type": "application/octet-stream" } })).json();
  return { id, text: await textOf(await call(`v1/documents/${id}/text`)) };
}

function listFiles() {
  byId("chosen").hidden = !files.length;
  byId("chosen").replaceChildren(
    ...files.map((file, i) => {
      const remove = button("×", () => {
        files.splice(i, 1);
        listFiles();
      }, { "aria-label": `Remove ${file.name}` });
      return element("li", {}, element("bdi", {}, file.name), remove);
    }),
  );
}

// Keys and beginnings.

function moveTo(card) {
  if (!card) return;
  for (const other of byId("answers").children) other.tabIndex = -1;
  card.tabIndex = 0;
  card.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") return asking ? asking.abort() : byId("whole").hidden || shut();
  const target = event.target;
  if (target.matches("input, textarea, select")) return;
  const on = target.matches("#answers li") ? target : null;
  const index = on ? [...byId("answers").children].indexOf(on) : -1;
  const acts = {
    "/": () => byId("question").focus(),
    ArrowDown: on && (() => moveTo(on.nextElementSibling)),
    ArrowUp: on && (() => moveTo(on.previousElementSibling)),
    Enter: on && (() => open(index)),
    c: on && (() => cite(index)),
  };
  if (!acts[event.key]) return;
  event.preventDefault();
  acts[event.key]();
});

byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
byId("entry").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", byId("token").value.trim());
  byId("entry").hidden = true;
  byId("trouble").hidden = true;
  greet();
});
byId("stop").addEventListener("click", () => asking?.abort());
byId("shut").addEventListener("click", shut);
byId("collection").addEventListener("change", choose);
byId("files").addEventListener("change", (event) => {
  add(event.target.files);
  event.target.value = "";
});
byId("forget").addEventListener("click", () => {
  localStorage.removeItem("asked");
  remember();
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  byId("ask").addEventListener(kind, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    byId("ask").classList.toggle("dropping", kind === "dragover");
    if (kind === "drop") add(event.dataTransfer.files);
  });
}

// Fields for texts are of no use where a collection is asked.
function choose() {
  const isMine = !byId("collection").value;
  for (const id of ["mine", "choose", "said-language"]) byId(id).hidden = !isMine;
}

async function greet() {
  try {
    const { readers, feedback, collections } = await (await call("v1/readers")).json();
    takesFeedback = feedback;
    byId("which").hidden = readers.length < 2;
    byId("among").hidden = !collections.length;
    byId("collection").replaceChildren(byId("collection").options[0], ...collections.map((name) => element("option", { value: name }, name)));
    if (collections.includes(address.get("in"))) byId("collection").value = address.get("in");
    choose();
    byId("reader").replaceChildren(...readers.map(({ name }) => element("option", {}, name)));
  } catch (error) {
    if (error instanceof Refused && byId("entry").hidden) complain(error.message);
  }
}

const byName = (a, b) => names.of(a).localeCompare(names.of(b), "en");
byId("language").append(...LANGUAGES.sort(byName).map((code) => element("option", { value: code }, names.of(code))));
byId("examples").append(
  ...EXAMPLES.map(([asks, question, reads, text]) => {
    const act = () => {
      byId("collection").value = "";
      choose();
      byId("question").value = question;
      byId("text").value = text;
      byId("language").value = reads;
      ask();
    };
    const label = element("b", { lang: asks, dir: direction(asks) }, question);
    const small = element("small", {}, `${names.of(asks)} question, ${names.of(reads)} text`);
    const made = button("", act);
    made.append(label, small);
    return element("li", {}, made);
  }),
);
if (address.has("q")) byId("question").value = address.get("q");
if (["1", "3", "5", "10"].includes(address.get("k"))) byId("count").value = address.get("k");
remember();
greet();
