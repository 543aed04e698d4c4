"""Readers whom stop visits served, under pseudonyms: from them different persons are counted.

A pseudonym is the same for a reader at all times, so that nobody counts twice; no name, card or
date of birth follows from it. Where a stop visit was counted without readers' ids, different
persons cannot be told, and nothing here pretends to.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from data.model.stop_counts import Band, total_of
from data.model.visit_record import VisitRecord

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


def is_serving(record: VisitRecord) -> bool:
    """Whether readers were served who had to be known for it."""
    return record.is_held and any(total_of(record.counts, name) for name in SERVING)


def num_unknown(records: Iterable[VisitRecord], known: Collection[str]) -> int:
    """Stop visits that served readers of whom no id is known."""
    return sum(is_serving(r) and r.key not in known for r in records)
