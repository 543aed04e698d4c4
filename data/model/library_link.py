"""A region's link to the library's own system: settings, how far it was told, files made for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class SystemKind(StrEnum):
    """How a system is told; the names are those in databases, for good."""

    NONE = ""
    """The region stands alone."""
    SIP2 = "sip2"
    IRBIS64 = "irbis64"
    KOHA_FILE = "koha_file"
    EVERGREEN_FILE = "evergreen_file"
    IRBIS_FILE = "irbis_file"

    @property
    def is_file(self) -> bool:
        return self.value.endswith("_file")

    @property
    def is_online(self) -> bool:
        return self in (SystemKind.SIP2, SystemKind.IRBIS64)


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryLink:
    """How a region's system is reached.

    Parameters
    ----------
    told_from
        Only what happened from then on is told.
    secrets
        By name; kept out of ``repr``.
    trouble
        ``code``, ``since`` and ``facts`` while the system is not reached.
    """

    kind: SystemKind = SystemKind.NONE
    is_on: bool = False
    revision: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    told_from: datetime | None = None
    taken_revision: int = -1
    reached_at: datetime | None = None
    tried_at: datetime | None = None
    trouble: Mapping[str, Any] = field(default_factory=dict)


class FileState(StrEnum):
    """What became of a file; the names are those in databases, for good."""

    MADE = "made"
    IMPORTED = "imported"
    PUT_BACK = "put_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryFile:
    """A file for the system, without its content."""

    file_no: int
    name: str
    made_at: datetime
    made_by: str
    num_operations: int
    state: FileState
