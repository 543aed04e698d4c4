"""A region folder reads back as it was written, and every slip in it is named."""

import shutil
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from unicodedata import normalize

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import data
from data.feeds.profiles import load_norm_sets, load_rule_sets
from data.feeds.region_folder import read_region, roads_path, write_region
from data.feeds.report import Problem
from data.model.calendar import ServiceCalendar, Window
from data.model.costs import Costs, FuelKind
from data.model.crew import Specialist, SpecialistId
from data.model.errors import InputError
from data.model.fleet import RuleSetId, Vehicle, VehicleId
from data.model.place import (
    Depot,
    DepotId,
    Library,
    LibraryId,
    LibraryKind,
    Municipality,
    MunicipalityId,
    Settlement,
    SettlementId,
    SiteCard,
    Stop,
    StopId,
    StopKind,
)
from data.model.region import (
    EstimateParams,
    LibraryAssumption,
    PopulationBand,
    Region,
    ServiceStandard,
    SourceNote,
)

KALININGRAD = Path(str(data.__file__)).parent / "samples" / "kaliningrad"
IDS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,8}", fullmatch=True)
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters=";"),
    min_size=3,
    max_size=12,
).map(lambda text: normalize("NFC", f"q{text}"))
"""Names without outer blanks; commas, quotation marks and letters of any script are in."""
LONS, LATS = st.floats(19.0, 23.0), st.floats(54.0, 55.5)
COUNTS = st.none() | st.integers(0, 500_000)
DATES = st.dates(date(2020, 1, 1), date(2030, 12, 31))
WEEKDAYS = st.frozensets(st.integers(0, 6), max_size=7)
WINDOWS = st.builds(
    lambda start, length, days: Window(start_s=start, end_s=start + length, weekdays=days),
    st.integers(0, 80_000),
    st.integers(60, 20_000),
    WEEKDAYS,
)


