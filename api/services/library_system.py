"""A region's link to the library's own system: its settings, and whether it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from api.state import Service
from data.db import audit_store, event_store, library_store, publication_store
from data.db.engine import reading, writing
from data.model.accounts import Caller
from data.model.errors import ConflictError, InputError
from data.model.library_link import LibraryLink, SystemKind
from data.model.stock import check_text
from fleet.library.irbis_system import IrbisSystem
from fleet.library.settings import system_of
from fleet.library.sip2_system import Sip2System

type AnySystem = Sip2System | IrbisSystem

TEXT_CHARS = 120
CODES = ("place", "operator")
"""Codes of where and by whom is lent, in the library's own system; known to every kind."""
SECRETS: Mapping[SystemKind, tuple[str, ...]] = {
    SystemKind.SIP2: ("password", "terminal_password"),
    SystemKind.IRBIS64: ("password",),
}
TEXTS: Mapping[SystemKind, tuple[str, ...]] = {
    SystemKind.SIP2: ("host", "login", "institution", "location", "pickup", "language", "encoding",
                      "terminator"),
    SystemKind.IRBIS64: ("host", "login", "readers", "catalogue", "reader_prefix", "item_prefix",
                         "loan_prefix"),
    SystemKind.IRBIS_FILE: ("encoding", "catalogue", "form"),
}  # fmt: skip
NUMBERS: Mapping[SystemKind, tuple[str, ...]] = {
    SystemKind.SIP2: ("port", "timeout_s"),
    SystemKind.IRBIS64: ("port", "timeout_s"),
}
CLAIMS: Mapping[SystemKind, tuple[str, ...]] = {
    SystemKind.SIP2: ("has_checks", "no_block", "is_encrypted"),
}
USUAL: Mapping[SystemKind, Mapping[str, Any]] = {
    SystemKind.SIP2: {"port": 6001, "timeout_s": 10, "language": "ru", "encoding": "utf-8",
                      "terminator": "cr", "has_checks": True, "no_block": True,
                      "is_encrypted": False},
    SystemKind.IRBIS64: {"port": 6666, "timeout_s": 20, "readers": "RDR", "catalogue": "IBIS",
                         "reader_prefix": "RI=", "item_prefix": "IN="},
    SystemKind.IRBIS_FILE: {"encoding": "utf-8", "catalogue": "IBIS", "form": "irbis-text"},
}  # fmt: skip
CHOICES: Mapping[str, tuple[str, ...]] = {
    "terminator": ("cr", "crlf"),
    "encoding": ("utf-8", "cp1251", "cp866", "cp850"),
    "form": ("irbis-text", "irbis-iso"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkAsked:
    """Settings as somebody wants them; an empty secret keeps the one that is known."""

    kind: SystemKind
    is_on: bool
    settings: Mapping[str, Any]
    secrets: Mapping[str, str]
    seen: int
    """The revision of the settings that was seen."""


def link_of(service: Service, region_id: str) -> LibraryLink:
    """How a region's system is reached.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    with reading(service.engine) as session:
        publication_store.region_head(session, region_id)
        return library_store.link(session, region_id)


def change_link(
    service: Service, region_id: str, asked: LinkAsked, *, by: Caller, at: datetime
) -> LibraryLink:
    """Change how a region's system is reached; nothing is connected yet.

    What happened before it is switched on first is not told: the library knows of it by the ways
    that it had until then.

    Raises
    ------
    InputError
        ``library.bad_setting``, ``library.unknown_setting``.
    ConflictError
        ``library.changed_meanwhile``.
    """
    with writing(service.engine) as session:
        zone = publication_store.region_head(session, region_id).time_zone
        before = library_store.hold_link(session, region_id)
        if before.revision != asked.seen:
            raise ConflictError("library.changed_meanwhile")
        names = SECRETS.get(asked.kind, ())
        is_other_host = asked.settings.get("host") != before.settings.get("host")
        kept = {} if before.kind is not asked.kind or is_other_host else before.secrets
        # A password never goes to a host that it was not given for.
        secrets = {n: asked.secrets.get(n) or kept.get(n, "") for n in names}
        _check(asked.kind, asked.settings, secrets, zone)
        is_on = asked.is_on and asked.kind is not SystemKind.NONE
        told_from = before.told_from
        if is_on and (told_from is None or before.kind is SystemKind.NONE):
            told_from = at
        after = library_store.set_link(
            session,
            region_id,
            kind=asked.kind,
            is_on=is_on,
            settings=asked.settings,
            secrets={n: v for n, v in secrets.items() if v},
            told_from=told_from,
        )
        audit_store.record(
            session, by, "circulation.link", region_id, region_id=region_id,
            kind=asked.kind.value, is_on=is_on,
        )  # fmt: skip
        event_store.emit(session, "library", "", region_id)
        return after


def _check(
    kind: SystemKind, settings: Mapping[str, Any], secrets: Mapping[str, str], zone: str
) -> None:
    for name, value in settings.items():
        if isinstance(value, str):
            check_text(name, value, TEXT_CHARS)
            known = CHOICES.get(name)
            if value and known is not None and value not in known:
                raise InputError(
                    "library.bad_setting", name=name, value=value[:80], expected=", ".join(known)
                )
    if kind.is_online:
        made_system(LibraryLink(kind=kind, settings=settings, secrets=secrets), time_zone=zone)


def made_system(link: LibraryLink, *, time_zone: str) -> AnySystem:
    """The system of a link that is told by line; nothing is connected yet.

    Raises
    ------
    InputError
        ``library.bad_setting``, ``library.unknown_setting``.
    """
    told = {n: v for n, v in link.settings.items() if n not in CODES and v != ""}
    if terminal := link.secrets.get("terminal_password"):
        told["terminal_password"] = terminal
    told["kind"] = link.kind.value
    return system_of(told, password=link.secrets.get("password", ""), time_zone=time_zone)


def let_go(system: AnySystem) -> None:
    """End a connection in good order."""
    if isinstance(system, IrbisSystem):
        system.client.unregister()
    else:
        system.client.close()


def facts_of(system: AnySystem, card: str = "", item: str = "") -> dict[str, object]:
    """Connect, sign in, and tell what the system can do; nothing is changed there."""
    if isinstance(system, Sip2System):
        return _sip2_facts(system, card, item)
    return _irbis_facts(system, card, item)


def _sip2_facts(system: Sip2System, card: str, item: str) -> dict[str, object]:
    client = system.client
    try:
        status = client.open()
        told: dict[str, object] = {
            "kind": "sip2",
            "version": status.version,
            "library": status.library,
            "takes_loans": status.takes_loans,
            "takes_returns": status.takes_returns,
            "takes_renewals": status.takes_renewals,
            "takes_offline": status.takes_offline,
        }
        if card:
            patron = client.patron_status(card)
            told["card_found"] = patron.is_known is not False
            told["card_blocked"] = patron.is_blocked
            told["card_told"] = patron.told
        if item:
            found = client.item(item)
            told["item_found"] = found.is_known
            told["item_lent"] = found.is_charged
            told["item_told"] = found.told
        return told
    finally:
        client.close()


def _irbis_facts(system: IrbisSystem, card: str, item: str) -> dict[str, object]:
    client, own = system.client, system.client.settings
    try:
        told: dict[str, object] = {"kind": "irbis64", "version": client.register()}
        if card:
            told["card_found"] = bool(client.search(own.readers, own.reader_prefix, card))
        if item:
            told["item_found"] = bool(client.search(own.catalogue, own.item_prefix, item))
        return told
    finally:
        client.unregister()


def try_link(
    service: Service, region_id: str, *, card: str = "", item: str = ""
) -> dict[str, object]:
    """Whether a region's system answers, and whether it knows a card and an item.

    Raises
    ------
    InputError
        ``library.nothing_to_try`` where it is told by files, or not at all.
    """
    link, zone = _link_and_zone(service, region_id)
    if not link.kind.is_online:
        raise InputError("library.nothing_to_try")
    return facts_of(made_system(link, time_zone=zone), card, item)


def _link_and_zone(service: Service, region_id: str) -> tuple[LibraryLink, str]:
    with reading(service.engine) as session:
        return library_store.link(session, region_id), zone_of(session, region_id)


def zone_of(session: Session, region_id: str) -> str:
    """The time zone of a region."""
    return publication_store.region_head(session, region_id).time_zone
