"""How much of a text is found again in a PDF that Chromium has printed of it, in 14 languages.

Three real passages of shared/data/qa in each language are printed, one page a language. Shares of
the trigrams of the original (NFKC, without white space) and of its words that are in the text.

    python bench/reading_pdfs.py
"""

import html
import random
import subprocess
import sys
import tempfile
import unicodedata
from collections import Counter
from pathlib import Path

from measured import DATA, ROOT, report

from babelspan.data.squad import load_squad
from babelspan.documents.pdf import pdf

sys.path.insert(0, str(ROOT / "tests"))
from chromium import binary

SEED = 3
SETS = {
    **{code: f"xquad/test.{code}" for code in ("en", "de", "ru", "ar", "hi", "vi", "zh")},
    "am": "amqa/test.am", "sw": "tydiqa/train.sw", "ko": "korquad/dev.ko", "he": "heq/test.he",
    "fa": "pquad/test.fa", "th": "iapp/test.th", "ja": "jsquad/valid.ja",
}  # fmt: skip


def trigrams(text):
    bare = "".join(unicodedata.normalize("NFKC", text).split())
    return Counter(bare[i : i + 3] for i in range(len(bare) - 2))


def chosen(name):
    """Three contexts of a set."""
    examples = load_squad(DATA / "qa" / f"{name}.json.gz", keep_misplaced=True)
    contexts = list(dict.fromkeys(e.context for e in examples))
    return random.Random(SEED).sample(contexts, 3)


def printed(texts, folder):
    """A PDF with a page, at least, for each language."""
    page = "<meta charset=utf-8><style>section { page-break-after: always }</style>"
    for language, of_language in texts.items():
        shown = "".join(f"<p dir=auto>{html.escape(text)}</p>" for text in of_language)
        page += f"<section lang={language}>{shown}</section>"
    (folder / "all.html").write_text(page, encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    place = f"--print-to-pdf={folder / 'all.pdf'}"
    command = [binary(), *options, f"--user-data-dir={folder / 'profile'}", place]
    subprocess.run([*command, (folder / "all.html").as_uri()], check=True, capture_output=True)
    return (folder / "all.pdf").read_bytes()


def main():
    if binary() is None:
        sys.exit("this takes Chromium, which is not installed")
    texts = {language: chosen(name) for language, name in SETS.items()}
    with tempfile.TemporaryDirectory() as folder:
        found = pdf("all.pdf", printed(texts, Path(folder))).text
    there, words = trigrams(found), set(unicodedata.normalize("NFKC", found).split())
    rows = []
    for language, of_language in texts.items():
        wanted = sum(map(trigrams, of_language), Counter())
        hits = sum(min(count, there[gram]) for gram, count in wanted.items())
        own = unicodedata.normalize("NFKC", " ".join(of_language)).split()
        rows.append(
            {
                "language": language,
                "trigrams": f"{hits / wanted.total():.1%}",
                "words": f"{sum(word in words for word in own) / len(own):.1%}",
            }
        )
    report("reading-pdfs", rows, libraries=["pypdfium2"], seed=SEED)


if __name__ == "__main__":
    main()
