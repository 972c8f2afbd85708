"""The crew: whose windows are read when, what leaves with a turn, and that answers stay the same.

Fairness is read off the order in which windows are begun: nothing is timed.
"""

import threading
import time
from concurrent.futures import CancelledError

import pytest
from test_answerer import CONTEXTS, GERMAN, HashEngine, examples

from babelspan.reading.answerer import Answerer
from babelspan.reading.crew import Crew
from babelspan.reading.windows import Featurizer
from babelspan.types import Limits


class Gate:
    """An engine of names in place of windows: it notes which it begins, and waits to be let on."""

    workers = 1

    def __init__(self):
        self.begun = []
        self.open = threading.Event()
        self.busy = threading.Event()

    def read(self, windows):
        for window in windows:
            self.begun.append(window)
            self.busy.set()
            assert self.open.wait(30)
            if window == "broken":
                raise ValueError("no such window")
            yield f"logits of {window}"


class Stepwise(Gate):
    """A gate that lets one window on at each step."""

    def __init__(self):
        super().__init__()
        self.steps = threading.Semaphore(0)

    def read(self, windows):
        for window in windows:
            self.begun.append(window)
            assert self.steps.acquire(timeout=30)
            yield f"logits of {window}"


def until(true):
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, "it has not come true"
        time.sleep(0.01)


@pytest.fixture
def gate():
    return Gate()


@pytest.fixture
def crew(gate):
    with Crew(gate) as crew:
        turn = crew.turn()
        turn.read("first", noted)
        assert gate.busy.wait(30)  # from here on everything queues until the gate opens
        yield crew
        gate.open.set()


def noted(window, logits):
    return window, logits


def lined_up(crew, name, count):
    turn = crew.turn()
    return turn, [turn.read(f"{name}{i}", noted) for i in range(count)]


def read(gate, *futures):
    """The order of reading, once all of these are read."""
    gate.open.set()
    for future in futures:
        future.result(30)
    return " ".join(gate.begun[1:])


def test_first_windows_and_the_round_alternate(gate, crew):
    _, a = lined_up(crew, "a", 3)
    _, b = lined_up(crew, "b", 2)
    _, c = lined_up(crew, "c", 1)
    assert (crew.waiting, crew.turns, crew.begun) == (6, 3, 1)
    assert read(gate, *a, *b, *c) == "a0 a1 b0 a2 c0 b1"
    assert (crew.waiting, crew.turns, crew.begun) == (0, 0, 7)


def test_a_short_question_goes_before_four_long_ones(gate, crew):
    long = [f for name in "abcd" for f in lined_up(crew, name, 20)[1]]
    engine_has_begun_all = read_until(gate, crew, 12)
    _, (short,) = lined_up(crew, "short", 1)
    assert read(gate, short, *long).split()[engine_has_begun_all] == "short0"


def test_a_spare_thread_reads_a_first_window_beside_later_ones():
    gate = Stepwise()
    with Crew(gate, spare=1) as crew:
        _, long = lined_up(crew, "long", 3)
        gate.steps.release()
        until(lambda: gate.begun == ["long0", "long1"])
        _, (short,) = lined_up(crew, "short", 1)
        until(lambda: gate.begun == ["long0", "long1", "short0"])
        _, more = lined_up(crew, "a", 2)
        assert (crew.waiting, crew.begun) == (3, 3)
        gate.steps.release(100)
        for future in (short, *long, *more):
            future.result(30)


def test_a_spare_thread_takes_no_part_in_a_flood_of_short_questions():
    gate = Gate()
    gate.open.set()
    readers = set()
    with Crew(gate, spare=1) as crew:
        note = lambda *_: readers.add(threading.current_thread().name)  # noqa: E731
        for future in [crew.turn().read(f"{i}", note) for i in range(200)]:
            future.result(30)
    assert readers == {"crew-0"}


def test_a_spare_thread_reads_first_windows_only():
    gate = Gate()
    gate.open.set()
    readers = {}

    def by_whom(window, logits):
        readers[window] = threading.current_thread().name

    with Crew(gate, spare=1) as crew:
        for name in "abcdefgh":
            turn = crew.turn()
            for future in [turn.read(f"{name}{i}", by_whom) for i in range(10)]:
                future.result(30)
    assert len(readers) == 80
    assert {name[1:] for name, thread in readers.items() if thread == "crew-1"} <= {"0"}


def read_until(gate, crew, count):
    """Let windows be read until so many have been begun after the first; how many were."""
    reached = threading.Semaphore(0)
    let = gate.read

    def counted(windows):
        (window,) = windows
        gate.begun.append(window)
        gate.busy.set()
        if len(gate.begun) == count + 1:
            gate.open = threading.Event()
            reached.release()
        assert gate.open.wait(30)
        return iter([f"logits of {window}"])

    gate.read = counted
    gate.open.set()
    assert reached.acquire(timeout=30)
    gate.read = let
    return count


