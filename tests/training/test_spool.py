"""Items on disk: a sequence like a list, in a file without a name."""

import pickle
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest

from babelspan.training.spool import Spool


def test_it_is_a_sequence_like_a_list():
    items = [("a", 1), ("bb" * 100, 2), ("", 3)]
    spool = Spool(items)
    assert len(spool) == 3
    assert list(spool) == items
    assert [spool[i] for i in (2, 0, -1)] == [items[2], items[0], items[2]]
    assert spool[1:] == items[1:]
    with pytest.raises(IndexError, match="expected an index below 3, got 3"):
        spool[3]
    assert not Spool()


def test_items_may_be_added_between_reads():
    spool = Spool()
    for number in range(50):
        spool.append([number] * number)
        assert spool[number // 2] == [number // 2] * (number // 2)
    assert list(spool) == [[n] * n for n in range(50)]


def test_nothing_is_left_in_the_folder(tmp_path):
    spool = Spool(range(10), folder=tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert list(spool) == list(range(10))
    assert list(Spool([1], folder=tmp_path / "not there")) == [1]


def test_threads_read_what_one_reads():
    spool = Spool([str(n) * (n % 97) for n in range(500)])
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: spool[n % 500], range(4000)))
    assert found == [str(n % 500) * (n % 500 % 97) for n in range(4000)]


def test_memory_does_not_grow_with_the_items():
    """20,000 items of 1 kB and more: 20 MB on disk, 8 bytes each in memory."""
    tracemalloc.start()
    spool = Spool(str(number) * 300 for number in range(20_000))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(pickle.dumps(spool[-1])) > 1000
    assert held < 4_000_000
