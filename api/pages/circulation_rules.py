"""The rules of lending at the desk: what is in force, a form to change it, who changed what."""

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from api.pages.circulation_frame import Form, Librarian, Looking, back_to, show
from api.pages.desk_region import Desk, open_desk, text_of, whole_of
from api.services import circulation_rules
from api.services.circulation_rules import LIMITS, MOST_LOANS
from api.state import ServiceDep
from data.model.errors import BookmobileError, InputError
from data.model.lending import LendingRules
from data.model.patrons import PatronKind

router = APIRouter(prefix="/desk/{region_id}/circulation/rules")
SAID = ("changed", "same")
NO_LIMIT = ""


@router.get("")
def rules_page(request: Request, region_id: str, asking: Looking, service: ServiceDep) -> Response:
    """The rules in force and how they came to be."""
    return _page(open_desk(request, service, asking, region_id))


@router.post("")
def change(
    request: Request, region_id: str, asking: Librarian, service: ServiceDep, form: Form
) -> Response:
    """Let other rules take effect."""
    desk = open_desk(request, service, asking, region_id)
    try:
        is_other = circulation_rules.change_rules(
            service,
            region_id,
            _numbers(form),
            is_due_at_visit=bool(text_of(form, "is_due_at_visit")),
            seen=whole_of(form, "seen") or 0,
            by=asking,
            at=service.clock(),
        )
    except BookmobileError as error:
        return _page(desk, form, _in_words(desk, error))
    path = f"{desk.root}/circulation/rules"
    return back_to(path, said="changed" if is_other else "same")


def _numbers(form: FormData) -> dict[str, int | None]:
    numbers: dict[str, int | None] = {name: whole_of(form, name) for name in LIMITS}
    for kind in PatronKind:
        name = f"most_loans.{kind.value}"
        # An empty field says no limit; what is no number is refused as 0 is.
        numbers[name] = (whole_of(form, name) or 0) if text_of(form, name) else None
    return numbers


def _in_words(desk: Desk, error: BookmobileError) -> BookmobileError:
    """The refusal with the field as the form calls it."""
    if "field" not in error.facts:
        return error
    facts = {**error.facts, "field": desk.words(f"rules.{error.facts['field']}")}
    return InputError(error.code, **facts)


def _page(
    desk: Desk, form: FormData | None = None, error: BookmobileError | None = None
) -> Response:
    found = circulation_rules.rules_now(desk.service, desk.region.region_id)
    said = text_of(desk.request.query_params, "said")
    fields = [
        *((name, least, most) for name, (least, most) in LIMITS.items()),
        *((f"most_loans.{kind.value}", 1, MOST_LOANS) for kind in PatronKind),
    ]
    if form is None:
        cells, is_due_at_visit = _cells(found.rules), found.rules.is_due_at_visit
    else:
        cells = {name: text_of(form, name) for name, _, _ in fields}
        is_due_at_visit = bool(text_of(form, "is_due_at_visit"))
    return show(
        desk,
        "rules",
        tab="rules",
        error=error,
        found=found,
        fields=fields,
        cells=cells,
        is_due_at_visit=is_due_at_visit,
        said=said if said in SAID else "",
    )


def _cells(rules: LendingRules) -> dict[str, str]:
    cells = {name: str(getattr(rules, name)) for name in LIMITS}
    for kind in PatronKind:
        most = rules.most_loans.get(kind)
        cells[f"most_loans.{kind.value}"] = NO_LIMIT if most is None else str(most)
    return cells
