"""Run all solvers of a family on files, one after the other, each on both cores."""

import argparse
import json
from pathlib import Path
from typing import Any

from rich.console import Console

from api.bench.convrp import DEFAULT_SPREAD
from api.bench.table import write_json
from tests.benchmarks.peers.families import FAMILIES
from tests.benchmarks.peers.run import Asked, solve, starved

COMMON = ("family", "instance", "solver", "time_limit_s", "seed")
MOST_ATTEMPTS = 2


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

    def keep() -> None:
        if given.json:
            write_json(given.json, records)

    def tell(record: dict[str, Any]) -> None:
        value = record["value"] if record["value"] is not None else "no solution"
        took = f"{record['seconds']} s, {record['cpu_s']} s of processor"
        out.print(f"{given.family} {record['instance']} {record['solver']}: {value} ({took})")

    known = {tuple(r[c] for c in COMMON) for r in records}
    for file in given.files:
        asked = Asked(family=given.family, file=file, legs=given.legs, spread=given.spread)
        case = asked.case()
        own = []
        for solver in case.solvers:
            key = (given.family, case.name, solver, given.time_limit, given.seed)
            if key in known or (given.solvers and solver not in given.solvers):
                continue
            record = solve(asked, case, solver, given.time_limit, given.seed)
            own.append(record)
            records.append(record)
            keep()
            tell(record)
        for record in starved(own):
            while record["attempts"] < MOST_ATTEMPTS and record in starved(own):
                again = solve(asked, case, record["solver"], given.time_limit, given.seed)
                attempts = record["attempts"] + 1
                if again["cpu_s"] > record["cpu_s"]:
                    record.update(again)
                record["attempts"] = attempts
                keep()
                tell(record)


if __name__ == "__main__":
    main()
