"""Regions and their things come back as they were, today and on any date before."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine

from api.services.regions import load_region as load_bundled
from data.db.engine import reading, writing
from data.db.region_store import (
    add_region,
    close_region,
    end_thing,
    get_thing,
    history,
    list_regions,
    list_things,
    load_region,
    put_thing,
    region_revision,
    replace_contents,
)
from data.model.crew import Specialist, SpecialistId
from data.model.errors import BookmobileError, ConflictError, NotFoundError
from data.model.fleet import VehicleId
from data.model.place import Library, Settlement, SiteCard, Stop
from data.model.staff import CrewMember, CrewMemberId, CrewRole
from tests import plan_example as example

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
SPRING = date(2027, 3, 1)


def test_a_region_comes_back_whole(engine: Engine) -> None:
    """Everything that the shipped region says, its norms, rules and outlines too, is kept."""
    region = load_bundled("kaliningrad")
    with writing(engine) as session:
        add_region(session, region, at=AT)
    with reading(engine) as session:
        assert load_region(session, "kaliningrad") == region
        assert [r.name_in("en") for r in list_regions(session)] == [region.name_in("en")]


def test_a_second_region_of_the_same_id_is_refused(engine: Engine) -> None:
    """Nothing of the first is overwritten."""
    with writing(engine) as session:
        add_region(session, example.region(), at=AT)
    with pytest.raises(ConflictError) as refused, writing(engine) as session:
        add_region(session, example.region(), at=AT)
    assert refused.value.code == "region.taken"


def test_a_closed_branch_stays_readable_by_date(engine: Engine) -> None:
    """A branch that closes on a date is there the day before and in its history."""
    region = example.region()
    library = region.libraries[0]
    with writing(engine) as session:
        add_region(session, region, at=AT)
        end_thing(
            session, region.region_id, Library, library.library_id,
            to_date=SPRING, at=AT, expect_revision=1,
        )  # fmt: skip
    with reading(engine) as session:
        now = load_region(session, region.region_id)
        before = load_region(session, region.region_id, on=date(2027, 2, 28))
        assert library not in now.libraries
        assert library in before.libraries
        assert library not in load_region(session, region.region_id, on=SPRING).libraries
        (only,) = history(session, region.region_id, Library, library.library_id)
        assert (only.thing, only.valid_to_date) == (library, SPRING)


def test_a_change_from_a_date_keeps_what_was_before(engine: Engine) -> None:
    """The site card of a stop as of each date; a correction replaces its version."""
    region = replace(example.region(), stops=(example.COTTESMORE,))
    moved = replace(example.COTTESMORE, site=SiteCard(surface="gravel", power=True))
    key = str(example.COTTESMORE.stop_id)
    with writing(engine) as session:
        add_region(session, region, at=AT)
        put_thing(session, "rutland", moved, from_date=SPRING, at=AT, expect_revision=1)
        again = replace(moved, site=replace(moved.site, light=True))
        put_thing(session, "rutland", again, at=AT, expect_revision=2)
    with reading(engine) as session:
        assert get_thing(session, "rutland", Stop, key, on=AT.date()).thing == example.COTTESMORE
        assert get_thing(session, "rutland", Stop, key, on=SPRING).thing.site.light is True
        assert [s.revision for s in history(session, "rutland", Stop, key)] == [1, 3]


@pytest.mark.parametrize(
    ("expect", "code"), [(7, "store.stale"), (None, "thing.taken")], ids=["stale", "taken"]
)
def test_nobody_overwrites_what_he_has_not_read(
    engine: Engine, expect: int | None, code: str
) -> None:
    """A change that names another revision, or none, is refused and changes nothing."""
    region = replace(example.region(), stops=(example.COTTESMORE,))
    with writing(engine) as session:
        add_region(session, region, at=AT)
    with pytest.raises(BookmobileError) as refused, writing(engine) as session:
        renamed = replace(example.COTTESMORE, name="Other")
        put_thing(session, "rutland", renamed, at=AT, expect_revision=expect)
    assert refused.value.code == code
    with reading(engine) as session:
        assert load_region(session, "rutland").stops == (example.COTTESMORE,)


def test_crew_and_specialists_are_told_apart(engine: Engine) -> None:
    """A driver is no specialist, though both are people of the region."""
    driver = CrewMember(
        crew_member_id=CrewMemberId("d1"),
        name="Driver 1",
        role=CrewRole.DRIVER,
        vehicle_ids=frozenset({VehicleId("north")}),
    )
    adviser = Specialist(specialist_id=SpecialistId("s1"), name="Adviser", service="consultant")
    with writing(engine) as session:
        add_region(session, example.region(), at=AT)
        before = region_revision(session, "rutland")
        put_thing(session, "rutland", driver, at=AT, expect_revision=None)
        put_thing(session, "rutland", adviser, at=AT, expect_revision=None)
        assert region_revision(session, "rutland") == before + 2
    with reading(engine) as session:
        assert [s.thing for s in list_things(session, "rutland", CrewMember)] == [driver]
        assert load_region(session, "rutland").specialists == (adviser,)


def test_an_import_changes_only_what_differs(engine: Engine) -> None:
    """New rows are added, missing ones end, the rest keeps its revision."""
    region = example.region()
    kept, changed, *gone = region.settlements
    renamed = replace(changed, name="Renamed")
    with writing(engine) as session:
        add_region(session, region, at=AT)
        told = replace_contents(
            session,
            replace(region, settlements=(kept, renamed)),
            from_date=SPRING,
            at=AT,
        )
    assert (told["settlement"].changed, told["settlement"].ended) == (1, len(gone))
    with reading(engine) as session:
        assert load_region(session, "rutland").settlements == (kept, renamed)
        assert load_region(session, "rutland", on=AT.date()).settlements == region.settlements
        (stored,) = history(session, "rutland", Settlement, str(kept.settlement_id))
        assert stored.revision == 1


def test_what_is_not_there_is_told(engine: Engine) -> None:
    """An unknown region or thing has its own refusal; a closed region is no longer listed."""
    with reading(engine) as session, pytest.raises(NotFoundError) as refused:
        load_region(session, "nowhere")
    assert refused.value.code == "region.unknown"
    with writing(engine) as session:
        add_region(session, example.region(), at=AT)
        with pytest.raises(NotFoundError):
            get_thing(session, "rutland", Stop, "nowhere")
        close_region(session, "rutland", at=AT)
    with reading(engine) as session:
        assert list_regions(session) == ()
        assert load_region(session, "rutland").region_id == "rutland"
