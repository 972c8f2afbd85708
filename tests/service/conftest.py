"""Services for the tests of this folder; the default reader is loaded once for all of them."""

import pytest

from babelspan.reading.crew import Crew
from babelspan.service import readers
from served import Gated, default_answerer, serving


@pytest.fixture(autouse=True, scope="session")
def loaded_once():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(readers, "load_answerer", lambda source, workers: default_answerer())
        yield


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serving(feedback=tmp_path_factory.mktemp("kept") / "feedback.jsonl") as one:
        yield one


@pytest.fixture
def gated(request):
    """A service whose windows wait, and their gate; settings come from the test's parameters."""
    with serving(**getattr(request, "param", {})) as one:
        reader = one.service.readers.named(None)
        gate = Gated(reader.answerer.engine)
        reader.crew.close()
        reader.crew = Crew(gate)
        yield one, gate
        gate.open.set()
