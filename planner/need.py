"""Which settlements lack a library, by a stated norm; known and assumed kept apart."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from data.model.calendar import MINUTE_S
from data.model.errors import InputError
from data.model.norms import AccessBand, Need, NeedStatus, NormSet
from data.model.place import Library, LibraryKind, Settlement, Standing
from data.model.travel import UNREACHABLE

LACKING = frozenset({NeedStatus.UNSERVED, NeedStatus.UNSERVED_ASSUMED})
"""Statuses of settlements that lack a library."""


def audit(
    settlements: Sequence[Settlement],
    libraries: Sequence[Library],
    norm: NormSet,
    travel_s: NDArray[np.int32],
    travel_m: NDArray[np.int32],
    *,
    register_is_complete: bool,
    on: date,
    count_points: bool = True,
) -> tuple[Need, ...]:
    """Judge every settlement against the norm of its population band.

    A settlement has a library in reach if one is inside it, or if one is within every limit of its
    band. A known library in reach makes it ``SERVED``; only an assumed one, ``SERVED_ASSUMED``.

    Parameters
    ----------
    travel_s, travel_m
        Shape (num_libraries, num_settlements): road seconds and metres from library to
        settlement, ``UNREACHABLE`` where no road leads.
    register_is_complete
        Whether the libraries given are all there are.
    on
        Libraries not open on this date do not count.
    count_points
        Whether library points count like libraries.

    Returns
    -------
    tuple[Need, ...]
        In the order of the settlements. The nearest library named is, for a settlement in reach of
        one, the nearest that makes it so; otherwise the nearest of all that count.

    Raises
    ------
    ValueError
        If an array has another shape.
    InputError
        ``need.no_band`` if the norm has no band for a settlement's population.
    """
    shape = (len(libraries), len(settlements))
    if travel_s.shape != shape or travel_m.shape != shape:
        raise ValueError(f"travel is {travel_s.shape} and {travel_m.shape}, expected {shape}")
    counted = [
        i
        for i, library in enumerate(libraries)
        if library.is_open_on(on) and (count_points or library.kind is LibraryKind.LIBRARY)
    ]
    chosen = [libraries[i] for i in counted]
    seconds, metres = travel_s[counted].astype(np.int64), travel_m[counted].astype(np.int64)
    known = np.array([library.standing is Standing.KNOWN for library in chosen], dtype=np.bool_)
    inside: dict[str, list[int]] = {}
    for row, library in enumerate(chosen):
        if library.settlement_id is not None:
            inside.setdefault(library.settlement_id, []).append(row)
    lacking = NeedStatus.UNSERVED if register_is_complete else NeedStatus.UNSERVED_ASSUMED
    needs = []
    for column, settlement in enumerate(settlements):
        band = band_of(norm, settlement)
        rows = inside.get(settlement.settlement_id, [])
        reach = _in_reach(band, seconds[:, column], metres[:, column])
        reach[rows] = True
        status, among = lacking, np.ones(len(chosen), dtype=np.bool_)
        if (reach & known).any():
            status, among = NeedStatus.SERVED, reach & known
        elif reach.any():
            status, among = NeedStatus.SERVED_ASSUMED, reach
        best = _nearest(among, rows, seconds[:, column], metres[:, column])
        is_reached = best is not None and seconds[best, column] != UNREACHABLE
        needs.append(
            Need(
                settlement_id=settlement.settlement_id,
                status=status,
                band=band,
                nearest_library_id=None if best is None else chosen[best].library_id,
                nearest_s=int(seconds[best, column]) if is_reached else None,
                nearest_m=int(metres[best, column]) if is_reached else None,
                has_library_inside=bool(rows),
            )
        )
    return tuple(needs)


def band_of(norm: NormSet, settlement: Settlement) -> AccessBand:
    """The band that judges a settlement; one of unknown population has its own.

    Raises
    ------
    InputError
        ``need.no_band``
    """
    people = settlement.population
    if people is None:
        return norm.unknown_population
    for band in norm.bands:
        if band.population_from <= people and (
            band.population_to is None or people < band.population_to
        ):
            return band
    raise InputError(
        "need.no_band", norm=norm.norm_set_id, settlement=settlement.name, population=people
    )


def _in_reach(
    band: AccessBand, seconds: NDArray[np.int64], metres: NDArray[np.int64]
) -> NDArray[np.bool_]:
    reach: NDArray[np.bool_] = (seconds != UNREACHABLE) & (metres != UNREACHABLE)
    if band.max_minutes is not None:
        reach &= seconds <= band.max_minutes * MINUTE_S
    if band.max_km is not None:
        reach &= metres <= band.max_km * 1000
    return reach


def _nearest(
    among: NDArray[np.bool_],
    inside: list[int],
    seconds: NDArray[np.int64],
    metres: NDArray[np.int64],
) -> int | None:
    """Row of the nearest library by seconds, then metres; one inside comes before all others."""
    here = [row for row in inside if among[row]]
    candidates = here or [int(row) for row in np.flatnonzero(among & (seconds != UNREACHABLE))]
    return min(candidates, key=lambda row: (seconds[row], metres[row], row), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedCount:
    """Settlements and their people; those of unknown population are counted apart."""

    settlements: int = 0
    people: int = 0
    settlements_of_unknown_population: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedSummary:
    """An audit in figures, by status and by band and status (bands in order of appearance)."""

    total: NeedCount
    by_status: Mapping[NeedStatus, NeedCount]
    by_band: Mapping[tuple[AccessBand, NeedStatus], NeedCount]


def summarise(needs: Sequence[Need], settlements: Iterable[Settlement]) -> NeedSummary:
    """Count settlements and people by status and band; every status is present."""
    homes = {s.settlement_id: s for s in settlements}

    def count(chosen: Iterable[Need]) -> NeedCount:
        people = [homes[n.settlement_id].population for n in chosen]
        return NeedCount(
            settlements=len(people),
            people=sum(p for p in people if p is not None),
            settlements_of_unknown_population=people.count(None),
        )

    groups: dict[tuple[AccessBand, NeedStatus], list[Need]] = {}
    for need in needs:
        groups.setdefault((need.band, need.status), []).append(need)
    return NeedSummary(
        total=count(needs),
        by_status={s: count(n for n in needs if n.status is s) for s in NeedStatus},
        by_band={key: count(group) for key, group in groups.items()},
    )
