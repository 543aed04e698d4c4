"""What Evergreen makes of a ``pending.xacts`` file, by the rules of ``offline.pl``.

``Open-ILS/src/offline/offline.pl`` (commit 1c8f349): ``ol_file_to_perl`` reads JSON line by line;
``ol_collect_commands`` drops what has no type, sorts by the script's delta and ``timestamp`` as
numbers (Perl's sort keeps the order of equal ones) and puts registrations first;
``ol_process_commands`` knows checkin, in_house_use, checkout, renew and register; a circulation
needs ``patron_barcode`` and ``barcode`` and takes ``checkout_time`` and ``due_date``, a checkin
takes ``backdate``. Its client (``offline.js``, ``notEnough``) lets no loan without a due date
through.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

TYPES = ("checkin", "in_house_use", "checkout", "renew", "register")


@dataclass
class Evergreen:
    """A library after a session."""

    loans: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)

    def execute(self, raw: bytes, *, delta: int = 0) -> None:
        """Load a script and execute it."""
        commands = [json.loads(line) for line in raw.decode("utf-8").split("\n") if line]
        commands = [c for c in commands if c and c.get("type")]
        commands.sort(key=lambda c: delta + float(c["timestamp"]))
        first = [c for c in commands if c["type"] == "register"]
        for command in first + [c for c in commands if c["type"] != "register"]:
            self._one(command)

    def _one(self, command: dict[str, Any]) -> None:
        kind = command["type"]
        if kind not in TYPES:
            self.errors.append(f"type {kind}")
            return
        self.order.append(f"{kind} {command['barcode']}")
        if kind == "checkin":
            self._zoned(command["backdate"])
            if self.loans.pop(command["barcode"], None) is None:
                self.errors.append(f"nobody has {command['barcode']}")
            return
        due = self._zoned(command["due_date"])
        self._zoned(command["checkout_time"])
        holder = self.loans.get(command["barcode"])
        if kind == "renew" and (holder is None or holder[0] != command["patron_barcode"]):
            self.errors.append(f"no loan to renew: {command['barcode']}")
        elif kind == "checkout" and holder is not None:
            self.errors.append(f"OPEN_CIRCULATION_EXISTS {command['barcode']}")
        else:
            self.loans[command["barcode"]] = (command["patron_barcode"], due)

    def _zoned(self, text: str) -> datetime:
        found = datetime.fromisoformat(text)
        if found.utcoffset() is None:
            self.errors.append(f"{text} without a zone")
        return found
