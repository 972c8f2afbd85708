"""The page in a real browser: asking, places in many scripts, keys, hostile texts, no outside."""

import base64
import json
from pathlib import Path

import pytest

from babelspan.data.squad import load_squad
from babelspan.jobs.index import index
from babelspan.service.collections import opened
from babelspan.service.page import made_page
from made_documents import pdf_of
from served import SAMPLES, default_answerer, serving

pytestmark = pytest.mark.browser
BEFORE = "👨\u200d👩\u200d👧 e\u0301 \U00010348 🇩🇪 "
LANGUAGES = ("ar", "de", "en", "es", "hi", "ko", "ru", "zh")
AXE = Path(__file__).parents[2] / "build" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
HOSTILE = "</script><img src=x onerror=\"document.title='owned'\"> \u202e lake\u202c & <b>1984</b>"

SETTLED = """new Promise((done) => { const look = setInterval(() => {
  const ended = !asking && (!byId("results").hidden || !byId("trouble").hidden);
  if (ended) { clearInterval(look); done(); } }, 20); })"""
AFTER_GREETING = """new Promise((done) => { const look = setInterval(() => {
  if (byId("reader").children.length || !byId("entry").hidden) { clearInterval(look); done(); }
  }, 20); })"""


@pytest.fixture
def page(browser, served):
    """The page, open; at the end nothing was complained of, and nobody else was asked."""
    browser.open(url(served))
    browser.run(AFTER_GREETING)
    yield browser
    assert browser.complaints == []
    assert all(asked.startswith((url(served), "data:")) for asked in browser.requests)


def url(served):
    return f"http://127.0.0.1:{served.port}/"


def ask(page, question, text, language=""):
    values = {"question": question, "text": text, "language": language}
    page.run(
        "".join(f"byId('{k}').value = {json.dumps(v)};" for k, v in values.items()) + "ask(); 0"
    )
    page.run(SETTLED)


def press(page, key, **more):
    codes = {
        "Enter": {"windowsVirtualKeyCode": 13, "text": "\r"},
        "Tab": {"windowsVirtualKeyCode": 9},
        " ": {"windowsVirtualKeyCode": 32, "text": " ", "code": "Space"},
    }
    about = {"key": key, "code": key, **codes.get(key, {}), **more}
    page._call("Input.dispatchKeyEvent", type="keyDown", **about)
    page._call("Input.dispatchKeyEvent", type="keyUp", key=key)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_marked_text_is_the_answer(page, language):
    example = load_squad(SAMPLES / f"test.{language}.json")[0]
    text = f"{BEFORE}\r\n{example.context}".replace("\r\n", "\n")
    ask(page, example.question, text, language)
    (best,) = default_answerer().ask(example.question, [text])
    cards = page.run("[...document.querySelectorAll('#answers mark')].map((m) => m.textContent)")
    assert cards[0] == best.prediction.text
    page.run("open(0)")
    assert page.run("byId('body').textContent") == text
    mark = "byId('body').querySelector('mark[aria-current]')"
    assert page.run(f"{mark}.textContent") == best.prediction.text
    expected = ["rtl", language] if language == "ar" else ["ltr", language]
    assert page.run("['dir', 'lang'].map((a) => byId('body').getAttribute(a))") == expected
    before = f"(() => {{ const r = document.createRange(); r.setStart(byId('body'), 0);\
 r.setEndBefore({mark}); return r.toString(); }})()"
    assert page.run(before) == text[: best.prediction.span.start]


def test_an_example_is_one_click(page):
    for number, (language, right) in enumerate((("zh", "1932"), ("ar", "1924"), ("ru", "120"))):
        page.run(f"byId('examples').querySelectorAll('button')[{number}].click()")
        page.run(SETTLED)
        assert right in page.run("document.querySelector('.answer').textContent")
        assert page.run("document.querySelector('.answer bdi').lang") == language


