"""Batches made by another thread: the same ones in order, errors, and an end."""

import threading

import pytest
import torch

from babelspan.training.ahead import ahead, in_a_thread


def test_the_same_items_in_order():
    with in_a_thread(iter(range(100))) as made:
        assert list(made) == list(range(100))


def test_an_error_is_raised_where_the_items_are_taken():
    def failing():
        yield 1
        raise ValueError("the third page is torn")

    with in_a_thread(failing()) as made:
        assert next(made) == 1
        with pytest.raises(ValueError, match="the third page is torn"):
            next(made)


def test_the_thread_is_ahead_by_a_few_and_ends_with_the_block():
    made_so_far = []

    def counted():
        for number in range(1000):
            made_so_far.append(number)
            yield number

    before = threading.active_count()
    with in_a_thread(counted()) as made:
        assert [next(made) for _ in range(3)] == [0, 1, 2]
    assert threading.active_count() == before
    assert len(made_so_far) <= 3 + 4


def test_on_the_cpu_nothing_is_made_ahead():
    made_so_far = []

    def counted():
        for number in range(10):
            made_so_far.append(number)
            yield number

    with ahead(counted(), torch.device("cpu")) as made:
        assert next(made) == 0
    assert made_so_far == [0]