@st.composite
def regions(draw: st.DrawFn) -> Region:
    """Regions with every field in use."""
    municipality_ids = [
        MunicipalityId(i) for i in draw(st.lists(IDS, min_size=1, max_size=4, unique=True))
    ]
    settlement_ids = [
        SettlementId(i) for i in draw(st.lists(IDS, min_size=1, max_size=4, unique=True))
    ]
    depot_ids = [DepotId(i) for i in draw(st.lists(IDS, min_size=1, max_size=4, unique=True))]
    shipped = load_rule_sets()
    own = replace(shipped[RuleSetId("eu-561")], rule_set_id=RuleSetId("own"), name=draw(TEXTS))
    norms = load_norm_sets()
    own_norm = replace(norms["ru-r965-rural"], norm_set_id="own", name=draw(TEXTS))
    knots = sorted(draw(st.sets(st.integers(1, 10**6), min_size=2, max_size=4)))
    triangle = st.tuples(*[st.tuples(LONS, LATS)] * 3).filter(lambda t: t[0] != t[2])
    region = Region(
        region_id=draw(IDS),
        names=draw(st.dictionaries(st.sampled_from(["ru", "en", "de"]), TEXTS, min_size=1)),
        time_zone="Europe/Kaliningrad",
        language="ru",
        crs="EPSG:32634",
        municipalities=tuple(
            Municipality(
                municipality_id=i, name=draw(TEXTS), population=draw(COUNTS), source=draw(TEXTS)
            )
            for i in municipality_ids
        ),
        settlements=tuple(
            Settlement(
                settlement_id=i,
                name=draw(TEXTS),
                name_latin=draw(TEXTS),
                lon=draw(LONS),
                lat=draw(LATS),
                municipality_id=draw(st.none() | st.sampled_from(municipality_ids)),
                population=draw(COUNTS),
                population_year=draw(st.none() | st.integers(1990, 2026)),
                flags=tuple(draw(st.lists(IDS, max_size=2))),
            )
            for i in settlement_ids
        ),
        libraries=tuple(
            Library(
                library_id=LibraryId(i),
                name=draw(TEXTS),
                kind=draw(st.sampled_from(LibraryKind)),
                settlement_id=draw(st.sampled_from(settlement_ids)),
                opened_date=draw(st.none() | st.just(date(1999, 1, 1))),
                closed_date=draw(st.none() | DATES),
                opening_hours="Mo-Fr 10:00-18:00; Sa off",
            )
            for i in draw(st.lists(IDS, max_size=4, unique=True))
        ),
        depots=tuple(
            Depot(depot_id=i, name=draw(TEXTS), lon=draw(LONS), lat=draw(LATS)) for i in depot_ids
        ),
        vehicles=tuple(
            Vehicle(
                vehicle_id=VehicleId(i),
                name=draw(TEXTS),
                depot_id=draw(st.sampled_from(depot_ids)),
                end_depot_id=draw(st.none() | st.sampled_from(depot_ids)),
                height_m=draw(st.floats(2, 4)),
                avoid_unpaved=draw(st.booleans()),
                abilities=draw(st.frozensets(IDS, max_size=2)),
                weekdays=draw(WEEKDAYS),
                off_dates=draw(st.frozensets(DATES, max_size=3)),
                duty_start_s=draw(st.integers(0, 40_000)),
                duty_end_s=draw(st.integers(50_000, 90_000)),
                prep_s=draw(st.integers(0, 5000)),
                max_stops_per_run=draw(st.none() | st.integers(1, 20)),
                seats=draw(st.none() | st.integers(0, 3)),
                rule_set_ids=draw(st.just((RuleSetId("own"),)) | st.just(())),
                fuel=draw(st.none() | st.sampled_from(FuelKind)),
                fuel_per_100km=draw(st.none() | st.just(27.5)),
            )
            for i in draw(st.lists(IDS, max_size=4, unique=True))
        ),
        specialists=tuple(
            Specialist(
                specialist_id=SpecialistId(i),
                name=draw(TEXTS),
                service="children",
                weekdays=draw(WEEKDAYS),
                off_dates=draw(st.frozensets(DATES, max_size=3)),
                duty_start_s=draw(st.none() | st.integers(0, 40_000)),
                duty_end_s=draw(st.none() | st.integers(50_000, 90_000)),
                days_per_week_max=draw(st.none() | st.integers(1, 5)),
            )
            for i in draw(st.lists(IDS, max_size=3, unique=True))
        ),
        stops=tuple(
            Stop(
                stop_id=StopId(i),
                name=draw(TEXTS),
                lon=draw(LONS),
                lat=draw(LATS),
                kind=draw(st.sampled_from(StopKind)),
                settlement_ids=tuple(draw(st.lists(st.sampled_from(settlement_ids), max_size=2))),
                service_s=draw(st.integers(0, 20_000)),
                windows=tuple(draw(st.lists(WINDOWS, max_size=2))),
                weekdays=draw(WEEKDAYS),
                same_weekday=draw(st.booleans()),
                max_gap_days=draw(st.none() | st.integers(1, 60)),
                mandatory=draw(st.booleans()),
                people=draw(COUNTS),
                prize=draw(st.floats(0, 1e6)),
                site=SiteCard(
                    power=draw(st.none() | st.booleans()),
                    room_m=draw(st.none() | st.floats(0, 50)),
                    permission_until_date=draw(st.none() | DATES),
                    notes=draw(TEXTS),
                ),
            )
            for i in draw(st.lists(IDS, max_size=4, unique=True))
        ),
        calendar=ServiceCalendar(
            weekdays=draw(WEEKDAYS),
            closed_dates=draw(st.dictionaries(DATES, TEXTS, max_size=4)),
            extra_dates=draw(st.dictionaries(DATES, TEXTS, max_size=2)),
        ),
        standard=ServiceStandard(
            bands=(
                PopulationBand(up_to=100, service_s=draw(st.integers(0, 9000))),
                PopulationBand(up_to=None, service_s=7200, visits_per_cycle=2),
            ),
            setup_s=draw(st.integers(0, 3000)),
            weight_child=draw(st.floats(0, 5)),
        ),
        norm_sets=draw(st.sampled_from([(own_norm, norms["design-default"]), (own_norm,)])),
        norm_set_id="own",
        rule_sets={RuleSetId("ru-424"): shipped[RuleSetId("ru-424")], own.rule_set_id: own},
        default_rule_set_ids=(RuleSetId("ru-424"),),
        library_register_is_complete=True,
        library_assumption=draw(
            st.none()
            | st.just(
                LibraryAssumption(rule="largest_settlements", official_count=9, source="x, y")
            )
        ),
        land=tuple(draw(st.lists(triangle, max_size=2))),
        districts={key: (draw(triangle),) for key in municipality_ids},
        estimate=EstimateParams(
            knots_m=tuple(km / 10 * 1000 for km in knots),
            detour_ratio=tuple(draw(st.floats(1, 3)) for _ in knots),
            speed_mps=tuple(draw(st.integers(50, 1200)) / 10 / 3.6 for _ in knots),
            leg_fixed_s=draw(st.integers(0, 60)) / 10 * 60,
            bookmobile_factor=draw(st.floats(1, 2)),
        ),
        roads_file=draw(st.sampled_from(["", "roads.osm.pbf"])),
        travel_factor=draw(st.floats(0.5, 2)),
        sources=(SourceNote(title=draw(TEXTS), licence="ODbL 1.0"),),
        costs=draw(
            st.just(Costs())
            | st.just(Costs(currency="₽", per_km=Decimal("31.5"), per_night=Decimal(0)))
        ),
        phone=draw(st.sampled_from(["", "8 (40141) 3-21-00"])),
        start_date=draw(st.none() | DATES.map(lambda day: day - timedelta(days=day.weekday()))),
    )
    if region.norm_sets == (own_norm, norms["design-default"]):
        region = replace(region, norm_set_id="design-default")
    return region