def test_all_of_it_goes_by_keys(page):
    index = "[...byId('answers').children].indexOf(document.activeElement)"
    page.run("document.activeElement.blur()")
    press(page, "/", text="/")
    assert page.run("document.activeElement.id") == "question"
    page._call("Input.insertText", text="Where is the lake?")
    tab_to(page, "document.activeElement.id === 'text'")
    page._call("Input.insertText", text="The lake lies in Siberia. The ship is in Japan. " * 3)
    tab_to(page, "document.activeElement.id === 'go'")
    press(page, "Enter")
    page.run(SETTLED)
    tab_to(page, f"{index} === 0")
    press(page, "ArrowDown")
    assert page.run(index) == 1
    press(page, "ArrowUp")
    assert page.run(index) == 0
    press(page, "Enter")
    assert page.run("byId('whole').hidden") is False
    assert page.run("document.activeElement.id") == "name"
    press(page, "Escape")
    assert page.run("byId('whole').hidden") is True
    assert page.run(index) == 0
    tab_to(page, "document.activeElement.textContent === 'Show in the text'")
    press(page, " ")
    assert page.run("byId('whole').hidden") is False
    tab_to(page, "document.activeElement.id === 'shut'")
    press(page, "Enter")
    assert page.run("byId('whole').hidden") is True


def tab_to(page, reached):
    """Press Tab until something is reached; the focus can be seen at every step."""
    ring = "getComputedStyle(document.activeElement).outlineStyle"
    for _ in range(40):
        press(page, "Tab")
        if page.run(reached):
            hidden = page.run(f"{ring} === 'none' && document.activeElement.outerHTML")
            assert hidden is False
            return
    raise AssertionError(f"40 times Tab do not lead to {reached}")


def test_what_is_missing_is_said_where_it_is_missing(page):
    page.run("byId('go').click()")
    assert page.run("byId('trouble').textContent") == "Type a question first."
    assert page.run("document.activeElement.id") == "question"
    page.run("byId('question').value = 'Where?'; byId('go').click()")
    assert page.run("document.activeElement.id") == "text"
    ask(page, "a " * 499, "The lake.")
    assert "shorten it" in page.run("byId('trouble').textContent")


def test_hostile_texts_and_names_are_shown_as_they_are(page):
    name = json.dumps(HOSTILE)
    page.run(f"files = [{{ name: {name}, text: {name} + ' The lake lies in Siberia.' }}]; 0")
    page.run("listFiles()")
    ask(page, "Where is the lake?", "")
    page.run("open(0)")
    assert page.run("byId('body').textContent").startswith(HOSTILE)
    assert page.run("byId('name').textContent") == HOSTILE
    assert page.run("document.querySelectorAll('main img, main b:not(#examples b)').length") == 0
    assert page.run("document.title") == "Babelspan: ask your texts"


def test_long_texts_stand_in_parts_with_their_marks(page):
    text = "word " * 30_000 + "\n" + "The lake lies in Siberia.\n" + "word " * 30_000
    at = text.index("Siberia")
    place = {"document": "n", "index": 0, "utf16": {"start": at, "end": at + 7}}
    told = {
        "question": "q",
        "texts": [{"name": "n", "text": text}],
        "answers": [{"direction": "ltr", "place": place}],
    }
    page.run(f"shown = {json.dumps(told)}; open(0)")
    assert page.run("byId('body').children.length") > 1
    assert page.run("byId('body').querySelector('mark').textContent") == "Siberia"
    assert page.run("byId('body').textContent.length") == len(text)


def test_a_link_brings_the_question_and_no_text(page, served):
    ask(page, "Where is the lake?", "The lake lies in Siberia.")
    address = page.run("document.querySelector('#foot a').href")
    assert "Siberia" not in address
    page.open(address)
    page.run(AFTER_GREETING)
    assert page.run("byId('question').value") == "Where is the lake?"
    assert page.run("byId('text').value") == ""
    assert page.run("byId('asked').children[0].value") == "Where is the lake?"
    page.run("byId('forget').click()")
    assert page.run("byId('asked').children.length + localStorage.length") == 0


