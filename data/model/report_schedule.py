"""Reports that are sent by themselves: what, for which span, to whom; each delivery on record."""

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from data.model.errors import InputError
from data.model.report import ReportKind

RECIPIENT_MAX = 254
MOST_TRIES = 6
RETRY_AFTER = (
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=12),
    timedelta(hours=24),
)
"""Waits after each failed try; after the last try a person has to look."""
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\]{1,189}")
_FOLDER = re.compile(r"[\w-][\w .-]{0,58}[\w-]|[\w-]")


class ReportFormat(StrEnum):
    PDF = "pdf"
    XLSX = "xlsx"
    CSV = "csv"
    GEOJSON = "geojson"


class PeriodRule(StrEnum):
    """The span that a scheduled report tells: the last one that is over."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    YEAR_TO_DATE = "year_to_date"
    """From 1 January to the end of the last month."""


class Channel(StrEnum):
    MAIL = "mail"
    FOLDER = "folder"


class DeliveryState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    """After the last try; a person may try again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSchedule:
    """A standing order for a report; ``recipient`` is an e-mail address or the name of a folder."""

    schedule_id: str
    region_id: str
    kind: ReportKind
    format: ReportFormat
    period: PeriodRule
    channel: Channel
    recipient: str
    language: str = "ru"
    vehicle_id: str | None = None
    form_id: str = ""
    is_active: bool = True
    created_at: datetime
    created_by: str | None = None
    revision: int = 1

    def __post_init__(self) -> None:
        if len(self.recipient) > RECIPIENT_MAX:
            raise InputError(
                "reports.long_text",
                field="recipient",
                length=len(self.recipient),
                limit=RECIPIENT_MAX,
            )
        if self.channel is Channel.MAIL and not _ADDRESS.fullmatch(self.recipient):
            raise InputError("reports.bad_address", value=self.recipient[:80])
        if self.channel is Channel.FOLDER and not _FOLDER.fullmatch(self.recipient):
            raise InputError("reports.bad_folder", value=self.recipient[:80])
        if self.format is ReportFormat.GEOJSON and self.kind not in PLACED_KINDS:
            raise InputError("reports.no_places", kind=self.kind.value)


PLACED_KINDS = frozenset({ReportKind.REVIEW, ReportKind.PUNCTUALITY})
"""Reports that speak of places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDelivery:
    """One report sent, or to be sent, for one span."""

    delivery_id: str
    schedule_id: str
    region_id: str
    from_date: date
    until_date: date
    state: DeliveryState = DeliveryState.WAITING
    tries: int = 0
    due_at: datetime
    """When it is to be tried (again)."""
    ended_at: datetime | None = None
    file: str = ""
    num_bytes: int | None = None
    code: str = ""
    """Why the last try failed."""
    facts: dict[str, object] = field(default_factory=dict)


def period_before(rule: PeriodRule, today: date) -> tuple[date, date]:
    """The last span of a rule that is over on a date, both ends in."""
    first_of_month = today.replace(day=1)
    before = first_of_month - timedelta(days=1)
    match rule:
        case PeriodRule.WEEK:
            last = today - timedelta(days=today.weekday() + 1)
            return last - timedelta(days=6), last
        case PeriodRule.MONTH:
            return before.replace(day=1), before
        case PeriodRule.QUARTER:
            begun = today.replace(month=3 * ((today.month - 1) // 3) + 1, day=1)
            last = begun - timedelta(days=1)
            return last.replace(month=last.month - 2, day=1), last
        case PeriodRule.YEAR:
            return date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)
        case PeriodRule.YEAR_TO_DATE:
            return before.replace(month=1, day=1), before


def retry_at(tries: int, now: datetime) -> datetime | None:
    """When to try again after so many failed tries; ``None``: no more."""
    return None if tries >= MOST_TRIES else now + RETRY_AFTER[min(tries, len(RETRY_AFTER)) - 1]
