"""Norms of provision: versioned data with source and mark, never constants in code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from data.model.place import SettlementId


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessBand:
    """What a settlement of some size is owed.

    Exactly the limits given count: a settlement lacks a library if none is inside it and the
    nearest is farther than ``max_minutes`` or ``max_km`` by road.
    """

    population_from: int = 0
    population_to: int | None = None
    """Exclusive upper edge; ``None`` is open."""
    max_minutes: float | None = None
    max_km: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NormSet:
    """A named set of access norms with validity, source and mark (V, S, C, U, D)."""

    norm_set_id: str
    name: str
    bands: tuple[AccessBand, ...]
    unknown_population: AccessBand
    """The band for settlements whose population is not known."""
    source: str = ""
    mark: str = "D"
    valid_from: date | None = None
    valid_to: date | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    """The name in further languages, by language code."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """The source in further languages."""

    def name_in(self, language: str) -> str:
        return self.names.get(language, self.name)

    def source_in(self, language: str) -> str:
        """Where the norm comes from, in a language as far as it is told in it."""
        return self.sources.get(language, self.source)


class NeedStatus(StrEnum):
    """Whether a settlement has a library in reach, and how surely that is known."""

    SERVED = "served"
    SERVED_ASSUMED = "served_assumed"
    """In reach only of a library that is assumed."""
    UNSERVED = "unserved"
    """The register of libraries is complete and none is in reach."""
    UNSERVED_ASSUMED = "unserved_assumed"
    """None known or assumed is in reach, but the register is not complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """The audit of one settlement against a norm set."""

    settlement_id: SettlementId
    status: NeedStatus
    band: AccessBand
    nearest_library_id: str | None
    nearest_s: int | None
    nearest_m: int | None
    """Road seconds and metres to the nearest library; ``None`` if none can be reached."""
    has_library_inside: bool
