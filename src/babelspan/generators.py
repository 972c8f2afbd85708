"""Load question generators by name, and write questions with them."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from babelspan.data.files import read_record
from babelspan.networks.store import NETWORK
from babelspan.reading.sources import Source
from babelspan.types import UNDETERMINED, Answer, ConfigError, DataError, Example
from babelspan.vocabulary.skeleton import BORDER

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from babelspan.networks.decoding import Decode, Written
    from babelspan.networks.question_generator import QuestionGenerator


_RECORD = "generator.json"
_AT_ONCE = 32
"""Questions per batch."""

_HYPHEN = re.compile(r"(?<=\w) ([-–]) (?=\w)")
_APOSTROPHE = re.compile(r"(?<=\w) (['’]) (?=\w{1,2}\b)|(?<=\b\w) (['’]) (?=\w)")
_CLOSING = re.compile(r" ([,.;:!?)\]}…،؛؟।]|(?<=\d )%)(?!\w)")
_OPENING = re.compile(r"([(\[{¿¡]) ")
_WIDE = re.compile(r" ?([。、，！？：；（）「」『』《》]) ?")

T = TypeVar("T")


def load_generator(name: str, *, begins: bool = False) -> "QuestionGenerator":
    """Load a question generator.

    Args:
        name: a folder made by `babelspan train question_generation`.
        begins: whether `name` may also be an encoder or a reader (a folder or a hub name), from
            which an untrained generator is made.

    Raises:
        DataError: if it is not a generator, or is broken.
        ConfigError: if the encoder's model family is not supported for writing questions.
    """
    from babelspan.networks import question_generator, store

    folder = Path(name).expanduser()
    if (folder / NETWORK).is_file():
        network = store.load(str(folder))
        if isinstance(network, question_generator.QuestionGenerator):
            return network
        raise DataError(f"{name}: expected a generator of questions, found {network.kind!r}")
    if begins:
        return question_generator.begin(name)
    raise _no_generator(name)


def is_generator(name: str) -> bool:
    """Whether a folder contains a question generator."""
    return (Path(name).expanduser() / _RECORD).is_file()


def languages_of(name: str) -> list[str] | None:
    """The languages that a generator has tokens for; None if it names languages in words.

    Raises:
        DataError: if the folder contains no generator.
    """
    record = Path(name).expanduser() / _RECORD
    if not record.is_file():
        raise _no_generator(name)
    found = read_record(record, ("form", "languages"))
    return None if found["form"]["language"] == "words" else list(found["languages"])


class QuestionWriter:
    """Writes questions about answers in texts with a generator.

    Args:
        generator: the generator, on the device to use.
        decode: decoding settings.
        own_pieces: whether a question may only contain subwords that occur in the training
            questions of its language, or in its source.
    """

    def __init__(
        self, generator: "QuestionGenerator", decode: "Decode", *, own_pieces: bool = False
    ) -> None:
        self.generator = generator.eval()
        self.decode = decode
        self.own_pieces = own_pieces

    def write(self, asked: Sequence[Example]) -> list["Written | str"]:
        """Write a question about each answer; an error message stands in for one that failed.

        Results are in the order of `asked`. Questions in one language are written in batches of
        sources of similar length. The batches depend on `asked` alone.

        Args:
            asked: texts with one answer each; of the question, only the language is used.
        """
        from babelspan.networks.decoding import write

        outcomes: list[Written | str] = [""] * len(asked)
        make = self.generator.sources
        sources: defaultdict[str, list[tuple[int, Source]]] = defaultdict(list)
        for number, example in enumerate(asked):
            try:
                source = make.of(example, is_asked=True)
            except (ConfigError, DataError) as error:
                outcomes[number] = str(error)
                continue
            sources[example.question_language].append((number, source))
        for language, of_language in sorted(sources.items()):
            allowed = self.generator.allowed(language) if self.own_pieces else None
            of_language.sort(key=lambda one: len(one[1].ids))
            for batch in _batches(of_language):
                tensors = self.generator.collate([source for _, source in batch])
                tensors = tensors.to(self.generator.learnt.weight.device)
                found = write(self.generator, tensors, self.decode, allowed=allowed)
                for (number, _), written in zip(batch, found, strict=True):
                    outcomes[number] = written
        return outcomes

    def text(self, written: "Written") -> str:
        """Decode a question to text."""
        return decoded(self.generator.tokenizer, written.pieces)

    def ask(self, answer: str, context: str, *, question_language: str, start: int = 0) -> str:
        """Write one question about an answer in a text.

        Args:
            answer: a string in the text; its first occurrence from `start` on is used.
            context: the text.
            question_language: ISO 639-1 code.
            start: character of the text at which to start looking for the answer.

        Raises:
            DataError: if the answer is not in the text, or is too long.
            ConfigError: if the generator does not write in the language.
        """
        at = context.find(answer, start)
        if not answer or at < 0:
            raise DataError(f"expected words of the text, found {answer!r}, which are not in it")
        example = Example(
            id=answer,
            question="",
            context=context,
            answers=(Answer(answer, at),),
            question_language=question_language,
            context_language=UNDETERMINED,
        )
        self.generator.sources.of(example, is_asked=True)  # which says what is wrong
        (written,) = self.write([example])
        assert not isinstance(written, str)
        return self.text(written)


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[at : at + _AT_ONCE] for at in range(0, len(items), _AT_ONCE))


def decoded(tokenizer: "PreTrainedTokenizerFast", pieces: Sequence[int]) -> str:
    """Decode pieces to text without special tokens."""
    backend = tokenizer.backend_tokenizer
    cuts = backend.pre_tokenizer.__getstate__() if backend.pre_tokenizer else b""
    if backend.decoder is None and b'"Metaspace"' in cuts:  # an extended vocabulary
        names = tokenizer.convert_ids_to_tokens(list(pieces), skip_special_tokens=True)
        text = "".join(names).replace(BORDER, " ")
    else:
        text = str(tokenizer.decode(pieces, skip_special_tokens=True))
    text = " ".join(text.split())
    return mended(text) if b'"BertPreTokenizer"' in cuts else text


def mended(text: str) -> str:
    """Remove the spaces around punctuation that the tokenizer split off.

    An apostrophe is joined before one or two letters, or after one: "it ' s", "l ' eau".

    >>> mended("¿ qué es la ' arctic - bridge ' ( 1894 ) , y quién la construyó ?")
    "¿qué es la ' arctic-bridge ' (1894), y quién la construyó?"
    """
    for pattern in (_OPENING, _CLOSING, _WIDE):
        text = pattern.sub(r"\1", text)
    return _APOSTROPHE.sub(lambda m: m[1] or m[2], _HYPHEN.sub(r"\1", text))


def _no_generator(name: str) -> DataError:
    return DataError(
        f"{name}: expected a folder with a generator of questions, found none in it; make one with "
        "babelspan train question_generation"
    )
