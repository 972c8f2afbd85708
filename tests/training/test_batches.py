"""The order of training: every window once an epoch, limits, shares, and going on in the middle."""

import numpy as np
import pytest
import torch

from babelspan.training.batches import Batches
from babelspan.types import Answer, ConfigError, DataError, Example
from miniature import miniature_reader

READER = miniature_reader(["w", "a"], max_length=128, overlap=0)


def made_windows(count, seed=0, longest=60):
    """Windows of many lengths; the id of each is its number."""
    rng = np.random.default_rng(seed)
    examples = [
        Example(
            id=str(number),
            question="w w",
            context=" ".join(["a", *["w"] * int(rng.integers(longest))]),
            answers=(Answer("a", 0),),
            question_language="en",
            context_language="en",
        )
        for number in range(count)
    ]
    windows = list(READER.windows(examples))
    assert len(windows) == count
    return windows


WINDOWS = made_windows(230)


def ids(update):
    """The ids of each share of an update."""
    return [[e.id for e in share.batch.examples] for share in update]


def flat(update):
    return [identity for share in ids(update) for identity in share]


def all_ids(batches, start=0):
    return [ids(update) for update in batches.starting_at(start)]


@pytest.mark.parametrize("limits", [{"batch_size": 8}, {"batch_size": 7, "batch_tokens": 200}])
def test_every_window_once_an_epoch(limits):
    updates = list(Batches(READER, WINDOWS, seed=1, epochs=3, **limits).starting_at(0))
    everything = sorted(str(number) for number in range(230))
    at = 0
    for _ in range(3):
        seen = []
        while len(seen) < 230:
            seen += flat(updates[at])
            at += 1
        assert sorted(seen) == everything
    assert at == len(updates)


def test_a_small_update_is_filled_for_its_shares():
    """Seven windows in updates of six, each of six shares: the second takes five seen before."""
    batches = Batches(READER, WINDOWS[:7], seed=1, batch_size=6, accumulation=6)
    updates = [flat(update) for update in batches.starting_at(0)]
    assert [len(update) for update in updates] == [6, 6]
    assert {identity for update in updates for identity in update} == set("0123456")


def test_order_is_a_function_of_seed_and_epoch():
    def order(seed):
        return all_ids(Batches(READER, WINDOWS, seed=seed, batch_size=8, epochs=2))

    one = order(1)
    assert one == order(1)
    assert one != order(2)
    half = len(one) // 2
    assert one[:half] != one[half:]
    assert [flat_of for share in one[0] for flat_of in share] != [str(n) for n in range(8)]


def test_the_random_state_of_others_does_not_matter_and_is_not_touched():
    torch.manual_seed(3)
    np.random.seed(3)
    state = torch.get_rng_state()
    one = all_ids(Batches(READER, WINDOWS, seed=1, batch_size=8))
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(4)
    assert all_ids(Batches(READER, WINDOWS, seed=1, batch_size=8)) == one