@given(regions())
@settings(
    max_examples=20,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
def test_round_trip(region: Region) -> None:
    """A region that was written reads back equal, field by field."""
    with TemporaryDirectory() as name:
        write_region(region, Path(name))
        found = read_region(Path(name))
    for field in fields(Region):
        assert getattr(found, field.name) == getattr(region, field.name)


def test_bundled_region_round_trip(tmp_path: Path) -> None:
    """The shipped region comes through a copy unchanged, assumed libraries and all."""
    region = read_region(KALININGRAD)
    write_region(region, tmp_path)
    assert read_region(tmp_path) == region
    assert any(library.standing == "assumed" for library in region.libraries)
    assert "assumed" not in (tmp_path / "libraries.csv").read_text(encoding="utf-8")


def test_roads_path(tmp_path: Path) -> None:
    """The extract lies beside the region file unless its path is absolute."""
    region = read_region(KALININGRAD)
    assert roads_path(region, tmp_path) is None
    assert roads_path(replace(region, roads_file="a.pbf"), tmp_path) == tmp_path / "a.pbf"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "region"
    shutil.copytree(KALININGRAD, copy)
    return copy


def replaced(file: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def appended(file: str, line: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        with (folder / file).open("a", encoding="utf-8") as target:
            target.write(line + "\n")

    return change


def specialists(row: str, stop: str = "") -> Callable[[Path], object]:
    """A table of one specialist and, if given, one of one stop."""

    def change(folder: Path) -> None:
        head = "specialist_id,name,service,vehicles\n"
        (folder / "specialists.csv").write_text(f"{head}{row}\n", encoding="utf-8")
        if stop:
            head = "stop_id,name,lon,lat,services,services_visits\n"
            (folder / "stops.csv").write_text(f"{head}{stop}\n", encoding="utf-8")

    return change


SLIPS: dict[str, tuple[Callable[[Path], object], str, dict[str, object]]] = {
    "key": (
        replaced("region.toml", "setup_min", "setup_mins"),
        "region.unknown_key",
        {"file": "region.toml", "key": "service.setup_mins", "nearest": "setup_min"},
    ),
    "key of a holiday": (
        replaced("region.toml", "date = 2026-02-23", "day = 2026-02-23"),
        "region.unknown_key",
        {"key": "calendar.closed.day", "nearest": "date"},
    ),
    "table": (
        replaced("region.toml", "[calendar]", "[calender]"),
        "region.unknown_key",
        {"key": "calender", "nearest": "calendar"},
    ),
    "syntax": (
        replaced("region.toml", 'language = "ru"', "language = ru"),
        "region.syntax",
        {"value": "language = ru"},
    ),
    "type": (
        replaced("region.toml", "cycle_weeks = 4", 'cycle_weeks = "four"'),
        "region.wrong_type",
        {"key": "service.cycle_weeks", "value": "four"},
    ),
    "long cycle": (
        replaced("region.toml", "cycle_weeks = 4", "cycle_weeks = 40"),
        "region.too_large",
        {"most": 6},
    ),
    "time zone": (
        replaced("region.toml", "Europe/Kaliningrad", "Europe/Kaliningrat"),
        "region.unknown_time_zone",
        {"nearest": "Europe/Kaliningrad"},
    ),
    "crs": (
        replaced("region.toml", "EPSG:32634", "EPSG:4326"),
        "region.not_a_projected_crs",
        {"value": "EPSG:4326"},
    ),
    "start": (
        replaced("region.toml", "start_date = 2026-11-30", "start_date = 2026-12-02"),
        "region.not_a_monday",
        {"monday": "2026-11-30"},
    ),
    "meal": (
        replaced("region.toml", '["11:00", "15:00"]', '["15:00", "11:00"]'),
        "region.window_backwards",
        {"key": "service.meal_window"},
    ),
    "rule set": (
        replaced("region.toml", '"ru-424"', '"ru-425"'),
        "region.unknown_rule_set",
        {"value": "ru-425", "nearest": "ru-424"},
    ),
    "norm set": (
        replaced("region.toml", '"design-default"', '"design-defualt"'),
        "region.unknown_norm_set",
        {"nearest": "design-default"},
    ),
    "column": (
        replaced("settlements.csv", "population_year", "population_yaer"),
        "feeds.columns.unknown",
        {"file": "settlements.csv", "column": "population_yaer", "nearest": "population_year"},
    ),
    "library without settlement": (
        appended("libraries.csv", "lib-x,X,library,known,inid-0,,,,,,,"),
        "feeds.cell.unknown_reference",
        {"file": "libraries.csv", "column": "settlement_id", "value": "inid-0"},
    ),
    "vehicle without depot": (
        appended("vehicles.csv", "k,K,garage,,,,,,,,,,,,,,,,"),
        "feeds.cell.unknown_reference",
        {"column": "depot_id", "value": "garage", "target": "depots.csv"},
    ),
    "twin": (
        appended("depots.csv", "kaliningrad,Второй,20.5,54.7,"),
        "feeds.row.duplicate_id",
        {"id": "kaliningrad", "row": 4, "first_row": 2},
    ),
    "vehicle's rule set": (
        appended("vehicles.csv", "k,K,kaliningrad,,,,,,,,,,,,,,,,ru-pdd"),
        "feeds.row.unknown_rule_set",
        {"value": "ru-pdd", "nearest": "ru-pdd26"},
    ),
    "duty": (
        appended("vehicles.csv", "k,K,kaliningrad,,,,,,,,,,,18:00,08:00,,,,"),
        "feeds.row.duty_backwards",
        {"value": "08:00", "duty_start": "18:00"},
    ),
    "specialist's vehicle": (
        specialists("a,Анна,children,kibo-9"),
        "feeds.cell.unknown_reference",
        {"file": "specialists.csv", "column": "vehicles", "value": "kibo-9"},
    ),
    "specialist without service": (
        specialists("a,Анна,,"),
        "feeds.cell.missing",
        {"file": "specialists.csv", "column": "service", "row": 2},
    ),
    "service of nobody": (
        specialists("a,Анна,children,", stop="s,Клуб,20.5,54.7,childern,"),
        "feeds.cell.unknown_reference",
        {"file": "stops.csv", "value": "childern", "target": "specialists.csv"},
    ),
    "more visits with a service than visits": (
        specialists("a,Анна,children,", stop="s,Клуб,20.5,54.7,children,3"),
        "feeds.row.services_visits",
        {"file": "stops.csv", "value": "3", "visits": 1},
    ),
    "land": (
        lambda folder: (folder / "land.geojson").write_text("{}", encoding="utf-8"),
        "feeds.geojson.not_a_polygon",
        {"file": "land.geojson", "row": 1},
    ),
    "no head": (
        lambda folder: (folder / "region.toml").unlink(),
        "region.no_head",
        {"file": "region.toml"},
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_slips_are_named(folder: Path, slip: str) -> None:
    """Every slip is an error with its file, place, value and the nearest right one."""
    change, code, facts = SLIPS[slip]
    change(folder)
    with pytest.raises(InputError) as caught:
        read_region(folder)
    assert caught.value.code == code
    assert facts.items() <= caught.value.facts.items()


def test_line_of_a_wrong_key(folder: Path) -> None:
    """The line of a wrong key is its line in the file, also in the n-th table of an array."""
    path = folder / "region.toml"
    lines = path.read_text(encoding="utf-8").splitlines()
    line = lines.index("date = 2026-05-09") + 1
    lines[line - 1] = "dat = 2026-05-09"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_region(folder)
    assert caught.value.facts["row"] == line


def test_all_problems_of_a_file_come_at_once(folder: Path) -> None:
    """A person mends a file in one go: every wrong row is in the error."""
    appended("stops.csv", "stop_id,name,lon,lat,windows,max_gap_days,min_gap_days")(folder)
    appended("stops.csv", "a,A,20.5,54.7,12:00-09:00,,")(folder)
    appended("stops.csv", "b,B,20.5,north,,7,14")(folder)
    with pytest.raises(InputError) as caught:
        read_region(folder)
    problems = caught.value.facts["problems"]
    assert isinstance(problems, tuple)
    assert [(p.code, p.row) for p in problems if isinstance(p, Problem)] == [
        ("feeds.cell.window_backwards", 2),
        ("feeds.cell.not_a_number", 3),
        ("feeds.row.gaps_backwards", 3),
    ]


def test_table_saved_by_a_spreadsheet_program(folder: Path) -> None:
    """A table that came back in cp1251 with semicolons and decimal commas still reads."""
    (folder / "depots.csv").write_bytes(
        "depot_id;name;lon;lat;settlement_id\r\n"
        "kaliningrad;База;20,51;54,71;inid-6126\r\n"
        "chernyakhovsk;Вторая;21,8;54,6;\r\n".encode("cp1251")
    )
    region = read_region(folder)
    assert [(d.name, d.lon) for d in region.depots] == [("База", 20.51), ("Вторая", 21.8)]


def test_all_days_holidays_is_a_region(folder: Path) -> None:
    """A calendar without a working day reads; to refuse it is the planner's matter."""
    replaced("region.toml", '["mon", "tue", "wed", "thu", "fri"]', "[]")(folder)
    assert read_region(folder).calendar.weekdays == frozenset()


def test_writing_again_keeps_comments(folder: Path) -> None:
    """What did not change in a person's files stays as written, comments and licences included."""
    names = ("region.toml", "land.geojson", "districts.geojson")
    before = {name: (folder / name).read_bytes() for name in names}
    region = read_region(folder)
    write_region(region, folder)
    assert {name: (folder / name).read_bytes() for name in names} == before
    write_region(replace(region, roads_file="roads.osm.pbf"), folder)
    text = (folder / "region.toml").read_text(encoding="utf-8")
    assert text.splitlines()[0].startswith("#")
    assert 'extract = "roads.osm.pbf"' in text
    assert read_region(folder) == replace(region, roads_file="roads.osm.pbf")


def test_named_municipalities_get_a_row(folder: Path) -> None:
    """Settlements of a municipality that no table holds do not make the folder unreadable."""
    region = read_region(folder)
    stranger = replace(
        region.settlements[0],
        settlement_id=SettlementId("new"),
        municipality_id=MunicipalityId("Новый округ"),
    )
    write_region(replace(region, settlements=(*region.settlements, stranger)), folder)
    assert read_region(folder).municipalities[-1].name == "Новый округ"
