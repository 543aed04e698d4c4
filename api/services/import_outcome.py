"""What reading a draft's files gave: a report for each file, and the region they make."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pydantic import TypeAdapter

from api.services.upload_files import UploadKind
from data.feeds.report import Problem, Verdict
from data.model.errors import BookmobileError
from data.model.place import LibraryKind, Standing
from data.model.region import Region

MOST_PROBLEMS = 1_000
"""Problems of one file that are kept; all are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message as its code and plain facts."""

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    verdict: Verdict = Verdict.REJECTED


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundColumn:
    """A column of a file, what it was read as (empty: nothing), and its first values."""

    theirs: str
    ours: str = ""
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOutcome:
    """The account of one file."""

    file_id: str
    name: str
    kind: UploadKind | None
    is_guessed: bool = False
    num_rows: int = 0
    num_loaded: int = 0
    num_rejecting: int = 0
    """Problems for which rows were rejected; a row may have several."""
    num_flagged: int = 0
    problems: tuple[Told, ...] = ()
    columns: tuple[FoundColumn, ...] = ()
    encoding: str = ""
    passed_over: tuple[str, ...] = ()
    """Entries of a zip that were not needed."""
    errors: tuple[Told, ...] = ()
    """Why nothing of the file could be read."""

    @property
    def num_rejected(self) -> int:
        return self.num_rows - self.num_loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The account of a draft."""

    print_of_draft: str
    """Of the draft that was read: the outcome holds for no other."""
    files: tuple[FileOutcome, ...] = ()
    errors: tuple[Told, ...] = ()
    """Why no region could be made."""
    folder: str = ""
    """Where the region lies in the draft; empty without one."""
    roads_path: str = ""
    """Its extract, if one came with the files."""
    holds: Mapping[str, int] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    """Name, language, time zone, projection, roads: what a person may want to check."""
    assumed: tuple[Told, ...] = ()
    missing: tuple[Told, ...] = ()
    changes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Of a region that exists: things added and changed by kind."""

    @property
    def is_ready(self) -> bool:
        """Whether there is a region to take over, every file having been read."""
        return bool(self.folder) and not self.errors and not any(f.errors for f in self.files)


OUTCOME = TypeAdapter(Outcome)


def told_of(error: BookmobileError) -> tuple[Told, ...]:
    """An error with all its problems as messages."""
    problems = error.facts.get("problems")
    if isinstance(problems, tuple) and problems:
        return tuple(told_problem(p) for p in problems[:MOST_PROBLEMS])
    facts = {name: _plain(value) for name, value in error.facts.items()}
    return (Told(code=error.code, facts=facts),)


def told_problem(problem: Problem) -> Told:
    return Told(
        code=problem.code,
        facts={name: _plain(value) for name, value in problem.facts.items()},
        verdict=problem.verdict,
    )


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def holdings(region: Region) -> dict[str, int]:
    """What a region holds, in numbers."""
    people = [s.population for s in region.settlements if s.population is not None]
    known = [lib for lib in region.libraries if lib.standing is Standing.KNOWN]
    return {
        "settlements": len(region.settlements),
        "people": sum(people),
        "unknown_people": len(region.settlements) - len(people),
        "municipalities": len(region.municipalities),
        "libraries": sum(lib.kind is LibraryKind.LIBRARY for lib in known),
        "points": sum(lib.kind is LibraryKind.POINT for lib in known),
        "assumed_libraries": len(region.libraries) - len(known),
        "depots": len(region.depots),
        "vehicles": len(region.vehicles),
        "specialists": len(region.specialists),
        "stops": len(region.stops),
        "norms": len(region.norm_sets),
    }


def missing_of(region: Region) -> tuple[Told, ...]:
    """What a region still lacks before a plan can be made, then what would make it better.

    ``setup.missing.*`` stop a plan; ``setup.better.*`` do not.
    """
    checks = (
        ("setup.missing.places", not region.settlements and not region.stops),
        ("setup.missing.depot", not region.depots),
        ("setup.missing.vehicle", not region.vehicles),
        ("setup.better.libraries", bool(region.settlements) and not region.libraries),
        (
            "setup.better.register",
            bool(region.libraries) and not region.library_register_is_complete,
        ),
        ("setup.better.roads", not region.roads_file),
        (
            "setup.better.population",
            any(s.population is None for s in region.settlements),
        ),
    )
    return tuple(Told(code=code) for code, is_so in checks if is_so)


def assumed_of(region: Region, given: Iterable[UploadKind]) -> tuple[Told, ...]:
    """What a new region took from defaults because no file said it."""
    kinds = set(given)
    if UploadKind.REGION in kinds:
        return ()
    told = []
    if UploadKind.DEPOTS not in kinds and region.depots:
        told.append(Told(code="setup.assumed.depot", facts={"name": region.depots[0].name}))
    if UploadKind.VEHICLES not in kinds and region.vehicles:
        names = ", ".join(v.name for v in region.vehicles)
        told.append(Told(code="setup.assumed.vehicles", facts={"names": names}))
    if region.default_rule_set_ids:
        rules = ", ".join(region.default_rule_set_ids)
        told.append(Told(code="setup.assumed.rules", facts={"names": rules}))
    told.append(Told(code="setup.assumed.standard"))
    if UploadKind.NORMS not in kinds:
        told.append(Told(code="setup.assumed.norm", facts={"name": region.norm_set_id}))
    return tuple(told)


def changes_between(old: Region, new: Region) -> dict[str, tuple[int, int]]:
    """Things added and changed by kind; kinds of which nothing differs are left out."""
    kinds = (
        ("settlements", "settlement_id"),
        ("municipalities", "municipality_id"),
        ("libraries", "library_id"),
        ("depots", "depot_id"),
        ("vehicles", "vehicle_id"),
        ("specialists", "specialist_id"),
        ("stops", "stop_id"),
        ("norm_sets", "norm_set_id"),
    )
    found = {}
    for kind, key in kinds:
        before = {getattr(item, key): item for item in getattr(old, kind)}
        items = [item for item in getattr(new, kind) if not _is_assumed(item)]
        added = sum(getattr(item, key) not in before for item in items)
        changed = sum(before.get(getattr(item, key), item) != item for item in items)
        if added or changed:
            found[kind] = (added, changed)
    return found


def _is_assumed(item: object) -> bool:
    return getattr(item, "standing", None) is Standing.ASSUMED
