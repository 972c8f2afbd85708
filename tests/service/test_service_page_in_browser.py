"""The page in a real browser: asking, places in many scripts, keys, hostile texts, no outside."""

import json

import pytest

from babelspan.data.squad import load_squad
from babelspan.service.page import made_page
from served import SAMPLES, default_answerer, serving

pytestmark = pytest.mark.browser
BEFORE = "👨\u200d👩\u200d👧 e\u0301 \U00010348 🇩🇪 "
LANGUAGES = ("ar", "de", "en", "es", "hi", "ko", "ru", "zh")
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
    page.run("document.activeElement.blur()")
    press(page, "/", text="/")
    assert page.run("document.activeElement.id") == "question"
    page._call("Input.insertText", text="Where is the lake?")
    press(page, "Tab")
    assert page.run("document.activeElement.id") == "text"
    page._call("Input.insertText", text="The lake lies in Siberia. The ship is in Japan. " * 3)
    page.run("byId('question').focus()")
    press(page, "Enter")
    page.run(SETTLED)
    page.run("byId('answers').querySelector('[tabindex=\"0\"]').focus()")
    press(page, "ArrowDown")
    index = "[...byId('answers').children].indexOf(document.activeElement)"
    assert page.run(index) == 1
    press(page, "ArrowUp")
    assert page.run(index) == 0
    press(page, "Enter")
    assert page.run("byId('whole').hidden") is False
    assert page.run("document.activeElement.id") == "name"
    press(page, "Escape")
    assert page.run("byId('whole').hidden") is True
    assert page.run(index) == 0


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


def test_a_token_is_asked_for_once(browser, tmp_path):
    (tmp_path / "token").write_text("correct-horse-battery-staple")
    with serving(token_file=tmp_path / "token") as served:
        browser.open(url(served))
        browser.run(AFTER_GREETING)
        assert browser.run("byId('entry').hidden") is False
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
