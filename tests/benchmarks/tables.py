"""Render results as the tables of docs/benchmarks.md, so that no figure is typed by hand.

``python -m tests.benchmarks.tables RESULTS [--write docs/benchmarks.md]``. A table stands between
``<!-- table NAME -->`` and ``<!-- end NAME -->``; markers that the document lacks are appended.
"""

import argparse
import json
import re
from collections.abc import Sequence
from importlib.metadata import distributions, version
from pathlib import Path
from statistics import fmean
from typing import Any

from rich.console import Console

from api.bench.instance import gap_pct
from tests.benchmarks.peers.families import OURS

FAMILIES = ("pvrp", "vrptw", "top", "convrp", "rounds")
PACKAGES = ("ortools", "pyvrp", "pyvroom", "numba", "numpy", "scipy")


def number(value: float | None, digits: int = 2) -> str:
    """A figure with thousands and at most so many decimals; a dash where there is none."""
    if value is None:
        return "–"
    text = f"{round(value, digits) + 0.0:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table, the first column to the left, figures to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def peers_table(records: Sequence[dict[str, Any]]) -> str:
    """Each solver's value by instance, and the mean gap to the reference over what it solved.

    The reference is the best known value, or where there is none the best of all solvers.
    """
    names = list(dict.fromkeys(r["solver"] for r in records))
    instances = list(dict.fromkeys(r["instance"] for r in records))
    value = {(r["instance"], r["solver"]): r["value"] for r in records}
    gaps: dict[str, list[float]] = {name: [] for name in names}
    rows = []
    for instance in instances:
        own = [r for r in records if r["instance"] == instance]
        is_maximised = bool(own[0]["is_maximised"])
        found = [r["value"] for r in own if r["value"] is not None]
        best = (max if is_maximised else min)(found) if found else None
        reference = own[0]["best_known"] or best
        for name in names:
            gap = gap_pct(value.get((instance, name)), reference, is_maximised=is_maximised)
            if gap is not None:
                gaps[name].append(gap)
        # "published" is what a timetable drives today, for rounds.
        known = own[0].get("published", own[0]["best_known"])
        # Empty where a solver was not asked, a dash where it has no solution.
        cells = [number(value[instance, n]) if (instance, n) in value else "" for n in names]
        rows.append([instance, number(known), *cells])
    summary = [f"{number(fmean(g))} ({len(g)})" if g else "–" for g in gaps.values()]
    worst = [number(max(g)) if g else "–" for g in gaps.values()]
    rows.append(["**Mean gap, % (solved)**", "", *summary])
    rows.append(["**Worst gap, %**", "", *worst])
    rows.append(["**Worse than ours, mean %**", "", *_against_ours(records, names)])
    shares = [told_share([r for r in records if r["solver"] == name]) for name in names]
    rows.append(["**Processor, of two cores, %**", "", *shares])
    limits = sorted({r["time_limit_s"] for r in records})
    known_head = "Published" if any("published" in r for r in records) else "Best known"
    told = f"{', '.join(f'{s:g}' for s in limits)} seconds each, {OURS} and peers on two cores."
    return told + "\n\n" + markdown(["Instance", known_head, *names], rows)


def _against_ours(records: Sequence[dict[str, Any]], names: Sequence[str]) -> list[str]:
    """For each solver the mean over instances that it and we solved; below zero it is ahead."""
    ours = {r["instance"]: r["value"] for r in records if r["solver"] == OURS}
    gaps: dict[str, list[float]] = {name: [] for name in names}
    for r in records:
        gap = gap_pct(r["value"], ours.get(r["instance"]), is_maximised=r["is_maximised"])
        if gap is not None and r["solver"] != OURS:
            gaps[r["solver"]].append(gap)
    return [f"{number(fmean(g))} ({len(g)})" if g else "" for g in gaps.values()]


def told_share(records: Sequence[dict[str, Any]]) -> str:
    """Processor time that the solves got, of what two cores have in their time."""
    had = [r for r in records if "cpu_s" in r]
    wall = sum(r["seconds"] for r in had)
    return number(100 * sum(r["cpu_s"] for r in had) / (2 * wall), 0) if wall else "–"


def told_effort(records: Sequence[dict[str, Any]]) -> str:
    """Seconds, share of the processor and load of a table's solves, as a line above it."""
    mean_s = number(fmean(r["seconds"] for r in records), 0)
    loads = [r["load"] for r in records if "load" in r]
    load = f"; load {number(min(loads), 1)} to {number(max(loads), 1)}" if loads else ""
    return f"{mean_s} seconds each, {told_share(records)} % of two cores{load}."


