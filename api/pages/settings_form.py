"""The form of a region's own settings, in the units people use: minutes, clock times."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation

from starlette.datastructures import FormData

from api.pages.thing_forms import Message, own_decimal
from api.words import Words
from data.feeds.rows import Row
from data.feeds.values import write_clock, write_date, write_minutes, write_number
from data.model.costs import Costs
from data.model.demand import PrizeBy
from data.model.dwell import DwellWorth
from data.model.errors import BookmobileError
from data.model.fleet import RuleSetId
from data.model.region import (
    LibraryAssumption,
    PopulationBand,
    Region,
    ServiceStandard,
    SourceNote,
)

NUM_BANDS = 6
NUM_SOURCES = 12
PHONE_CHARS = 60
MOST_PRICE = 1_000_000_000
_MINUTES = (
    "setup",
    "teardown",
    "clock_tolerance",
    "unknown_population_service",
)
_CLOCKS = ("day_start", "day_end", "meal_window_start", "meal_window_end")
_COUNTS = {
    "cycle_weeks": (1, 6),
    "max_gap_days": (1, 400),
    "stops_per_day_max": (1, 100),
    "walk_to_stop_m": (0, 20_000),
    "min_population": (0, 1_000_000),
}
_NUMBERS = ("weight_adult", "weight_child", "weight_senior", "unknown_population_people")
_PRICES = ("per_km", "per_hour", "per_day", "per_night")
_FIELDS = {
    "standard.day_end_s": "day_end",
    "standard.meal_window_end_s": "meal_window_end",
    "standard.bands": "band_0_up_to",
    "default_rule_set_ids": "rule_sets",
}
"""Fields of settings whose field in the form is called otherwise."""


@dataclass(slots=True, kw_only=True)
class SettingsForm:
    """The form as it is shown: cells by name, faults by name."""

    cells: dict[str, str]
    chosen: dict[str, list[str]] = field(default_factory=dict)
    faults: dict[str, list[Message]] = field(default_factory=dict)
    general: list[Message] = field(default_factory=list)
    region: Region | None = None

    @property
    def is_wrong(self) -> bool:
        return bool(self.faults or self.general)

    @property
    def num_faults(self) -> int:
        return len(self.general) + sum(len(found) for found in self.faults.values())

    def note(self, name: str, code: str, facts: Mapping[str, object]) -> None:
        """Keep a message beside its field, or above the form."""
        told = Message(code=code, facts=facts)
        if name in self.cells:
            self.faults.setdefault(name, []).append(told)
        else:
            self.general.append(told)

    def note_error(self, error: BookmobileError) -> None:
        """Keep a refusal, with its problems, beside the fields that they name."""
        problems = error.facts.get("problems")
        told: list[tuple[str, Mapping[str, object]]]
        if isinstance(problems, tuple | list) and problems:
            told = [(p.code, p.facts) for p in problems]
        else:
            told = [(error.code, error.facts)]
        for code, facts in told:
            name = str(facts.get("field", ""))
            if name.startswith("standard.bands."):
                name = f"band_{name.split('.')[2]}_service_most"
            self.note(_FIELDS.get(name, name), code, facts)


def settings_form(region: Region, words: Words) -> SettingsForm:
    """The form of a region's settings as they are."""
    standard, costs = region.standard, region.costs
    cells = {f"name_{code}": region.names.get(code, "") for code in ("ru", "en")}
    cells |= {"time_zone": region.time_zone, "language": region.language}
    cells["start_date"] = write_date(region.start_date)
    cells["phone"] = region.phone
    cells |= {name: write_minutes(getattr(standard, f"{name}_s")) for name in _MINUTES}
    cells |= {name: write_clock(getattr(standard, f"{name}_s")) for name in _CLOCKS}
    cells |= {name: str(getattr(standard, name)) for name in _COUNTS}
    cells |= {name: write_number(getattr(standard, name)) for name in _NUMBERS}
    cells["same_weekday"] = "true" if standard.same_weekday else ""
    cells["prize_by"] = standard.prize_by.value
    cells["dwell_half"] = write_minutes(standard.dwell_worth.half_s)
    cells["dwell_ratio"] = write_number(standard.dwell_worth.worth_ratio)
    for place in range(NUM_BANDS):
        band = standard.bands[place] if place < len(standard.bands) else None
        cells[f"band_{place}_up_to"] = "" if band is None else write_number(band.up_to)
        cells[f"band_{place}_service"] = "" if band is None else write_minutes(band.service_s)
        most = None if band is None else band.service_most_s
        cells[f"band_{place}_service_most"] = "" if most is None else write_minutes(most)
        cells[f"band_{place}_visits"] = "" if band is None else str(band.visits_per_cycle)
    cells["norm_set_id"] = region.norm_set_id
    cells["rule_sets"] = ""
    cells["register_is_complete"] = "true" if region.library_register_is_complete else ""
    assumption = region.library_assumption
    cells["official_count"] = "" if assumption is None else str(assumption.official_count)
    per = None if assumption is None else assumption.people_per_library
    cells["people_per_library"] = write_number(per)
    cells["assumption_source"] = "" if assumption is None else assumption.source
    cells["travel_factor"] = write_number(region.travel_factor)
    cells["currency"] = costs.currency
    for name in _PRICES:
        price = getattr(costs, name)
        cells[name] = "" if price is None else format(price, "f")
    for place in range(NUM_SOURCES):
        source = region.sources[place] if place < len(region.sources) else None
        cells[f"source_{place}_title"] = source.title if source else ""
        cells[f"source_{place}_licence"] = source.licence if source else ""
        cells[f"source_{place}_address"] = source.address if source else ""
    for name in (*_NUMBERS, "dwell_half", "dwell_ratio", "travel_factor", *_PRICES):
        cells[name] = own_decimal(cells[name], words)
    chosen = {"rule_sets": [str(key) for key in region.default_rule_set_ids]}
    return SettingsForm(cells=cells, chosen=chosen)