def test_judgements_are_sent(page, served):
    ask(page, "Where is the lake?", "The lake lies in Siberia.")
    right = "[...document.querySelectorAll('.tools button')].find((b) => b.textContent === 'Right')"
    page.run(f"{right}.click()")
    page.run(
        "new Promise((done) => setInterval(() => byId('said').textContent.startsWith('Kept') "
        "&& done(), 20))"
    )
    assert served.service.settings.feedback.read_text().count("\n") == 1


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_window_and_words_stand_out(page, served, width, scheme):
    feature = {"name": "prefers-color-scheme", "value": scheme}
    page._call("Emulation.setEmulatedMedia", features=[feature])
    page.open(url(served), width=width)
    page.run("byId('examples').querySelectorAll('button')[1].click()")
    page.run(SETTLED)
    page.run("open(0)")
    assert page.run("document.documentElement.scrollWidth") <= width
    assert page.run(CONTRASTS) >= 4.5
    page._call("Emulation.setEmulatedMedia", features=[])


CONTRASTS = """(() => {
  const part = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const rgba = (css) => css.match(/[\\d.]+/g).map(Number);
  const under = (e) => { for (; e; e = e.parentElement) {
    const c = rgba(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; }
    return [255, 255, 255]; };
  const all = [...document.querySelectorAll("body *")].filter((e) =>
    e.offsetParent && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()));
  return Math.min(...all.map((e) => {
    const [a, b] = [light(rgba(getComputedStyle(e).color)), light(under(e))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); }));
})()"""


def test_fields_and_buttons_have_names(page):
    tree = page._call("Accessibility.getFullAXTree")["nodes"]
    named = [n for n in tree if n.get("role", {}).get("value") in ("button", "textbox", "combobox")]
    assert len(named) >= 6
    assert [n for n in named if not n.get("name", {}).get("value")] == []
    headings = [n for n in tree if n.get("role", {}).get("value") == "heading"]
    assert len(headings) >= 2


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_state(page, served, width, scheme):
    if not AXE.exists():
        pytest.skip(f"needs axe-core: make {AXE.relative_to(AXE.parents[1])}")
    feature = {"name": "prefers-color-scheme", "value": scheme}
    page._call("Emulation.setEmulatedMedia", features=[feature])
    page.open(url(served), width=width)
    page.run(AFTER_GREETING)
    page.run(AXE.read_text("utf-8") + "; 0")
    found = {}
    for state, reach in STATES.items():
        page.run(reach)
        page.run(SETTLED if state in ("answers", "error") else "0")
        found[state] = page.run(VIOLATIONS)
    page._call("Emulation.setEmulatedMedia", features=[])
    assert all(looked_at > 15 for looked_at, _ in found.values()), found
    assert {state: faults for state, (_, faults) in found.items() if faults} == {}


STATES = {
    "empty": "0",
    "asking": "begin(); far({ windows: 12, of: 80 })",
    "answers": "byId('examples').querySelectorAll('button')[1].click()",
    "text open": "open(0)",
    "no answer": "begin(); byId('reading').hidden = true; show({ question: 'Why?', texts: [] },"
    " { answers: [], no_answer_score: 1, read: { windows: 1 } }, false)",
    "error": "byId('question').value = ''; byId('go').click()",
}
VIOLATIONS = f"""axe.run(document, {{ runOnly: {WCAG} }}).then((found) => [found.passes.length,
  found.violations.map((v) => [v.id, v.nodes.map((n) => [n.html, n.failureSummary])])])"""


