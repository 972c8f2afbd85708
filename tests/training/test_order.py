"""The order of training: every window once an epoch, limits, shares, and going on in the middle."""

import numpy as np
import pytest
import torch

from babelspan.training.stream import Order, Stream, both
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


def updates_of(windows, *, together=1, **order):
    """The updates of a stream of windows, or of rows of windows that stay together."""
    rows = [windows[at : at + together] for at in range(0, len(windows), together)]
    stream = Stream(
        items=rows,
        lengths=np.array([max(w.length for w in row) for row in rows]),
        collate=lambda chosen: READER.collate([w for row in chosen for w in row]),
        together=together,
    )
    return stream.in_order(Order(**order))


def ids(update):
    """The ids of each share of an update."""
    return [[e.id for e in share.batch.examples] for share in update]


def flat(update):
    return [identity for share in ids(update) for identity in share]


def all_ids(batches, start=0):
    return [ids(update) for update in batches.starting_at(start)]


@pytest.mark.parametrize("limits", [{"batch_size": 8}, {"batch_size": 7, "batch_tokens": 200}])
def test_every_window_once_an_epoch(limits):
    updates = list(updates_of(WINDOWS, seed=1, epochs=3, **limits).starting_at(0))
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
    batches = updates_of(WINDOWS[:7], seed=1, batch_size=6, accumulation=6)
    updates = [flat(update) for update in batches.starting_at(0)]
    assert [len(update) for update in updates] == [6, 6]
    assert {identity for update in updates for identity in update} == set("0123456")


def test_order_is_a_function_of_seed_and_epoch():
    def order(seed):
        return all_ids(updates_of(WINDOWS, seed=seed, batch_size=8, epochs=2))

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
    one = all_ids(updates_of(WINDOWS, seed=1, batch_size=8))
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(4)
    assert all_ids(updates_of(WINDOWS, seed=1, batch_size=8)) == one


