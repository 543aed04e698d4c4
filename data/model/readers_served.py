"""Readers whom stop visits served, under pseudonyms: from them different persons are counted.

A pseudonym is the same for a reader at all times, so that nobody counts twice; no name, card or
date of birth follows from it. Where a stop visit was counted without readers' ids, different
persons cannot be told, and nothing here pretends to.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from data.model.counted_visit import Counted
from data.model.stop_counts import Band, total_of

SERVING = ("loans_home", "views_onboard", "users_new", "users_renewed")
"""Counts that tell of readers who had to be known to be served."""
_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedReader:
    """A reader at a stop visit; the band of age is that of its date."""

    reader: str
    band: Band | None = None


def pseudonym(patron_id: str, salt: str) -> str:
    """What a reader is called in statistics; ``salt`` is the region's own secret."""
    digest = blake2b(patron_id.encode(), key=salt.encode(), digest_size=_BYTES)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderCount:
    """Different readers of some stop visits, and how far they are known."""

    num_readers: int = 0
    by_band: Mapping[Band, int] = field(default_factory=dict)
    num_known: int = 0
    """Stop visits whose readers are known by their ids."""
    num_unknown: int = 0
    """Stop visits that served somebody, but nobody knows whom."""

    @property
    def is_whole(self) -> bool:
        """Whether all who were served are known, so that they can be told apart."""
        return self.num_readers > 0 and not self.num_unknown

    def of(self, band: Band | None) -> int:
        """Different readers, of a band or all."""
        return self.num_readers if band is None else self.by_band.get(band, 0)


def is_known(record: Counted) -> bool:
    """Whether it is known by their ids whom a stop visit served."""
    return record.is_held and record.num_readers > 0


def is_unknown(record: Counted) -> bool:
    """Whether a stop visit served readers who had to be known, but nobody knows whom."""
    served = record.is_held and not record.num_readers
    return served and any(total_of(record.counts, name) for name in SERVING)


def count_of(readers: Iterable[tuple[str, str]], records: Iterable[Counted]) -> ReaderCount:
    """Different readers among pairs of a reader and a band of age (empty: not known)."""
    everybody: set[str] = set()
    bands: dict[str, set[str]] = {}
    for reader, band in readers:
        everybody.add(reader)
        bands.setdefault(band, set()).add(reader)
    num_known = num_unknown = 0
    for record in records:
        num_known += is_known(record)
        num_unknown += is_unknown(record)
    return ReaderCount(
        num_readers=len(everybody),
        by_band={Band(band): len(some) for band, some in bands.items() if band},
        num_known=num_known,
        num_unknown=num_unknown,
    )