def read_settings(region: Region, data: FormData) -> SettingsForm:
    """What a person typed, as a region with these settings; faults stand beside their fields."""
    form = settings_form(region, Words(region.language))
    for name in form.cells:
        value = data.get(name)
        form.cells[name] = value.strip()[:2000] if isinstance(value, str) else ""
    form.chosen["rule_sets"] = [str(v) for v in data.getlist("rule_sets") if isinstance(v, str)]
    row = Row(file="", line=0, cells=form.cells)
    standard = _standard(form, row)
    settings = {
        "names": {
            code: form.cells[f"name_{code}"] for code in ("ru", "en") if form.cells[f"name_{code}"]
        }
        | {code: name for code, name in region.names.items() if code not in ("ru", "en")},
        "time_zone": form.cells["time_zone"],
        "language": form.cells["language"] or region.language,
        "start_date": row.day("start_date"),
        "phone": "".join(c for c in form.cells["phone"] if c.isprintable()),
        "norm_set_id": form.cells["norm_set_id"],
        "default_rule_set_ids": tuple(RuleSetId(key) for key in form.chosen["rule_sets"]),
        "library_register_is_complete": bool(form.cells["register_is_complete"]),
        "library_assumption": _assumption(form, row),
        "travel_factor": row.number("travel_factor", least=0.2, most=5) or 1.0,
        "costs": _costs(form),
        "sources": tuple(
            SourceNote(
                title=form.cells[f"source_{place}_title"],
                licence=form.cells[f"source_{place}_licence"],
                address=form.cells[f"source_{place}_address"],
            )
            for place in range(NUM_SOURCES)
            if form.cells[f"source_{place}_title"]
        )
        + region.sources[NUM_SOURCES:],
    }
    if len(form.cells["phone"]) > PHONE_CHARS:
        form.note("phone", "places.cell.too_long", {"most": PHONE_CHARS})
    if not settings["names"]:
        form.note("name_ru", "places.cell.missing", {})
    for problem in row.problems:
        code = problem.code.replace("feeds.cell.", "places.cell.", 1)
        form.note(problem.column, code, problem.facts)
    if not form.is_wrong and standard is not None:
        form.region = replace(region, standard=standard, **settings)  # type: ignore[arg-type]
    return form


def _standard(form: SettingsForm, row: Row) -> ServiceStandard | None:
    """The service standard of a form; ``None`` where it is wrong."""
    default = ServiceStandard()
    values: dict[str, object] = {
        f"{name}_s": row.seconds(name, getattr(default, f"{name}_s")) for name in _MINUTES
    }
    values |= {f"{name}_s": row.clock_s(name, getattr(default, f"{name}_s")) for name in _CLOCKS}
    for name, (least, most) in _COUNTS.items():
        number = row.count(name, least=least)
        if number is not None and number > most:
            row.note("feeds.cell.too_large", name, most=most)
        values[name] = getattr(default, name) if number is None else number
    for name in _NUMBERS:
        weight = row.number(name, least=0, most=100_000)
        values[name] = getattr(default, name) if weight is None else weight
    half_s = row.seconds("dwell_half", default.dwell_worth.half_s)
    ratio = row.number("dwell_ratio", least=0, most=1) or 0.0
    values["prize_by"] = row.choice("prize_by", PrizeBy, PrizeBy.PEOPLE)
    bands = tuple(_bands(form, row))
    if not bands:
        form.note("band_0_service", "places.cell.missing", {})
    if row.is_wrong or form.is_wrong:
        return None
    return ServiceStandard(
        bands=bands,
        same_weekday=bool(form.cells["same_weekday"]),
        dwell_worth=DwellWorth(half_s=max(1, half_s), worth_ratio=ratio),
        **values,  # type: ignore[arg-type]
    )


def _bands(form: SettingsForm, row: Row) -> list[PopulationBand]:
    bands = []
    for place in range(NUM_BANDS):
        names = {n: f"band_{place}_{n}" for n in ("up_to", "service", "service_most", "visits")}
        if not any(form.cells[name] for name in names.values()):
            continue
        service = row.number(names["service"], least=1, most=1440)
        if service is None and not row.is_wrong:
            row.note("feeds.cell.missing", names["service"])
        most = row.number(names["service_most"], least=1, most=1440)
        bands.append(
            PopulationBand(
                up_to=row.count(names["up_to"]),
                service_s=round((service or 0) * 60),
                visits_per_cycle=row.count(names["visits"], least=1) or 1,
                service_most_s=None if most is None else round(most * 60),
            )
        )
    return bands


def _assumption(form: SettingsForm, row: Row) -> LibraryAssumption | None:
    official = row.count("official_count")
    per = row.count("people_per_library", least=1)
    if official is None:
        return None
    return LibraryAssumption(
        rule="largest_settlements",
        official_count=official,
        source=form.cells["assumption_source"],
        people_per_library=per,
    )


def _costs(form: SettingsForm) -> Costs:
    prices: dict[str, Decimal | None] = {}
    for name in _PRICES:
        text = form.cells[name].replace(" ", "").replace("\xa0", "").replace(",", ".")
        try:
            price = Decimal(text) if text else None
        except InvalidOperation:
            price = None
            form.note(name, "places.cell.not_a_number", {"value": form.cells[name][:40]})
        if price is not None and not (price.is_finite() and 0 <= price <= MOST_PRICE):
            form.note(
                name, "places.cell.out_of_range", {"value": text[:40], "least": 0, "most": 10**9}
            )
            price = None
        prices[name] = price
    return Costs(currency=form.cells["currency"][:10], **prices)
