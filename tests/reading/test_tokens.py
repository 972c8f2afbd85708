"""Texts as tokens: what is kept, and long texts that are encoded beside the caller."""

import signal
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from babelspan.reading import tokens as module
from babelspan.reading.tokens import TokenMemory, Tokens, encoded


def made(text):
    places = np.arange(len(text), dtype=np.int32)
    return Tokens(places, np.stack([places, places + 1], axis=1))


def memory(room):
    asked = []

    def encode(text):
        asked.append(text)
        return made(text)

    return TokenMemory(encode, room=room), asked


def test_texts_are_kept_while_there_is_room_the_last_used_longest():
    tokens, asked = memory(10)
    for text in ("aaaa", "bbbb", "aaaa", "cccc", "aaaa", "bbbb"):
        assert len(tokens(text).ids) == 4
    assert asked == ["aaaa", "bbbb", "cccc", "bbbb"]


def test_a_text_that_is_longer_than_the_room_is_kept_until_the_next():
    tokens, asked = memory(3)
    for text in ("aaaa", "aaaa", "b", "b", "aaaa"):
        tokens(text)
    assert asked == ["aaaa", "b", "aaaa"]


def test_threads_get_the_tokens_of_their_text():
    tokens, _ = memory(20)
    wrong = []

    def look(letter):
        for length in list(range(1, 9)) * 50:
            if len(tokens(letter * length).ids) != length:
                wrong.append(letter * length)

    threads = [threading.Thread(target=look, args=(letter,)) for letter in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert tokens._size == sum(len(t.ids) for t in tokens._known.values()) <= 20


def test_a_long_text_has_the_tokens_of_a_short_one(tokenizer, sentences, monkeypatch):
    text = "\ud800 ".join(sentences)
    short = encoded(tokenizer, text)
    monkeypatch.setattr(module, "_LONG", 10)
    long = encoded(tokenizer, text)
    assert np.array_equal(short.ids, long.ids)
    assert np.array_equal(short.offsets, long.offsets)
    assert len(short.ids) > 10


def test_a_text_that_takes_a_while_is_a_batch_in_which_other_threads_run(tokenizer, sentences):
    text = " ".join(sentences) * (module._SHORT // len(" ".join(sentences)) + 1)
    batches_only = SimpleNamespace(encode_batch=tokenizer.encode_batch)
    found = encoded(batches_only, text)
    expected = tokenizer.encode(text, add_special_tokens=False)
    assert found.ids.tolist() == expected.ids
    assert [*map(tuple, found.offsets.tolist())] == expected.offsets


def test_parts_of_a_long_text_are_joined_to_its_tokens(tokenizers, sentences, monkeypatch):
    """Whatever the tokenizer, and with only a part in its hands at a time."""
    text = " ".join([*sentences, "\n", *sentences[::-1]] * 4)
    monkeypatch.setattr(module, "_SEAM", 120)
    for name, tokenizer in tokenizers.items():
        whole = encoded(tokenizer, text)
        with monkeypatch.context() as patch:
            patch.setattr(module, "_LONG", 200)
            parts = [*module._parts(tokenizer, text)]
            joined = module._joined(iter(parts))
        assert len(parts) == -(-(len(text) - 120) // 200) >= 5, name
        assert joined is not None, name
        assert np.array_equal(whole.ids, joined.ids), name
        assert np.array_equal(whole.offsets, joined.offsets), name


def test_parts_that_do_not_agree_are_encoded_as_a_whole(tokenizers, monkeypatch):
    """One word without an end has no place at which parts could be joined."""
    text = "é" * 900
    whole = encoded(tokenizers["bert_like"], text)
    monkeypatch.setattr(module, "_SEAM", 120)
    monkeypatch.setattr(module, "_LONG", 200)
    assert module._joined(module._parts(tokenizers["bert_like"], text)) is None
    found = encoded(tokenizers["bert_like"], text)
    assert np.array_equal(whole.ids, found.ids)
    assert np.array_equal(whole.offsets, found.offsets)


def test_what_goes_wrong_beside_the_caller_is_raised():
    with pytest.raises(ZeroDivisionError):
        module._beside(lambda: 1 / 0)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer of POSIX")
def test_an_interrupt_need_not_wait_for_the_end_of_a_long_text(tokenizers):
    text = "Die alte Brücke liegt über dem Fluß. " * (2 * module._LONG // 30)

    def interrupt(*_):
        if any(thread.name == "encoding" for thread in threading.enumerate()):
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    try:
        with pytest.raises(KeyboardInterrupt):
            encoded(tokenizers["bert_like"], text)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
