"""Members of a ZIP archive, with limits checked while reading: stated sizes may be false."""

import zipfile
import zlib
from io import BytesIO

from babelspan.types import DataError

MOST_MEMBERS = 10_000
LARGEST = 200 * 2**20
"""Maximum uncompressed size of all members read, in bytes."""
MOST_RATIO = 200
"""Maximum compression ratio of an archive; not checked below `_SMALL` bytes."""
_SMALL = 2**20
_CHUNK = 2**18


class Archive:
    """A ZIP archive in memory.

    Args:
        name: name of the file, for error messages.
        raw: bytes of the file.

    Raises:
        DataError: if it is broken or has too many members.
    """

    def __init__(self, name: str, raw: bytes) -> None:
        self._name = name
        self._size = len(raw)
        self._unpacked = 0
        try:
            self._zip = zipfile.ZipFile(BytesIO(raw))
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
            raise DataError(f"{name}: the archive is broken ({error}); save it again") from None
        self.members = frozenset(self._zip.namelist())
        if len(self._zip.infolist()) > MOST_MEMBERS:
            raise DataError(
                f"{name}: expected an archive of at most {MOST_MEMBERS:,} members, found "
                f"{len(self._zip.infolist()):,}; do not trust it"
            )

    def read(self, member: str) -> bytes:
        """Return the content of a member.

        Raises:
            DataError: if there is no such member, it is broken or encrypted, or too much has been
                read from the archive in total.
        """
        if member not in self.members:
            raise DataError(f"{self._name}: expected {member} in the archive, found none")
        chunks = []
        try:
            with self._zip.open(member) as content:
                while chunk := content.read(_CHUNK):
                    self._unpacked += len(chunk)
                    self._refuse_bomb()
                    chunks.append(chunk)
        except RuntimeError as error:  # encrypted, or an unknown compression method
            raise DataError(f"{self._name}: {member} cannot be read: {error}") from None
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError) as error:
            raise DataError(
                f"{self._name}: {member} is broken in the archive ({error}); save it again"
            ) from None
        return b"".join(chunks)

    def _refuse_bomb(self) -> None:
        allowed = min(LARGEST, max(_SMALL, MOST_RATIO * self._size))
        if self._unpacked > allowed:
            raise DataError(
                f"{self._name}: expected at most {allowed / 2**20:,.0f} MiB unpacked, found more "
                f"in an archive of {self._size:,} bytes; split it, or do not trust it"
            )
