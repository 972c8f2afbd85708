"""`ask --top-texts` on a folder in many languages: time saved and recall lost.

Texts are test paragraphs in 14 languages, those of one article joined to 1,500 characters or more
(500 in Chinese and Japanese), up to 40 of each language. Three tables:

    kept      share of questions, in the language of their text, whose text is among the N selected
    crossed   the same for questions in another language than the text (XQuAD, each article in one
              language only)
    asked     seconds per question with and without, and how often the first answer is the same

    python bench/asking.py [--whole 3] [--small 40]
"""

import argparse
import random
import statistics
import time
from itertools import groupby

from measured import DATA, report

import babelspan
from babelspan.data.squad import load_squad
from babelspan.reading.call import unlabelled
from babelspan.text.shortlist import Shortlist

SEED = 1
SETS = {
    **{language: "xquad" for language in ("ar", "de", "en", "es", "hi", "ru", "vi", "zh")},
    "th": "iapp", "ja": "jsquad", "no": "norquad", "tr": "thquad", "fa": "pquad", "he": "heq",
}  # fmt: skip
CROSSED = [language for language, name in SETS.items() if name == "xquad"]
EACH = 40
LENGTH = {"zh": 500, "ja": 500}
COUNTS = (1, 5, 10, 20, 50)


def joined(language):
    """Texts in a language, each with its questions."""
    path = DATA / "qa" / SETS[language] / f"test.{language}.json.gz"
    found, examples = [], load_squad(path, keep_misplaced=True)
    for _, article in groupby(examples, key=lambda e: e.title):
        text, questions = "", []
        for context, of_context in groupby(article, key=lambda e: e.context):
            text = f"{text}\n\n{context}" if text else context
            questions += [e.question for e in of_context]
            if len(text) >= LENGTH.get(language, 1500):
                found.append((text, questions))
                text, questions = "", []
    return found


def folder():
    """(texts, [(language, question, index of its text)])."""
    rng = random.Random(SEED)
    texts, asked = [], []
    for language in SETS:
        found = joined(language)
        for text, questions in rng.sample(found, min(EACH, len(found))):
            asked.append((language, rng.choice(questions), len(texts)))
            texts.append(text)
    return texts, asked


def crossed_folder():
    """As `folder`, for XQuAD: each text in one language, its first question in all others."""
    paragraphs = {
        language: [
            (context, next(of_context).question)
            for context, of_context in groupby(
                load_squad(DATA / "qa" / "xquad" / f"test.{language}.json.gz"),
                key=lambda e: e.context,
            )
        ]
        for language in CROSSED
    }
    languages = [CROSSED[i % len(CROSSED)] for i in range(len(paragraphs["en"]))]
    random.Random(SEED).shuffle(languages)
    texts = [paragraphs[language][i][0] for i, language in enumerate(languages)]
    asked = [
        (f"{question}-{language}", paragraphs[question][i][1], i)
        for i, language in enumerate(languages)
        for question in CROSSED
        if question != language
    ]
    return texts, asked


def kept(texts, asked, engine):
    """A row for each group of questions: the fraction whose text is among the first N."""
    shortlist = Shortlist(texts)
    places = {}
    for group, question, right in asked:
        ranked = shortlist.ranked(question, put(engine, question, texts))
        places.setdefault(group, []).append(ranked.index(right))
    places["all"] = [place for of_group in places.values() for place in of_group]
    return [
        {
            "questions": f"{group} ({len(found)})",
            **{f"N={n}": f"{sum(p < n for p in found) / len(found):.1%}" for n in COUNTS},
        }
        for group, found in places.items()
    ]


def put(engine, question, texts):
    """The question as the reader reads it for each text."""
    return [engine.read_as(unlabelled("", question, text)).question for text in texts]


def answered(answerer, texts, question, count):
    """Seconds and the first answer, from the best `count` texts, or from all if None."""
    began, worked = time.perf_counter(), time.process_time()
    read = range(len(texts))
    if count is not None:
        read = Shortlist(texts).best(question, count, put=put(answerer.engine, question, texts))
    (found,) = answerer.ask(question, [texts[i] for i in read])
    answer = (read[found.context], found.prediction.span)
    return time.perf_counter() - began, time.process_time() - worked, answer


def compared(texts, asked, name):
    """Rows: seconds per question with all texts and with the best 5, 10, 20, and equal answers."""
    answerer = babelspan.load_answerer()
    found = {
        count: [answered(answerer, texts, question, count) for _, question, _ in asked]
        for count in (None, 5, 10, 20)
    }
    for count, of_count in found.items():
        same = [a[2] == b[2] for a, b in zip(of_count, found[None], strict=True)]
        right = [a[2][0] == right for a, (_, _, right) in zip(of_count, asked, strict=True)]
        yield {
            "folder": name,
            "texts read": len(texts) if count is None else count,
            "seconds": f"{statistics.mean(a[0] for a in of_count):.2f}",
            "processor": f"{statistics.mean(a[1] for a in of_count):.2f}",
            "same first answer": f"{sum(same)}/{len(same)}",
            "answer in the right text": f"{sum(right)}/{len(right)}",
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--whole", type=int, default=3, help="questions to the whole folder")
    parser.add_argument("--small", type=int, default=40, help="questions to 60 of its texts")
    wanted = parser.parse_args()
    facts = {"libraries": ["numpy", "onnxruntime", "regex"], "seed": SEED}
    engine = babelspan.load_answerer().engine
    texts, asked = folder()
    report(
        "asking-kept",
        kept(texts, asked, engine),
        texts=len(texts),
        characters=sum(map(len, texts)),
        **facts,
    )
    report("asking-crossed", by_script(*crossed_folder(), engine), **facts)
    some = random.Random(SEED).sample(range(len(texts)), 60)
    small = [(language, q, some.index(i)) for language, q, i in asked if i in some]
    folders = [
        (
            "60 texts",
            [texts[i] for i in some],
            small[:: -(-len(small) // wanted.small)] if wanted.small else [],
        ),
        (f"{len(texts)} texts", texts, random.Random(SEED).sample(asked, wanted.whole)),
    ]
    rows = [row for name, read, of in folders if of for row in compared(read, of, name)]
    if rows:
        report("asking", rows, **facts)


def by_script(texts, asked, engine):
    """The table of `kept` for pairs of languages in Latin script, and for all other pairs."""
    latin = {"de", "en", "es", "vi"}
    grouped = [
        ("both in Latin script" if set(pair.split("-")) <= latin else "others", question, right)
        for pair, question, right in asked
    ]
    return kept(texts, grouped, engine)


if __name__ == "__main__":
    main()
