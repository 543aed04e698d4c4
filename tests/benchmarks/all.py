"""Everything that docs/benchmarks.md tables, within a time: ``python -m tests.benchmarks.all``.

``--minutes N`` shares the time among all solves, at most 60 seconds each (and ten times that for a
reference plan of growth). What the results folder holds already is not solved again, so a run that
was cut short goes on. ``--write`` then renders the tables into the document.
"""

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from tests.benchmarks.make_library import FOLDER as LIBRARY

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
MOST_S = 60
SIZES = (100, 300, 1000, 3000)
GROWTH_TIMES = 10
CONVRP = ("convrp-0-7", "convrp-small")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One command line; ``num_solves`` of equal time are in it."""

    name: str
    words: tuple[str, ...]
    num_solves: int


def jobs_of(data: Path, out: Path, seconds: int) -> list[Job]:
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
    }
    num_solvers = {"pvrp": 5, "vrptw": 4, "top": 4, "convrp": 3, "rounds": 4}
    limit = ("--time-limit", str(seconds))
    bench = (sys.executable, "-c", "from api.cli import main; main()", "bench")
    legs = ("--legs", str(uk / "legs.csv"))
    jobs = [
        Job(
            name=f"peers-{family}",
            words=(
                *(sys.executable, "-m", "tests.benchmarks.peers", family, *map(str, found)),
                *(*limit, "--json", str(out / f"peers-{family}.json")),
                *(legs if family == "rounds" else ()),
            ),
            num_solves=num_solvers[family] * len(found),
        )
        for family, found in files.items()
        if found
    ]
    library = sorted(LIBRARY.glob("*.json"))
    own = {"rounds": (*map(str, files["rounds"]), *legs), "library": tuple(map(str, library))}
    counts = {"rounds": len(files["rounds"]), "library": len(library)}
    jobs += [
        Job(
            name=name,
            words=(*bench, name, *words, *limit, "--json", str(out / f"{name}.json")),
            num_solves=counts[name],
        )
        for name, words in own.items()
        if counts[name]
    ]
    long = ("--time-limit", str(GROWTH_TIMES * seconds), "--sizes", ",".join(map(str, SIZES)))
    record = ("--json", str(out / "growth.json"), "--plot", str(out / "growth.svg"))
    jobs.append(
        Job(
            name="growth",
            words=(*bench, "growth", *long, *record),
            num_solves=GROWTH_TIMES * len(SIZES),
        )
    )
    return jobs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=720.0)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--out", type=Path, required=True, help="folder of results")
    parser.add_argument("--only", nargs="*", help="names of jobs, such as peers-pvrp or growth")
    parser.add_argument("--write", type=Path, help="document whose tables are rendered anew")
    given = parser.parse_args()
    out = Console(soft_wrap=True)
    given.out.mkdir(parents=True, exist_ok=True)
    every = jobs_of(given.data, given.out, 1)
    wanted = {job.name for job in every if not given.only or job.name in given.only}
    total = sum(job.num_solves for job in every if job.name in wanted)
    seconds = max(1, min(MOST_S, int(60 * given.minutes / max(1, total))))
    out.print(f"{total} solves of {seconds} s, about {total * seconds / 60:.0f} minutes")
    failed = []
    for job in jobs_of(given.data, given.out, seconds):
        result = given.out / f"{job.name}.json"
        done = given.out / f"{job.name}.done"
        if job.name not in wanted:
            continue
        if done.is_file() and done.read_text(encoding="utf-8") == str(seconds) and result.is_file():
            continue
        out.print(f"{job.name}: {job.num_solves} solves of {seconds} s")
        code = subprocess.run(job.words, check=False).returncode
        # 1 says that a solution breaks a rule: measured all the same, and told in the table.
        if code in (0, 1) and result.is_file():
            done.write_text(str(seconds), encoding="utf-8")
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
