"""Outcomes as a table for people and as JSON for scripts."""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from rich.table import Table

from api.bench.instance import Outcome, gap_pct
from api.bench.limits import Limits
from api.bench.measure import RoundsOutcome
from api.words import Words
from data.model.errors import InputError

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
            shown(outcome.best_known, words),
            shown(outcome.cost, words) if outcome.is_feasible else words("bench.infeasible"),
            shown(outcome.gap_pct, words),
            words.number(outcome.effort.seconds, 1),
            *(shown(values.get(name), words) for name in peers),
        )
    table.add_section()
    num_known = sum(o.gap_pct is not None for o in outcomes)
    table.add_row(
        words.count("bench.mean", num_known or len(outcomes)),
        "",
        "",
        shown(mean_gap_pct(outcomes), words),
        shown(fmean(o.effort.seconds for o in outcomes) if outcomes else None, words),
        *(shown(_peer_gap_pct(outcomes, name), words) for name in peers),
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


def shown(value: float | None, words: Words) -> str:
    """A value with two decimals at most, or a dash where there is none."""
    # "or": a gap that rounds to minus zero is zero.
    return ABSENT if value is None else words.number(round(value, 2) or 0.0, 2)


def outcome_records(outcomes: Sequence[Outcome]) -> list[dict[str, object]]:
    """One record per instance; a value that no checker passed is null."""
    return [
        {
            "instance": o.instance,
            "best_known": o.best_known,
            "cost": o.cost,
            "gap_pct": o.gap_pct,
            **o.effort.to_record(),
            "feasible": o.is_feasible,
        }
        for o in outcomes
    ]


def rounds_table(outcomes: Sequence[RoundsOutcome], words: Words) -> Table:
    """Published and planned driving and vehicle-days, one row each, and the sums of both kinds."""
    table = Table()
    table.add_column(words("bench.column.authority"))
    table.add_column(words("bench.column.rounds"))
    for code in ("visits", "minutes", "km", "change", "vehicle_days"):
        table.add_column(words(f"bench.column.{code}"), justify="right")
    for outcome in outcomes:
        table.add_row(
            outcome.authority,
            words("bench.depots" if outcome.depot else "bench.open"),
            words.number(outcome.visits),
            *_compared([outcome], words),
        )
    if len({o.authority for o in outcomes}) > 1:
        table.add_section()
        for kind, chosen in (
            ("open", [o for o in outcomes if not o.depot]),
            ("depots", [o for o in outcomes if o.depot]),
        ):
            table.add_row(
                words("bench.total"),
                words(f"bench.{kind}"),
                words.number(sum(o.visits for o in chosen)),
                *_compared(chosen, words),
            )
    return table


def _compared(outcomes: Sequence[RoundsOutcome], words: Words) -> tuple[str, ...]:
    """Minutes, kilometres, change and vehicle-days over outcomes that are all feasible."""

    def pair(published: float, planned: float | None) -> str:
        told = words("bench.infeasible") if planned is None else words.number(planned)
        return words("bench.pair", published=words.number(published), planned=told)

    before = [o.published for o in outcomes]
    after = [o.planned for o in outcomes if o.planned is not None]
    whole = len(after) == len(before)
    before_s, after_s = sum(d.seconds for d in before), sum(d.seconds for d in after)
    change_pct = 100 * (after_s / before_s - 1) if whole and before_s else None
    return (
        pair(before_s / 60, after_s / 60 if whole else None),
        pair(
            sum(d.metres for d in before) / 1000,
            sum(d.metres for d in after) / 1000 if whole else None,
        ),
        shown(change_pct, words),
        pair(
            sum(d.vehicle_days for d in before),
            sum(d.vehicle_days for d in after) if whole else None,
        ),
    )


def rounds_records(outcomes: Sequence[RoundsOutcome]) -> list[dict[str, object]]:
    """One record per authority, of its open rounds; planned values are null if infeasible."""
    return [
        {
            "authority": o.authority,
            "visits": o.visits,
            "published_drive_min": round(o.published.seconds / 60, 1),
            "planned_drive_min": round(o.planned.seconds / 60, 1) if o.planned else None,
            "published_km": round(o.published.metres / 1000, 1),
            "planned_km": round(o.planned.metres / 1000, 1) if o.planned else None,
            "published_vehicle_days": o.published.vehicle_days,
            "planned_vehicle_days": o.planned.vehicle_days if o.planned else None,
            "feasible": o.is_feasible,
            **o.effort.to_record(),
            **_limit_facts(o.limits),
        }
        for o in outcomes
        if not o.depot
    ]


def _limit_facts(limits: Limits | None) -> dict[str, object]:
    if limits is None:
        return {}
    bound_s = limits.bound_s
    return {
        "bound_drive_min": None if bound_s is None else round(bound_s / 60, 1),
        "fixed_ratio": round(limits.fixed_ratio, 3),
        "busy_ratio": round(limits.busy_ratio, 3),
        "rounds_proved": limits.num_proved,
        "rounds": limits.num_rounds,
    }


def write_json(file: Path, records: Sequence[dict[str, object]]) -> None:
    """Write records as a JSON list; the folder is made if it is missing.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    text = json.dumps(list(records), ensure_ascii=False, indent=2)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError("bench.unwritable", file=file, cause=error.strerror or "") from None