def gaps_table(records: Sequence[dict[str, Any]]) -> str:
    """The planner alone against best known values."""
    rows = [
        [r["instance"], number(r["best_known"]), number(r["cost"]), number(r["gap_pct"])]
        for r in records
    ]
    gaps = [r["gap_pct"] for r in records if r["gap_pct"] is not None]
    rows.append(["**Mean**", "", "", number(fmean(gaps)) if gaps else "–"])
    return (
        told_effort(records)
        + "\n\n"
        + markdown(["Instance", "Best known", "Found", "Gap, %"], rows)
    )


def rounds_limits_table(records: Sequence[dict[str, Any]]) -> str:
    """Open rounds by authority with the bound on driving and what leaves little open."""
    rows = []
    for r in records:
        before, after = r["published_drive_min"], r["planned_drive_min"]
        change = None if after is None or not before else 100 * (after / before - 1)
        rows.append(
            [
                r["authority"],
                number(before, 0),
                number(after, 0),
                number(change, 0),
                number(r.get("bound_drive_min"), 0),
                f"{r['published_vehicle_days']} → {r['planned_vehicle_days']}",
                f"{100 * r['fixed_ratio']:.0f}" if "fixed_ratio" in r else "–",
                f"{100 * r['busy_ratio']:.0f}" if "busy_ratio" in r else "–",
                f"{r['rounds_proved']} of {r['rounds']}" if "rounds" in r else "–",
            ]
        )
    head = ["Authority", "Published, min", "Planned", "Change, %", "At least (proved)"]
    head += ["Vehicle-days", "Visits bound to their days, %", "Day filled, %", "Orders shortest"]
    return told_effort(records) + "\n\n" + markdown(head, rows)


def plain_table(records: Sequence[dict[str, Any]], columns: Sequence[tuple[str, str]]) -> str:
    """Chosen fields of records."""
    rows = [
        [r[key] if isinstance(r[key], str) else number(r[key]) for key, _ in columns]
        for r in records
    ]
    return told_effort(records) + "\n\n" + markdown([name for _, name in columns], rows)


def tables_of(folder: Path) -> dict[str, str]:
    """Every table that the folder's results allow, by name."""

    def read(name: str) -> list[dict[str, Any]]:
        file = folder / f"{name}.json"
        found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
        return [dict(record) for record in found]

    tables = {}
    for family in FAMILIES:
        if records := read(f"peers-{family}"):
            # A folder may hold runs of several lengths; the longest counts.
            longest = max(r["time_limit_s"] for r in records)
            chosen = [r for r in records if r["time_limit_s"] == longest]
            tables[f"peers-{family}"] = peers_table(chosen)
    if records := read("pvrp"):
        tables["pvrp"] = gaps_table(records)
    if records := read("rounds"):
        tables["rounds"] = rounds_limits_table(records)
    if records := read("library"):
        columns = [("instance", "Instance"), ("people", "People"), ("people_bound", "At most")]
        columns += [("driving_s", "Driving, s"), ("seconds", "Seconds")]
        tables["library"] = plain_table(records, columns)
    if records := read("growth"):
        columns = [("stops", "Stops"), ("visits", "Visits"), ("people", "People")]
        columns += [("near_s", "Seconds to within 5 %"), ("reference_s", "Reference, s")]
        tables["growth"] = plain_table(records, [*columns, ("peak_mib", "Memory, MiB")])
    present = {d.metadata["Name"].lower() for d in distributions()}
    tables["versions"] = ", ".join(f"{n} {version(n)}" for n in PACKAGES if n.lower() in present)
    return tables


def rendered(text: str, tables: dict[str, str]) -> str:
    """The document with its tables anew."""
    for name, table in tables.items():
        block = f"<!-- table {name} -->\n{table}\n<!-- end {name} -->"
        marked = re.compile(rf"<!-- table {name} -->.*?<!-- end {name} -->", re.DOTALL)
        if found := marked.search(text):
            text = text[: found.start()] + block + text[found.end() :]
        else:
            text = f"{text.rstrip()}\n\n{block}\n"
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    tables = tables_of(given.results)
    if given.write:
        old = given.write.read_text(encoding="utf-8")
        given.write.write_text(rendered(old, tables), encoding="utf-8")
        return
    for name, table in tables.items():
        Console(soft_wrap=True).print(f"{name}\n\n{table}\n", markup=False)


if __name__ == "__main__":
    main()