def test_a_collection_is_asked_and_its_files_are_opened(browser, tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    lines = [(50, 700, "Penicillin was discovered"), (50, 688, "by Alexander Fleming in 1928.")]
    (docs / "paper.pdf").write_bytes(pdf_of([(50, 700, "Title page.")], lines))
    text = f"\ufeff{BEFORE}{HOSTILE}\n\nThe bridge was opened in 1894.\n\nThe end."
    (docs / "a <b>.txt").write_text(text, encoding="utf-8")
    index([docs], tmp_path / "papers.index")
    with serving(opened({"papers": str(tmp_path / "papers.index")})) as served:
        browser.open(f"{url(served)}#in=papers&q=Who discovered penicillin?")
        browser.run(AFTER_GREETING)
        assert browser.run("[byId('mine').hidden, byId('collection').value]") == [True, "papers"]
        browser.run("ask(); 0")
        browser.run(SETTLED)
        assert browser.run("document.querySelector('.answer').textContent") == "Alexander Fleming"
        assert "page 2, characters 42 to 59" in browser.run(
            "document.querySelector('.facts').textContent"
        )
        browser.run("open(0)")
        mark = "byId('body').querySelector('mark[aria-current]')"
        assert browser.run(f"{mark}.textContent") == "Alexander Fleming"
        assert browser.run(f"{mark}.closest('.passage').textContent").startswith("Penicillin was")
        assert browser.run("byId('body').textContent").startswith("Title page.")
        browser.run("byId('question').value = 'When was the bridge opened?'; ask(); 0")
        browser.run(SETTLED)
        browser.run("open(0)")
        assert browser.run(f"{mark}.textContent") == "1894"
        assert browser.run("byId('body').textContent") == text
        assert browser.run("byId('name').textContent") == str(docs / "a <b>.txt")
        (docs / "a <b>.txt").write_text("Something else.")
        browser.run("shut(); open(0)")
        assert "has changed since it was indexed" in browser.run("byId('trouble').textContent")
        assert browser.run("byId('whole').hidden") is True


def test_files_that_are_no_text_are_read_by_the_service(page, served):
    lines = [(50, 700, "Penicillin was discovered"), (50, 688, "by Alexander Fleming in 1928.")]
    packed = base64.b64encode(pdf_of([(50, 700, "Title page.")], lines)).decode()
    page.run(
        f"add([new File([Uint8Array.from(atob('{packed}'), (c) => c.charCodeAt(0))], 'p.pdf')])"
    )
    page.run("byId('question').value = 'Who discovered penicillin?'; byId('text').value = ''; 0")
    for _ in range(2):
        page.run("ask(); 0")
        page.run(SETTLED)
        assert page.run("document.querySelector('.answer').textContent") == "Alexander Fleming"
        assert page.run("byId('answers').querySelector('mark').textContent") == "Alexander Fleming"
    assert "page 2" in page.run("document.querySelector('.facts').textContent")
    for identity in list(served.service.documents._stored):
        served.call("DELETE", f"/v1/documents/{identity}")
    page.run("ask()")  # the text is still in the page
    assert page.run("document.querySelector('.answer').textContent") == "Alexander Fleming"
    assert "page 2" not in page.run("document.querySelector('.facts').textContent")
    browser_says_404 = [one for one in page.complaints if "404" in json.dumps(one)]
    assert len(browser_says_404) == len(page.complaints) == 1
    page._events.clear()


def test_a_token_is_asked_for_once(browser, tmp_path):
    (tmp_path / "token").write_text("correct-horse-battery-staple")
    with serving(token_file=tmp_path / "token") as served:
        browser.open(url(served))
        browser.run(AFTER_GREETING)
        assert browser.run("byId('entry').hidden") is False
        assert browser.run("[byId('ask'), byId('empty')].map((e) => e.checkVisibility())") == [
            False,
            False,
        ]
        browser.run("byId('token').value = 'correct-horse-battery-staple'")
        browser.run("byId('entry').requestSubmit()")
        browser.run(
            "new Promise((d) => setInterval(() => byId('reader').children.length && d(), 20))"
        )
        ask(browser, "Where is the lake?", "The lake lies in Siberia.")
        assert browser.run("document.querySelector('.answer').textContent") == "Siberia"


def test_the_page_is_one_response_with_nothing_from_elsewhere(served):
    html = made_page().html
    assert "innerHTML" not in html and "eval(" not in html
    for attribute in ("src=", "http://", "https://", "@import", "url("):
        assert attribute not in html
    status, headers, _ = served.call("GET", "/")
    again = served.call("GET", "/", **{"If-None-Match": headers["etag"]})
    assert (status, again[0], again[2]) == (200, 304, b"")
