"""What stands on paper under each link, and where the link leads."""

import io
from dataclasses import dataclass
from typing import Any

from pypdf import PageObject, PdfReader


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperLink:
    """A link of a PDF: its address and the text printed within its frame."""

    address: str
    text: str


def links_on_paper(document: bytes) -> list[PaperLink]:
    """Every link to a web address, in the order of the document."""
    return [
        PaperLink(address=str(note["/A"]["/URI"]), text=_within(texts, note["/Rect"]))
        for page in PdfReader(io.BytesIO(document)).pages
        if (notes := _links(page))
        for texts in [_texts(page)]
        for note in notes
    ]


def _links(page: PageObject) -> list[Any]:
    notes = [note.get_object() for note in page.get("/Annots") or ()]
    return [note for note in notes if note["/Subtype"] == "/Link" and "/URI" in note["/A"]]


def _texts(page: PageObject) -> list[tuple[float, float, str]]:
    """Pieces of text with the place where each begins, in points from the lower left."""
    found: list[tuple[float, float, str]] = []

    def meet(text: str, cm: list[float], tm: list[float], *_: object) -> None:
        if text.strip():
            x = cm[0] * tm[4] + cm[2] * tm[5] + cm[4]
            y = cm[1] * tm[4] + cm[3] * tm[5] + cm[5]
            found.append((x, y, text))

    page.extract_text(visitor_text=meet)
    return found


def _within(texts: list[tuple[float, float, str]], frame: Any) -> str:
    left, low, right, high = (float(n) for n in frame)
    inside = [t for x, y, t in texts if left - 1 <= x <= right and low <= y <= high]
    # Where a long word may be broken says nothing of what it is.
    return " ".join("".join(inside).replace("\u200b", "").split())
