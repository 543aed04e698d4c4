"""What recorded days taught moves the live forecast as soon as a dispatcher has accepted it."""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from data.db import learned_store, plan_store
from data.db.engine import reading, writing
from data.feeds.learned_file import learned_to_json
from data.model.learned import Learned
from data.model.learned_proposal import LearnedProposal
from data.model.tracker import Protocol
from planner.learn.lessons import learn
from tests.api.tracking.depot import NORTH, REGION, Depot, depot
from tests.api.tracking.test_followed_day import at_stop, fixes_of_day
from tests.fleet.days import drive, plan, world
from tests.planner.learn.world import Truth, drive_days


def slow_roads() -> Learned:
    """Roads that take two thirds longer than the plan says, a slow crew, and its habit."""
    truth = Truth(overall=0.5, leg_sd=0.02, setup_s=900.0, turnaround_s=900.0)
    seen = drive_days(world(), plan(), truth, cycles=20, seed=3)
    return replace(learn(world(), plan(), seen).learned, recovery_ratio=0.0)


def proposed(one: Depot, learned: Learned) -> str:
    """A proposal that waits for a person."""
    with writing(one.engine) as session:
        proposal = LearnedProposal(
            proposal_id=uuid.uuid4().hex,
            region_id=REGION,
            plan_id=plan_store.list_plans(session, REGION)[0].plan_id,
            first_date=one.now.date() - timedelta(days=60),
            last_date=one.now.date() - timedelta(days=1),
            num_days=learned.num_days,
            num_legs=learned.drive.num_records,
            learned=learned_to_json(learned),
            created_at=one.now,
        )
        learned_store.add_proposal(session, proposal)
    return proposal.proposal_id


def decide(one: Depot, proposal_id: str, state: str) -> None:
    """What the desk does when a person presses the button."""
    with reading(one.engine) as session:
        revision = learned_store.get_proposal(session, REGION, proposal_id).revision
    answer = one.ask(
        "POST",
        f"learned/{proposal_id}/decision",
        json={"state": state, "note": ""},
        headers={"If-Match": f'"{revision}"'},
    )
    assert answer.status_code == 200, answer.text


def etas(one: Depot) -> list[tuple[datetime, datetime]]:
    """Arrival and departure that are told for each stop to come."""
    one.follow()
    told = [s["eta"] for s in one.get(f"live/{NORTH}")["stops"] if s["eta"]]
    return [
        (datetime.fromisoformat(e["arrival_at"]), datetime.fromisoformat(e["departure_at"]))
        for e in told
    ]


def test_accepted_times_move_the_forecast(tmp_path: Path) -> None:
    """Proposed they change nothing; accepted, arrivals and departures come later by what the
    drives and stays really take; taken out of use, the plan's times are told again."""
    fixes = fixes_of_day()
    first, second = drive(0, seed=1).visits[:2]
    assert first.until_at is not None
    assert second.from_at is not None
    learned = slow_roads()
    factor = 2.718281828**learned.drive.overall
    assert factor > 1.4
    with depot(tmp_path, fixes[0].fix_at) as one:
        secret = one.add(Protocol.BOOKMOBILE).secret
        at_stop(one, fixes, secret, first.until_at + timedelta(minutes=3))
        before = etas(one)
        assert len(before) == 4
        key = proposed(one, learned)
        assert etas(one) == before
        decide(one, key, "accepted")
        after = etas(one)
        left_s = (before[0][0] - one.now).total_seconds()
        later_s = [(a[0] - b[0]).total_seconds() for a, b in zip(after, before, strict=True)]
        assert later_s[0] > 0.3 * left_s
        assert later_s[0] < (factor - 0.7) * left_s
        # Packing up takes ten minutes longer than planned, on every stop.
        departs_s = (after[1][1] - before[1][1]).total_seconds()
        assert departs_s > 300
        decide(one, key, "withdrawn")
        assert etas(one) == before


def test_the_accepted_habit_of_crews_is_believed(tmp_path: Path) -> None:
    """A late crew that is known to take nothing back leaves later than one that takes it all."""
    fixes = fixes_of_day()
    first = drive(0, seed=1).visits[0]
    assert first.until_at is not None
    learned = slow_roads()
    with depot(tmp_path, fixes[0].fix_at) as one:
        secret = one.add(Protocol.BOOKMOBILE).secret
        at_stop(one, fixes, secret, first.until_at + timedelta(minutes=3))
        # Nothing moves for an hour: it will be late everywhere.
        one.now += timedelta(hours=1)
        leaves = []
        for ratio in (0.0, 1.0):
            key = proposed(one, replace(learned, recovery_ratio=ratio))
            decide(one, key, "accepted")
            leaves.append(etas(one)[0][1])
        assert leaves[0] - leaves[1] > timedelta(minutes=15)
