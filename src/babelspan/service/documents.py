"""Documents that clients upload to ask about them several times; kept in memory."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from babelspan.documents.reading import read_bytes_as_document
from babelspan.service.cut import Named
from babelspan.service.problems import Problem
from babelspan.service.schema import LARGEST_TEXT, NAME
from babelspan.types import DataError


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored document.

    Attributes:
        id: "sha256:" and the hexadecimal SHA-256 of the uploaded bytes.
        named: the text, under the name it was uploaded with.
        kind: file type, as in `data.documents.Document`.
        size: number of uploaded bytes.
    """

    id: str
    named: Named
    kind: str
    size: int

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
        largest: limit for the uploaded bytes of all documents together.
    """

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._stored: OrderedDict[str, Stored] = OrderedDict()
        self.size = 0

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
        if len(text) > LARGEST_TEXT or len(raw) > self._largest:
            raise Problem(
                413,
                f"a text of at most {LARGEST_TEXT:,} characters and {self._largest:,} bytes",
                found=f"{len(text):,} characters, {len(raw):,} bytes",
                do="split it",
            )
        if not text.strip():
            raise Problem(422, "a text", found="white space only")
        named = Named(name, text, parts=document.parts)
        identity = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        return Stored(identity, named, document.kind, len(raw))

    def keep(self, stored: Stored) -> bool:
        """Store a document and return whether it is new; equal bytes have the same id."""
        is_new = self._stored.pop(stored.id, None) is None
        self._stored[stored.id] = stored
        self.size += stored.size if is_new else 0
        while self.size > self._largest:
            _, oldest = self._stored.popitem(last=False)
            self.size -= oldest.size
        return is_new

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
        self.size -= self.get(identity).size
        del self._stored[identity]
