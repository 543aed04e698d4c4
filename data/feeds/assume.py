"""Libraries that are taken to exist where the register is not complete.

An assumed library is never mixed with a known one: its ``standing`` says so, and every need that
rests on it is reported as an assumption.
"""

from collections import Counter

from data.model.geo import distance_m
from data.model.place import (
    Library,
    LibraryId,
    LibraryKind,
    Settlement,
    SettlementId,
    Standing,
)
from data.model.region import LibraryAssumption, Region

LARGEST_SETTLEMENTS = "largest_settlements"
RULES = frozenset({LARGEST_SETTLEMENTS})
"""Rules that a region may name."""


def assumed_libraries(region: Region) -> tuple[Library, ...]:
    """Libraries that fill the gap between the known ones and the official count.

    Walks down the settlements by population. A settlement is due one library or, where the
    assumption gives ``people_per_library``, one for every so many people begun; known libraries
    count towards what it is due, closed ones and library points do not. The walk ends when known
    and assumed libraries together are the official count. Settlements without people, or whose
    population is not known, get none.

    Returns
    -------
    tuple[Library, ...]
        Largest settlement first. Empty where the register is complete or nothing is assumed.

    Raises
    ------
    ValueError
        If the assumption names a rule that is not in ``RULES``.
    """
    assumption = region.library_assumption
    if assumption is None or region.library_register_is_complete:
        return ()
    if assumption.rule not in RULES:
        raise ValueError(f"no such library assumption: {assumption.rule!r}")
    known = [
        library
        for library in region.libraries
        if library.standing is Standing.KNOWN
        and library.kind is LibraryKind.LIBRARY
        and library.closed_date is None
    ]
    left = assumption.official_count - len(known)
    in_settlement = Counter(
        _settlement_of(library, region.settlements, region.standard.walk_to_stop_m)
        for library in known
    )
    assumed: list[Library] = []
    peopled = (s for s in region.settlements if s.population)
    for settlement in sorted(peopled, key=lambda s: (-(s.population or 0), s.settlement_id)):
        due = _libraries_due(settlement.population or 0, assumption.people_per_library)
        missing = min(due - in_settlement[settlement.settlement_id], left)
        for number in range(1, missing + 1):
            assumed.append(_assumed_in(settlement, number, assumption))
            left -= 1
        if left <= 0:
            break
    return tuple(assumed)


def _libraries_due(people: int, people_per_library: int | None) -> int:
    return 1 if people_per_library is None else -(-people // people_per_library)


def _settlement_of(
    library: Library, settlements: tuple[Settlement, ...], within_m: float
) -> SettlementId | None:
    """The settlement that a library names, else the nearest one in walking distance."""
    if library.settlement_id is not None or library.lon is None or library.lat is None:
        return library.settlement_id
    lon, lat = library.lon, library.lat
    nearest = min(
        ((distance_m(lon, lat, s.lon, s.lat), s.settlement_id) for s in settlements), default=None
    )
    return nearest[1] if nearest is not None and nearest[0] <= within_m else None


def _assumed_in(settlement: Settlement, number: int, assumption: LibraryAssumption) -> Library:
    return Library(
        library_id=LibraryId(f"assumed-{settlement.settlement_id}-{number}"),
        name=settlement.name,
        standing=Standing.ASSUMED,
        settlement_id=settlement.settlement_id,
        source=assumption.source,
    )
