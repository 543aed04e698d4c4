"""What a person has fixed: pins, kept runs, forbidden visits."""

from collections import defaultdict
from collections.abc import Iterator

from data.model.fleet import Vehicle
from data.model.pins import Forbidden, KeptRun, VisitPin
from data.model.place import DepotId, StopId
from data.model.plan import Run, StopVisit, Violation
from planner.rules.view import PlanView, clock


def pins_hold(view: PlanView) -> Iterator[Violation]:
    """Every pinned stop has a visit on its day, by its vehicle, with doors opening in its span."""
    for pin in view.request.pins.visits:
        found = view.visits.get(pin.stop_id, [])
        if not any(_is_pinned(pin, run, visit) for run, visit in found):
            stop = view.stops.get(pin.stop_id)
            vehicle = None if pin.vehicle_id is None else view.vehicles.get(pin.vehicle_id)
            ends = (pin.earliest_s, pin.latest_s)
            times = list(dict.fromkeys("…" if end is None else clock(end) for end in ends))
            yield Violation(
                code="rule.pin_missed",
                facts={
                    "stop_id": str(pin.stop_id),
                    "stop": stop.name if stop else str(pin.stop_id),
                    "vehicle": vehicle.name if vehicle else str(pin.vehicle_id or "—"),
                    "date": view.date_of(pin.day).isoformat(),
                    "time": "–".join(times),
                },
            )


def _is_pinned(pin: VisitPin, run: Run, visit: StopVisit) -> bool:
    return (
        run.day == pin.day
        and pin.vehicle_id in (None, run.vehicle_id)
        and (pin.earliest_s is None or pin.earliest_s <= visit.start_s)
        and (pin.latest_s is None or visit.start_s <= pin.latest_s)
    )


def kept_runs_stay(view: PlanView) -> Iterator[Violation]:
    """A kept run has the visits that it had, in order and at the same times, and no others.

    Where a kept visit has no closing time, any will do. The run starts and ends where it did.
    """
    for kept in view.request.pins.kept:
        wanted = [(v.stop_id, v.start_s, v.end_s) for v in kept.visits]
        free = {v.stop_id for v in kept.visits if v.end_s is None}
        runs = [r for r in view.duties.get(kept.vehicle_id, []) if r.day == kept.day]
        found = [
            (v.stop_id, v.start_s, None if v.stop_id in free else v.end_s)
            for r in runs
            for v in r.visits
        ]
        vehicle = view.vehicles.get(kept.vehicle_id)
        for run in runs:
            if vehicle is not None and run.ends(vehicle) != _kept_ends(kept, vehicle):
                places = (view.names.get(p, str(p)) for p in _kept_ends(kept, vehicle))
                yield view.of_run("rule.kept_run_ends", run, places=" – ".join(places))
        if found != wanted:
            odd = [s for s, *_ in set(found) ^ set(wanted)]
            names = sorted({view.stops[s].name if s in view.stops else str(s) for s in odd})
            yield Violation(
                code="rule.kept_run_changed",
                facts={
                    "vehicle_id": str(kept.vehicle_id),
                    "vehicle": vehicle.name if vehicle else str(kept.vehicle_id),
                    "day": kept.day,
                    "date": view.date_of(kept.day).isoformat(),
                    "stops": ", ".join(names) or "—",
                },
            )


def _kept_ends(kept: KeptRun, vehicle: Vehicle) -> tuple[DepotId, DepotId]:
    """Where a kept run started and ended."""
    return (
        kept.start_depot_id or vehicle.depot_id,
        kept.end_depot_id or vehicle.end_depot_id or vehicle.depot_id,
    )


def forbidden_visits_are_none(view: PlanView) -> Iterator[Violation]:
    """No visit is forbidden."""
    for ban in view.request.pins.forbidden:
        for run, visit in view.visits.get(ban.stop_id, []):
            if _is_forbidden(view, ban, run):
                yield view.of_visit("rule.visit_forbidden", run, visit)


def _is_forbidden(view: PlanView, ban: Forbidden, run: Run) -> bool:
    return (
        ban.vehicle_id in (None, run.vehicle_id)
        and ban.day in (None, run.day)
        and ban.weekday in (None, view.request.cycle.weekday_of(run.day))
    )


def published_times_stay(view: PlanView) -> Iterator[Violation]:
    """At most so many published times change as the request allows.

    At each stop with a published time the times gone and the times come are counted, and the
    greater number is its changes. Where no closing was published, openings alone count.
    """
    cap = view.request.change_cap
    if cap is None:
        return
    open_ended = {time.stop_id for time in cap.published if time.end_s is None}
    before: dict[StopId, set[tuple[int, int, int | None]]] = defaultdict(set)
    for time in cap.published:
        end_s = None if time.stop_id in open_ended else time.end_s
        before[time.stop_id].add((time.day, time.start_s, end_s))
    found = 0
    for stop_id, times in before.items():
        now = {
            (run.day, visit.start_s, None if stop_id in open_ended else visit.end_s)
            for run, visit in view.visits.get(stop_id, [])
        }
        found += max(len(times - now), len(now - times))
    if found > cap.max_changes:
        yield Violation(
            code="rule.too_many_changes", facts={"found": found, "limit": cap.max_changes}
        )
