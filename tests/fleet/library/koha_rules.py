"""What Koha makes of a ``.koc`` file, by the rules of its own parser; no code of the export.

``offline_circ/process_koc.pl`` (commit 011d608) and ``enqueue_koc.pl`` (01d5cfc): the first line is
split at tabs and at ``=``; ``Version`` must be 1.0. Every other line loses its end and its ``\\r``,
is split at tabs (empty ones at the end are dropped, as Perl does) into a time, a command and its
arguments: issue (cardnumber, barcode), return (barcode), payment (cardnumber, amount). The time is
split at single white space into date, time and id. Any other command is "not processed".
``kocIssueItem``: to whoever has the item it is a renewal; from another, later than their loan, it
is returned and issued; else nothing. ``kocReturnItem``: an item that nobody has is an error.
"""

import re
from dataclasses import dataclass, field
from datetime import date

ARGUMENTS = {"issue": 2, "return": 1, "payment": 2}


@dataclass
class Koha:
    """A library after a file."""

    loans: dict[str, tuple[str, date]] = field(default_factory=dict)
    renewed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def process(self, raw: bytes) -> None:
        """Take a file, line by line as ``<$fh>`` gives them."""
        head, *lines = re.findall(r"[^\n]*\n|[^\n]+", raw.decode("utf-8"))
        told = dict(f.split("=") for f in head.rstrip("\n").replace("\r", "").split("\t"))
        if told.get("Version") != "1.0":
            self.errors.append(f"version {told.get('Version')}")
        for line in lines:
            self._command(line.rstrip("\n").replace("\r", ""))

    def _command(self, line: str) -> None:
        parts = line.split("\t")
        while parts and not parts[-1]:
            parts.pop()
        if len(parts) < 2 or parts[1] not in ARGUMENTS:
            self.errors.append(f"not processed: {line!r}")
            return
        moment, command, *arguments = parts
        if len(arguments) != ARGUMENTS[command]:
            self.errors.append(f"arguments: {line!r}")
            return
        pieces = re.split(r"\s", moment)
        if len(pieces) != 3 or not re.fullmatch(r"\d\d:\d\d:\d\d", pieces[1]):
            self.errors.append(f"time: {line!r}")
            return
        on = date.fromisoformat(pieces[0])
        if command == "issue":
            self._issue(arguments[0], arguments[1], on)
        elif self.loans.pop(arguments[0], None) is None:
            self.errors.append(f"nobody has {arguments[0]}")

    def _issue(self, card: str, barcode: str, on: date) -> None:
        holder = self.loans.get(barcode)
        if holder is None or (holder[0] != card and holder[1] < on):
            self.loans[barcode] = (card, on)
        elif holder[0] == card:
            self.renewed.append(barcode)
        else:
            self.errors.append(f"{barcode} is newer with {holder[0]}")
