"""Notices to readers as an Atom feed.

References
----------
RFC 4287 (Atom), RFC 4151 (tag URIs).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree import ElementTree

_ATOM = "http://www.w3.org/2005/Atom"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot hold, however they are written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtomEntry:
    """One notice in words."""

    entry_id: str
    title: str
    text: str
    address: str
    updated_at: datetime


def notices_atom(
    entries: Sequence[AtomEntry],
    *,
    feed_id: str,
    title: str,
    author: str,
    address: str,
    page: str,
    language: str,
    updated_at: datetime,
) -> bytes:
    """A feed of entries, in their order; texts are plain text."""
    ElementTree.register_namespace("", _ATOM)
    feed = ElementTree.Element(f"{{{_ATOM}}}feed", {"xml:lang": language})
    _add(feed, "id", feed_id)
    _add(feed, "title", title)
    _add(feed, "updated", _instant(updated_at))
    _add(ElementTree.SubElement(feed, f"{{{_ATOM}}}author"), "name", author)
    if address:
        ElementTree.SubElement(feed, f"{{{_ATOM}}}link", {"rel": "self", "href": address})
    if page:
        ElementTree.SubElement(feed, f"{{{_ATOM}}}link", {"rel": "alternate", "href": page})
    for one in entries:
        entry = ElementTree.SubElement(feed, f"{{{_ATOM}}}entry")
        _add(entry, "id", one.entry_id)
        _add(entry, "title", one.title)
        _add(entry, "updated", _instant(one.updated_at))
        if one.address:
            ElementTree.SubElement(entry, f"{{{_ATOM}}}link", {"href": _clean(one.address)})
        _add(entry, "content", one.text, type="text")
    text: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _add(parent: ElementTree.Element, name: str, text: str, **attributes: str) -> None:
    ElementTree.SubElement(parent, f"{{{_ATOM}}}{name}", attributes).text = _clean(text)


def _clean(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
