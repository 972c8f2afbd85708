"""How often words chosen because a text has them are right (`reading.in_text`), over NTREX.

A question is a sentence in one language; its text is the translation of it and of its five
neighbours. Words are translated with the dictionaries of the default reader. A chosen word is right
if it stands in the translation of its own sentence.

    python bench/translations_in_texts.py [--languages ar,de,es,hi,ru,vi,zh,ja,ko] [--lines 900]
"""

import argparse
from collections import Counter

from measured import DATA, report

from babelspan.data.bitext import load_bitext
from babelspan.readers import DEFAULT_FOLDER
from babelspan.reading.glossed import glossed_of
from babelspan.reading.glosses import most_likely
from babelspan.reading.in_text import TextWords
from babelspan.text.languages import is_spaced

BEFORE = AFTER = 3
STEP = 3
WAYS = ("stays", "another translation", "by sound", "most likely")


def measured(glosses, sources, targets, source, target):
    """For each way of choosing a word, the numbers of words and of right ones."""
    words, right = Counter(), Counter()
    between = " " if is_spaced(target) else ""
    for at in range(BEFORE, len(sources) - AFTER, STEP):
        seen = TextWords(between.join(targets[at - BEFORE : at + AFTER]), target)
        own = TextWords(targets[at], target)
        for word in glosses.words(sources[at], source, target, seen):
            options = glosses.options(word, source, target)
            likely = most_likely(options) if options else word
            found = seen.translation(word, options, likely)
            is_left = not options and found == word and word not in seen
            if not found or is_left or any(map(str.isdigit, word)):
                continue  # dropped, unknown, or a number
            if word in seen and found == word:
                way = "stays" if word in sources[at].lower() else "by sound"
            elif not options:
                way = "by sound"
            else:
                way = "most likely" if found == likely else "another translation"
            words[way] += 1
            right[way] += found in own
    return words, right


def main(languages: list[str], lines: int) -> None:
    """Print the shares for each pair with English."""
    glosses = glossed_of(DEFAULT_FOLDER).glosses
    rows = []
    for language in languages:
        pairs = list(load_bitext(DATA / "parallel" / f"ntrex.en-{language}.tsv.gz"))[:lines]
        sides = {"en": [p.source for p in pairs], language: [p.target for p in pairs]}
        for source, target in (("en", language), (language, "en")):
            words, right = measured(glosses, sides[source], sides[target], source, target)
            total = words.total()
            row = {"pair": f"{source}-{target}", "words": total}
            for way in WAYS:
                row[way] = round(100 * words[way] / total, 1)
                row[f"right, {way}"] = round(100 * right[way] / max(words[way], 1))
            rows.append(row)
            print(*(f"{k} {v}" for k, v in row.items()), sep="; ", flush=True)
    report("translations_in_texts", rows, libraries=["anyascii"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--languages", default="ar,de,es,hi,ru,vi,zh,ja,ko")
    parser.add_argument("--lines", type=int, default=900)
    given = parser.parse_args()
    main(given.languages.split(","), given.lines)
