"""What the values of one thing must satisfy together, told by field."""

from collections.abc import Iterator
from typing import Any

from data.feeds.report import Problem, input_error
from data.feeds.settlements import GROUP_COLUMNS, most_of
from data.model.fleet import RuleSet, Vehicle
from data.model.norms import AccessBand, NormSet
from data.model.place import Library, Settlement, Stop


def check_thing(thing: Any) -> None:
    """Refuse a thing whose values contradict one another.

    Raises
    ------
    InputError
        The first fault, all of them in ``problems``; each names its ``field``.
    """
    problems = tuple(_faults(thing))
    if problems:
        raise input_error(problems)


def _faults(thing: Any) -> Iterator[Problem]:
    match thing:
        case NormSet():
            yield from _norm_faults(thing)
            yield from _validity(thing)
        case RuleSet():
            yield from _validity(thing)
        case Library():
            yield from _library_faults(thing)
        case Settlement():
            people = thing.population
            groups = {name: getattr(thing, name) for name in GROUP_COLUMNS}
            if people is not None and most_of(groups) > people:
                yield _fault("thing.parts_above_people", "population", value=people)
        case Stop():
            if thing.services_visits is not None and (
                thing.services_visits > thing.visits_per_cycle
            ):
                yield _fault(
                    "thing.services_visits",
                    "services_visits",
                    value=thing.services_visits,
                    most=thing.visits_per_cycle,
                )
        case Vehicle():
            if thing.lodging_ids and not thing.max_nights_away:
                yield _fault("thing.lodgings_without_nights", "lodgings")


def _norm_faults(norm: NormSet) -> Iterator[Problem]:
    bands = sorted(norm.bands, key=lambda band: band.population_from)
    edges = [0, *(band.population_to for band in bands)]
    whole = [band.population_from for band in bands] == edges[:-1] and edges[-1] is None
    if not bands or not whole:
        told = ", ".join(f"{b.population_from}–{b.population_to or '…'}" for b in bands)
        yield _fault("thing.bands_broken", "bands", bands=told or "—")
    for place, band in enumerate(bands):
        if not _has_limit(band):
            yield _fault("thing.no_limit", f"bands.{place}")
    if not _has_limit(norm.unknown_population):
        yield _fault("thing.no_limit", "unknown_population")


def _has_limit(band: AccessBand) -> bool:
    return band.max_minutes is not None or band.max_km is not None


def _validity(thing: NormSet | RuleSet) -> Iterator[Problem]:
    if thing.valid_from and thing.valid_to and thing.valid_to <= thing.valid_from:
        yield _fault(
            "thing.validity_backwards", "valid_to", value=thing.valid_to, first=thing.valid_from
        )


def _library_faults(library: Library) -> Iterator[Problem]:
    if library.lon is None and library.settlement_id is None:
        yield _fault("thing.library_nowhere", "settlement_id")
    if library.opened_date and library.closed_date and library.closed_date < library.opened_date:
        yield _fault(
            "thing.closed_before_opened",
            "closed_date",
            value=library.closed_date,
            opened=library.opened_date,
        )


def _fault(code: str, field: str, **facts: object) -> Problem:
    return Problem(code=code, facts={"field": field, **facts})
