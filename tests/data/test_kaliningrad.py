"""The shipped region of Kaliningrad oblast: its tables agree with each other and with the map.

Figures to compare with are the census's own totals and the counts that SOURCES.md states.
"""

import csv
import json
import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from pyproj import Geod, Transformer
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from shapely.geometry import shape

FOLDER = Path(__file__).resolve().parents[2] / "data" / "samples" / "kaliningrad"
TABLES = ("settlements", "municipalities", "libraries", "depots", "vehicles")
CENSUS_2021 = {"population": 1_029_966, "population_urban": 790_844, "population_rural": 239_122}


@cache
def table(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


@cache
def settlements() -> dict[str, dict[str, str]]:
    return {row["settlement_id"]: row for row in table("settlements")}


def features(name: str) -> list[dict[str, Any]]:
    found = json.loads((FOLDER / name).read_text(encoding="utf-8"))["features"]
    assert isinstance(found, list)
    return found


def in_metres(degrees: Any) -> Any:
    to_metres = Transformer.from_crs("EPSG:4326", "EPSG:32634", always_xy=True)
    return shapely.transform(
        degrees, lambda lonlat: np.column_stack(to_metres.transform(lonlat[:, 0], lonlat[:, 1]))
    )


@cache
def land() -> Any:
    """The outline in metres, its parts one multipolygon."""
    return in_metres(shapely.union_all([shape(f["geometry"]) for f in features("land.geojson")]))


def named(name: str) -> str:
    """Id of the one settlement of that name."""
    (settlement_id,) = (i for i, row in settlements().items() if row["name"] == name)
    return settlement_id


def place(settlement_id: str) -> Any:
    row = settlements()[settlement_id]
    return in_metres(shapely.Point(float(row["lon"]), float(row["lat"])))


@dataclass(frozen=True)
class Way:
    crow_m: float
    land_m: float
    """Shortest way that never leaves the land; infinite where there is none."""


def way(origin_name: str, target_name: str) -> Way:
    """A visibility graph over the outline's corners, searched by Dijkstra."""
    ends = [place(named(origin_name)), place(named(target_name))]
    corners = [shapely.Point(xy) for xy in np.unique(shapely.get_coordinates(land()), axis=0)]
    nodes = [*ends, *corners]
    # Rounding lets a line along the shore stray outside by less than this.
    ground = land().buffer(0.5)
    shapely.prepare(ground)
    a, b = np.triu_indices(len(nodes), 1)
    at = shapely.get_coordinates(nodes)
    sees = shapely.covers(ground, shapely.linestrings(np.stack([at[a], at[b]], axis=1)))
    a, b = a[sees], b[sees]
    lengths = np.linalg.norm(at[a] - at[b], axis=1)
    graph = csr_matrix((lengths, (a, b)), shape=(len(nodes), len(nodes)))
    reached = dijkstra(graph, directed=False, indices=0)
    return Way(crow_m=ends[0].distance(ends[1]), land_m=float(reached[1]))


def test_counts() -> None:
    """1,082 settlements in 22 municipalities, 26 known libraries, two vehicles at two depots."""
    counts = {name: len(table(name)) for name in TABLES}
    assert counts == {
        "settlements": 1082,
        "municipalities": 22,
        "libraries": 26,
        "depots": 2,
        "vehicles": 2,
    }


def test_ids_are_unique_and_references_lead_somewhere() -> None:
    """Every row has an id of its own; every id that a row names exists."""
    ids = {
        name: [row[next(iter(row))] for row in table(name)]  # the id is the first column
        for name in TABLES
    }
    for name, found in ids.items():
        assert len(set(found)) == len(found), name
    for row in table("settlements"):
        assert row["municipality_id"] in ids["municipalities"]
    for row in table("libraries") + table("depots"):
        assert row["settlement_id"] in ids["settlements"]
    for row in table("vehicles"):
        assert row["depot_id"] in ids["depots"]


def test_every_row_names_its_source() -> None:
    """No settlement, municipality or library stands there without saying where it is from."""
    for name in ("settlements", "municipalities", "libraries"):
        assert all(row["source"] for row in table(name)), name


def test_every_library_says_how_old_the_news_of_it_is() -> None:
    """A year, or that none is stated: old news is no news of today."""
    for row in table("libraries"):
        assert re.search(r"\b20\d\d\b|year not stated", row["source"]), row["name"]


def test_municipalities_add_up_to_the_census() -> None:
    """Totals of the oblast as the census prints them; urban and rural make the whole."""
    for column, total in CENSUS_2021.items():
        assert sum(int(row[column]) for row in table("municipalities")) == total
    for row in table("municipalities"):
        parts = int(row["population_urban"]) + int(row["population_rural"])
        assert parts == int(row["population"])


def test_a_dated_population_is_the_census_and_says_so() -> None:
    """2021 where the census prints the place, else no year; unknown is empty, never zero."""
    dated = [row for row in table("settlements") if row["population_year"]]
    assert len(dated) == 29
    for row in dated:
        assert row["population_year"] == "2021"
        assert "census 2021" in row["source"]
    for row in table("settlements"):
        assert ("census 2021" in row["source"]) == bool(row["population_year"])
    unknown = [row["name"] for row in table("settlements") if not row["population"]]
    assert unknown == ["Некрасово"]
    empty = [row for row in table("settlements") if row["population"] == "0"]
    assert all("zero_population" in row["flags"].split(";") for row in empty)
    assert len(empty) == 10


def test_populations_sum_as_stated() -> None:
    """1,023,647 people; no municipality is further than a quarter from its census total."""
    assert sum(int(row["population"] or 0) for row in table("settlements")) == 1_023_647
    by_municipality: Counter[str] = Counter()
    for row in table("settlements"):
        by_municipality[row["municipality_id"]] += int(row["population"] or 0)
    for row in table("municipalities"):
        ratio = by_municipality[row["municipality_id"]] / int(row["population"])
        assert 0.75 < ratio < 1.25, row["name"]


def test_every_flag_is_explained() -> None:
    """SOURCES.md tells what each flag means and how many rows bear it."""
    flags = Counter(
        flag for row in table("settlements") for flag in row["flags"].split(";") if flag
    )
    text = (FOLDER / "SOURCES.md").read_text(encoding="utf-8")
    for flag, count in flags.items():
        assert f"| `{flag}` | {count} |" in text


def test_positions_have_five_digits() -> None:
    """Degrees are rounded once, on entry."""
    for row in table("settlements"):
        for degrees in (row["lon"], row["lat"]):
            assert len(degrees.split(".")[1]) == 5


def test_duplicate_names_are_told_apart_by_id() -> None:
    """Names repeat within a municipality; such rows are flagged."""
    names = Counter((row["municipality_id"], row["name"]) for row in table("settlements"))
    for row in table("settlements"):
        twin = names[row["municipality_id"], row["name"]] > 1
        assert twin == ("duplicate_name_in_district" in row["flags"].split(";"))


def test_the_outline_is_small_and_of_the_right_size() -> None:
    """At most 200 points; within 2 % of the 13,465 sq km of the municipal boundaries' land."""
    assert sum(len(ring) for f in features("land.geojson") for ring in rings(f)) <= 200
    geod = Geod(ellps="WGS84")
    area_m2 = sum(
        abs(geod.geometry_area_perimeter(shape(f["geometry"]))[0]) for f in features("land.geojson")
    )
    assert area_m2 / 1e6 == pytest.approx(13_465, rel=0.02)


def rings(feature: dict[str, Any]) -> list[list[list[float]]]:
    outline = shape(feature["geometry"])
    assert outline.is_valid
    return [list(map(list, part.exterior.coords)) for part in shapely.get_parts(outline)]


def test_every_settlement_stands_on_land() -> None:
    """With 100 m to spare, so that rounding never drowns one."""
    lonlat = [(float(row["lon"]), float(row["lat"])) for row in table("settlements")]
    points = in_metres(shapely.points(lonlat))
    assert shapely.contains(land(), points).all()
    assert shapely.distance(land().boundary, points).min() > 100


def test_the_curonian_spit_is_reached_along_the_spit() -> None:
    """From Zelenogradsk the straight line cuts the sea; the way on land is a little longer."""
    found = way("Зеленоградск", "Рыбачий")
    ends = [place(named("Зеленоградск")), place(named("Рыбачий"))]
    assert not land().covers(shapely.LineString(ends))
    assert found.crow_m < found.land_m < 1.1 * found.crow_m


def test_no_way_crosses_the_curonian_lagoon() -> None:
    """Polessk to Rybachy goes round by Zelenogradsk: some 71 km instead of 37."""
    around = way("Полесск", "Рыбачий")
    by_zelenogradsk = way("Полесск", "Зеленоградск").land_m + way("Зеленоградск", "Рыбачий").land_m
    assert around.land_m > 1.9 * around.crow_m
    assert around.land_m == pytest.approx(by_zelenogradsk, rel=0.05)


def test_no_way_crosses_the_vistula_lagoon() -> None:
    """Baltiysk to Mamonovo goes round by Kaliningrad."""
    around = way("Балтийск", "Мамоново")
    assert around.land_m > 2 * around.crow_m


def test_the_vistula_spit_is_a_part_of_its_own() -> None:
    """Only the ferry from Baltiysk reaches it; no listed settlement stands there."""
    mainland, spit = sorted(shapely.get_parts(land()), key=lambda part: -part.area)
    assert not mainland.intersects(spit)
    assert mainland.distance(spit) < 1000
    assert not any(spit.intersects(place(settlement)) for settlement in settlements())


def test_district_areas_hold_their_settlements_and_fill_the_land() -> None:
    """One feature for each municipality, on the land, without overlap; files stay small."""
    found = {f["properties"]["municipality_id"]: f for f in features("districts.geojson")}
    assert set(found) == {row["municipality_id"] for row in table("municipalities")}
    assert (FOLDER / "districts.geojson").stat().st_size < 300_000
    areas = {m: in_metres(shape(f["geometry"])) for m, f in found.items()}
    for settlement_id, row in settlements().items():
        assert areas[row["municipality_id"]].covers(place(settlement_id)), row["name"]
    together = shapely.union_all(list(areas.values()))
    assert sum(area.area for area in areas.values()) == pytest.approx(together.area)
    assert together.symmetric_difference(land()).area < 1e-3 * land().area
    # Readers keep outer rings only: an area with a hole would cover its neighbour.
    assert not any(part.interiors for area in areas.values() for part in shapely.get_parts(area))


def test_map_files_name_their_makers() -> None:
    """OpenStreetMap asks for its name and licence wherever its data go."""
    for name in ("land.geojson", "districts.geojson"):
        head = json.loads((FOLDER / name).read_text(encoding="utf-8"))
        assert "OpenStreetMap contributors" in head["attribution"]
        assert head["licence"] == "ODbL 1.0"


def test_known_libraries_are_all_marked_known() -> None:
    """Assumed ones are never written into the table."""
    assert {row["standing"] for row in table("libraries")} == {"known"}


def holidays(year: int) -> set[date]:
    """Article 112 of the Labour Code: fixed days, and the days off that they push forward."""
    january = {date(year, 1, day) for day in range(1, 9)}
    others = {date(year, m, d) for m, d in ((2, 23), (3, 8), (5, 1), (5, 9), (6, 12), (11, 4))}
    pushed = set()
    for holiday in (day for day in others if day.weekday() >= 5):
        free = holiday + timedelta(days=1)
        while free.weekday() >= 5 or free in others:
            free += timedelta(days=1)
        pushed.add(free)
    return january | others | pushed


def closed_dates() -> set[date]:
    with (FOLDER / "region.toml").open("rb") as file:
        spans = tomllib.load(file)["calendar"]["closed"]
    return {
        span["date"] + timedelta(days=offset)
        for span in spans
        for offset in range((span.get("to", span["date"]) - span["date"]).days + 1)
    }


def test_the_calendar_has_the_holidays_of_the_labour_code() -> None:
    """Both years by article 112, and 2026 with the two moves of decree No. 1466."""
    decree = {date(2026, 1, 9), date(2026, 12, 31)}
    assert closed_dates() == holidays(2026) | decree | holidays(2027)


def test_the_first_cycle_is_free_of_holidays() -> None:
    """Four weeks from a Monday, within the validity of the crew rules."""
    with (FOLDER / "region.toml").open("rb") as file:
        first = tomllib.load(file)["region"]["start_date"]
    assert first.weekday() == 0
    cycle = {first + timedelta(days=day) for day in range(28)}
    assert not cycle & closed_dates()
    assert max(cycle) < date(2027, 1, 1)


def test_the_seam_of_spit_and_mainland_holds() -> None:
    """The outline's first part is one ring without a point twice."""
    for feature in features("land.geojson"):
        for ring in rings(feature):
            assert all(a != b for a, b in pairwise(ring))
            assert len({tuple(point) for point in ring}) == len(ring) - 1
