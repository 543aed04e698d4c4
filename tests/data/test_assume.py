"""Libraries that are assumed where the register is not complete."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.feeds.assume import LARGEST_SETTLEMENTS, assumed_libraries
from data.model.place import Library, LibraryId, LibraryKind, Settlement, SettlementId, Standing
from data.model.region import LibraryAssumption, Region

LAT = 54.7
# 0.1 degree apart, from Chernyakhovsk east: city, town, two villages, a hamlet, nobody, unknown.
PEOPLE = {"city": 45_000, "town": 9_000, "a": 400, "b": 400, "hamlet": 12, "empty": 0, "new": None}
SETTLEMENTS = tuple(
    Settlement(
        settlement_id=SettlementId(name), name=name, lon=21.8 + i / 10, lat=LAT, population=people
    )
    for i, (name, people) in enumerate(PEOPLE.items())
)


def library(number: int, settlement: str | None = None, **more: object) -> Library:
    known = Library(
        library_id=LibraryId(f"l{number}"),
        name=f"Library {number}",
        settlement_id=None if settlement is None else SettlementId(settlement),
    )
    return replace(known, **more)  # type: ignore[arg-type]


def region(*libraries: Library, count: int, per_library: int | None = None) -> Region:
    return Region(
        region_id="r",
        names={"en": "R"},
        time_zone="Europe/Kaliningrad",
        language="ru",
        crs="EPSG:32634",
        settlements=SETTLEMENTS,
        libraries=libraries,
        library_assumption=LibraryAssumption(
            rule=LARGEST_SETTLEMENTS,
            official_count=count,
            source="official",
            people_per_library=per_library,
        ),
    )


def places(of: Region) -> list[str]:
    return [str(library.settlement_id) for library in assumed_libraries(of)]


def test_the_largest_settlements_without_one_are_given_a_library() -> None:
    """One each from the largest down; a known library is not given again; ties go by id."""
    assert places(region(library(1, "town"), count=4)) == ["city", "a", "b"]


def test_a_city_takes_several() -> None:
    """45,000 people at one for every 20,000 begun are three libraries, of which one is known."""
    given_out = places(region(library(1, "city"), count=5, per_library=20_000))
    assert given_out == ["city", "city", "town", "a"]


def test_nobody_and_nobody_knows_get_none() -> None:
    """An empty place and one of unknown population stay without, however many are left."""
    assert places(region(count=99)) == ["city", "town", "a", "b", "hamlet"]


def test_closed_branches_and_points_do_not_count() -> None:
    """They are neither of the official number nor what their settlement is due."""
    closed = library(1, "city", closed_date=date(2020, 1, 1))
    point = library(2, "town", kind=LibraryKind.POINT)
    assert places(region(closed, point, count=2)) == ["city", "town"]


def test_a_library_with_a_position_belongs_to_the_settlement_around_it() -> None:
    """Within walking distance of a settlement it is that settlement's."""
    inside = library(1, lon=21.8005, lat=LAT)
    outside = library(2, lon=21.85, lat=LAT)
    assert places(region(inside, outside, count=3)) == ["town"]


def test_assumed_libraries_say_so() -> None:
    """Standing, id and source tell an assumption from a fact."""
    (assumed,) = assumed_libraries(region(count=1))
    assert assumed.standing is Standing.ASSUMED
    assert (assumed.library_id, assumed.source) == ("assumed-city-1", "official")


def test_nothing_is_assumed_where_the_register_is_complete() -> None:
    """Nor where the region states no assumption."""
    given = region(count=5)
    assert assumed_libraries(replace(given, library_register_is_complete=True)) == ()
    assert assumed_libraries(replace(given, library_assumption=None)) == ()


def test_an_unknown_rule_is_refused() -> None:
    """A rule that this program does not have is never read as another."""
    given = region(count=5)
    assumption = LibraryAssumption(rule="everywhere", official_count=5)
    with pytest.raises(ValueError, match="everywhere"):
        assumed_libraries(replace(given, library_assumption=assumption))


@given(
    known=st.lists(st.sampled_from(sorted(PEOPLE)), max_size=8),
    count=st.integers(0, 40),
    per_library=st.none() | st.integers(1, 60_000),
)
def test_known_and_assumed_never_pass_the_official_count(
    known: list[str], count: int, per_library: int | None
) -> None:
    """Assumed libraries fill up to the count and no further; ids are unique."""
    libraries = [library(i, place) for i, place in enumerate(known)]
    assumed = assumed_libraries(region(*libraries, count=count, per_library=per_library))
    assert len(assumed) <= max(0, count - len(known))
    assert len({a.library_id for a in assumed}) == len(assumed)
