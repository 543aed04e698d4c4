"""The load of a run: the best one under its rules, and told what cannot be kept."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from api.words import LANGUAGES, Words
from data.model.stock import ItemId, TitleId
from planner.load import plan_load
from planner.load_check import check_load
from planner.load_explain import explain_load
from planner.load_problem import Candidate, LoadPlan, LoadRules, Quota, ShelfRule
from planner.load_program import STAY, program_of
from planner.load_worth import shelf_rates, worth_of
from tests.planner.loads import SHELVES, stock_of

NO_QUOTAS: dict[Quota, float] = {}


def gain_of(items: list[Candidate], rules: LoadRules, chosen: set[str]) -> int:
    """What a load gains by the program's own columns, its steps filled from the first."""
    ordered = sorted(items, key=lambda c: c.item_id)
    program = program_of(ordered, rules, None)
    values = [int(c.item_id in chosen) for c in ordered]
    values += [0] * (len(program.gains) - len(values))
    for row in program.rows:
        if row.most == 0 and row.weights[-1] == -1 and row.columns[-1] < len(ordered):
            steps = [c for c in row.columns if c >= len(ordered)]
            left = sum(values[c] for c in row.columns if c < len(ordered))
            for column in steps:
                values[column] = min(left, program.most[column])
                left -= values[column]
    return sum(g * v for g, v in zip(program.gains, values, strict=True))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_the_best_of_all_loads(seed: int) -> None:
    """On small stocks the load is the best of all that keep the rules, found by trying them."""
    items = stock_of(11, seed=seed, num_aboard=4, num_held=1, children_ratio=0.5)
    # Where the stock lacks children's books altogether no load is made small for it.
    assume(sum(c.is_for_children for c in items) >= 2)
    rules = LoadRules(
        num_items=5,
        capacity_mm=120,
        least_ratio={Quota.CHILDREN: 0.4},
        shelves={SHELVES[0]: ShelfRule(most_mm=60)},
        most_swaps=3,
    )
    plan = plan_load(items, rules)
    best = None
    for size in range(6):
        for some in itertools.combinations(items, size):
            ids = {c.item_id for c in some}
            if not check_load(items, rules, ids):
                gain = gain_of(items, rules, set(ids))
                best = gain if best is None else max(best, gain)
    if best is None:
        assert plan.faults
    else:
        assert not plan.faults
        assert gain_of(items, rules, set(plan.item_ids)) >= best * (1 - 1e-4)
        stay = STAY * sum(c.is_aboard for c in items if c.item_id in plan.item_ids)
        assert plan.bound * 10_000 + stay >= best - 1


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(50, 400),
    st.integers(10, 120),
    st.one_of(st.none(), st.integers(0, 60)),
)
def test_every_load_passes_the_checker(
    seed: int, num_items: int, wanted: int, swaps: int | None
) -> None:
    """A stock that can keep the rules gets a load that the checker passes, holds and all."""
    items = stock_of(
        num_items,
        seed=seed,
        num_aboard=num_items // 2,
        num_held=3,
        children_ratio=0.5,
        accessible_ratio=0.3,
    )
    items = [replace(c, is_new=n % 4 == 0) for n, c in enumerate(items)]
    rules = LoadRules(num_items=wanted, capacity_mm=wanted * 20.0, most_swaps=swaps)
    plan = plan_load(items, rules)
    codes = {f.code for f in plan.faults}
    assert codes <= {"load.quota.children", "load.quota.new", "load.quota.accessible"}
    assert not (codes and swaps is None)
    assert {c.item_id for c in items if c.is_held} <= set(plan.item_ids)
    assert plan.bound >= plan.worth - 1e-9
    aboard = {c.item_id for c in items if c.is_aboard}
    assert set(plan.item_ids) == (aboard - set(plan.taken_off)) | set(plan.put_aboard)


def plain(n: int, **told: object) -> Candidate:
    return Candidate(item_id=ItemId(f"i{n}"), title_id=TitleId(f"t{n}"), **told)  # type: ignore[arg-type]


def test_what_no_stock_can_keep_is_told() -> None:
    """Too few accessible books: the load goes, with all there are, and says how many lack."""
    items = [plain(n, is_for_children=n < 50, is_new=n < 20) for n in range(100)]
    items[0] = replace(items[0], is_accessible=True)
    plan = plan_load(items, LoadRules(num_items=80, capacity_mm=10_000))
    (fault,) = plan.faults
    assert fault.code == "load.quota.accessible"
    assert fault.facts["count"] == 1
    assert len(plan.item_ids) == 80
    assert "i0" in plan.item_ids
    for language in LANGUAGES:
        assert "{" not in Words(language)(fault.code, **fault.facts)
        assert Words(language)(fault.code, **fault.facts) != fault.code


def test_a_load_is_mixed() -> None:
    """The best shelf does not take the whole vehicle: each further item draws less."""
    items = [plain(n, shelf="novels", num_loans=6, num_offers=10) for n in range(100)]
    items += [plain(n, shelf="crafts", num_loans=4, num_offers=10) for n in range(100, 200)]
    rules = LoadRules(num_items=100, capacity_mm=10_000, least_ratio=NO_QUOTAS)
    plan = plan_load(items, rules)
    novels = sum(int(i[1:]) < 100 for i in plan.item_ids)
    assert 50 < novels < 100


def test_shelves_and_swaps() -> None:
    """A shelf gets its least, and no more is carried than the crew can."""
    items = [plain(n, shelf="a", is_aboard=True, thickness_mm=20) for n in range(50)]
    items += [
        plain(n, shelf="b", thickness_mm=20, num_loans=9, num_offers=10) for n in range(50, 99)
    ]
    rules = LoadRules(
        num_items=50,
        capacity_mm=1000,
        least_ratio=NO_QUOTAS,
        shelves={"a": ShelfRule(least_mm=900)},
        most_swaps=10,
    )
    plan = plan_load(items, rules)
    assert not plan.faults
    assert len(plan.put_aboard) == 5
    plan = plan_load(items, replace(rules, shelves={}))
    assert len(plan.put_aboard) == 10


