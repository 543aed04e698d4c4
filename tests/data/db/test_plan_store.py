"""A plan keeps every state that it has had; nobody's step is lost."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, event

from api.services.plan_documents import open_plan, packed
from data.db.engine import reading, writing
from data.db.plan_store import (
    PlanState,
    StoredPlan,
    add_plan,
    append_state,
    archive_plan,
    get_plan,
    list_plans,
    plan_document,
    redo,
    rename_plan,
    undo,
)
from data.db.region_store import add_region
from data.feeds.plan_bytes import pins_to_json
from data.model.errors import ConflictError, InputError, NotFoundError
from data.model.pins import Forbidden, Pins
from tests import plan_example as example

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
REQUEST, PLAN = packed(example.request(), example.plan())


def state(code: str, plan: bytes = PLAN, pins: Pins | None = None) -> PlanState:
    return PlanState(
        plan=plan,
        pins=pins_to_json(pins) if pins else {},
        step={"code": code},
        summary={"people": 12},
        num_violations=0,
    )


@pytest.fixture(autouse=True)
def stored(engine: Engine) -> None:
    with writing(engine) as session:
        add_region(session, example.region(), at=AT)
        add_plan(
            session, plan_id="p", region_id="rutland", name="Spring", request=REQUEST,
            state=state("made"), facts={"weeks": 4}, at=AT, by="anna",
        )  # fmt: skip


def step(engine: Engine, version: int, code: str) -> int:
    with writing(engine) as session:
        done = append_state(
            session, "p", expect_version=version, state=state(code), at=AT, by="boris"
        )
        return done.version


def test_a_plan_comes_back_whole(engine: Engine) -> None:
    """Request, plan and pins are those that were stored; matrices are the same cells."""
    pins = Pins(forbidden=(Forbidden(stop_id=example.COTTESMORE.stop_id, weekday=4),))
    with writing(engine) as session:
        append_state(session, "p", expect_version=1, state=state("pin", pins=pins), at=AT, by=None)
    with reading(engine) as session:
        opened = open_plan(session, "p")
    request = example.request()
    for vehicle_id, matrix in request.travel.items():
        again = opened.request.travel[vehicle_id]
        assert again.point_ids == matrix.point_ids
        assert (again.travel_s == matrix.travel_s).all()
    assert replace(opened.request, travel={}) == replace(request, travel={}, pins=pins)
    assert opened.plan.runs == example.plan().runs


def test_undo_and_redo_walk_the_steps(engine: Engine) -> None:
    """Undo goes back one step, redo takes the step undone last; a new step after undo branches."""
    version = step(engine, step(engine, 1, "first"), "second")
    codes = []
    for act in (undo, undo, redo, redo, undo):
        with writing(engine) as session:
            found = act(session, "p", expect_version=version)
        version = found.version
        codes.append(found.step["code"])
    assert codes == ["first", "made", "first", "second", "first"]
    version = step(engine, version, "third")
    with writing(engine) as session:
        with pytest.raises(ConflictError) as refused:
            redo(session, "p", expect_version=version)
        assert refused.value.code == "plan.nothing_to_redo"
        back = undo(session, "p", expect_version=version)
        assert (back.step["code"], back.can_redo) == ("first", True)
        assert redo(session, "p", expect_version=back.version).step["code"] == "third"


def test_the_second_of_two_dispatchers_is_told(engine: Engine) -> None:
    """Both saw version 1; the first step is kept, the second is refused and loses nothing."""
    step(engine, 1, "anna's")
    with pytest.raises(ConflictError) as refused:
        step(engine, 1, "boris's")
    assert refused.value.code == "store.stale"
    with reading(engine) as session:
        assert get_plan(session, "p").step["code"] == "anna's"


def test_a_step_may_change_what_the_plan_is_judged_by(engine: Engine) -> None:
    """After a stop was added to the request, undo judges by the request before it."""
    request = replace(example.request(), clock_tolerance_s=60)
    with writing(engine) as session:
        append_state(
            session, "p", expect_version=1, state=state("stop"), at=AT, by=None,
            request=packed(request, example.plan())[0],
        )  # fmt: skip
    step(engine, 2, "later")
    with reading(engine) as session:
        assert open_plan(session, "p").request.clock_tolerance_s == 60
    for version in (3, 4):
        with writing(engine) as session:
            undo(session, "p", expect_version=version)
    with reading(engine) as session:
        assert open_plan(session, "p").request.clock_tolerance_s == 900


def test_names_and_archive(engine: Engine) -> None:
    """A plan that is put away leaves the list and can come back."""
    with writing(engine) as session:
        assert rename_plan(session, "p", expect_version=1, name="Summer").name == "Summer"
        archive_plan(session, "p", expect_version=2, at=AT)
    with writing(engine) as session:
        assert list_plans(session, "rutland") == ()
        assert len(list_plans(session, "rutland", with_archived=True)) == 1
        archive_plan(session, "p", expect_version=3, at=None)
        assert [p.name for p in list_plans(session, "rutland")] == ["Summer"]


def test_damaged_and_missing_documents_are_told(engine: Engine) -> None:
    """A cut document is a refusal with a code, never half a plan; so are unknown plans."""
    later = AT + timedelta(days=1)
    cut = state("cut", PLAN[:50])
    with writing(engine) as session:
        append_state(session, "p", expect_version=1, state=cut, at=later, by=None)
        with pytest.raises(InputError) as damaged:
            open_plan(session, "p")
        assert damaged.value.code == "plan_file.damaged"
        with pytest.raises(NotFoundError) as unknown:
            get_plan(session, "q")
        assert unknown.value.code == "plan.unknown"
        with pytest.raises(NotFoundError) as unknown:
            plan_document(session, "p", revision=9)
        assert unknown.value.code == "plan.unknown_revision"


def test_a_list_asks_as_often_for_many_plans_as_for_one(engine: Engine) -> None:
    """It tells of each what a look at it alone tells: names, steps, what can be redone."""
    step(engine, 1, "first")
    with writing(engine) as session:
        undo(session, "p", expect_version=2)
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))

    def listed() -> tuple[StoredPlan, ...]:
        asked.clear()
        with reading(engine) as session:
            return list_plans(session, "rutland")

    (one,) = listed()
    assert one.can_redo
    few = len(asked)
    with writing(engine) as session:
        for number in range(6):
            add_plan(
                session, plan_id=f"p{number}", region_id="rutland", name=f"Plan {number}",
                request=REQUEST, state=state("made"), facts={"weeks": 4}, at=AT, by=None,
            )  # fmt: skip
    found = listed()
    assert len(found) == 7
    assert len(asked) == few
    with reading(engine) as session:
        assert [get_plan(session, plan.plan_id) for plan in found] == list(found)
