"""How much of a text is extracted from a PDF printed by Chromium, in 14 languages.

Three real passages of shared/data/qa in each language are printed, one page per language. Reports
the fraction of the trigrams of the original (NFKC, without white space) and of its words that are
in the extracted text, compared with pdftotext (poppler-utils) if it is installed.

With PDFs as arguments: the fraction of pdftotext's sequences of five words that are in our text,
which shows how similar the order of lines and columns is.

    python bench/reading_pdfs.py [FILE.pdf…]
"""

import html
import random
import shutil
import subprocess
import sys
import tempfile
import unicodedata
from collections import Counter
from pathlib import Path

from measured import DATA, ROOT, report

from babelspan.data.files import read_bytes
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
    """Three contexts of a data set."""
    examples = load_squad(DATA / "qa" / f"{name}.json.gz", keep_misplaced=True)
    contexts = list(dict.fromkeys(e.context for e in examples))
    return random.Random(SEED).sample(contexts, 3)


def printed(texts, folder):
    """A PDF with at least one page for each language."""
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


def pdftotext(raw, folder):
    """The text extracted by pdftotext; None if it is not installed."""
    if shutil.which("pdftotext") is None:
        return None
    (folder / "one.pdf").write_bytes(raw)
    command = ["pdftotext", "-enc", "UTF-8", folder / "one.pdf", "-"]
    return subprocess.run(command, check=True, capture_output=True).stdout.decode()


def shares(found, of_language):
    """Fractions of the trigrams and of the words of a language's texts that are in a text."""
    there, words = trigrams(found), set(unicodedata.normalize("NFKC", found).split())
    wanted = sum(map(trigrams, of_language), Counter())
    hits = sum(min(count, there[gram]) for gram, count in wanted.items())
    own = unicodedata.normalize("NFKC", " ".join(of_language)).split()
    return f"{hits / wanted.total():.1%}", f"{sum(word in words for word in own) / len(own):.1%}"


def runs(text):
    """Sequences of five words, after removing hyphens at line ends."""
    words = unicodedata.normalize("NFKC", text).replace("-\n", "").split()
    return Counter(tuple(words[i : i + 5]) for i in range(len(words) - 4))


def compare(names, folder):
    """A row for each PDF, compared with pdftotext."""
    for name in names:
        raw = read_bytes(Path(name))
        ours, theirs = runs(pdf(name, raw).text), runs(pdftotext(raw, folder))
        shared = sum(min(count, ours[run]) for run, count in theirs.items())
        yield {
            "PDF": Path(name).name,
            "runs of pdftotext": theirs.total(),
            "in ours": f"{shared / theirs.total():.1%}",
            "of ours in pdftotext": f"{shared / ours.total():.1%}",
        }


def main():
    if binary() is None:
        sys.exit("this takes Chromium, which is not installed")
    facts = {"libraries": ["pypdfium2"], "seed": SEED}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if sys.argv[1:]:
            report("reading-pdfs-real", list(compare(sys.argv[1:], folder)), **facts)
            return
        texts = {language: chosen(name) for language, name in SETS.items()}
        raw = printed(texts, folder)
        found = {"": pdf("all.pdf", raw).text, " of pdftotext": pdftotext(raw, folder)}
    rows = []
    for language, of_language in texts.items():
        row = {"language": language}
        for whose, text in found.items():
            both = ("-", "-") if text is None else shares(text, of_language)
            row |= {f"trigrams{whose}": both[0], f"words{whose}": both[1]}
        rows.append(row)
    report("reading-pdfs", rows, **facts)


if __name__ == "__main__":
    main()