def test_the_worth_of_an_item() -> None:
    """Often lent is worth more; had by the readers already, or left lying, is worth less."""
    often = plain(1, shelf="a", num_loans=6, num_offers=10)
    items = [often, plain(2, shelf="a", num_offers=10)]
    rates = shelf_rates(items)
    worths = [worth_of(c, rates, 100) for c in items]
    assert worths[0] > rates["a"] > worths[1]
    assert worth_of(replace(often, num_readers_had=50), rates, 100) == pytest.approx(worths[0] / 2)
    assert worth_of(replace(often, num_stale_offers=5), rates, 100) < worths[0] / 2
    unseen = plain(3, shelf="a")
    assert worth_of(unseen, rates) == pytest.approx(rates["a"])
    assert worth_of(replace(unseen, is_new=True), rates) > rates["a"]


def test_the_same_load_every_time() -> None:
    """Order of candidates and repetition change nothing; a copy of a title is enough."""
    items = stock_of(300, seed=5, num_aboard=100, num_held=5)
    rules = LoadRules(num_items=120, capacity_mm=2500)
    plans: list[LoadPlan] = [plan_load(items, rules, seed=3), plan_load(items[::-1], rules, seed=3)]
    assert plans[0] == plans[1]
    chosen = [c for c in items if c.item_id in plans[0].item_ids]
    titles = [c.title_id for c in chosen if not c.is_held]
    assert len(set(titles)) == len(titles)


def test_nothing_and_nonsense() -> None:
    """No candidates make an empty load; an item twice and rules of nothing are refused."""
    assert plan_load([], LoadRules()).item_ids == ()
    with pytest.raises(ValueError, match="twice"):
        plan_load([plain(1), plain(1)], LoadRules())
    for wrong in ({"num_items": 0}, {"least_ratio": {Quota.NEW: 1.5}}, {"capacity_mm": 0}):
        with pytest.raises(ValueError, match=r"load|ratio"):
            LoadRules(**wrong)
    with pytest.raises(ValueError, match="thickness"):
        plain(1, thickness_mm=0)


def test_the_checker_finds_each_fault() -> None:
    """Every rule has a load that breaks it, and the checker says which."""
    items = [plain(n, shelf="a", is_held=n == 0, is_aboard=n < 5) for n in range(10)]
    items.append(replace(plain(10, shelf="a"), title_id=TitleId("t1")))
    ids = [c.item_id for c in items]
    rules = LoadRules(
        num_items=5, capacity_mm=100, most_swaps=2, shelves={"a": ShelfRule(most_mm=50)}
    )
    codes = {f.code for f in check_load(items, rules, ids[1:])}
    assert codes == {
        "load.hold_left",
        "load.too_many",
        "load.too_long",
        "load.quota.children",
        "load.quota.accessible",
        "load.quota.new",
        "load.shelf_long",
        "load.copies",
        "load.swaps",
    }
    short = replace(rules, shelves={"a": ShelfRule(least_mm=500)})
    assert {f.code for f in check_load(items, short, [ids[0], ItemId("x")])} >= {
        "load.shelf_short",
        "load.unknown",
    }


def test_nothing_is_carried_for_nothing() -> None:
    """Of two copies worth the same the one aboard goes; the preference is told as no loan."""
    items = [
        Candidate(item_id=ItemId(f"i{n}{where}"), title_id=TitleId(f"t{n}"), is_aboard=where == "z")
        for n in range(12)
        for where in "az"
    ]
    plan = plan_load(items, LoadRules(num_items=12, least_ratio=NO_QUOTAS))
    assert plan.put_aboard == ()
    assert len(plan.item_ids) == 12
    ashore = [replace(c, is_aboard=False) for c in items if c.is_aboard]
    alone = plan_load(ashore, LoadRules(num_items=12, least_ratio=NO_QUOTAS))
    assert plan.worth == pytest.approx(alone.worth)


def test_every_candidate_has_its_reason() -> None:
    """Set aside, wanted, needed for a quota; kept by a copy, a shelf, hands, or its worth."""

    def item(name: str, title: str, **told: object) -> Candidate:
        return Candidate(item_id=ItemId(name), title_id=TitleId(title), thickness_mm=20, **told)  # type: ignore[arg-type]

    items = [
        item("held", "t1", is_held=True),
        item("copy", "t1", is_aboard=True, num_loans=9, num_offers=10),
        item("good", "t2", is_aboard=True, num_loans=9, num_offers=10),
        item("child", "t3", is_aboard=True, is_for_children=True, num_offers=60),
        item("poor", "t4", is_aboard=True, num_loans=1, num_offers=40),
        item("full", "t5", shelf="one", is_aboard=True, num_loans=9, num_offers=10),
        item("heavy", "t6", num_loans=8, num_offers=10),
    ]
    rules = LoadRules(
        num_items=3,
        least_ratio={Quota.CHILDREN: 0.3},
        shelves={"one": ShelfRule(most_mm=10)},
        most_swaps=0,
    )
    plan = plan_load(items, rules)
    reasons = explain_load(items, rules, plan).by_item
    assert {i: r.why.value for i, r in reasons.items()} == {
        "held": "held",
        "copy": "copy_goes",
        "good": "worth",
        "child": "quota",
        "poor": "worth_less",
        "full": "shelf_full",
        "heavy": "no_hands",
    }
    assert reasons[ItemId("good")].worth > reasons[ItemId("poor")].worth