def test_starting_in_the_middle_gives_the_same_updates():
    batches = updates_of(WINDOWS, seed=1, batch_size=8, batch_tokens=300, epochs=2)
    whole = all_ids(batches)
    for start in (0, 1, 17, len(whole) // 2, len(whole) - 1, len(whole)):
        assert all_ids(batches, start) == whole[start:]


def test_updates_take_the_place_of_epochs():
    by_epochs = all_ids(updates_of(WINDOWS, seed=1, batch_size=8, epochs=2))
    for count in (1, 5, len(by_epochs)):
        batches = updates_of(WINDOWS, seed=1, batch_size=8, updates=count)
        assert batches.updates == count
        assert all_ids(batches) == by_epochs[:count]
    assert len(all_ids(updates_of(WINDOWS, seed=1, batch_size=200, updates=9))) == 9


@pytest.mark.parametrize(("size", "tokens"), [(1, None), (16, None), (16, 256), (64, 100)])
def test_limits_hold_with_padding(size, tokens):
    batches = updates_of(WINDOWS, seed=1, batch_size=size, batch_tokens=tokens)
    shapes = [update[0].batch.input_ids.shape for update in batches.starting_at(0)]
    assert max(windows for windows, _ in shapes) <= size
    if tokens is None:
        assert [windows for windows, _ in shapes].count(size) == 230 // size
    else:
        assert max(windows * length for windows, length in shapes) <= tokens
        assert np.mean([windows * length for windows, length in shapes]) > 0.6 * tokens


def test_a_window_longer_than_the_limit_is_an_update_of_its_own():
    batches = updates_of(WINDOWS, seed=1, batch_size=8, batch_tokens=1)
    assert all(len(flat(update)) == 1 for update in batches.starting_at(0))
    assert batches.updates == 230


@pytest.mark.parametrize(("processes", "accumulation"), [(1, 4), (2, 1), (2, 3), (3, 2)])
def test_shares_partition_the_joint_batch(processes, accumulation):
    limits = {"seed": 1, "batch_size": 17, "batch_tokens": 500}
    joint = updates_of(WINDOWS, **limits).starting_at(0)
    of_process = [
        updates_of(
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

    sorted_by_length = padding(updates_of(WINDOWS, seed=1, batch_size=8).starting_at(0))
    masks = [READER.collate(WINDOWS[i : i + 8]).attention_mask for i in range(0, 230, 8)]
    unsorted = 1 - sum(int(m.sum()) for m in masks) / sum(m.numel() for m in masks)
    assert sorted_by_length < 0.1
    assert unsorted > 0.25


def test_short_and_long_updates_are_mixed():
    batches = updates_of(WINDOWS, seed=1, batch_size=8)
    lengths = [update[0].batch.input_ids.shape[1] for update in batches.starting_at(0)]
    assert lengths != sorted(lengths)
    assert lengths != sorted(lengths, reverse=True)


def test_too_few_windows():
    with pytest.raises(
        DataError,
        match=r"at least 6 windows to learn from, one window for each process and .*, got 5",
    ):
        updates_of(WINDOWS[:5], seed=1, batch_size=8, accumulation=2, processes=3)
    exactly = updates_of(WINDOWS[:6], seed=1, batch_size=8, accumulation=2, processes=3)
    assert exactly.updates == 1


def test_too_small_an_update():
    with pytest.raises(ConfigError, match=r"batch_size must be at least 4.*got 3"):
        updates_of(WINDOWS, seed=1, batch_size=3, accumulation=4)


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
    batches = updates_of(PAIRED, seed=1, together=2, epochs=2, **limits)
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
        made = updates_of(PAIRED, seed=1, together=2, batch_size=10, updates=6, **more)
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
    assert all_ids(updates_of(WINDOWS, seed=1, batch_size=8)) == expected
    assert all_ids(updates_of(WINDOWS, seed=1, batch_size=8, together=1)) == expected


def test_too_few_pairs():
    with pytest.raises(ConfigError, match=r"at least 4, 2 windows for each process and .* got 3"):
        updates_of(PAIRED, seed=1, batch_size=3, accumulation=2, together=2)
    with pytest.raises(DataError, match=r"at least 8 windows .* 2 windows for each .* got 6"):
        updates_of(PAIRED[:6], seed=1, batch_size=8, processes=4, together=2)


def stream_of(windows):
    return Stream(
        items=windows, lengths=np.array([w.length for w in windows]), collate=READER.collate
    )


def test_two_streams_side_by_side():
    """Of the second three batches for each of the first, each of the whole size."""
    one, other = stream_of(WINDOWS[:20]), stream_of(WINDOWS[100:150])
    order = Order(seed=1, batch_size=8, epochs=2)
    updates = both(one, other, times=3).in_order(order)
    taken = [share.batch for (share,) in updates.starting_at(0)]
    assert len(taken) == updates.updates == 6
    sizes = {len(b.examples) for batch in taken for b in (batch.one, *batch.others)}
    assert sizes == {8}
    assert all(len(batch.others) == 3 for batch in taken)
    of_other = [e.id for batch in taken for b in batch.others for e in b.examples]
    assert {int(i) for i in of_other} == set(range(100, 150))
    assert taken[0].tokens == sum(b.tokens for b in (taken[0].one, *taken[0].others))


def test_two_streams_go_on_in_the_middle():
    one, other = stream_of(WINDOWS[:40]), stream_of(WINDOWS[100:150])
    updates = both(one, other, times=2).in_order(Order(seed=1, batch_size=8, updates=9))

    def ids_from(update):
        return [
            [[e.id for e in b.examples] for b in (share.batch.one, *share.batch.others)]
            for (share,) in updates.starting_at(update)
        ]

    assert ids_from(4) == ids_from(0)[4:]


def test_shares_of_two_streams_weigh_the_same():
    one, other = stream_of(WINDOWS[:21]), stream_of(WINDOWS[100:150])
    for process in range(2):
        order = Order(seed=1, batch_size=8, epochs=1, processes=2, process=process)
        for (share,) in both(one, other).in_order(order).starting_at(0):
            assert share.weight == 1
            assert len(share.batch.one.examples) == len(share.batch.others[0].examples) == 4


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"accumulation": 2}, "needs accumulation = 1 and no batch_tokens, got 2 and None"),
        ({"batch_tokens": 100}, "got 1 and 100"),
        ({"processes": 3}, "a batch_size that 3 processes can share equally, got 8"),
    ],
)
def test_two_streams_are_shared_out_equally_or_not_at_all(more, said):
    pair = both(stream_of(WINDOWS[:20]), stream_of(WINDOWS[100:150]))
    with pytest.raises(ConfigError, match=said):
        pair.in_order(Order(seed=1, batch_size=8, **more))


def test_a_source_of_zero_batches_is_refused():
    with pytest.raises(ValueError, match="times must be 1 or more, got 0"):
        both(stream_of(WINDOWS[:20]), stream_of(WINDOWS[:20]), times=0)


def test_pairs_that_processes_cannot_share_equally_are_refused():
    """Six windows are three pairs, for two processes."""
    pairs = Stream(
        items=list(zip(WINDOWS[::2], WINDOWS[1::2], strict=True)),
        lengths=np.array([99] * (len(WINDOWS) // 2)),
        collate=lambda rows: READER.collate([w for row in rows for w in row]),
        together=2,
    )
    with pytest.raises(ConfigError, match="got 6, which is 3 times 2 windows"):
        both(pairs, pairs).in_order(Order(seed=1, batch_size=6, processes=2))
