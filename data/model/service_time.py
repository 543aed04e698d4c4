"""Instants and the clock of a service date: aware UTC to seconds from local midnight and back.

Clock time comes first, as in every file that is written of a plan: 10:00 of a day on which the
clocks change is still 10:00.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def instant_of(on: date, seconds: float, zone: ZoneInfo) -> datetime:
    """The instant of a clock time of a service date; seconds may pass 86 400."""
    clock = datetime.combine(on, time()) + timedelta(seconds=seconds)
    return clock.replace(tzinfo=zone).astimezone(UTC)


def clock_s(on: date, at: datetime, zone: ZoneInfo) -> float:
    """The clock time of an instant as seconds from midnight of a service date."""
    clock = at.astimezone(zone).replace(tzinfo=None)
    return (clock - datetime.combine(on, time())).total_seconds()


def date_of(at: datetime, zone: ZoneInfo) -> date:
    """The local date of an instant."""
    return at.astimezone(zone).date()
