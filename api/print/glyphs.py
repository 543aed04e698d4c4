"""Which letters the fonts of printed documents have, and texts that hold no other.

PDF/UA asks that every letter can be told, so typst refuses a document with one that its fonts lack.
"""

import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from struct import unpack_from

FONTS = Path(__file__).parent / "fonts"
UNKNOWN = "\N{REPLACEMENT CHARACTER}"
_ALIKE = str.maketrans({"\N{MINUS SIGN}": "–", "→": "–", "≈": "~"})
"""Signs of our own words that Noto Sans leaves to other fonts."""
_SEGMENTS = 4
"""Format of a table of letters up to U+FFFF, in segments."""


def printable(text: str) -> str:
    """The text with a sign for each letter that no font has, and without what is invisible.

    Line breaks stay; other controls, and signs that turn the direction of writing, are dropped.
    """
    known = covered()
    return "".join(_printed(text, known))


def _printed(text: str, known: frozenset[int]) -> Iterator[str]:
    for letter in unicodedata.normalize("NFC", text).translate(_ALIKE):
        if letter == "\n" or ord(letter) in known:
            yield letter
        elif letter.isspace():
            yield " "
        elif unicodedata.category(letter) not in ("Cc", "Cf", "Mn"):
            yield UNKNOWN


@cache
def covered() -> frozenset[int]:
    """Code points that every font has."""
    tables = [frozenset(code_points(path.read_bytes())) for path in sorted(FONTS.glob("*.ttf"))]
    return frozenset.intersection(*tables) - {0xAD}  # a soft hyphen is a hint, not a letter


def code_points(font: bytes) -> Iterator[int]:
    """Code points that a TrueType font has a glyph for.

    References
    ----------
    OpenType specification 1.9.1, chapters "OpenType font file" and "cmap".
    """
    (num_tables,) = unpack_from(">H", font, 4)
    records = (unpack_from(">4sLLL", font, 12 + 16 * k) for k in range(num_tables))
    start = next(offset for tag, _, offset, _ in records if tag == b"cmap")
    (num_maps,) = unpack_from(">H", font, start + 2)
    for k in range(num_maps):
        platform, _, offset = unpack_from(">HHL", font, start + 4 + 8 * k)
        at = start + offset
        if platform in (0, 3) and unpack_from(">H", font, at) == (_SEGMENTS,):
            yield from _of_segments(font, at)


def _of_segments(font: bytes, at: int) -> Iterator[int]:
    (double,) = unpack_from(">H", font, at + 6)
    ends, starts = at + 14, at + 16 + double
    deltas, offsets = starts + double, starts + 2 * double
    for k in range(0, double, 2):
        end, first, delta, offset = (
            unpack_from(">H", font, column + k)[0] for column in (ends, starts, deltas, offsets)
        )
        for code in range(first, end + 1):
            glyph = code
            if offset:
                (glyph,) = unpack_from(">H", font, offsets + k + offset + 2 * (code - first))
                if not glyph:
                    continue
            if (glyph + delta) % 0x10000:
                yield code
