"""A template with its data and words becomes a PDF/UA document.

Templates are ``api/print/templates/<name>.typ``; each begins with ``#import "base.typ": *``, which
gives ``data`` and ``t(code, fact: …)``. Data come in as JSON, never as source: a name is printed as
it is written, whatever it holds. Pictures (QR codes, charts) are texts of SVG among the data.

The same template, data, words and instant give the same bytes.
"""

import io
import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import segno

from api.print.glyphs import FONTS, printable
from api.words import Words, messages

if TYPE_CHECKING:
    import typst

TEMPLATES = Path(__file__).parent / "templates"
STANDARD: Final = "ua-1"
"""PDF/UA-1 (ISO 14289-1): headings, tables and pictures that a screen reader can tell."""
type Json = bool | int | float | str | list[Json] | tuple[Json, ...] | Mapping[str, Json] | None


def print_pdf(template: str, data: Mapping[str, Json], words: Words, *, at: datetime) -> bytes:
    """A document as PDF.

    Parameters
    ----------
    template
        Name of a file of ``templates``, without its ending.
    data
        What the template prints, in the reader's language; it needs ``title``.
    words
        Language of the document; templates take their own words from its catalogue ``print``.
    at
        The instant that the document names as its time of making.
    """
    import typst  # 80 MB that only printing needs

    told = {
        "data": _clean(data),
        "words": messages(words.language, "print"),
        "lang": words.language,
    }
    return typst.compile(
        TEMPLATES / f"{template}.typ",
        root=TEMPLATES,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"input": json.dumps(told, ensure_ascii=False)},
        pdf_standards=[STANDARD],
        timestamp=int(at.timestamp()),
    )


def qr_svg(address: str) -> str:
    """An address as a QR code that bears some dirt, as SVG."""
    drawn = io.BytesIO()
    segno.make(address, error="m", micro=False).save(drawn, kind="svg", border=4, xmldecl=False)
    return drawn.getvalue().decode()


@cache
def _fonts() -> "typst.Fonts":
    import typst

    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)]
    )


def _clean(value: Json) -> Json:
    """The value with texts that the fonts can show."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {name: _clean(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value
