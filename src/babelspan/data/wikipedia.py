"""MediaWiki dumps in the export format, such as `eswiki-…-pages-articles-multistream`.

Plain XML, gzip or bzip2 with one or more streams, detected by the first bytes. Format:
https://www.mediawiki.org/xml/ (0.10 and 0.11). Only articles (namespace 0) are read.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple
from xml.etree.ElementTree import Element, ParseError, iterparse

from babelspan.data import bzip2
from babelspan.types import DataError

_ALWAYS = frozenset({"category", "file", "image", "media", "special", "template", "wikipedia"})
"""Names of namespaces that exist in every language."""


class Page(NamedTuple):
    """A page of the article namespace."""

    title: str
    id: str
    revision: str
    redirect: str
    """Title of the page it redirects to; empty for an article."""
    text: str


@dataclass(frozen=True, slots=True)
class Site:
    """The site of a dump, as described in the dump.

    Attributes:
        name: name, such as "Wikipedia".
        database: database name, such as "eswiki".
        address: address of its main page.
        language: ISO 639-1 code.
        namespaces: names of all namespaces except that of articles, in lower case.
    """

    name: str
    database: str
    address: str
    language: str
    namespaces: frozenset[str]


def site_of(path: Path) -> Site:
    """Return the site of a dump.

    Raises:
        DataError: if the file is not a dump, or broken.
    """
    with _elements(path) as elements:
        language = ""
        for event, element in elements:
            if event == "start" and _tag(element) == "mediawiki":
                language = element.get("{http://www.w3.org/XML/1998/namespace}lang", "")
            if event == "end" and _tag(element) == "siteinfo":
                names = {
                    (one.text or "").lower()
                    for one in element.iter()
                    if _tag(one) == "namespace" and one.get("key") != "0"
                }
                return Site(
                    _text(element, "sitename"),
                    _text(element, "dbname"),
                    _text(element, "base"),
                    language,
                    frozenset(names - {""}) | _ALWAYS,
                )
    raise DataError(f"{path}: expected a MediaWiki dump with <siteinfo>, found none")


def pages(path: Path, *, threads: int = 1) -> Iterator[Page]:
    """Yield the pages of the article namespace, in order; pages with deleted text are skipped.

    Args:
        path: the dump.
        threads: number of threads that unpack a multistream dump, besides the calling thread.

    Raises:
        DataError: if the file is not a dump, or is truncated.
    """
    with _elements(path, threads) as elements:
        root: Element | None = None
        for event, element in elements:
            if root is None:
                root = element
            if event == "end" and _tag(element) == "page":
                page = _page(element)
                if page is not None:
                    yield page
                root.clear()


def _page(element: Element) -> Page | None:
    revision = next((one for one in element if _tag(one) == "revision"), None)
    if revision is None or _text(element, "ns") != "0":
        return None
    redirect = next((one.get("title", "") for one in element if _tag(one) == "redirect"), "")
    text = _text(revision, "text")
    if not text and not redirect:
        return None
    return Page(
        _text(element, "title"), _text(element, "id"), _text(revision, "id"), redirect, text
    )


@contextmanager
def _elements(path: Path, threads: int = 1) -> Iterator[Iterator[tuple[str, Element]]]:
    """Yield the events of a dump's XML; turn errors into `DataError`."""
    try:
        with _opened(path, threads) as file:
            yield iterparse(file, events=("start", "end"))
    except ParseError as error:
        raise DataError(
            f"{path}: expected a MediaWiki dump, found XML that is broken or cut short ({error}); "
            "fetch it again"
        ) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: the dump is cut short or broken ({error})") from None
    except OSError as error:
        if error.errno is not None:
            raise DataError(f"{path}: cannot be read: {error.strerror}") from None
        raise DataError(f"{path}: the dump is broken ({error}); fetch it again") from None


def _opened(path: Path, threads: int) -> IO[bytes]:
    with path.open("rb") as file:
        head = file.read(3)
    if head == b"BZh":
        return bzip2.opened(path, threads)
    return gzip.open(path) if head[:2] == b"\x1f\x8b" else path.open("rb")  # type: ignore[return-value]


def _tag(element: Element) -> str:
    """Return the name of an element without the namespace, which varies with the format version."""
    return element.tag.rpartition("}")[2]


def _text(element: Element, tag: str) -> str:
    return next((one.text or "" for one in element if _tag(one) == tag), "")
