"""Two storages that write under one device's token at once: a copied token, two open browsers.

A storage that was emptied begins a journal of its own, and the one before it falls silent for good.
Where a journal goes on after another of the same device has been heard, both are alive.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from fleet.journal_clock import ClockMark


def base_of(journal_id: str) -> str:
    """The paired device that a journal is of: what stands before the point."""
    return journal_id.partition(".")[0]


def doubled_devices(marks: Iterable[ClockMark]) -> Mapping[str, datetime]:
    """When each device was last seen to write in two places at once.

    Parameters
    ----------
    marks
        Exchanges of the devices' journals, in any order.
    """
    found: dict[str, datetime] = {}
    numbers: dict[str, int] = {}
    latest: dict[str, str] = {}
    """By device: the journal that was heard last."""
    for mark in sorted(marks, key=lambda m: (m.server_at, m.device_id, m.sequence)):
        journal, device = mark.device_id, base_of(mark.device_id)
        before = numbers.get(journal)
        has_written = before is not None and mark.sequence > before
        if has_written and latest[device] != journal:
            found[device] = mark.server_at
        numbers[journal] = max(mark.sequence, before or 0)
        latest[device] = journal
    return found
