"""Requests of SIP2 as text: a code, fixed fields, fields by two letters.

References
----------
3M Standard Interchange Protocol v2.00, "Command Messages to the ACS"; Koha
``C4/SIP/Sip/MsgType.pm`` (``%handlers``).
"""

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import UTC, date, datetime, time, tzinfo

from fleet.library.sip2_wire import field

LANGUAGES = {"en": "001", "ru": "000"}
"""The protocol has no number for Russian: ``000`` is unknown."""
NO_DATE = " " * 18
RESEND = "97"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """Who asks: what stands in every message.

    Parameters
    ----------
    time_zone
        Whose clock the dates show. The protocol says local time where the zone is blank.
    """

    institution: str = ""
    password: str = dataclass_field(default="", repr=False)
    location: str = ""
    language: str = "ru"
    time_zone: tzinfo = UTC


def stamp(at: datetime, zone: tzinfo) -> str:
    """An instant as the protocol writes it: ``YYYYMMDDZZZZHHMMSS``, the zone blank for local."""
    return at.astimezone(zone).strftime("%Y%m%d    %H%M%S")


def _day_end(day: date | None) -> str:
    if day is None:
        return NO_DATE
    return datetime.combine(day, time(23, 59, 59)).strftime("%Y%m%d    %H%M%S")


def _yes(is_so: bool) -> str:  # noqa: FBT001
    return "Y" if is_so else "N"


def login(login_name: str, password: str, location: str) -> str:
    """93: sign in; neither name nor password is encrypted (``0``)."""
    where = field("CP", location) if location else ""
    return "9300" + field("CN", login_name) + field("CO", password) + where


def status() -> str:
    """99: what can you do? All is well here, lines of 80, version 2.00."""
    return "9900802.00"


def patron_status(terminal: Terminal, card: str, *, at: datetime) -> str:
    """23: may this reader borrow?"""
    return (
        f"23{LANGUAGES.get(terminal.language, '000')}{stamp(at, terminal.time_zone)}"
        + field("AO", terminal.institution)
        + field("AA", card)
        + field("AC", terminal.password)
        + field("AD", "")
    )


def patron_information(terminal: Terminal, card: str, *, at: datetime, last: int = 200) -> str:
    """63: the reader, and what they have on loan (``Y`` in the third place of the summary)."""
    return (
        f"63{LANGUAGES.get(terminal.language, '000')}{stamp(at, terminal.time_zone)}"
        + "  Y       "
        + field("AO", terminal.institution)
        + field("AA", card)
        + field("AC", terminal.password)
        + field("AD", "")
        + field("BP", "1")
        + field("BQ", str(last))
    )


def item_information(terminal: Terminal, item_id: str, *, at: datetime) -> str:
    """17: where is this item, who waits for it, when is it due?"""
    return (
        f"17{stamp(at, terminal.time_zone)}"
        + field("AO", terminal.institution)
        + field("AB", item_id)
        + field("AC", terminal.password)
    )


def checkout(
    terminal: Terminal,
    card: str,
    item_id: str,
    *,
    at: datetime,
    due_date: date | None,
    is_done: bool,
) -> str:
    """11: a loan; ``is_done`` says that it happened already and cannot be blocked."""
    return (
        f"11N{_yes(is_done)}{stamp(at, terminal.time_zone)}{_day_end(due_date)}"
        + field("AO", terminal.institution)
        + field("AA", card)
        + field("AB", item_id)
        + field("AC", terminal.password)
        + field("BO", "N")
        + field("BI", "N")
    )


def checkin(terminal: Terminal, item_id: str, *, at: datetime, is_done: bool) -> str:
    """09: a return."""
    moment = stamp(at, terminal.time_zone)
    return (
        f"09{_yes(is_done)}{moment}{moment}"
        + field("AP", terminal.location)
        + field("AO", terminal.institution)
        + field("AB", item_id)
        + field("AC", terminal.password)
        + field("BI", "N")
    )


def renew(
    terminal: Terminal,
    card: str,
    item_id: str,
    *,
    at: datetime,
    due_date: date | None,
    is_done: bool,
) -> str:
    """29: a loan made longer."""
    return (
        f"29N{_yes(is_done)}{stamp(at, terminal.time_zone)}{_day_end(due_date)}"
        + field("AO", terminal.institution)
        + field("AA", card)
        + field("AD", "")
        + field("AB", item_id)
        + field("AC", terminal.password)
        + field("BO", "N")
    )


def hold(
    terminal: Terminal,
    card: str,
    *,
    at: datetime,
    item_id: str = "",
    title_code: str = "",
    pickup: str = "",
    is_cancelled: bool = False,
) -> str:
    """15: a hold placed (``+``) or taken back (``-``); type 2: any copy, 3: this copy."""
    return (
        f"15{'-' if is_cancelled else '+'}{stamp(at, terminal.time_zone)}"
        + (field("BS", pickup) if pickup else "")
        + field("BY", "3" if item_id else "2")
        + field("AO", terminal.institution)
        + field("AA", card)
        + field("AD", "")
        + (field("AB", item_id) if item_id else "")
        + (field("AJ", title_code) if title_code else "")
        + field("AC", terminal.password)
    )
