"""An extract gives settlements, libraries and boundaries, and a region of its own."""

from dataclasses import replace
from pathlib import Path

import osmium
import pytest
from osmium.osm import mutable

from data.feeds.init_region import (
    check_covers,
    region_from_files,
    region_from_osm,
    region_id_of,
)
from data.feeds.osm import OsmRegion, read_osm, read_population
from data.feeds.region_folder import read_region, write_region
from data.feeds.transliteration import latin_name
from data.model.errors import InputError
from data.model.place import MunicipalityId, Settlement, SettlementId

RURAL = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "osm-rural"
PLACES = [
    (1, 21.00, 54.50, {"place": "town", "name": "Правдинск", "population": "4 323",
                       "population:date": "2021-10-01"}),
    (2, 21.10, 54.55, {"place": "village", "name": "Каменка", "population": "~300"}),
    (3, 21.40, 54.60, {"place": "village", "name": "Каменка", "name:en": "Kamenka East"}),
    (4, 21.12, 54.45, {"place": "hamlet", "name": "Луговое", "population": "мало"}),
    (5, 21.15, 54.52, {"place": "hamlet"}),
    (6, 21.01, 54.51, {"amenity": "library", "name": "Районная библиотека",
                       "opening_hours": "Tu-Sa 10:00-18:00", "addr:street": "Столярная",
                       "addr:housenumber": "4"}),
    (7, 21.02, 54.51, {"amenity": "library", "access": "private"}),
    (8, 21.02, 54.52, {"place": "suburb", "name": "Окраина"}),
]  # fmt: skip
SQUARES = [
    (100, 21.095, 54.545, 0.01, {"place": "village", "name": "Каменка", "population": "310"}),
    (101, 21.30, 54.40, 0.01, {"place": "hamlet", "name": "Дворики"}),
    (102, 21.398, 54.598, 0.002, {"amenity": "library", "building": "yes", "name": "Сельская"}),
    (103, 20.95, 54.40, 0.24, {"boundary": "administrative", "admin_level": "8", "name": "Запад"}),
    (104, 21.19, 54.40, 0.35, {"boundary": "administrative", "admin_level": "8", "name": "Восток"}),
    (105, 20.90, 54.30, 0.90, {"boundary": "administrative", "admin_level": "6", "name": "Район"}),
]


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up district near Pravdinsk."""
    path = tmp_path_factory.mktemp("osm") / "Правда район.osm.pbf"
    nodes = [mutable.Node(id=i, location=(lon, lat), tags=tags) for i, lon, lat, tags in PLACES]
    ways = []
    for number, (osm_id, lon, lat, side, tags) in enumerate(SQUARES):
        ids = [1000 + 10 * number + corner for corner in range(4)]
        corners = [(lon, lat), (lon + side, lat), (lon + side, lat + side), (lon, lat + side)]
        nodes += [mutable.Node(id=i, location=place) for i, place in zip(ids, corners, strict=True)]
        ways.append(mutable.Way(id=osm_id, nodes=[*ids, ids[0]], tags=tags))
    with osmium.SimpleWriter(str(path)) as writer:
        for node in nodes:
            writer.add_node(node)
        for way in ways:
            writer.add_way(way)
    return path


@pytest.fixture(scope="module")
def found(extract: Path) -> OsmRegion:
    return read_osm(extract)


def test_settlements(found: OsmRegion) -> None:
    """Places load with what their tags say; what they do not say is missing."""
    by_id = {str(s.settlement_id): s for s in found.settlements}
    assert set(by_id) == {"osm-n1", "osm-n2", "osm-n3", "osm-n4", "osm-w101"}
    assert found.num_unnamed == 1
    town = by_id["osm-n1"]
    assert (town.name, town.population, town.population_year) == ("Правдинск", 4323, 2021)
    assert town.name_latin == "Pravdinsk"
    assert by_id["osm-n3"].population is None
    assert by_id["osm-n3"].name_latin == "Kamenka East"
    assert by_id["osm-n4"].population is None
    assert by_id["osm-n4"].flags == ("population_unreadable",)
    assert (by_id["osm-w101"].lon, by_id["osm-w101"].lat) == pytest.approx((21.305, 54.405))


def test_a_node_and_its_polygon_are_one_place(found: OsmRegion) -> None:
    """Of two places of one name only the one inside the polygon is joined with it."""
    twins = [s for s in found.settlements if s.name == "Каменка"]
    assert [(str(s.settlement_id), s.population) for s in twins] == [
        ("osm-n2", 300),
        ("osm-n3", None),
    ]


def test_libraries_and_boundaries(found: OsmRegion) -> None:
    """Libraries are nodes or buildings; private ones are none of the public's."""
    assert [(str(b.library_id), b.name) for b in found.libraries] == [
        ("osm-n6", "Районная библиотека"),
        ("osm-w102", "Сельская"),
    ]
    assert found.libraries[0].address == "Столярная 4"
    assert found.libraries[0].opening_hours == "Tu-Sa 10:00-18:00"
    assert [(b.name, b.admin_level) for b in found.boundaries] == [
        ("Район", 6),
        ("Запад", 8),
        ("Восток", 8),
    ]
    assert len(found.boundaries[0].rings[0]) == 4


