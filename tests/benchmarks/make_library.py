"""Write the instances of the open benchmark anew: ``python -m tests.benchmarks.make_library``."""

import csv
import json
import math
from pathlib import Path

from api.bench.library import LibraryInstance, generated, made_instance

FOLDER = Path(__file__).resolve().parents[1] / "instances" / "library"
REGION = Path(__file__).resolve().parents[2] / "data" / "samples" / "kaliningrad"
SIZES = ((50, 11), (50, 12), (100, 21), (100, 22), (200, 31), (200, 32), (400, 41), (1000, 51))
MOST_PEOPLE = 2500
METRES_A_DEGREE = 111_195


def metres(lon: float, lat: float) -> tuple[int, int]:
    """Metres from 20° E 54.5° N on a plane that fits the oblast; whole, so that all agree."""
    east = (lon - 20.0) * METRES_A_DEGREE * math.cos(math.radians(54.7))
    return round(east), round((lat - 54.5) * METRES_A_DEGREE)


def kaliningrad(most: int, depots: int, tightness: float) -> LibraryInstance:
    """Settlements of the shipped region, the most populous first, towns left out."""
    with (REGION / "settlements.csv").open(encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["lon"] and r["population"]]
    with (REGION / "depots.csv").open(encoding="utf-8") as file:
        bases = [metres(float(r["lon"]), float(r["lat"])) for r in csv.DictReader(file)]
    small = [r for r in rows if 10 <= int(r["population"]) <= MOST_PEOPLE]
    chosen = sorted(small, key=lambda r: (-int(r["population"]), r["settlement_id"]))[:most]
    return made_instance(
        f"kaliningrad-{most}{'-tight' if tightness > 1 else ''}",
        [metres(float(r["lon"]), float(r["lat"])) for r in chosen],
        [int(r["population"]) for r in chosen],
        depots=bases[:depots],
        seed=most,
        source="settlements of Kaliningrad oblast as in data/samples/kaliningrad (see its sources)",
        tightness=tightness,
    )


def main() -> None:
    made = [generated(size, seed) for size, seed in SIZES]
    made.append(generated(400, 41, 2.0))
    made += [kaliningrad(150, 1, 1.0), kaliningrad(300, 2, 1.0), kaliningrad(600, 2, 2.0)]
    FOLDER.mkdir(parents=True, exist_ok=True)
    for instance in made:
        text = json.dumps(instance.raw, separators=(",", ":"))
        (FOLDER / f"{instance.name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
