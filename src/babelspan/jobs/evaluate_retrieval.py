"""How often a search finds the passage of a question among all passages of a data set.

The passages are the contexts of the questions, one per language and text. For each language pair,
the questions are searched for among all contexts of the context language.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from babelspan.data.folder import DataFile
from babelspan.engines.tantivy import TantivyIndex
from babelspan.jobs.collections import RULES
from babelspan.jobs.evaluate import load_cells, sampled
from babelspan.jobs.search import alternatives_of
from babelspan.readers import DEFAULT
from babelspan.retrieval.passages import Passage
from babelspan.retrieval.searching import Search
from babelspan.retrieval.stored import entry_of
from babelspan.scoring.clusters import clusters
from babelspan.scoring.matrix import Pair
from babelspan.scoring.retrieval import DEPTHS, Interval, figures
from babelspan.types import Example
from babelspan.version import VERSION

Watch = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Retrieval:
    """The result of the measurement.

    Attributes:
        cells: figures of each language pair.
        means: means over the pairs with one language, and with two.
        questions: number of questions of each pair.
        passages: number of passages searched, by context language.
        signature: everything that the figures depend on.
    """

    cells: Mapping[Pair, Mapping[str, Interval]]
    means: Mapping[str, Mapping[str, Interval]]
    questions: Mapping[Pair, int]
    passages: Mapping[str, int]
    signature: str


def evaluate_retrieval(
    files: Sequence[DataFile],
    *,
    crossed: bool = False,
    sample: int | None = None,
    translator: str | None = None,
    watch: Watch | None = None,
) -> Retrieval:
    """Measure the search on the contexts of a data set.

    Args:
        files: as in `jobs.evaluate.load_cells`.
        crossed: as in `load_cells`.
        sample: number of questions per language pair, chosen by a hash of the id; None for all.
            All contexts are searched in any case.
        translator: as in `jobs.search.alternatives_of`.
        watch: called with the number of questions done and their total.

    Raises:
        DataError: as in `load_cells`.
        ConfigError: as in `alternatives_of`.
    """
    whole = load_cells(files, crossed=crossed, keep_misplaced=True)
    cells = {pair: sampled(examples, sample) for pair, examples in whole.items()}
    alternatives = alternatives_of(translator)
    contexts = {
        language: sorted({e.context for (_, c), of in whole.items() if c == language for e in of})
        for language in sorted({context for _, context in whole})
    }
    total = sum(map(len, cells.values()))
    ranks = {}
    done = 0
    for language, texts in contexts.items():
        with TemporaryDirectory(prefix="babelspan-") as folder:
            store = _indexed(Path(folder), language, texts)
            search = Search(store, alternatives)
            for pair in (p for p in cells if p[1] == language):
                found = []
                for example in cells[pair]:
                    found.append(_rank(search, example, pair[0]))
                    done += 1
                    if watch is not None:
                        watch(done, total)
                ranks[pair] = np.array(found)
            store.close()
    kinds = {
        "mean, one language": [n for n, (q, c) in enumerate(cells) if q == c],
        "mean, two languages": [n for n, (q, c) in enumerate(cells) if q != c],
    }
    of_cells, means = figures(
        [ranks[pair] for pair in cells],
        list(clusters(cells, "paragraph").values()),
        {name: of_kind for name, of_kind in kinds.items() if of_kind},
    )
    return Retrieval(
        dict(zip(cells, of_cells, strict=True)),
        means,
        {pair: len(examples) for pair, examples in cells.items()},
        {language: len(texts) for language, texts in contexts.items()},
        _signature(files, sample, translator),
    )


def _indexed(folder: Path, language: str, texts: Sequence[str]) -> TantivyIndex:
    """Index texts as passages of one language, each as a file."""
    store = TantivyIndex(folder, writes=True)
    for number, text in enumerate(texts):
        store.replace(str(number), {}, [entry_of(Passage(number, text, language, "", ()))])
    store.commit()
    return store


def _rank(search: Search, example: Example, language: str) -> int:
    """Return the rank of an example's context in the search results, from 1; 0 if it is missing."""
    found = search.passages(example.question, DEPTHS[-1], language=language)
    return next((n for n, r in enumerate(found, 1) if r.passage.text == example.context), 0)


def _signature(files: Sequence[DataFile], sample: int | None, translator: str | None) -> str:
    named = "+".join(sorted(file.path.name for file in files))
    rules = "+".join(f"{name}{version}" for name, version in RULES.items())
    chosen = "" if sample is None else f"sample:{sample}|"
    given = f"data:{named}|{chosen}translator:{translator or DEFAULT}"
    return f"{given}|rules:{rules}|babelspan:{VERSION}"