def test_starting_in_the_middle_gives_the_same_updates():
    batches = Batches(READER, WINDOWS, seed=1, batch_size=8, batch_tokens=300, epochs=2)
    whole = all_ids(batches)
    for start in (0, 1, 17, len(whole) // 2, len(whole) - 1, len(whole)):
        assert all_ids(batches, start) == whole[start:]


def test_updates_take_the_place_of_epochs():
    by_epochs = all_ids(Batches(READER, WINDOWS, seed=1, batch_size=8, epochs=2))
    for count in (1, 5, len(by_epochs)):
        batches = Batches(READER, WINDOWS, seed=1, batch_size=8, updates=count)
        assert batches.updates == count
        assert all_ids(batches) == by_epochs[:count]
    assert len(all_ids(Batches(READER, WINDOWS, seed=1, batch_size=200, updates=9))) == 9


@pytest.mark.parametrize(("size", "tokens"), [(1, None), (16, None), (16, 256), (64, 100)])
def test_limits_hold_with_padding(size, tokens):
    batches = Batches(READER, WINDOWS, seed=1, batch_size=size, batch_tokens=tokens)
    shapes = [update[0].batch.input_ids.shape for update in batches.starting_at(0)]
    assert max(windows for windows, _ in shapes) <= size
    if tokens is None:
        assert [windows for windows, _ in shapes].count(size) == 230 // size
    else:
        assert max(windows * length for windows, length in shapes) <= tokens
        assert np.mean([windows * length for windows, length in shapes]) > 0.6 * tokens


def test_a_window_longer_than_the_limit_is_an_update_of_its_own():
    batches = Batches(READER, WINDOWS, seed=1, batch_size=8, batch_tokens=1)
    assert all(len(flat(update)) == 1 for update in batches.starting_at(0))
    assert batches.updates == 230


@pytest.mark.parametrize(("processes", "accumulation"), [(1, 4), (2, 1), (2, 3), (3, 2)])
def test_shares_partition_the_joint_batch(processes, accumulation):
    limits = {"seed": 1, "batch_size": 17, "batch_tokens": 500}
    joint = Batches(READER, WINDOWS, **limits).starting_at(0)
    of_process = [
        Batches(
            READER,
            WINDOWS,
            accumulation=accumulation,
            process=process,
            processes=processes,
            **limits,
        ).starting_at(0)
        for process in range(processes)
    ]
    compared = 0
    for whole, *updates in zip(joint, *of_process, strict=True):
        assert all(len(update) == accumulation for update in updates)
        shares = [share for update in updates for share in update]
        found = [identity for update in updates for identity in flat(update)]
        weights = sum(share.weight for share in shares)
        assert weights == pytest.approx(processes, rel=1e-12)
        for share in shares:  # each window counts the same
            expected = len(share.batch.windows) * processes / len(found)
            assert share.weight == pytest.approx(expected, rel=1e-12)
        if len(flat(whole)) >= processes * accumulation:
            assert sorted(found) == sorted(flat(whole))
            compared += 1
        else:
            assert set(flat(whole)) <= set(found)
            assert len(found) == processes * accumulation
    assert compared > 10


def test_windows_of_like_length_are_together():
    def padding(updates):
        masks = [update[0].batch.attention_mask for update in updates]
        return 1 - sum(int(m.sum()) for m in masks) / sum(m.numel() for m in masks)

    sorted_by_length = padding(Batches(READER, WINDOWS, seed=1, batch_size=8).starting_at(0))
    masks = [READER.collate(WINDOWS[i : i + 8]).attention_mask for i in range(0, 230, 8)]
    unsorted = 1 - sum(int(m.sum()) for m in masks) / sum(m.numel() for m in masks)
    assert sorted_by_length < 0.1
    assert unsorted > 0.25


def test_short_and_long_updates_are_mixed():
    batches = Batches(READER, WINDOWS, seed=1, batch_size=8)
    lengths = [update[0].batch.input_ids.shape[1] for update in batches.starting_at(0)]
    assert lengths != sorted(lengths)
    assert lengths != sorted(lengths, reverse=True)


def test_too_few_windows():
    with pytest.raises(
        DataError,
        match=r"at least 6 windows to learn from, one window for each process and .*, got 5",
    ):
        Batches(READER, WINDOWS[:5], seed=1, batch_size=8, accumulation=2, processes=3)
    exactly = Batches(READER, WINDOWS[:6], seed=1, batch_size=8, accumulation=2, processes=3)
    assert exactly.updates == 1


def test_too_small_an_update():
    with pytest.raises(ConfigError, match=r"batch_size must be at least 4.*got 3"):
        Batches(READER, WINDOWS, seed=1, batch_size=3, accumulation=4)


PAIRED = WINDOWS[:200]
"""As pairs: windows 0 and 1, 2 and 3, and so on."""


def pairs_of(share):
    identities = [int(e.id) for e in share.batch.examples]
    assert len(identities) % 2 == 0
    return list(zip(identities[::2], identities[1::2], strict=True))


@pytest.mark.parametrize(
    "limits",
    [
        {"batch_size": 8},
        {"batch_size": 9},
        {"batch_size": 14, "batch_tokens": 300},
        {"batch_size": 12, "accumulation": 3},
        {"batch_size": 12, "accumulation": 2, "processes": 2, "process": 1},
    ],
)
def test_windows_of_a_pair_stay_side_by_side(limits):
    batches = Batches(READER, PAIRED, seed=1, together=2, epochs=2, **limits)
    seen = []
    for update in batches.starting_at(0):
        joint = sum(len(share.batch.windows) for share in update) * limits.get("processes", 1)
        assert joint <= limits["batch_size"]
        for share in update:
            seen += pairs_of(share)
            if "batch_tokens" in limits and len(share.batch.windows) > 2:
                assert share.batch.input_ids.numel() <= limits["batch_tokens"]
    assert all(first % 2 == 0 and second == first + 1 for first, second in seen)
    if "process" not in limits and "accumulation" not in limits:
        assert sorted(seen) == sorted(2 * [(n, n + 1) for n in range(0, 200, 2)])
        assert seen != sorted(seen)


def test_processes_share_the_pairs_of_a_joint_batch():
    def shares(**more):
        made = Batches(READER, PAIRED, seed=1, together=2, batch_size=10, updates=6, **more)
        return list(made.starting_at(0))

    for whole, *parts in zip(
        shares(), *(shares(process=p, processes=2) for p in (0, 1)), strict=True
    ):
        found = [share for (share,) in parts]
        assert sorted(pairs_of(whole[0])) == sorted(pair for s in found for pair in pairs_of(s))
        pairs = [len(pairs_of(share)) for share in found]
        assert [s.weight for s in found] == pytest.approx([2 * n / sum(pairs) for n in pairs])


def test_one_together_is_the_order_that_was():
    """Joint batches by hand, from the definition, as every release has made them."""
    rng = np.random.default_rng([1, 0])
    lengths = np.array([w.length for w in WINDOWS])
    shuffled = rng.permutation(230)  # one pool: 64 updates of 8 hold all windows
    ordered = shuffled[np.argsort(lengths[shuffled], kind="stable")]
    joint = [ordered[at : at + 8] for at in range(0, 230, 8)]
    expected = [[[str(i) for i in joint[j]]] for j in rng.permutation(len(joint))]
    assert all_ids(Batches(READER, WINDOWS, seed=1, batch_size=8)) == expected
    assert all_ids(Batches(READER, WINDOWS, seed=1, batch_size=8, together=1)) == expected


def test_too_few_pairs():
    with pytest.raises(ConfigError, match=r"at least 4, 2 windows for each process and .* got 3"):
        Batches(READER, PAIRED, seed=1, batch_size=3, accumulation=2, together=2)
    with pytest.raises(DataError, match=r"at least 8 windows .* 2 windows for each .* got 6"):
        Batches(READER, PAIRED[:6], seed=1, batch_size=8, processes=4, together=2)
