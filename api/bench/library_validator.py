"""Judge a plan of the open benchmark; needs nothing but Python and this one file.

``python -m api.bench.library_validator INSTANCE.json PLAN.json``. The rules stand in
docs/benchmark-set.md.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

FORMAT = "mobile-library-routing/1"


def drive_s(instance: dict[str, Any], a: int, b: int) -> int:
    """Seconds from point to point: a fixed part and a part by straight metres, in whole numbers."""
    if a == b:
        return 0
    (ax, ay), (bx, by) = instance["points"][a], instance["points"][b]
    metres = math.isqrt((ax - bx) ** 2 + (ay - by) ** 2)
    travel = instance["travel"]
    return int(travel["base_s"] + (metres * travel["s_per_km"] + 999) // 1000)


def judge(instance: dict[str, Any], plan: dict[str, Any]) -> tuple[int, int, list[str]]:
    """People reached, seconds driven, and every broken rule in words."""
    stops, vehicles = instance["stops"], instance["vehicles"]
    faults: list[str] = []
    starts: dict[int, list[tuple[int, int]]] = {}
    used: set[tuple[int, int]] = set()
    driven = 0
    for run in plan["runs"]:
        number, day = run["vehicle"], run["day"]
        name = f"vehicle {number}, day {day}"
        if not 0 <= number < len(vehicles) or day not in vehicles[number]["days"]:
            faults.append(f"{name}: not a working day of that vehicle")
            continue
        if (number, day) in used:
            faults.append(f"{name}: more than one run")
        used.add((number, day))
        vehicle = vehicles[number]
        at, clock = vehicle["depot"], vehicle["start_s"]
        for stop, start in run["visits"]:
            if not 0 <= stop < len(stops):
                faults.append(f"{name}: no stop {stop}")
                continue
            there = stops[stop]["point"]
            leg = drive_s(instance, at, there)
            driven += leg
            if start < clock + leg:
                faults.append(f"{name}: stop {stop} at {start}, reached at {clock + leg}")
            clock, at = start + stops[stop]["dwell_s"], there
            starts.setdefault(stop, []).append((day, start))
        leg = drive_s(instance, at, vehicle["depot"])
        driven += leg
        if clock + leg > vehicle["end_s"]:
            faults.append(f"{name}: back at {clock + leg}, the shift ends at {vehicle['end_s']}")
    people = 0
    for stop, asked in enumerate(stops):
        visits = sorted(starts.get(stop, []))
        if not visits:
            if asked["mandatory"]:
                faults.append(f"stop {stop}: mandatory, not visited")
            continue
        if [day for day, _ in visits] not in [sorted(days) for days in asked["patterns"]]:
            faults.append(f"stop {stop}: visited on days {[day for day, _ in visits]}, no pattern")
        clocks = [start for _, start in visits]
        if max(clocks) - min(clocks) > instance["clock_spread_s"]:
            faults.append(f"stop {stop}: starts {max(clocks) - min(clocks)} s apart")
        people += asked["people"]
    return people, driven, faults


def main(arguments: list[str]) -> int:
    """Tell the value of a plan or what it breaks; 0 if it is valid, 1 if not, 2 if unreadable."""
    try:
        instance, plan = (json.loads(Path(a).read_text(encoding="utf-8")) for a in arguments)
        if instance["format"] != FORMAT:
            raise ValueError(f"format {instance['format']!r}, not {FORMAT!r}")
        people, driven, faults = judge(instance, plan)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        sys.stderr.write(f"cannot be judged: {error!r}\n")
        return 2
    sys.stdout.write("".join(f"{fault}\n" for fault in faults))
    sys.stdout.write(f"{people} people, {driven} s driven, {len(faults)} rules broken\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
