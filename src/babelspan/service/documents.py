"""Documents that clients upload to ask about them several times; kept in memory."""

import hashlib
import sys
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from babelspan.data.parts import Part
from babelspan.documents.reading import read_bytes_as_document
from babelspan.service.cut import Named
from babelspan.service.problems import Problem
from babelspan.service.schema import LARGEST_TEXT, NAME
from babelspan.types import DataError

_PART = 225
"""Bytes of memory that a part takes without its strings; measured: 224 in DOCX, less elsewhere."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored document.

    Attributes:
        id: "sha256:" and the hexadecimal SHA-256 of the uploaded bytes.
        named: the text, under the name it was uploaded with.
        kind: file type, as in `data.documents.Document`.
        size: number of uploaded bytes.
        memory: number of bytes that the text and its parts take in memory.
    """

    id: str
    named: Named
    kind: str
    size: int
    memory: int

    def about(self) -> dict[str, Any]:
        """Return the description that the service gives of it."""
        return {
            "id": self.id,
            "name": self.named.name,
            "kind": self.kind,
            "characters": len(self.named.text),
            "bytes": self.size,
        }


class Documents:
    """Documents by id; the least recently used are removed to make room for new ones.

    Args:
        largest: limit for the memory of all documents together, in bytes.
    """

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._stored: OrderedDict[str, Stored] = OrderedDict()
        self.memory = 0

    def read(self, name: str, raw: bytes) -> Stored:
        """Return the text of a file of any supported type; may be called from any thread.

        Raises:
            Problem: 422 if there is no text in it, 413 if it is too large to store.
        """
        if len(name) > NAME or not name.strip():
            raise Problem(422, f"a name of 1 to {NAME} characters", found=f"{len(name)}")
        try:
            document = read_bytes_as_document(name, raw)
        except DataError as error:
            raise Problem(422, str(error)) from None
        text = document.text
        memory = _memory_of(text, document.parts)
        if len(text) > LARGEST_TEXT or memory > self._largest:
            raise Problem(
                413,
                f"at most {LARGEST_TEXT:,} characters, and {self._largest:,} bytes in memory",
                found=f"{len(text):,} characters, {memory:,} bytes",
                do="split it",
            )
        if not text.strip():
            raise Problem(422, "a text", found="white space only")
        named = Named(name, text, parts=document.parts)
        identity = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        return Stored(identity, named, document.kind, len(raw), memory)

    def keep(self, stored: Stored) -> bool:
        """Store a document and return whether it is new; equal bytes have the same id."""
        former = self._stored.pop(stored.id, None)
        self._stored[stored.id] = stored
        self.memory += stored.memory - (0 if former is None else former.memory)
        while self.memory > self._largest:
            _, oldest = self._stored.popitem(last=False)
            self.memory -= oldest.memory
        return former is None

    def get(self, identity: str) -> Stored:
        """Return a stored document and mark it as just used.

        Raises:
            Problem: 404 if it is not stored, or no longer.
        """
        if identity not in self._stored:
            raise Problem(
                404, f"document {identity[:80]!a} is not stored, or no longer; send it again"
            )
        self._stored.move_to_end(identity)
        return self._stored[identity]

    def remove(self, identity: str) -> None:
        """Delete a stored document; raises as `get`."""
        self.memory -= self.get(identity).memory
        del self._stored[identity]


def _memory_of(text: str, parts: Sequence[Part]) -> int:
    """Return the number of bytes that a text and its parts take in memory."""
    strings = sum(sys.getsizeof(part.anchor) + sys.getsizeof(part.member) for part in parts)
    return sys.getsizeof(text) + _PART * len(parts) + strings
