"""Two storages under one token are told from one that was emptied and began anew."""

from datetime import UTC, datetime, timedelta

from fleet.journal_clock import ClockMark
from fleet.journal_doubles import doubled_devices

START = datetime(2026, 12, 1, 6, tzinfo=UTC)


def mark(journal: str, minute: int, sequence: int) -> ClockMark:
    at = START + timedelta(minutes=minute)
    return ClockMark(device_id=journal, sequence=sequence, device_at=at, server_at=at)


def test_an_emptied_storage_is_no_double() -> None:
    """The journal before it falls silent: nothing is told, whatever was relayed late."""
    marks = [mark("d.a", 0, 3), mark("d.a", 5, 9), mark("d.b", 20, 1), mark("d.b", 30, 7)]
    assert doubled_devices(marks) == {}
    assert doubled_devices([*marks, mark("e.a", 25, 5), mark("d.a", 40, 9)]) == {}


def test_two_that_go_on_side_by_side_are_told() -> None:
    """A journal that wrote on after another was heard: both live, last seen at that exchange."""
    marks = [mark("d.a", 0, 3), mark("d.b", 10, 2), mark("d.a", 20, 4)]
    assert doubled_devices(marks) == {"d": START + timedelta(minutes=20)}
    assert doubled_devices(marks[:2]) == {}
    assert doubled_devices(reversed(marks)) == doubled_devices(marks)


def test_devices_are_told_apart() -> None:
    """Tablets of one vehicle take turns without being taken for one another."""
    turns = [mark(f"{'de'[k % 2]}.a", k, k) for k in range(8)]
    assert doubled_devices(turns) == {}
