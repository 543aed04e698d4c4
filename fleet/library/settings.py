"""A library's system by its settings: which protocol, where, and how its bases are kept.

The settings are plain values by name, as a region's JSON or a TOML file holds them. The password is
given apart: it is kept where secrets are.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from data.model.errors import InputError
from fleet.library.irbis_client import IrbisClient, IrbisSettings
from fleet.library.irbis_ledger import IrbisRules
from fleet.library.irbis_system import IrbisSystem
from fleet.library.sip2_client import Sip2Client, Sip2Settings
from fleet.library.sip2_requests import Terminal
from fleet.library.sip2_system import Sip2System

KINDS = ("sip2", "irbis64")
_SIP2_OWN = frozenset(
    {"institution", "location", "terminal_password", "language", "time_zone", "pickup"}
)
_NOT_SETTINGS = frozenset({"password", "terminal"})


def system_of(
    told: Mapping[str, object], *, password: str = "", time_zone: str = "Europe/Kaliningrad"
) -> Sip2System | IrbisSystem:
    """The system that settings describe; nothing is connected yet.

    Parameters
    ----------
    told
        ``kind`` (``sip2`` or ``irbis64``), ``host``, and fields of ``Sip2Settings`` with
        ``institution``, ``location``, ``terminal_password``, ``language``, ``pickup``, or fields of
        ``IrbisSettings``; ``time_zone`` for both.

    Raises
    ------
    InputError
        ``library.bad_setting``, ``library.unknown_setting`` with the name
    """
    kind = told.get("kind")
    if kind not in KINDS:
        raise InputError(
            "library.bad_setting", name="kind", value=str(kind), expected=", ".join(KINDS)
        )
    own = Sip2Settings if kind == "sip2" else IrbisSettings
    kinds = {f.name: f.type for f in fields(own) if f.name not in _NOT_SETTINGS}
    more = _SIP2_OWN if kind == "sip2" else frozenset({"time_zone"})
    for name in told:
        if name != "kind" and name not in kinds and name not in more:
            raise InputError("library.unknown_setting", name=name)
    zone_name = str(told.get("time_zone", time_zone))
    zone = _zone(zone_name)
    given = {n: _value(n, told[n], own.__dataclass_fields__[n].type) for n in kinds if n in told}
    if not given.get("host"):
        raise InputError("library.bad_setting", name="host", value="", expected="host")
    try:
        if kind == "irbis64":
            client = IrbisClient(IrbisSettings(**given, password=password))
            rules = IrbisRules(catalogue=client.settings.catalogue, time_zone=zone_name)
            return IrbisSystem(client, rules)
        terminal = Terminal(
            institution=_own_text(told, "institution"),
            password=_own_text(told, "terminal_password"),
            location=_own_text(told, "location"),
            language=_own_text(told, "language") or "ru",
            time_zone=zone,
        )
        made = Sip2Settings(**given, password=password, terminal=terminal)
    except (ValueError, LookupError) as wrong:
        raise InputError(
            "library.bad_setting", name="", value=str(wrong)[:80], expected=""
        ) from wrong
    return Sip2System(Sip2Client(made), pickup=_own_text(told, "pickup"))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as wrong:
        raise InputError(
            "library.bad_setting", name="time_zone", value=name, expected="Europe/Kaliningrad"
        ) from wrong


def _own_text(told: Mapping[str, object], name: str) -> str:
    value = told.get(name, "")
    if not isinstance(value, str):
        raise InputError("library.bad_setting", name=name, value=str(value)[:80], expected="text")
    return value


def _value(name: str, value: object, kind: Any) -> Any:
    """A setting's value, of the type that its field has."""
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise InputError(
            "library.bad_setting", name=name, value=str(value)[:80], expected=kind.__name__
        )
    return value
