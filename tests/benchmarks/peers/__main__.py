"""Run all solvers of a family on files, one after the other, each on both cores."""

import argparse
import json
from pathlib import Path
from typing import Any

from rich.console import Console

from api.bench.convrp import DEFAULT_SPREAD
from api.bench.table import write_json
from tests.benchmarks.peers.families import FAMILIES
from tests.benchmarks.peers.run import Asked, solve

COMMON = ("family", "instance", "solver", "time_limit_s", "seed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("family", choices=FAMILIES)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--time-limit", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="results; what it holds is not solved again")
    parser.add_argument("--legs", type=Path, help="driven legs for rounds")
    parser.add_argument("--spread", type=float, default=DEFAULT_SPREAD, help="for convrp")
    parser.add_argument("--solvers", nargs="*", help="only these")
    given = parser.parse_args()
    out = Console(soft_wrap=True)
    records: list[dict[str, Any]] = []
    if given.json and given.json.is_file():
        records = json.loads(given.json.read_text(encoding="utf-8"))
    known = {tuple(r[c] for c in COMMON) for r in records}
    for file in given.files:
        asked = Asked(family=given.family, file=file, legs=given.legs, spread=given.spread)
        case = asked.case()
        for solver in case.solvers:
            key = (given.family, case.name, solver, given.time_limit, given.seed)
            if key in known or (given.solvers and solver not in given.solvers):
                continue
            record = solve(asked, case, solver, given.time_limit, given.seed)
            records.append(record)
            if given.json:
                write_json(given.json, records)
            told = record["value"] if record["value"] is not None else "no solution"
            out.print(f"{given.family} {case.name} {solver}: {told} ({record['seconds']} s)")


if __name__ == "__main__":
    main()
