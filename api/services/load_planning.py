"""Which items go on a run: planned by the solver, kept with its reasons, and shown with names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from api.services.circulation_day import DayLists, day_lists
from api.services.ledger import Ledger
from api.services.load_candidates import LoadCase, load_case
from api.services.report_stock import stock_span
from api.state import Service
from data.db import audit_store, event_store, load_plan_store, publication_store, report_store
from data.db.engine import writing
from data.db.load_plan_store import KeptLoad
from data.model.accounts import Caller
from data.model.errors import RequestError
from data.model.fleet import VehicleId
from data.model.publication import PromisedVisit
from data.model.stock import Item, ItemId, ItemPlace, PlaceKind, Title
from planner.load_explain import Reasons, explain_load
from planner.load_problem import LoadPlan, LoadRules, Quota, ShelfRule

WORK, GUARD_S = 10.0, 45.0
MOST_WHY = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyItem:
    """An item, and why it goes or stays."""

    item: Item
    title: Title | None
    goes: bool
    why: str
    """A reason of ``planner.load_explain``, or why it was no candidate."""
    worth: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPage:
    """A run's loading: what was planned, what is to be carried, what is to be handed over."""

    visits: tuple[PromisedVisit, ...]
    rules: LoadRules
    kept: KeptLoad | None
    lists: DayLists
    shelves: tuple[str, ...]
    """Shelves that stock of the vehicle stands on."""
    put_aboard: tuple[WhyItem, ...] = ()
    taken_off: tuple[WhyItem, ...] = ()
    asked: tuple[WhyItem, ...] = ()
    """Items that were asked about."""
    readers: Mapping[str, str] = field(default_factory=dict)


def make_load(
    service: Service,
    region_id: str,
    vehicle_id: VehicleId,
    on: date,
    rules: LoadRules,
    *,
    by: Caller,
    at: datetime,
) -> KeptLoad:
    """Plan the load of a run and keep it.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    RequestError
        ``loads.no_run`` where the vehicle does not go out; ``loads.no_stock``.
    """
    with service.ledgers.reading(service.engine, region_id) as (session, ledger):
        visits = _visits(session, region_id, vehicle_id, on)
        if not any(v.is_coming for v in visits):
            raise RequestError("loads.no_run", date=on.isoformat())
        span = stock_span(report_store.get_settings(session, region_id), on)
        case = load_case(session, ledger, vehicle_id, on, visits, span, at)
    if not case.candidates:
        raise RequestError("loads.no_stock")
    # The search takes seconds: nobody else waits for it.
    from planner.load import plan_load  # the solver, for this one page

    plan = plan_load(
        case.candidates, rules, num_readers=case.num_readers, work=WORK, guard_s=GUARD_S
    )
    reasons = explain_load(case.candidates, rules, plan, num_readers=case.num_readers)
    kept = KeptLoad(
        made_at=at,
        made_by=by.account_id or "",
        rules=rules_to_json(rules),
        facts=_facts(case, plan, reasons),
    )
    with writing(service.engine) as session:
        load_plan_store.put_load(session, region_id, str(vehicle_id), on, kept)
        audit_store.record(
            session, by, "circulation.load", str(vehicle_id), region_id=region_id,
            date=on.isoformat(), items=len(plan.item_ids),
        )  # fmt: skip
        event_store.emit(session, "circulation", "", region_id, load=on.isoformat())
    return kept


