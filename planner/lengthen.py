"""The minutes that runs have left, given to the stops where longer opening is worth most.

The search tries a few lengths of stay. Once it has chosen stops, days and orders, what is left is
a concave problem over whole steps of ``STEP_S`` and clock times, which CP-SAT solves exactly: one
open time for all visits of a stop; windows, nominal clock times, duties, shifts, meals, driving and
week limits kept; starts that could be on round times without longer opening stay on them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import isfinite, isnan

from ortools.sat.python import cp_model

from data.model.calendar import DAY_S
from data.model.dwell import STEP_S
from data.model.plan import Run
from planner.compile import Compiled, latest_start
from planner.dwell import LEAST_PRIZE, kept_extra_s, num_steps
from planner.problem import NO_LIMIT, Solution, VehicleDay
from planner.schedule import GRID_S, extra_of, keeps_driving, plain_sites, schedule

_LATEST_S = 3 * DAY_S
_GRAINS = 1_000_000
"""The worth of the most that a stop can gain is told apart to so many parts, at most."""
_DETERMINISTIC = 8.0
"""Limit on the work of the exact solve, in the solver's own measure (about seconds)."""
_GUARD_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengthened:
    """Open times for a solution: seconds beyond the least by stop, and nominal starts with them."""

    solution: Solution
    extra_s: tuple[int, ...]
    status: str
    """``OPTIMAL``, ``FEASIBLE`` where the limit on work ended the solve, or ``UNCHANGED``."""


def has_choice(compiled: Compiled) -> bool:
    """Whether any stop of the request leaves its open time to the plan."""
    return any(s.spare_service_s for s in compiled.request.stops)


def lengthen(compiled: Compiled, solution: Solution) -> Lengthened:
    """The open times of most worth for the routes of a solution.

    The worth of a stop's time is its prize times ``DwellWorth.share``. The order of visits, their
    days, vehicles and windows stay; clock times and the place of the meal may move.
    """
    chosen = extra_of(compiled.problem, solution)
    unchanged = Lengthened(solution=solution, extra_s=chosen, status="UNCHANGED")
    for least in (_least(compiled), chosen):
        try:
            runs = schedule(compiled, solution, least)
        except ValueError:
            # A shorter stay may not count as the break from driving that the chosen one is.
            continue
        return _Model(compiled, solution, least, runs).solved() or unchanged
    return unchanged


def _least(compiled: Compiled) -> tuple[int, ...]:
    kept = kept_extra_s(compiled.request)
    return tuple(kept.get(k, 0) for k in range(len(compiled.request.stops)))


