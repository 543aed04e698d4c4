"""Ids as parts of addresses and file names: reversible, and harmless whatever the id holds."""

import re
from functools import lru_cache

_PLAIN = re.compile(r"[A-Za-z0-9_-]")
_CODED = re.compile(r"~([0-9a-f]{2})")
_WHOLE = re.compile(r"(?:[A-Za-z0-9_-]|~[0-9a-f]{2})+")


@lru_cache(maxsize=20_000)
def part_of(key: str) -> str:
    """An id as one part of an address: letters, digits, ``_ -`` as they are, bytes else.

    There is no dot, slash or colon left, so it climbs out of no folder and hides no file ending.

    >>> part_of("../a.b")
    '~2e~2e~2fa~2eb'
    """
    return "".join(
        c if _PLAIN.fullmatch(c) else "".join(f"~{byte:02x}" for byte in c.encode()) for c in key
    )


def key_of(part: str) -> str | None:
    """The id that an address names; ``None`` for what ``part_of`` never gives."""
    if not _WHOLE.fullmatch(part):
        return None
    coded = _CODED.sub(lambda m: chr(int(m[1], 16)), part)
    try:
        key = coded.encode("latin-1").decode()
    except UnicodeDecodeError:
        return None
    is_ours = key.isprintable() and part_of(key) == part
    return key if is_ours else None
