"""The data of bornea2021 at scale `paper`, in small: files as `babelspan data fetch` writes them.

What cannot be had offline is SQuAD, MLQA, TyDiQA, mBERT and a translator; in their place stand the
toy world, its languages under the names of real ones, a miniature reader and exact dictionaries.
"""

from dataclasses import replace
from itertools import product

from babelspan.data.squad import save_squad
from miniature import miniature_reader
from world import World

WORLD = World(0)
MLQA = ("ar", "de", "en", "es", "hi", "vi", "zh")
TYDIQA = ("ar", "bn", "en", "fi", "id", "ko", "ru", "sw", "te")
SPOKEN = {
    language: "L0" if language == "en" else f"L{1 + number % 3}"
    for number, language in enumerate(sorted({*MLQA, *TYDIQA}))
}
"""The language of the toy world that stands in for a real one."""


def write(folder, *, train=16, questions=3):
    """Data, dictionaries and a reader in a folder, with so many questions of each file."""
    save_squad(folder / "squad" / "train.en.json.gz", WORLD.examples(train))
    for question, context in product(MLQA, MLQA):
        pair = question if question == context else f"{question}-{context}"
        save_squad(folder / "mlqa" / f"test.{pair}.json.gz", asked(question, context, questions))
        save_squad(folder / "mlqa" / f"dev.{pair}.json.gz", asked(question, context, 1))
    for language in TYDIQA:
        file = folder / "tydiqa-goldp" / f"dev.{language}.json.gz"
        save_squad(file, asked(language, language, questions))
        save_squad(folder / "tydiqa-goldp" / f"train.{language}.json.gz", [])
    for language in sorted({*MLQA, *TYDIQA} - {"en"}):
        words = WORLD.dictionary("L0", SPOKEN[language])
        lines = "".join(f"{own}\t{other}\n" for own, other in words.items())
        path = folder / "words" / f"en-{language}.tsv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(lines, encoding="utf-8")
    miniature_reader(WORLD.vocabulary(), dropout=0.1, positions=512).save(folder / "reader")


def asked(question, context, count):
    """Questions of MLQA or TyDiQA."""
    examples = WORLD.examples(count, SPOKEN[question], SPOKEN[context], seed=9)
    return [replace(e, question_language=question, context_language=context) for e in examples]
