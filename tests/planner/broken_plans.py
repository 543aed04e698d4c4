"""For each rule a plan with one fault, which that rule finds and no other."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from data.model.calendar import HOUR_S, MINUTE_S, ServiceCalendar
from data.model.fleet import VehicleId
from data.model.pins import ChangeCap, Forbidden, KeptRun, Pins, PublishedTime, VisitPin
from data.model.place import DepotId, DepotKind
from data.model.seasons import DateSpan, SchoolCalendar, SchoolTime, parse_season
from data.model.travel import UNREACHABLE
from tests.planner.examples import (
    FIRST,
    KALINOVKA,
    KALUZHSKOE,
    KAMENSKOE,
    SECOND,
    ZAGORSKOE,
    matrix,
    shifted,
)
from tests.planner.faults import (
    ANNA,
    OLEG,
    PLAN,
    REQUEST,
    TUESDAY,
    Case,
    with_a_rider_on_tour,
    with_an_early_closing,
    with_cell,
    with_empty_run,
    with_first_run,
    with_kept_end,
    with_meal,
    with_overlapping_runs,
    with_request,
    with_riders,
    with_rule,
    with_rules,
    with_runs,
    with_stop,
    with_stranger,
    with_tour,
    with_tourer,
    with_two_places_at_once,
    with_two_runs_a_day,
    with_unserved,
    with_vehicle,
    with_visit_twice,
    with_wrong_arrival,
)

BREAKING: dict[str, Callable[[], Case]] = {
    "rule.vehicle_unknown": lambda: with_runs(
        *PLAN.runs, replace(PLAN.runs[0], vehicle_id=VehicleId("nobody"))
    ),
    "rule.day_outside_cycle": lambda: with_runs(*PLAN.runs, replace(PLAN.runs[0], day=14)),
    "rule.stop_unknown": with_stranger,
    "rule.unserved_unknown": lambda: with_unserved("zagorskoe", "nowhere"),
    "rule.crew_rules_missing": lambda: with_request(crew_rules={}),
    "rule.travel_missing": lambda: with_request(travel={}),
    "rule.depot_unknown": lambda: with_request(depots=()),
    "rule.visits_wrong": lambda: with_stop(KALINOVKA, visits_per_cycle=3),
    "rule.unserved_not_listed": with_unserved,
    "rule.unserved_but_visited": lambda: with_unserved("zagorskoe", "kaluzhskoe"),
    "rule.unserved_listed_twice": lambda: with_unserved("zagorskoe", "zagorskoe"),
    "rule.mandatory_unserved": lambda: with_stop(ZAGORSKOE, mandatory=True),
    "rule.gap_too_short": lambda: with_stop(KALINOVKA, min_gap_days=8),
    "rule.gap_too_long": lambda: with_stop(KALINOVKA, max_gap_days=6),
    "rule.weekday_changes": lambda: with_runs(PLAN.runs[0], replace(PLAN.runs[1], day=7)),
    "rule.weekday_not_allowed": lambda: with_stop(KALUZHSKOE, weekdays=frozenset({3})),
    "rule.clock_time_changes": lambda: with_runs(PLAN.runs[0], shifted(PLAN.runs[1], 16 * 60)),
    "rule.window_missed": lambda: with_stop(KALUZHSKOE, windows=KALUZHSKOE.windows[:1]),
    "rule.ability_missing": lambda: with_vehicle(abilities=frozenset({"wifi"})),
    "rule.date_closed": lambda: with_request(
        calendar=ServiceCalendar(closed_dates={TUESDAY: "праздник"})
    ),
    "rule.weekday_without_service": lambda: with_request(
        calendar=ServiceCalendar(weekdays=frozenset({0, 2, 3, 4}))
    ),
    "rule.vehicle_off": lambda: with_vehicle(off_dates=frozenset({TUESDAY})),
    "rule.vehicle_weekday": lambda: with_vehicle(weekdays=frozenset({0, 2})),
    "rule.runs_per_day": with_two_runs_a_day,
    "rule.runs_overlap": with_overlapping_runs,
    "rule.run_empty": with_empty_run,
    "rule.stops_per_run": lambda: with_vehicle(max_stops_per_run=1),
    "rule.leg_without_travel": lambda: with_request(
        travel=dict.fromkeys(
            REQUEST.travel, matrix().restricted_to(["chernyakhovsk", "kalinovka", "kamenskoe"])
        )
    ),
    "rule.leg_unreachable": lambda: with_cell(seconds=UNREACHABLE),
    "rule.leg_time": lambda: with_cell(seconds=541),
    "rule.leg_distance": lambda: with_cell(metres=9001),
    "rule.preparation_short": lambda: with_vehicle(prep_s=21 * MINUTE_S),
    "rule.setup_short": lambda: with_stop(KALINOVKA, setup_s=11 * MINUTE_S),
    "rule.teardown_short": lambda: with_stop(KAMENSKOE, teardown_s=6 * MINUTE_S),
    "rule.service_time": lambda: with_stop(KAMENSKOE, service_s=61 * MINUTE_S),
    "rule.dwell_short": lambda: with_stop(
        KAMENSKOE, service_s=61 * MINUTE_S, service_most_s=90 * MINUTE_S
    ),
    "rule.dwell_long": lambda: with_stop(
        KAMENSKOE, service_s=40 * MINUTE_S, service_most_s=59 * MINUTE_S
    ),
    "rule.dwell_differs": with_an_early_closing,
    "rule.arrival": with_wrong_arrival,
    "rule.return": lambda: with_first_run(
        return_s=PLAN.runs[0].return_s + 60, sign_off_s=PLAN.runs[0].sign_off_s + 60
    ),
    "rule.closing_short": lambda: with_vehicle(closing_s=21 * MINUTE_S),
    "rule.duty_early": lambda: with_vehicle(duty_start_s=9 * HOUR_S + 7 * MINUTE_S),
    "rule.duty_late": lambda: with_vehicle(duty_end_s=15 * HOUR_S + 49 * MINUTE_S),
    # The second run drives 24 + 30 + 18 = 72 minutes, the first 24 + 9 + 25 = 58.
    "rule.drive_daily": lambda: with_rules(drive_daily_max_s=71 * MINUTE_S),
    "rule.drive_extensions": lambda: with_rules(
        drive_daily_max_s=60 * MINUTE_S, drive_extended_max_s=72 * 60, drive_extended_per_week=0
    ),
    "rule.drive_week": lambda: with_rules(drive_week_max_s=71 * MINUTE_S),
    "rule.drive_two_weeks": lambda: with_rules(drive_two_week_max_s=129 * MINUTE_S),
    "rule.drive_continuous": lambda: with_rules(drive_continuous_max_s=29 * MINUTE_S),
    # The first run works from 09:06 to 15:50 less 45 minutes: 5 h 59.
    "rule.shift": lambda: with_rules(shift_max_s=358 * MINUTE_S),
    "rule.meal_missing": lambda: with_meal(None),
    "rule.meal_short": lambda: with_rules(meal_min_s=46 * MINUTE_S),
    "rule.meal_long": lambda: with_rules(meal_max_s=44 * MINUTE_S),
    "rule.meal_outside_window": lambda: with_request(
        meal_window_start_s=11 * HOUR_S + 36 * MINUTE_S
    ),
    "rule.meal_nowhere": lambda: with_meal("12:00", "12:45", 2),
    "rule.meal_in_service": lambda: with_meal("11:34", "12:20"),
    # Seven days less 9 h 06 to 15:50: from Tuesday 15:50 to Tuesday 09:21 are 161 h 31.
    "rule.daily_rest": lambda: with_rules(daily_rest_s=161 * HOUR_S + 32 * MINUTE_S),
    "rule.rest_by_shift": lambda: with_rules(rest_shift_ratio=28.0),
    "rule.week_work": lambda: with_rules(week_work_max_s=358 * MINUTE_S),
    "rule.visit_off_rule": lambda: with_rule(KALINOVKA, rule="FREQ=WEEKLY;INTERVAL=2"),
    "rule.visit_missed": lambda: with_rule(KALUZHSKOE),
    "rule.visit_twice": with_visit_twice,
    "rule.visit_on_exception": lambda: with_rule(
        KALINOVKA, exceptions=frozenset({date(2026, 12, 8)})
    ),
    "rule.visit_out_of_season": lambda: with_rule(
        KALINOVKA, seasons=(parse_season("06-01/12-05"),)
    ),
    "rule.visit_out_of_school_time": lambda: with_rule(
        KALINOVKA,
        ServiceCalendar(
            schools={
                "oblast": SchoolCalendar(
                    terms=(DateSpan(first=date(2026, 11, 2), last=date(2026, 12, 6)),),
                    holidays=(DateSpan(first=date(2026, 12, 7), last=date(2026, 12, 20)),),
                )
            }
        ),
        school_time=SchoolTime.TERM,
        school="oblast",
    ),
    "rule.date_outside_plan": lambda: with_request(
        cycle=replace(REQUEST.cycle, repeats=False, until_date=date(2026, 12, 7))
    ),
    "rule.specialist_unknown": lambda: with_riders((ANNA,), ("anna", "nobody"), ()),
    "rule.specialist_listed_twice": lambda: with_riders((ANNA,), ("anna", "anna"), ()),
    "rule.service_missing": lambda: with_riders((ANNA,), ("anna",), (), services_visits=None),
    "rule.service_visits": lambda: with_riders((ANNA,), ("anna",), (), services_visits=2, visits=3),
    "rule.specialist_off": lambda: with_riders(
        (replace(ANNA, off_dates=frozenset({TUESDAY})),), ("anna",), ()
    ),
    "rule.specialist_weekday": lambda: with_riders(
        (replace(ANNA, weekdays=frozenset({0, 2})),), ("anna",), ()
    ),
    # The first run leaves at 09:26 and is back at 15:30.
    "rule.specialist_hours": lambda: with_riders(
        (replace(ANNA, duty_start_s=9 * HOUR_S + 27 * MINUTE_S),), ("anna",), ()
    ),
    "rule.specialist_vehicle": lambda: with_riders(
        (replace(ANNA, vehicle_ids=frozenset({SECOND.vehicle_id})),), ("anna",), ()
    ),
    "rule.specialist_away": with_a_rider_on_tour,
    "rule.specialist_twice": with_two_places_at_once,
    "rule.seats": lambda: with_riders((ANNA, OLEG), ("anna", "oleg"), (), seats=1),
    "rule.specialist_days": lambda: with_riders(
        (replace(ANNA, days_per_week_max=0),), ("anna",), ()
    ),
    "rule.specialist_idle": lambda: with_riders((ANNA,), ("anna",), (), services=frozenset()),
    "rule.pin_missed": lambda: with_request(
        pins=Pins(visits=(VisitPin(stop_id=KALUZHSKOE.stop_id, day=1, latest_s=13 * HOUR_S),))
    ),
    "rule.kept_run_changed": lambda: with_request(
        pins=Pins(kept=(KeptRun(vehicle_id=FIRST.vehicle_id, day=8),))
    ),
    "rule.visit_forbidden": lambda: with_request(
        pins=Pins(forbidden=(Forbidden(stop_id=KAMENSKOE.stop_id, weekday=1),))
    ),
    "rule.kept_run_ends": with_kept_end,
    "rule.ends_elsewhere": lambda: with_tour(returns=False, kind=DepotKind.BASE),
    "rule.starts_elsewhere": lambda: with_tour(goes=False, kind=DepotKind.BASE),
    "rule.night_not_followed": lambda: with_tour(returns=False),
    "rule.night_not_before": lambda: with_tour(goes=False),
    "rule.lodging_not_allowed": lambda: with_tourer(lodging_ids=frozenset({DepotId("hostel")})),
    "rule.lodging_too_short": lambda: with_tour(room_m=9.4),
    "rule.nights_in_a_row": lambda: with_tourer(max_nights_away=0),
    "rule.too_many_changes": lambda: with_request(
        change_cap=ChangeCap(
            published=(PublishedTime(stop_id=KAMENSKOE.stop_id, day=8, start_s=13 * HOUR_S),),
            max_changes=0,
        )
    ),
}
