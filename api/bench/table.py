"""Outcomes as a table for people and as JSON for scripts."""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from rich.table import Table

from api.bench.instance import Outcome, gap_pct
from api.words import Words

ABSENT = "–"


def outcome_table(outcomes: Sequence[Outcome], words: Words) -> Table:
    """Instance, best known, found, gap and seconds, one row each, and the means.

    Peers that were run beside get a column each, with their mean gap.
    """
    table = Table()
    table.add_column(words("bench.column.instance"))
    for code in ("best_known", "found", "gap", "seconds"):
        table.add_column(words(f"bench.column.{code}"), justify="right")
    peers = list(dict.fromkeys(name for o in outcomes for name, _ in o.peers))
    for name in peers:
        table.add_column(name, justify="right")
    for outcome in outcomes:
        values = dict(outcome.peers)
        table.add_row(
            outcome.instance,
            _value(outcome.best_known, words),
            _value(outcome.cost, words) if outcome.is_feasible else words("bench.infeasible"),
            _value(outcome.gap_pct, words),
            words.number(outcome.seconds, 1),
            *(_value(values.get(name), words) for name in peers),
        )
    table.add_section()
    table.add_row(
        words.count("bench.mean", len(outcomes)),
        "",
        "",
        _value(mean_gap_pct(outcomes), words),
        _value(fmean(o.seconds for o in outcomes) if outcomes else None, words),
        *(_value(_peer_gap_pct(outcomes, name), words) for name in peers),
    )
    return table


def mean_gap_pct(outcomes: Sequence[Outcome]) -> float | None:
    """Mean gap over the instances that have one."""
    gaps = [o.gap_pct for o in outcomes if o.gap_pct is not None]
    return fmean(gaps) if gaps else None


def _peer_gap_pct(outcomes: Sequence[Outcome], name: str) -> float | None:
    gaps = [
        gap
        for o in outcomes
        if (gap := gap_pct(dict(o.peers).get(name), o.best_known, is_maximised=o.is_maximised))
        is not None
    ]
    return fmean(gaps) if gaps else None


def _value(value: float | None, words: Words) -> str:
    return ABSENT if value is None else words.number(value, 2)


def outcome_records(outcomes: Sequence[Outcome]) -> list[dict[str, object]]:
    """One record per instance; a value that no checker passed is null."""
    return [
        {
            "instance": o.instance,
            "best_known": o.best_known,
            "cost": o.cost,
            "gap_pct": o.gap_pct,
            "seconds": round(o.seconds, 3),
            "feasible": o.is_feasible,
        }
        for o in outcomes
    ]


def write_json(file: Path, records: Sequence[dict[str, object]]) -> None:
    """Write records as a JSON list; the folder is made if it is missing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(list(records), ensure_ascii=False, indent=2)
    file.write_text(text + "\n", encoding="utf-8")