def test_progress_rises_to_one(extract: Path) -> None:
    """Long reading tells how far it is."""
    shares: list[float] = []
    read_osm(extract, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_region_of_an_extract_alone(found: OsmRegion, tmp_path: Path) -> None:
    """An extract makes a whole region: depot, vehicles, rules, districts; it reads back equal."""
    region = region_from_osm(found, region_id="pravdinsk", roads_file="roads.osm.pbf")
    assert region.names == {"ru": "Район"}
    assert (region.time_zone, region.language, region.crs) == (
        "Europe/Kaliningrad",
        "ru",
        "EPSG:32634",
    )
    assert [d.name for d in region.depots] == ["Районная библиотека"]
    assert len(region.vehicles) == 2
    assert region.default_rule_set_ids == ("ru-424", "ru-pdd26")
    assert not region.library_register_is_complete
    assert {m.name for m in region.municipalities} == {"Запад", "Восток"}
    assert {str(s.municipality_id) for s in region.settlements} == {"osm-w103", "osm-w104"}
    write_region(region, tmp_path)
    assert read_region(tmp_path) == region


def test_extract_of_another_place(found: OsmRegion) -> None:
    """Settlements outside the extract are told before a plan is made of nothing."""
    check_covers(found, found.settlements)
    away = [replace(s, lon=s.lon + 20) for s in found.settlements]
    with pytest.raises(InputError) as caught:
        check_covers(found, away)
    assert caught.value.code == "feeds.init.elsewhere"
    assert (caught.value.facts["inside"], caught.value.facts["total"]) == (0, 5)


def test_broken_extracts(extract: Path, tmp_path: Path) -> None:
    """A file cut in half, a file of something else and no file at all are told apart."""
    cut = tmp_path / "cut.osm.pbf"
    cut.write_bytes(extract.read_bytes()[: extract.stat().st_size // 2])
    with pytest.raises(InputError) as caught:
        read_osm(cut)
    assert caught.value.code == "feeds.osm.broken"
    assert caught.value.facts["file"] == "cut.osm.pbf"
    other = tmp_path / "page.osm.pbf"
    other.write_text("<html>Not found</html>")
    with pytest.raises(InputError) as caught:
        read_osm(other)
    assert caught.value.code == "feeds.osm.not_osm"
    with pytest.raises(InputError) as caught:
        read_osm(tmp_path / "none.osm.pbf")
    assert caught.value.code == "feeds.file.missing"


def test_an_extract_without_places(tmp_path: Path) -> None:
    """A region cannot be made of an extract that names no settlement."""
    path = tmp_path / "empty.osm.pbf"
    with osmium.SimpleWriter(str(path)) as writer:
        writer.add_node(mutable.Node(id=1, location=(21.0, 54.0)))
    with pytest.raises(InputError) as caught:
        region_from_osm(read_osm(path), region_id="x")
    assert caught.value.code == "feeds.init.no_settlements"


@pytest.mark.parametrize(
    ("text", "figure"),
    [("1234", 1234), ("1 234", 1234), ("~300", 300), ("около 50", 50), ("1.234", 1234),
     ("300 (2010)", 300), ("", None), ("many", None), ("-3", None)],
)  # fmt: skip
def test_population_tags(text: str, figure: int | None) -> None:
    """Population tags are read as people write them."""
    assert read_population(text)[0] == figure


def test_latin_names() -> None:
    """Russian names are written so that they can be said; Latin ones are left alone."""
    assert latin_name("Елизаветино-Заречье") == "Yelizavetino-Zarechye"
    assert latin_name("Щёлково") == "Shchyolkovo"
    assert latin_name("СССР") == "SSSR"
    assert latin_name("Oakham") == ""


def test_region_ids() -> None:
    """A region is called after its file."""
    assert region_id_of(Path("Rutland 2018.osm.pbf")) == "rutland-2018"
    assert region_id_of(Path("Правда.osm.pbf")).startswith("region-")


@pytest.mark.skipif(not RURAL.exists(), reason="shared data not at hand")
@pytest.mark.parametrize(
    ("name", "kinds", "num_libraries", "num_people", "language"),
    [
        ("rutland-2018", {"town": 2, "village": 53, "hamlet": 9}, 3, 0, "en"),
        ("liechtenstein-2021", {"town": 4, "village": 21, "hamlet": 9}, 3, 13, "de"),
        ("liechtenstein-2015", {"village": 15, "hamlet": 4}, 1, 12, "de"),
    ],
)
def test_real_extracts(
    name: str,
    kinds: dict[str, int],
    num_libraries: int,
    num_people: int,
    language: str,
    tmp_path: Path,
) -> None:
    """Real extracts give the counts that their source note states."""
    osm = read_osm(RURAL / f"{name}.osm.pbf")
    for kind, count in kinds.items():
        assert sum(s.kind == kind for s in osm.settlements) == count
    assert len(osm.libraries) == num_libraries
    assert sum(s.population is not None for s in osm.settlements) == num_people
    region = region_from_osm(osm, region_id=name)
    assert region.language == language
    write_region(region, tmp_path)
    assert read_region(tmp_path) == region


def test_region_of_files_alone() -> None:
    """Settlements alone make a region; what they name gets a row, the largest gets the depot."""
    settlements = [
        Settlement(
            settlement_id=SettlementId(str(number)),
            name=name,
            lon=lon,
            lat=56.8,
            municipality_id=MunicipalityId("Торжокский район"),
            population=people,
        )
        for number, (name, lon, people) in enumerate(
            [("Торжок", 34.96, 46_000), ("Будово", 34.8, None), ("Мирный", 34.9, 900)]
        )
    ]
    region = region_from_files(region_id="torzhok", settlements=settlements)
    assert (region.language, region.time_zone, region.crs) == (
        "ru",
        "Europe/Moscow",
        "EPSG:32636",
    )
    assert [m.name for m in region.municipalities] == ["Торжокский район"]
    assert [(d.name, d.settlement_id) for d in region.depots] == [("Торжок", "0")]
    assert {v.depot_id for v in region.vehicles} == {"depot-1"}
    told = region_from_files(
        region_id="x", settlements=settlements, language="en", time_zone="Asia/Omsk"
    )
    assert (told.language, told.time_zone) == ("en", "Asia/Omsk")
