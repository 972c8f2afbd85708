"""The files that a training job learns from: how they are read."""

import tracemalloc

from babelspan.jobs import corpora
from babelspan.jobs.corpora import Paths


def test_texts_are_read_line_by_line(tmp_path):
    line = "Wörter " * 10_000
    path = tmp_path / "some.de.txt"
    path.write_text("\ufeff" + f"{line}\r\n\n" * 50, encoding="utf-8", newline="")
    files = corpora.find(Paths(passages=(str(path),)))["passages"]
    tracemalloc.start()
    found = {(passage.text, passage.language) for passage in corpora.passages(files)}
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found == {(line.strip(), "de")}
    assert peak < path.stat().st_size / 4
