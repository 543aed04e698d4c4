"""Find a place by a name that somebody typed: letter case, ё, script and slips do not matter."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

QUERY_CHARS = 80
"""Longest name that is looked for."""
_CYRILLIC = dict(
    zip("абвгдежзийклмнопрстуфхцчшщъыьэюя",
        ["a", "b", "v", "g", "d", "e", "zh", "z", "i", "i", "k", "l", "m", "n", "o", "p", "r", "s",
         "t", "u", "f", "h", "c", "ch", "sh", "sh", "", "i", "", "e", "u", "a"],
        strict=True)
)  # fmt: skip
_FOLDS = (
    ("shch", "sh"), ("sch", "sh"), ("tch", "ch"), ("kh", "h"), ("ts", "c"), ("tz", "c"),
    ("yo", "e"), ("ye", "e"), ("yu", "u"), ("ya", "a"), ("ju", "u"), ("ja", "a"), ("je", "e"),
    ("iu", "u"), ("ia", "a"), ("ie", "e"), ("io", "e"), ("y", "i"), ("j", "i"), ("x", "ks"),
    ("w", "v"), ("'", ""),
)  # fmt: skip
_BREAKS = re.compile(r"[\W_]+")
_TWICE = re.compile(r"(.)\1+")


def sound_of(name: str) -> str:
    """A name as it sounds, in Latin letters: spellings of one name in two scripts give one form.

    >>> sound_of("Чéрняховск") == sound_of("chernyakhovsk")
    True
    """
    plain = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c)).casefold()
    plain = _BREAKS.sub(" ", plain).strip()
    latin = "".join(_CYRILLIC.get(c, c) for c in plain)
    for spelling, sound in _FOLDS:
        latin = latin.replace(spelling, sound)
    return _TWICE.sub(r"\1", latin)


@dataclass(frozen=True, slots=True)
class Named[T]:
    """Something with the names by which it is looked for."""

    thing: T
    sounds: tuple[str, ...]
    weight: float = 0.0
    """Of two that match alike the greater comes first."""

    @classmethod
    def of(cls, thing: T, names: Iterable[str], weight: float = 0.0) -> "Named[T]":
        sounds = dict.fromkeys(filter(None, (sound_of(n) for n in names)))
        return cls(thing, tuple(sounds), weight)


def find[T](query: str, named: Iterable[Named[T]], *, most: int = 8) -> tuple[T, ...]:
    """The things whose name is most like the query, best first; empty where none is.

    The whole name comes before its beginning, that before the beginning of a word in it, then a
    part of it, then a name with a slip or two.
    """
    asked = sound_of(query[:QUERY_CHARS])
    if not asked:
        return ()
    ranked = []
    for order, one in enumerate(named):
        rank = min((r for s in one.sounds if (r := _rank(asked, s)) is not None), default=None)
        if rank is not None:
            ranked.append(((rank, -one.weight, order), one.thing))
    return tuple(thing for _, thing in sorted(ranked, key=lambda r: r[0])[:most])


def _rank(asked: str, sound: str) -> int | None:
    if asked == sound:
        return 0
    if sound.startswith(asked):
        return 1
    if f" {asked}" in f" {sound}":
        return 2
    if len(asked) >= 3 and asked in sound:
        return 3
    if " " in sound and set(sound.split()) <= set(asked.split()):
        # The name and its district, in any order, perhaps with "район".
        return 2
    if len(sound) >= 4 and f" {sound} " in f" {asked} ":
        # Somebody typed the district too.
        return 3
    slips = 0 if len(asked) < 4 else 1 if len(asked) < 8 else 2
    if not slips:
        return None
    near = min(_slips(asked, part, slips) for part in {sound, *sound.split()})
    return None if near > slips else 3 + near


def _slips(a: str, b: str, most: int) -> int:
    """Letters to change, add, drop or swap with the next; ``most + 1`` where it is more."""
    if abs(len(a) - len(b)) > most:
        return most + 1
    before_last: list[int] = []
    last = list(range(len(b) + 1))
    for i, letter in enumerate(a, start=1):
        row = [i]
        for j, other in enumerate(b, start=1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, before_last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
        before_last, last = last, row
    return min(last[-1], most + 1)