def load_page(
    service: Service, region_id: str, vehicle_id: VehicleId, on: date, *, asked: str = ""
) -> LoadPage:
    """The loading of a run as it stands.

    Parameters
    ----------
    asked
        Number or words of the title of an item: is it loaded, and why.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    lists = day_lists(service, region_id, vehicle_id, on)
    with service.ledgers.reading(service.engine, region_id) as (session, ledger):
        kept = load_plan_store.get_load(session, region_id, str(vehicle_id), on)
        quotas = report_store.get_settings(session, region_id).quotas
        rules = LoadRules(
            least_ratio={Quota(name): getattr(quotas, name) for name in Quota}
        ) if kept is None else rules_from_json(kept.rules)  # fmt: skip
        facts: Mapping[str, Any] = {} if kept is None else kept.facts
        place = ItemPlace(kind=PlaceKind.VEHICLE, key=str(vehicle_id))
        return LoadPage(
            visits=_visits(session, region_id, vehicle_id, on),
            rules=rules,
            kept=kept,
            lists=lists,
            shelves=_shelves(ledger, vehicle_id, rules),
            put_aboard=tuple(
                _why(ledger, facts, item)
                for i in facts.get("put_aboard", ())
                if (item := ledger.state.items.get(ItemId(i))) and item.place != place
            ),
            taken_off=tuple(
                _why(ledger, facts, item)
                for i in facts.get("taken_off", ())
                if (item := ledger.state.items.get(ItemId(i))) and item.place == place
            ),
            asked=_asked(ledger, facts, asked) if kept is not None else (),
            readers={
                str(line.patron_id): patron.name or patron.card
                for line in lists.picks
                if (patron := ledger.state.patron_of(line.patron_id)) is not None
            },
        )


def _visits(
    session: Session, region_id: str, vehicle_id: VehicleId, on: date
) -> tuple[PromisedVisit, ...]:
    return publication_store.load_visits(
        session, region_id, from_date=on, until_date=on, vehicle_id=vehicle_id
    )


def _shelves(ledger: Ledger, vehicle_id: VehicleId, rules: LoadRules) -> tuple[str, ...]:
    near = {PlaceKind.VEHICLE, PlaceKind.STORE}
    own = {
        title.shelf
        for item in ledger.state.items.values()
        if item.place.kind in near and item.place.key == str(vehicle_id)
        and (title := ledger.state.title_of(item)) is not None
    }  # fmt: skip
    return tuple(sorted(own | set(rules.shelves)))


def _facts(case: LoadCase, plan: LoadPlan, reasons: Reasons) -> dict[str, Any]:
    return {
        "item_ids": list(plan.item_ids),
        "put_aboard": list(plan.put_aboard),
        "taken_off": list(plan.taken_off),
        "counts": dict(plan.counts),
        "length_mm": round(plan.length_mm),
        "worth": round(plan.worth, 3),
        "gap_ratio": plan.gap_ratio,
        "is_optimal": plan.is_optimal,
        "faults": [{"code": f.code, "facts": dict(f.facts)} for f in plan.faults],
        "why": {i: [r.why.value, round(r.worth, 4)] for i, r in reasons.by_item.items()},
        "least_worth": round(reasons.least_worth, 4),
        "num_candidates": len(case.candidates),
        "num_readers": case.num_readers,
        "num_runs": case.num_runs,
        "num_loans": case.num_loans,
    }


def _why(ledger: Ledger, facts: Mapping[str, Any], item: Item) -> WhyItem:
    told = facts.get("why", {}).get(item.item_id)
    title = ledger.state.title_of(item)
    if told is None:
        return WhyItem(item=item, title=title, goes=False, why=_no_candidate(ledger, item))
    goes = told[0] in ("held", "quota", "worth")
    return WhyItem(item=item, title=title, goes=goes, why=told[0], worth=told[1])


def _no_candidate(ledger: Ledger, item: Item) -> str:
    if item.is_withdrawn:
        return "withdrawn"
    if ledger.state.open_loans_of_item(item.item_id):
        return "lent"
    if not item.is_for_loan:
        return "read_here"
    return "box" if item.box_id is not None else "elsewhere"


def _asked(ledger: Ledger, facts: Mapping[str, Any], told: str) -> tuple[WhyItem, ...]:
    words = told.casefold().split()
    if not words:
        return ()
    found = []
    for item in ledger.state.items.values():
        title = ledger.state.title_of(item)
        names = "" if title is None else f"{title.name} {title.author}"
        text = f"{item.item_id} {item.inventory_no} {names}".casefold()
        if item.item_id == told or all(word in text for word in words):
            found.append(_why(ledger, facts, item))
    found.sort(key=lambda w: (w.item.item_id != told, not w.goes, w.item.item_id))
    return tuple(found[:MOST_WHY])


def rules_to_json(rules: LoadRules) -> dict[str, Any]:
    """Rules of a load as they are kept."""
    return {
        "num_items": rules.num_items,
        "capacity_mm": rules.capacity_mm,
        "least_ratio": {q.value: ratio for q, ratio in rules.least_ratio.items()},
        "shelves": {
            shelf: {"least_mm": rule.least_mm, "most_mm": rule.most_mm}
            for shelf, rule in rules.shelves.items()
        },
        "most_copies": rules.most_copies,
        "most_swaps": rules.most_swaps,
    }


def rules_from_json(told: Mapping[str, Any]) -> LoadRules:
    """The rules that ``rules_to_json`` wrote."""
    return LoadRules(
        num_items=told["num_items"],
        capacity_mm=told["capacity_mm"],
        least_ratio={Quota(name): ratio for name, ratio in told["least_ratio"].items()},
        shelves={shelf: ShelfRule(**rule) for shelf, rule in told["shelves"].items()},
        most_copies=told["most_copies"],
        most_swaps=told["most_swaps"],
    )
