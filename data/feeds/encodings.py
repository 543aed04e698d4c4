"""Which encoding the bytes of a text are in: UTF-8, UTF-16, or one of the 8-bit code pages."""

from itertools import pairwise

_CYRILLIC_RUN = 2


def detect_encoding(raw: bytes) -> str:
    """The most likely encoding of a text.

    Returns
    -------
    str
        ``utf-8``, ``utf-16``, ``utf-16-le``, ``utf-16-be``, ``cp1251``, ``cp866`` or ``cp1252``.

    Notes
    -----
    UTF-8 is certain where it decodes. Of the 8-bit pages, Cyrillic text shows runs of high bytes
    (words), western text single ones (accents); cp866 has most of its small letters where cp1251
    has none.
    """
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    sample = raw[:4096]
    if zeros := sample.count(0):
        odd = sample[1::2].count(0)
        return "utf-16-le" if 2 * odd >= zeros else "utf-16-be"
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return _code_page(raw)
    return "utf-8"


def _code_page(raw: bytes) -> str:
    high = [byte >= 0x80 for byte in raw]
    num_high = sum(high)
    in_runs = sum(a and b for a, b in pairwise(high))
    if _CYRILLIC_RUN * in_runs < num_high:
        return "cp1252"
    dos = sum(0x80 <= byte <= 0xAF for byte in raw)
    windows = sum(byte >= 0xC0 and not 0xE0 <= byte <= 0xEF for byte in raw)
    return "cp866" if dos > windows else "cp1251"
