"""Everything that docs/benchmarks.md tables, within a time: ``python -m tests.benchmarks.all``.

``--minutes N`` shares the time among all solves, at most 60 seconds each (and ten times that for a
reference plan of growth); ``--seconds pvrp=60 peers-top=5`` gives jobs seconds of their own. What
the results folder holds already is not solved again, so a run that was cut short goes on.
``--write`` then renders the tables into the document.
"""

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from tests.benchmarks.make_library import FOLDER as LIBRARY

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
MOST_S = 60
SIZES = (100, 300, 1000, 3000)
GROWTH_TIMES = 10
CONVRP = ("convrp-0-7", "convrp-small")
NUM_SOLVERS = {"pvrp": 5, "vrptw": 4, "top": 4, "convrp": 3, "rounds": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One command line with so many solves of so many seconds in it."""

    name: str
    words: tuple[str, ...]
    num_solves: int
    seconds: int


def jobs_of(
    data: Path, out: Path, seconds: int, own_seconds: Mapping[str, int] | None = None
) -> list[Job]:
    """Every measurement, the shortest families first."""
    sets = data / "benchmarks"
    uk = data / "uk-mobile-libraries"
    files = {
        "pvrp": sorted((sets / "pvrp").glob("p*.txt")),
        "vrptw": [f for f in sorted((sets / "vrptw").glob("*.txt")) if f.stem != "SOURCE"],
        "top": sorted((sets / "top").glob("p*.txt")),
        "convrp": [
            f for folder in CONVRP for f in sorted((sets / "convrp" / folder).glob("*.vrp"))
        ],
        "rounds": sorted((uk / "stops").glob("*.csv")),
        "library": sorted(LIBRARY.glob("*.json")),
    }
    legs = ("--legs", str(uk / "legs.csv"))
    bench = (sys.executable, "-c", "from api.cli import main; main()", "bench")
    jobs = []

    def add(name: str, words: Sequence[str], num_solves: int, times: int = 1) -> None:
        if num_solves:
            limit = times * (own_seconds or {}).get(name, seconds)
            tail = ("--time-limit", str(limit), "--json", str(out / f"{name}.json"))
            jobs.append(Job(name=name, words=(*words, *tail), num_solves=num_solves, seconds=limit))

    for family, num_solvers in NUM_SOLVERS.items():
        words = (sys.executable, "-m", "tests.benchmarks.peers", family)
        named = (*map(str, files[family]), *(legs if family == "rounds" else ()))
        add(f"peers-{family}", (*words, *named), num_solvers * len(files[family]))
    add("pvrp", (*bench, "pvrp", *map(str, files["pvrp"])), len(files["pvrp"]))
    add("rounds", (*bench, "rounds", *map(str, files["rounds"]), *legs), len(files["rounds"]))
    add("library", (*bench, "library", *map(str, files["library"])), len(files["library"]))
    sizes = ("--sizes", ",".join(map(str, SIZES)), "--plot", str(out / "growth.svg"))
    add("growth", (*bench, "growth", *sizes), len(SIZES), GROWTH_TIMES)
    return jobs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=720.0)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--out", type=Path, required=True, help="folder of results")
    parser.add_argument("--only", nargs="*", help="names of jobs, such as peers-pvrp or growth")
    parser.add_argument("--write", type=Path, help="document whose tables are rendered anew")
    parser.add_argument("--seconds", nargs="*", default=[], help="of single jobs, as pvrp=60")
    given = parser.parse_args()
    out = Console(soft_wrap=True)
    given.out.mkdir(parents=True, exist_ok=True)
    own = {name: int(value) for name, value in (word.split("=") for word in given.seconds)}
    every = jobs_of(given.data, given.out, 1)
    if unknown := {*own, *(given.only or ())} - {job.name for job in every}:
        parser.error(f"no such job: {', '.join(sorted(unknown))}")
    wanted = {job.name for job in every if not given.only or job.name in given.only}
    fixed = sum(j.num_solves * j.seconds for j in jobs_of(given.data, given.out, 0, own))
    shared = sum(j.num_solves * j.seconds for j in every if j.name in wanted - {*own})
    left = max(0.0, 60 * given.minutes - fixed)
    seconds = max(1, min(MOST_S, int(left / max(1, shared))))
    failed = []
    for job in jobs_of(given.data, given.out, seconds, own):
        result = given.out / f"{job.name}.json"
        done = given.out / f"{job.name}.done"
        if job.name not in wanted:
            continue
        limit = str(job.seconds)
        if done.is_file() and done.read_text(encoding="utf-8") == limit and result.is_file():
            continue
        minutes = job.num_solves * job.seconds / 60
        out.print(f"{job.name}: {job.num_solves} solves of {limit} s, {minutes:.0f} minutes")
        code = subprocess.run(job.words, check=False).returncode
        # 1 says that a solution breaks a rule: measured all the same, and told in the table.
        if code in (0, 1) and result.is_file():
            done.write_text(limit, encoding="utf-8")
        else:
            failed.append(job.name)
    if given.write:
        words = (sys.executable, "-m", "tests.benchmarks.tables", str(given.out))
        subprocess.run([*words, "--write", str(given.write)], check=True)
    if failed:
        out.print(f"failed: {', '.join(failed)}")
        raise SystemExit(1)


if __name__ == "__main__":
    main()
