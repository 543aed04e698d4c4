"""Every planning rule as one named function that names what breaks it.

The functions read a ``PlanView`` and share no code with the solver. ``EVERY_RULE`` lists them in
the order in which a person would look: what is known, what stops get, when runs go, clock times,
nights away, crew, who rides along, what a person has fixed.
"""

from collections.abc import Callable, Iterator

from data.model.plan import Violation
from planner.rules import aboard, crew, dwell, fixed, nights, recurrence, runs, service
from planner.rules.view import PlanView

type Rule = Callable[[PlanView], Iterator[Violation]]

EVERY_RULE: tuple[Rule, ...] = (
    runs.everything_is_known,
    service.stops_get_their_visits,
    recurrence.recurrence_is_kept,
    service.unserved_are_listed,
    service.mandatory_stops_are_served,
    service.gaps_keep_their_limits,
    service.weekday_stays_the_same,
    service.weekdays_are_allowed,
    service.clock_time_is_kept,
    service.windows_hold_the_service,
    service.vehicle_has_the_abilities,
    dwell.open_time_is_in_its_range,
    dwell.open_time_stays_the_same,
    runs.days_are_working_days,
    runs.one_run_per_vehicle_day,
    runs.runs_follow_one_another,
    runs.runs_visit_something,
    runs.stops_per_run_are_limited,
    runs.legs_follow_the_travel_matrix,
    runs.times_add_up,
    runs.duty_lies_in_its_window,
    nights.runs_start_and_end_at_base,
    nights.tours_hang_together,
    nights.lodgings_take_the_vehicle,
    nights.nights_away_are_limited,
    crew.daily_driving,
    crew.driving_extensions,
    crew.weekly_driving,
    crew.two_week_driving,
    crew.continuous_driving,
    crew.shift_length,
    crew.meal_is_taken,
    crew.meal_is_well_placed,
    crew.daily_rest,
    crew.rest_by_shift,
    crew.weekly_work,
    aboard.specialists_are_known,
    aboard.services_come_to_their_stops,
    aboard.specialists_ride_on_their_days,
    aboard.specialists_ride_in_their_hours,
    aboard.specialists_sleep_at_home,
    aboard.specialists_ride_where_they_may,
    aboard.specialists_ride_once_a_day,
    aboard.seats_are_enough,
    aboard.specialists_ride_few_days_a_week,
    aboard.specialists_are_needed,
    fixed.pins_hold,
    fixed.kept_runs_stay,
    fixed.forbidden_visits_are_none,
    fixed.published_times_stay,
)
