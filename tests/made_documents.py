"""Documents made for tests: small PDFs, Word files and books, byte by byte."""

import io
import zipfile

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_W14 = "http://schemas.microsoft.com/office/word/2010/wordml"


def pdf_of(*pages):
    """A PDF; a page is a list of (x, y, text) in Helvetica of 10 points, Latin-1 only.

    Or it is what draws it, in the language of PDF.
    """
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", ""]
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
    objects.append(font)
    kids = []
    for lines in pages:
        shown = (
            lines
            if isinstance(lines, str)
            else "\n".join(
                "BT /F1 10 Tf {} {} Td ({}) Tj ET".format(
                    x, y, text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
                )
                for x, y, text in lines
            )
        )
        objects.append(f"<< /Length {len(shown.encode('latin-1'))} >>\nstream\n{shown}\nendstream")
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {len(objects)} 0 R >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    body, starts = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        starts.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n".encode("latin-1")
    table = "".join(f"{start:010} 00000 n \n" for start in starts)
    end = f"xref\n0 {len(starts) + 1}\n0000000000 65535 f \n{table}"
    end += f"trailer << /Size {len(starts) + 1} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF"
    return body + end.encode()


def zip_of(members, *, stored=False):
    """A ZIP archive of members by name."""
    content = io.BytesIO()
    kind = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(content, "w", kind) as pack:
        for name, member in members.items():
            pack.writestr(name, member)
    return content.getvalue()


def docx_of(body, **others):
    """A Word document with the XML of its body; other members by name with __ for /."""
    document = f'<w:document xmlns:w="{_W}" xmlns:w14="{_W14}"><w:body>{body}</w:body></w:document>'
    more = {name.replace("__", "/"): content for name, content in others.items()}
    return zip_of({"word/document.xml": document, **more})


def notes_of(text):
    """The member with the footnotes of a Word document."""
    return f'<w:footnotes xmlns:w="{_W}"><w:footnote><w:p><w:r><w:t>{text}</w:t></w:r></w:p>\
</w:footnote></w:footnotes>'


def epub_of(*pages, folder="OEBPS", **others):
    """A book of pages of XHTML."""
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        f'<rootfile full-path="{folder}/content.opf"/></rootfiles></container>'
    )
    items = "".join(
        f'<item id="i{n}" href="page%20{n}.xhtml" media-type="application/xhtml+xml"/>'
        for n in range(len(pages))
    )
    spine = "".join(f'<itemref idref="i{n}"/>' for n in range(len(pages)))
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf">'
        f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    return zip_of(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            f"{folder}/content.opf": package,
            **{f"{folder}/page {n}.xhtml": page for n, page in enumerate(pages)},
            **{name.replace("__", "/"): content for name, content in others.items()},
        },
        stored=True,
    )
