"""The map of coverage: its areas, and a page that asks nobody for anything."""

import re
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
import shapely
from shapely.geometry import Polygon

from api.services.coverage_report import CoverageReport, report_areas
from api.words import Words
from data.model.coverage import Coverage, CoverageParams
from data.model.coverage_lines import lines_of
from data.model.region import Region
from maps.coverage import library_reach, measure_coverage
from maps.coverage_areas import district_areas, library_area, spread, stop_area
from maps.coverage_charts import Bar, bars_svg
from maps.coverage_ground import CoverageAreas, Ground
from maps.coverage_map import draw_coverage_map, shade_of
from maps.estimate import EstimatedRoads
from maps.local_metres import LocalMetres
from tests.maps.coverage_example import LAT, LON, STRAIGHT, VILLAGES, library, place, stop

HOSTILE = "</script><script>alert(1)</script>"
ROADS = EstimatedRoads((), STRAIGHT)


def region(**changed: object) -> Region:
    """The example as a region without boundaries."""
    made = Region(
        region_id="road", names={"en": "Road", "ru": "Дорога"}, time_zone="Europe/Kaliningrad",
        language="ru", crs="EPSG:32634", settlements=VILLAGES,
    )  # fmt: skip
    return replace(made, **changed)  # type: ignore[arg-type]


def coverage(*, minutes: float = 10.0, library_km: float | None = None) -> Coverage:
    found, where = library("central", 0.0)
    params = CoverageParams(minutes=minutes, metres=1000, library_km=library_km)
    reach = library_reach([found], [where], VILLAGES, ROADS)
    return measure_coverage(
        VILLAGES, reach, (), (stop("halfway", 30.5),), params, is_estimated=True
    )


def radius_m(ring: tuple[tuple[float, float], ...], lat: float) -> float:
    """Mean distance of a ring from a place on the example's meridian."""
    metres = LocalMetres(LON, lat)
    return float(np.hypot(*metres.to_metres(np.array(ring)).T).mean())


def test_a_stop_reaches_a_circle_of_its_metres() -> None:
    """1,000 m about the stop, as people walk in a straight line."""
    ((ring,),) = stop_area([stop("south", 0.0)], 1000.0)
    assert radius_m(ring, LAT) == pytest.approx(1000, rel=0.02)
    assert stop_area([], 1000.0) == ()


def test_a_library_reaches_what_can_be_driven_or_its_kilometres() -> None:
    """Ten minutes at 10 m/s are 6 km; a limit of three kilometres is the tighter one."""
    ((by_minutes,),) = library_area(coverage(), [(LON, LAT)], ROADS)
    assert radius_m(by_minutes, LAT) == pytest.approx(6000, rel=0.02)
    ((by_km,),) = library_area(coverage(library_km=3.0), [(LON, LAT)], ROADS)
    assert radius_m(by_km, LAT) == pytest.approx(3000, rel=0.02)
    ((far,),) = library_area(coverage(library_km=30.0), [(LON, LAT)], ROADS)
    assert radius_m(far, LAT) == pytest.approx(6000, rel=0.02), "the minutes hold, too"


def test_of_very_many_libraries_those_far_apart_are_drawn() -> None:
    """All ends of a region are there, not its west alone."""
    rng = np.random.default_rng(3)
    places = np.column_stack([rng.uniform(20, 40, 2000), rng.uniform(50, 60, 2000)])
    chosen = spread(places, 100)
    assert len(np.unique(chosen, axis=0)) == 100
    gaps = np.hypot(*(places[:, None] - chosen[None]).transpose(2, 0, 1)).min(axis=1)
    assert gaps.max() < 2.5, "degrees; a tenth of the region each way"
    assert spread(places[:5], 100).tolist() == places[:5].tolist()


def test_without_boundaries_the_ground_nearest_to_settlements_stands_in() -> None:
    """Every settlement lies in the ground of its own municipality, and it is called a makeshift."""
    sideways = place("side", 10.0, 5)
    homes = (*VILLAGES, replace(sideways, lon=LON + 0.2))
    areas, ground = district_areas(region(settlements=homes))
    assert ground is Ground.VORONOI
    shapes = {a.municipality_id: shapely.union_all([Polygon(r) for r in a.rings]) for a in areas}
    for home in homes:
        assert shapes[str(home.municipality_id)].covers(shapely.Point(home.lon, home.lat))
    lone = tuple(replace(home, municipality_id=None) for home in homes)
    assert district_areas(region(settlements=lone)) == ((), Ground.NONE)


@pytest.mark.parametrize("language", ["ru", "en"])
def test_the_page_asks_nobody_and_runs_no_name(language: str) -> None:
    """Its policy forbids every request, no address is in it, a hostile name stays a name."""
    homes = (replace(VILLAGES[0], name=HOSTILE), *VILLAGES[1:])
    shown = region(settlements=homes)
    found = replace(coverage(), settlements=homes)
    areas, ground = district_areas(region())
    page = draw_coverage_map(
        shown,
        found,
        lines_of(found, {}),
        CoverageAreas(
            districts=areas, ground=ground, stops=stop_area(found.stops_after.stops, 1e3)
        ),
        Words(language),
        subtitle=HOSTILE,
    )
    assert "default-src 'none'" in page
    assert HOSTILE not in page
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page)
    assert f'<html lang="{language}">' in page
    told = {"ru": "Это не границы", "en": "Areas are not boundaries"}[language]
    assert (told in page) == (ground is Ground.VORONOI)
    assert {"ru": "Оценка.", "en": "Estimate."}[language] in page


@pytest.mark.parametrize("is_walked", [False, True])
def test_on_real_roads_nothing_is_called_an_estimate(*, is_walked: bool) -> None:
    """The map says whether ways are estimated, and whether stops are reached on foot or straight;
    so does the file of areas."""
    found = replace(coverage(), is_estimated=not is_walked, is_walked=is_walked)
    areas = CoverageAreas(districts=(), ground=Ground.NONE)
    report = CoverageReport(
        region=region(), coverage=found, words=Words("ru"), on=date(2026, 11, 26),
        before_name="", after_name="", areas=areas,
    )  # fmt: skip
    page = report.page()
    assert ("Оценка." in page) is not is_walked
    assert ("(оценка)" in page) is not is_walked
    assert ("м пешком</span>" in page) is is_walked
    assert any("Оценка" in note for note in report.notes) is not is_walked
    told = {f["id"]: f["properties"] for f in report_areas(report)}
    assert told["stop"]["is_straight"] is not is_walked  # type: ignore[index]
    assert told["library"]["is_estimated"] is not is_walked  # type: ignore[index]


def test_shades_go_from_few_to_all() -> None:
    """Each share has its colour, and what nobody knows has one of its own."""
    colours = [shade_of(ratio) for ratio in (None, 0.0, 0.5, 0.75, 0.9, 0.95, 1.0)]
    assert len(set(colours)) == 7


def test_bars_name_before_and_after() -> None:
    """Both sides are in the legend, each class is named."""
    svg = bars_svg([Bar(name="Слав", before=10, after=60)], Words("ru"))
    assert svg.startswith("<svg")
    for word in ("Слав", "до", "после"):
        assert word in svg