def test_a_flood_of_short_questions_leaves_half_of_the_crew_to_a_long_one(gate, crew):
    _, long = lined_up(crew, "long", 5)
    short = [lined_up(crew, f"s{i}-", 1)[1][0] for i in range(20)]
    order = read(gate, *long, *short).split()
    assert [i for i, name in enumerate(order) if name.startswith("long")] == [0, 1, 3, 5, 7]


def test_what_is_added_to_a_turn_later_stands_behind_others(gate, crew):
    _, a = lined_up(crew, "a", 3)
    turn, b = lined_up(crew, "b", 1)
    more = turn.read("more", noted)
    _, c = lined_up(crew, "c", 1)
    assert read(gate, *a, *b, more, *c) == "a0 a1 b0 a2 c0 more"


def test_long_texts_are_read_side_by_side(gate, crew):
    long = [f for name in "abc" for f in lined_up(crew, name, 3)[1]]
    order = read(gate, *long).split()
    assert order == ["a0", "a1", "b0", "a2", "c0", "b1", "c1", "b2", "c2"]


def test_a_turn_that_leaves_takes_its_windows_with_it(gate, crew):
    turn, a = lined_up(crew, "a", 100)
    _, b = lined_up(crew, "b", 2)
    turn.leave()
    assert crew.waiting == 2
    assert read(gate, *b) == "b0 b1"
    assert all(future.cancelled() for future in a)
    with pytest.raises(CancelledError):
        a[0].result()
    again = turn.read("again", noted)
    assert again.result(30) == ("again", "logits of again")


def test_a_window_that_cannot_be_read_ends_nothing_else(gate, crew):
    turn = crew.turn()
    broken, whole = turn.read("broken", noted), turn.read("whole", noted)
    gate.open.set()
    with pytest.raises(ValueError, match="no such window"):
        broken.result(30)
    assert whole.result(30) == ("whole", "logits of whole")


def test_closing_reads_what_is_begun_and_nothing_more(gate):
    crew = Crew(gate)
    turn = crew.turn()
    first, second = turn.read("first", noted), turn.read("second", noted)
    assert gate.busy.wait(30)
    closing = threading.Thread(target=crew.close)
    closing.start()
    with pytest.raises(CancelledError):
        second.result(30)
    gate.open.set()
    closing.join(30)
    assert first.result(30) == ("first", "logits of first")
    assert gate.begun == ["first"]
    assert not any(thread.name.startswith("crew-") for thread in threading.enumerate())
    with pytest.raises(RuntimeError, match="the crew is closed"):
        turn.read("late", noted)


def test_a_crew_has_someone_in_it(gate):
    with pytest.raises(ValueError, match="workers must be 1 or more, got 0"):
        Crew(gate, workers=0)


@pytest.mark.parametrize("workers", [1, 3])
def test_answers_are_those_of_the_engine_alone(tokenizer, workers):
    limits = Limits(max_length=80, overlap=16)
    engine = HashEngine(Featurizer(tokenizer, max_positions=128, pad_id=1))
    alone = Answerer(engine, limits=limits)
    with Crew(engine, workers=workers) as crew:
        shared = Answerer(engine, limits=limits, crew=crew)
        assert list(shared.predict(examples())) == list(alone.predict(examples()))
        contexts = [GERMAN * 6, "", *CONTEXTS]
        assert shared.ask("Who?", contexts, top_k=5) == alone.ask("Who?", contexts, top_k=5)
        assert shared("Who?", GERMAN, top_k=3) == alone("Who?", GERMAN, top_k=3)


def test_many_askers_at_once_get_their_own_answers(tokenizer):
    engine = HashEngine(Featurizer(tokenizer, max_positions=128, pad_id=1))
    asked = examples()
    expected = [Answerer(engine)(e.question, e.context) for e in asked]
    answers = {}
    with Crew(engine, workers=2) as crew:
        shared = Answerer(engine, crew=crew)

        def ask(number):
            answers[number] = shared(asked[number].question, asked[number].context)

        threads = [threading.Thread(target=ask, args=(i,)) for i in range(len(asked))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert [answers[i] for i in range(len(asked))] == expected


def test_answers_that_nobody_waits_for_are_not_read(tokenizer):
    engine = HashEngine(Featurizer(tokenizer, max_positions=128, pad_id=1))
    with Crew(engine, workers=1) as crew:
        answers = Answerer(engine, limits=Limits(max_length=80, overlap=0), crew=crew).predict(
            examples() * 10
        )
        next(answers)
        answers.close()
        assert crew.waiting == 0