class _Model:
    """The CP-SAT model of one solution's clock times and open times."""

    def __init__(
        self, compiled: Compiled, solution: Solution, least: Sequence[int], runs: Sequence[Run]
    ) -> None:
        self.compiled, self.solution, self.least = compiled, solution, least
        self.problem = compiled.problem
        self.model = cp_model.CpModel()
        self.steps: dict[int, list[cp_model.IntVar]] = {}
        self.anchor: dict[int, cp_model.IntVar] = {}
        self.work: dict[int, cp_model.IntVar] = {}
        served = {s for stops in solution.routes for s in stops}
        kept = kept_extra_s(compiled.request)
        for stop in sorted(served):
            spare = num_steps(compiled.request.stops[stop]) - least[stop] // STEP_S
            if spare > 0 and stop not in kept:
                self.steps[stop] = [self.model.new_bool_var("") for _ in range(spare)]
                for one, more in pairwise(self.steps[stop]):
                    self.model.add_implication(more, one)
            if not isnan(solution.anchor[stop]):
                self.anchor[stop] = self._anchor(stop)
        timed = {(r.vehicle_id, r.day): r for r in runs}
        vehicles = compiled.request.vehicles
        for row, stops in enumerate(solution.routes):
            if stops:
                place = self.problem.runs[row]
                vehicle_id = vehicles[compiled.vehicle_of(place)].vehicle_id
                self._state_run(row, place, timed[vehicle_id, place.day])
        self._state_weeks()
        self._state_worth()

    def solved(self) -> Lengthened | None:
        """The best open times, ``None`` if the solve ended without any."""
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 1
        solver.parameters.max_deterministic_time = _DETERMINISTIC
        solver.parameters.max_time_in_seconds = _GUARD_S
        solver.parameters.catch_sigint_signal = False
        status = solver.solve(self.model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return None
        extra = list(self.least)
        for stop, steps in self.steps.items():
            extra[stop] += STEP_S * sum(bool(solver.value(s)) for s in steps)
        anchor = list(self.solution.anchor)
        for stop, var in self.anchor.items():
            anchor[stop] = float(solver.value(var))
        return Lengthened(
            solution=replace(self.solution, anchor=tuple(anchor)),
            extra_s=tuple(extra),
            status=str(solver.status_name(status)),
        )

    def _anchor(self, stop: int) -> cp_model.IntVar:
        """The nominal start: the one that was, or another on the grid of clock times."""
        grid, now = int(self.problem.clock_grid), int(self.solution.anchor[stop])
        var = self.model.new_int_var(0, _LATEST_S, "")
        steps = self.model.new_int_var(-_LATEST_S // grid, _LATEST_S // grid, "")
        self.model.add(var == now + grid * steps)
        self.model.add_hint(var, now)
        self.model.add_hint(steps, 0)
        return var

    def _end(self, stop: int, start: cp_model.IntVar) -> cp_model.LinearExpr:
        """End of the occupied time."""
        steps = self.steps.get(stop, [])
        least = int(self.problem.occupied[stop]) + self.least[stop]
        spans = [1, *[STEP_S] * len(steps)]
        return cp_model.LinearExpr.weighted_sum([start, *steps], spans) + least

    def _state_run(self, row: int, place: VehicleDay, timed: Run) -> None:
        """Clock times of one run in order, its meal, and its limits."""
        model = self.model
        stops = self.solution.routes[row]
        doors = [v.start_s for v in timed.visits]
        starts = [self._start(place, s, at) for s, at in zip(stops, doors, strict=True)]
        ends = [self._end(s, start) for s, start in zip(stops, starts, strict=True)]
        legs = [v.drive_s for v in timed.visits]
        home = timed.return_drive_s
        eats, length = self._state_meal(row, place, timed, ends)
        sign_off = model.new_int_var(0, _LATEST_S, "")
        model.add_hint(sign_off, timed.sign_off_s)
        for k, end in enumerate(ends):
            target = starts[k + 1] - legs[k + 1] if k + 1 < len(stops) else None
            gone = sign_off - home - int(place.closing) if target is None else target
            model.add(gone >= end)
        if eats is not None:
            at, begin = eats
            for k, here in enumerate(at):
                target = starts[k + 1] - legs[k + 1] if k + 1 < len(stops) else None
                gone = sign_off - home - int(place.closing) if target is None else target
                model.add(gone >= begin + length).only_enforce_if(here)
                model.add(begin >= ends[k]).only_enforce_if(here)
        sign_on = starts[0] - legs[0] - int(place.prep)
        model.add(sign_on >= int(place.duty_lo))
        if isfinite(place.duty_hi):
            model.add(sign_off <= int(place.duty_hi))
        work = model.new_int_var(0, _LATEST_S, "")
        model.add_hint(work, timed.work_s)
        model.add(work >= sign_off - sign_on - length)
        if isfinite(place.max_work):
            model.add(work <= int(place.max_work))
        if eats is not None:
            no_meal = ~_any(model, eats[0])
            if isfinite(place.meal_after):
                model.add(work <= int(place.meal_after)).only_enforce_if(no_meal)
        elif isfinite(place.meal_after):
            model.add(work <= int(place.meal_after))
        self.work[row] = work

    def _start(self, place: VehicleDay, stop: int, doors_s: int) -> cp_model.IntVar:
        """Start of the occupied time: in its slot, near its nominal time, round if it was."""
        model, setup = self.model, self.compiled.request.stops[stop].setup_s
        option = self.solution.option[stop]
        slot = next(s for s in self.problem.slots_of_option(option) if s[0] == place.day)
        last, due = latest_start(self.compiled, stop, slot, self.problem.option_extra[option])
        low, high = int(-(-slot[1] // 1)), int(min(last, _LATEST_S) // 1)
        start = model.new_int_var(min(low, doors_s - setup), high, "")
        model.add_hint(start, doors_s - setup)
        model.add(start >= low)
        if isfinite(due):
            occupied = int(self.problem.occupied[stop])
            model.add(self._end(stop, start) <= int(due) + occupied)
        if doors_s % GRID_S == 0:
            round_ = model.new_int_var(0, _LATEST_S // GRID_S, "")
            model.add(start + setup == GRID_S * round_)
            model.add_hint(round_, doors_s // GRID_S)
        if stop in self.anchor:
            anchor, tolerance = self.anchor[stop], int(self.problem.clock_tolerance[stop])
            if doors_s - setup == int(self.solution.anchor[stop]):
                tolerance = 0
            model.add(start - anchor <= tolerance)
            model.add(anchor - start <= tolerance)
        return start

    def _state_meal(
        self, row: int, place: VehicleDay, timed: Run, ends: Sequence[cp_model.LinearExpr]
    ) -> tuple[tuple[list[cp_model.IntVar], cp_model.IntVar] | None, cp_model.IntVar]:
        """Where the meal may be (a choice for each visit), its start, and its length.

        The driving rule is judged with the least stays: longer ones are breaks all the more.
        """
        model = self.model
        if place.meal_after == NO_LIMIT:
            return None, model.new_constant(0)
        sites = plain_sites(self.compiled, self.solution, row, self.least)
        home = timed.return_drive_s
        least = int(place.meal_min)
        longest = int(min(place.meal_max, place.meal_hi - place.meal_lo))
        length = model.new_int_var(0, max(least, longest, 0), "")
        begin = model.new_int_var(0, _LATEST_S, "")
        at = []
        for k in range(len(ends)):
            here = model.new_bool_var("")
            is_hinted = timed.meal is not None and timed.meal.after_visit == k
            model.add_hint(here, is_hinted)
            at.append(here)
            if keeps_driving(place, sites, home, k, least):
                model.add(length >= least).only_enforce_if(here)
            elif place.break_length <= longest and keeps_driving(
                place, sites, home, k, int(place.break_length)
            ):
                model.add(length >= int(place.break_length)).only_enforce_if(here)
            else:
                model.add(here == 0)
        taken = _any(model, at)
        if not keeps_driving(place, sites, home, -1, 0):
            model.add(taken == 1)
        model.add_at_most_one(at)
        model.add(length == 0).only_enforce_if(~taken)
        model.add(begin >= int(place.meal_lo)).only_enforce_if(taken)
        if isfinite(place.meal_hi):
            model.add(begin + length <= int(place.meal_hi)).only_enforce_if(taken)
        if timed.meal is not None:
            model.add_hint(length, timed.meal.end_s - timed.meal.start_s)
            model.add_hint(begin, timed.meal.start_s)
        else:
            model.add_hint(length, 0)
        return (at, begin), length

    def _state_weeks(self) -> None:
        """Sums of work by week."""
        for number, week in enumerate(self.problem.weeks):
            own = [w for r, w in self.work.items() if self.problem.runs[r].week == number]
            if own and isfinite(week.max_work):
                self.model.add(cp_model.LinearExpr.sum(own) <= int(week.max_work))

    def _state_worth(self) -> None:
        """Most worth: what each step brings, in whole numbers."""
        request = self.compiled.request
        gains: dict[int, list[float]] = {}
        for stop, steps in self.steps.items():
            prize = max(request.stops[stop].prize, LEAST_PRIZE)
            shares = [
                request.dwell_worth.share(self.least[stop] + STEP_S * k)
                for k in range(len(steps) + 1)
            ]
            gains[stop] = [prize * (b - a) for a, b in pairwise(shares)]
        most = max((g[0] for g in gains.values()), default=1.0)
        terms = [
            (var, round(_GRAINS * gain / most))
            for stop, steps in self.steps.items()
            for var, gain in zip(steps, gains[stop], strict=True)
        ]
        self.model.maximize(
            cp_model.LinearExpr.weighted_sum([v for v, _ in terms], [w for _, w in terms])
        )
        for var, _ in terms:
            self.model.add_hint(var, 0)


def _any(model: cp_model.CpModel, options: Sequence[cp_model.IntVar]) -> cp_model.IntVar:
    """Whether at least one option is taken."""
    found = model.new_bool_var("")
    model.add_max_equality(found, options)
    return found
