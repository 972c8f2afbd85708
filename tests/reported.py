"""For tests of reports: evaluations of made-up readers, and HTML as a tree."""

from html.parser import HTMLParser
from pathlib import Path

from babelspan.data.folder import cross, find
from babelspan.reports.evaluation import Evaluation
from babelspan.scoring.figures import figures, signature
from babelspan.scoring.matrix import Matrix
from babelspan.scoring.scorers import squad

PARALLEL = Path(__file__).parent / "fixtures" / "parallel"
VOID = {"br", "img", "input", "link", "meta"}


def parallel_cells(*languages):
    """Every pair of some languages of the parallel miniature, three questions each."""
    files = [f for f in find([PARALLEL]) if f.context_language in languages]
    return cross({f.context_language: f.load() for f in files})


def evaluated(cells, said, *, reader="base", scorer=squad):
    """What `said(pair, example)` answers, None for nothing at all, scored."""
    predictions = {
        pair: {e.id: text for e in examples if (text := said(pair, e)) is not None}
        for pair, examples in cells.items()
    }
    matrix = Matrix({p: figures(cells[p], predictions[p], scorer) for p in cells})
    questions = sum(map(len, cells.values()))
    return Evaluation(
        reader=reader,
        scorer=scorer.NAME,
        signature=signature(scorer, questions=questions, data=["made-up"], version="0.1.0"),
        cells=cells,
        predictions=predictions,
        matrix=matrix,
    )


class Element:
    """A tag with its attributes, and elements and texts in it."""

    def __init__(self, tag, attributes):
        self.tag, self.attributes, self.inside = tag, dict(attributes), []

    def __getitem__(self, name):
        return self.attributes[name]

    @property
    def text(self):
        return "".join(i if isinstance(i, str) else i.text for i in self.inside)

    def all(self, tag=None, **attributes):
        """Elements in it with that tag and those attributes; `class_` is one class of several."""
        wanted = attributes.pop("class_", None)
        for element in self.inside:
            if isinstance(element, str):
                continue
            classes = (element.attributes.get("class") or "").split()
            if (
                tag in (None, element.tag)
                and (wanted is None or wanted in classes)
                and attributes.items() <= element.attributes.items()
            ):
                yield element
            yield from element.all(tag, **attributes, **({"class_": wanted} if wanted else {}))

    def one(self, tag=None, **attributes):
        (element,) = self.all(tag, **attributes)
        return element


class _Tree(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open = [Element("document", {})]

    def handle_starttag(self, tag, attrs):
        element = Element(tag, attrs)
        self.open[-1].inside.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data):
        self.open[-1].inside.append(data)


def parsed(page):
    """A page as a tree; every element is closed where it should be."""
    tree = _Tree()
    tree.feed(page)
    tree.close()
    assert [e.tag for e in tree.open] == ["document"]
    return tree.open[0]
