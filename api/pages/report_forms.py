"""The desk's forms of reports: what a region says for them, and which are sent by themselves."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from api.auth import Staff
from api.errors import status_of
from api.pages.desk_region import Desk, Given, form_data, open_desk, text_of, whole_of
from api.pages.reports import AREA, WRITERS
from api.services.report_files import money
from api.services.report_frame import known_forms
from api.services.report_sending import (
    add_schedule,
    change_settings,
    drop_schedule,
    let_rest,
    new_schedule,
    send_again,
    send_now,
)
from api.state import ServiceDep
from data.db import report_store
from data.db.engine import reading
from data.model.costs import FuelKind
from data.model.errors import AccessError, BookmobileError, InputError
from data.model.report import ReportKind
from data.model.report_schedule import (
    PLACED_KINDS,
    Channel,
    PeriodRule,
    ReportFormat,
)
from data.model.report_settings import ReportSettings, StockQuotas, Targets
from data.model.service_costs import CostPrices
from data.model.stop_review import ReviewRules

router = APIRouter(prefix="/desk/{region_id}/reports")
PRICES = ("crew_hour", "vehicle_km", "vehicle_day")
SHARES = ("children", "accessible", "new", "renewal")
RULES = ("min_visitors", "grace_months", "grace_most_months", "least_held", "merge_m",
         "home_people", "home_senior_percent", "point_loans")  # fmt: skip
DELIVERIES = 100
Form = Annotated[FormData, Depends(form_data)]


@router.get("/settings")
def settings_page(
    request: Request, region_id: str, asking: Staff, service: ServiceDep, done: str = ""
) -> Response:
    """Targets, rules of review, prices, quotas."""
    return _settings(open_desk(request, service, asking, region_id), done=done == "saved")


@router.post("/settings")
def write_settings(
    request: Request, region_id: str, asking: Staff, service: ServiceDep, form: Form
) -> Response:
    """Keep what the form says."""
    desk = open_desk(request, service, asking, region_id)
    try:
        _check_writer(desk)
        told = _settings_of(form)
        change_settings(
            service, region_id, told, expect_revision=whole_of(form, "revision") or 0, by=asking
        )
    except BookmobileError as error:
        return _settings(desk, given=form, error=error)
    return RedirectResponse(f"{desk.root}/reports/settings?done=saved", status_code=303)


def _check_writer(desk: Desk) -> None:
    if not desk.asking.may(*WRITERS):
        raise AccessError("access.role", roles=", ".join(WRITERS))


def _settings(
    desk: Desk,
    *,
    given: Given | None = None,
    error: BookmobileError | None = None,
    done: bool = False,
) -> Response:
    with reading(desk.service.engine) as session:
        stored = report_store.get_settings(session, desk.region.region_id)
    values = _values(stored, desk)
    if given is not None:
        values |= {name: text_of(given, name) for name in values}
    used = {v.fuel for v in desk.region.vehicles if v.fuel is not None}
    fuels = [k for k in FuelKind if k in used or k in stored.prices.fuel] or [FuelKind.DIESEL]
    return desk.render(
        "reports/settings.html",
        area=AREA,
        status=200 if error is None else status_of(error),
        error=error,
        done=done,
        values=values,
        revision=stored.revision if given is None else whole_of(given, "revision") or 0,
        fuels=fuels,
        prices=[f"fuel.{k}" for k in fuels] + list(PRICES),
        rules=RULES,
        shares=SHARES,
        kinds=list(ReportKind),
        may_write=desk.asking.may(*WRITERS),
    )


def _values(stored: ReportSettings, desk: Desk) -> dict[str, str]:
    """What the form shows of what is stored."""

    def plain(value: float | None) -> str:
        if value is None:
            return ""
        told = f"{round(value, 4):g}" if abs(value) < 1_000_000 else str(round(value))
        return told.replace(".", ",") if desk.words.language == "ru" else told

    targets, prices = stored.targets, stored.prices
    values = {
        f"target.{name}": plain(None if share is None else 100 * share)
        for name, share in (
            ("visits", targets.visits),
            ("coverage", targets.coverage),
            ("satisfaction", targets.satisfaction),
        )
    }
    values |= {
        f"target.{name}": plain(getattr(targets, name))
        for name in ("vehicles", "base_year", "base_visits", "library_users")
    }
    values["target.source"] = targets.source
    values |= {f"rule.{name}": plain(getattr(stored.review, name)) for name in RULES}
    values |= {f"quota.{name}": plain(100 * getattr(stored.quotas, name)) for name in SHARES}
    values["quota.new_months"] = plain(stored.quotas.new_months)
    values["currency"] = prices.currency
    told = {f"fuel.{kind}": prices.fuel.get(kind) for kind in FuelKind}
    told |= {name: getattr(prices, name) for name in PRICES}
    for name, price in told.items():
        text = money(price)
        values[f"price.{name}"] = text.replace(".", ",") if desk.words.language == "ru" else text
        values[f"source.{name}"] = prices.sources.get(name, "")
    return values


def _settings_of(form: Given) -> ReportSettings:
    targets = Targets(
        visits=_share(form, "target.visits"),
        coverage=_share(form, "target.coverage"),
        satisfaction=_share(form, "target.satisfaction"),
        vehicles=_whole(form, "target.vehicles"),
        base_year=_whole(form, "target.base_year"),
        base_visits=_whole(form, "target.base_visits"),
        library_users=_whole(form, "target.library_users"),
        source=text_of(form, "target.source"),
    )
    own = ReviewRules()
    rules = {
        name: _number(form, f"rule.{name}")
        if isinstance(getattr(own, name), float)
        else _whole(form, f"rule.{name}")
        for name in RULES
    }
    shares = {name: _share(form, f"quota.{name}") for name in SHARES}
    months = _whole(form, "quota.new_months")
    names = [f"fuel.{kind}" for kind in FuelKind] + list(PRICES)
    told = {name: _money(form, f"price.{name}") for name in names}
    sources = {name: source for name in names if (source := text_of(form, f"source.{name}"))}
    review: dict[str, Any] = {n: v for n, v in rules.items() if v is not None}
    quotas: dict[str, Any] = {n: v for n, v in shares.items() if v is not None}
    prices: dict[str, Any] = {name: told[name] for name in PRICES}
    if months is not None:
        quotas["new_months"] = months
    return ReportSettings(
        targets=targets,
        review=ReviewRules(**review),
        quotas=StockQuotas(**quotas),
        prices=CostPrices(
            currency=text_of(form, "currency").upper(),
            fuel={k: p for k in FuelKind if (p := told[f"fuel.{k}"]) is not None},
            sources=sources,
            **prices,
        ),
    )


def _money(form: Given, name: str) -> Decimal | None:
    text = _plain(text_of(form, name))
    if not text:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise _no_number(form, name) from None
    if len(text) > 20 or not found.is_finite():
        raise _no_number(form, name)
    return found


def _number(form: Given, name: str) -> float | None:
    found = _money(form, name)
    return None if found is None else float(found)


def _share(form: Given, name: str) -> float | None:
    found = _money(form, name)
    return None if found is None else float(found / 100)


def _whole(form: Given, name: str) -> int | None:
    found = _money(form, name)
    if found is None:
        return None
    if found != found.to_integral_value():
        raise _no_number(form, name)
    return int(found)


def _no_number(form: Given, name: str) -> InputError:
    return InputError("reports.not_a_number", field=name, value=text_of(form, name)[:40])


def _plain(text: str) -> str:
    """A number as people write it, as programs do."""
    blanks = ("\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}", " ", "%")
    for blank in blanks:
        text = text.replace(blank, "")
    return text.replace(",", ".")


@router.get("/schedules")
def schedules_page(
    request: Request, region_id: str, asking: Staff, service: ServiceDep
) -> Response:
    """Reports that are sent by themselves, and what became of each."""
    return _schedules(open_desk(request, service, asking, region_id))


@router.post("/schedules")
def make_schedule(
    request: Request, region_id: str, asking: Staff, service: ServiceDep, form: Form
) -> Response:
    """Send a report by itself from now on."""
    desk = open_desk(request, service, asking, region_id)
    try:
        _check_writer(desk)
        schedule = new_schedule(
            region_id,
            kind=text_of(form, "kind"),
            format=text_of(form, "format"),
            period=text_of(form, "period"),
            channel=text_of(form, "channel"),
            recipient=text_of(form, "recipient"),
            language=desk.words.language,
            vehicle_id=text_of(form, "vehicle") or None,
            form_id="",
            by=asking,
            at=service.clock(),
        )
        add_schedule(service, desk.region, schedule, by=asking)
    except BookmobileError as error:
        return _schedules(desk, given=form, error=error)
    return RedirectResponse(f"{desk.root}/reports/schedules", status_code=303)


@router.post("/schedules/{schedule_id}")
def act_on_schedule(
    request: Request,
    region_id: str,
    schedule_id: str,
    asking: Staff,
    service: ServiceDep,
    form: Form,
) -> Response:
    """Let it rest or go on, take it away, or send it once now."""
    desk = open_desk(request, service, asking, region_id)
    try:
        _check_writer(desk)
        match text_of(form, "act"):
            case "rest":
                let_rest(service, region_id, schedule_id, is_active=False, by=asking)
            case "go_on":
                let_rest(service, region_id, schedule_id, is_active=True, by=asking)
            case "drop":
                drop_schedule(service, region_id, schedule_id, by=asking)
            case "now":
                send_now(service, desk.region, schedule_id, by=asking)
            case other:
                known = "now, rest, go_on, drop"
                raise InputError("reports.bad_choice", field="act", value=other[:40], known=known)
    except BookmobileError as error:
        return _schedules(desk, error=error)
    return RedirectResponse(f"{desk.root}/reports/schedules", status_code=303)


@router.post("/deliveries/{delivery_id}")
def again(
    request: Request, region_id: str, delivery_id: str, asking: Staff, service: ServiceDep
) -> Response:
    """Send a report once more."""
    desk = open_desk(request, service, asking, region_id)
    try:
        _check_writer(desk)
        send_again(service, region_id, delivery_id, by=asking)
    except BookmobileError as error:
        return _schedules(desk, error=error)
    return RedirectResponse(f"{desk.root}/reports/schedules", status_code=303)


def _schedules(
    desk: Desk, *, given: Given | None = None, error: BookmobileError | None = None
) -> Response:
    region_id = desk.region.region_id
    with reading(desk.service.engine) as session:
        schedules = report_store.list_schedules(session, region_id)
        deliveries = report_store.list_deliveries(session, region_id, limit=DELIVERIES)
    names = ("kind", "format", "period", "channel", "recipient", "vehicle")
    return desk.render(
        "reports/schedules.html",
        area=AREA,
        status=200 if error is None else status_of(error),
        error=error,
        given={name: text_of(given, name) if given is not None else "" for name in names},
        schedules=schedules,
        by_id={s.schedule_id: s for s in schedules},
        deliveries=deliveries,
        kinds=list(ReportKind),
        placed=PLACED_KINDS,
        formats=list(ReportFormat),
        periods=list(PeriodRule),
        channels=list(Channel),
        has_mail=desk.service.settings.smtp_url is not None,
        vehicles=desk.region.vehicles,
        forms=known_forms(desk.service.settings),
        zone=desk.region.time_zone,
        may_write=desk.asking.may(*WRITERS),
    )
