"""Kept ways of legs, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from data.db import leg_line_store, region_store
from data.db.engine import reading, writing
from data.model.region import Region

AT = datetime(2026, 12, 1, 8, tzinfo=UTC)
WAY = ((34.1, 57.4), (34.11, 57.405), (34.12, 57.41))


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """A database with a region and two ways, one of them where no road leads."""
    region = Region(
        region_id="r", names={"en": "R"}, time_zone="Europe/Moscow", language="en", crs="EPSG:32636"
    )
    with writing(engine) as session:
        region_store.add_region(session, region, at=AT)
        lines = {"a": WAY, "b": ()}
        leg_line_store.put_lines(session, "r", lines, roads_mark="one", at=AT)
    return engine


def test_ways_are_found_again(filled: Engine) -> None:
    """By their keys; one that leads nowhere is known, one that was never asked for is not."""
    with reading(filled) as session:
        found = leg_line_store.lines_of(session, "r", ["a", "b", "c", "a"])
        assert leg_line_store.lines_of(session, "r", []) == {}
    assert found.keys() == {"a", "b"}
    assert found["a"] == WAY
    assert found["b"] == ()


def test_other_roads_take_the_place_of_a_way(filled: Engine) -> None:
    """The state tells that something changed, though the number is the same."""
    with reading(filled) as session:
        before = leg_line_store.state_of(session, "r")
    later = AT + timedelta(hours=1)
    with writing(filled) as session:
        leg_line_store.put_lines(session, "r", {"b": WAY}, roads_mark="two", at=later)
    with writing(filled) as session:
        assert leg_line_store.state_of(session, "r") != before
        assert leg_line_store.known_lines(session, "r") == {"a": ("one", AT), "b": ("two", later)}
        assert leg_line_store.lines_of(session, "r", ["b"])["b"] == WAY
        leg_line_store.drop_lines(session, "r", ["a"])
        assert leg_line_store.known_lines(session, "r").keys() == {"b"}
