"""Answers of SIP2, read into what they say.

A system may leave out what it does not know and add fields of its own; only the fixed fields are a
must.

References
----------
3M Standard Interchange Protocol v2.00, "Response Messages from the ACS"; Koha
``C4/SIP/Sip/MsgType.pm`` for what a real system sends.
"""

import re
from dataclasses import dataclass
from datetime import date

from fleet.library.sip2_wire import Frame, Parsed, parse

_DATE = ("date", 18)
_PATRON_HEAD = (("status", 14), ("language", 3), _DATE)
_LOAN = (("ok", 1), ("renewal", 1), ("magnetic", 1), ("desensitize", 1), _DATE)
LAYOUTS: dict[str, tuple[tuple[str, int], ...]] = {
    "94": (("ok", 1),),
    "98": (
        ("online", 1),
        ("checkin", 1),
        ("checkout", 1),
        ("renewal", 1),
        ("status_update", 1),
        ("offline", 1),
        ("timeout", 3),
        ("retries", 3),
        _DATE,
        ("version", 4),
    ),
    "24": _PATRON_HEAD,
    "64": (
        *_PATRON_HEAD,
        ("num_holds", 4),
        ("num_overdue", 4),
        ("num_charged", 4),
        ("num_fines", 4),
        ("num_recalls", 4),
        ("num_unavailable", 4),
    ),
    "18": (("circulation", 2), ("security", 2), ("fee", 2), _DATE),
    "12": _LOAN,
    "30": _LOAN,
    "10": (("ok", 1), ("resensitize", 1), ("magnetic", 1), ("alert", 1), _DATE),
    "16": (("ok", 1), ("available", 1), _DATE),
    "96": (),
}
_DIGITS = re.compile(r"\d{8}")
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_CHARGED = frozenset({"04", "05", "07"})
"""Charged; charged and not to be recalled; recalled (from whoever has it)."""
_BACK = frozenset({"03", "06", "08", "09", "10"})
"""Available; in process; waiting on the hold shelf; waiting to be shelved; in transit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemStatus:
    """98: what a system can do."""

    is_online: bool
    takes_loans: bool
    takes_returns: bool
    takes_renewals: bool
    takes_offline: bool
    version: str
    library: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatronReply:
    """24 or 64: a reader. Where ``is_known`` is ``None`` the system did not tell."""

    card: str
    name: str
    is_known: bool | None
    is_blocked: bool
    """No loans (the first place of the status says that charging is denied)."""
    charged: tuple[str, ...] = ()
    """Items on loan; empty unless asked for, or where the system lists none."""
    num_charged: int | None = None
    told: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemReply:
    """18: an item. Where neither is true, the status does not tell (lost, on order …)."""

    item_id: str
    title: str
    is_charged: bool
    is_back: bool
    due_date: date | None = None
    is_known: bool = True
    told: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionReply:
    """12, 10, 30 or 16: whether it was done, and the system's words."""

    is_done: bool
    item_id: str = ""
    card: str = ""
    title: str = ""
    due_date: date | None = None
    told: str = ""


def read_system(frame: Frame) -> SystemStatus:
    """98."""
    found = parse(frame, LAYOUTS["98"])
    return SystemStatus(
        is_online=found.is_yes("online"),
        takes_loans=found.is_yes("checkout"),
        takes_returns=found.is_yes("checkin"),
        takes_renewals=found.is_yes("renewal"),
        takes_offline=found.is_yes("offline"),
        version=found.fixed["version"],
        library=found.one("AM"),
        told=_told(found),
    )


def read_login(frame: Frame) -> bool:
    """94: whether we may come in."""
    return parse(frame, LAYOUTS["94"]).is_yes("ok")


def read_patron(frame: Frame) -> PatronReply:
    """24 or 64."""
    found = parse(frame, LAYOUTS[frame.code])
    valid = found.one("BL").upper()
    number = found.fixed.get("num_charged", "").strip()
    return PatronReply(
        card=found.one("AA"),
        name=found.one("AE"),
        is_known=None if valid not in ("Y", "N") else valid == "Y",
        is_blocked=found.fixed["status"][0] in "Yy1",
        charged=tuple(item.strip() for item in found.all("AU") if item.strip()),
        num_charged=int(number) if number.isascii() and number.isdigit() else None,
        told=_told(found),
    )


def read_item(frame: Frame) -> ItemReply:
    """18."""
    found = parse(frame, LAYOUTS["18"])
    status = found.fixed["circulation"]
    # 01 is "other": what systems answer for an item that they do not have, with an empty title.
    return ItemReply(
        item_id=found.one("AB"),
        title=found.one("AJ"),
        is_charged=status in _CHARGED,
        is_back=status in _BACK,
        due_date=read_date(found.one("AH")),
        is_known=status not in ("00", "01") or bool(found.one("AJ")),
        told=_told(found),
    )


def read_action(frame: Frame) -> ActionReply:
    """12, 10, 30 or 16."""
    found = parse(frame, LAYOUTS[frame.code])
    return ActionReply(
        is_done=found.is_yes("ok"),
        item_id=found.one("AB"),
        card=found.one("AA"),
        title=found.one("AJ"),
        due_date=read_date(found.one("AH")),
        told=_told(found),
    )


def read_date(text: str) -> date | None:
    """A due date: the protocol's own form or ISO; ``None`` for forms that each library invents."""
    if (match := _ISO.match(text.strip())) is not None:
        parts = match.groups()
    elif _DIGITS.match(text.strip()):
        plain = text.strip()
        parts = (plain[:4], plain[4:6], plain[6:8])
    else:
        return None
    try:
        return date(*(int(p) for p in parts))
    except ValueError:
        return None


def _told(found: Parsed) -> str:
    """Words for the reader: screen messages, then lines for the printer, each once."""
    return "; ".join(
        dict.fromkeys(t.strip() for n in ("AF", "AG") for t in found.all(n) if t.strip())
    )
