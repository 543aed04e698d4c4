"""Every refusal of the feeds can be said in both languages, with nothing left out."""

import re
from pathlib import Path

import pytest

import data
from api.words import LANGUAGES, Words
from data.feeds.init_region import region_from_files
from data.feeds.osm import read_osm
from data.feeds.region_folder import read_region
from data.feeds.settlements import import_settlements
from data.feeds.stops import import_stops
from data.model.errors import InputError
from tests.data.test_region_folder import KALININGRAD, SLIPS

FEEDS = Path(str(data.__file__)).parent / "feeds"
CODE = re.compile(r'"((?:feeds|region)\.[a-z_]+(?:\.[a-z_]+)?)"')


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_words(language: str) -> None:
    """A code that the feeds emit is in the catalogue."""
    words = Words(language)
    codes = {code for path in FEEDS.glob("*.py") for code in CODE.findall(path.read_text("utf-8"))}
    assert len(codes) > 70
    assert [code for code in sorted(codes - {"region.toml"}) if words(code) == code] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("slip", SLIPS)
def test_messages_are_whole(tmp_path: Path, language: str, slip: str) -> None:
    """A message about a region names all its facts: no placeholder stays empty."""
    for path in KALININGRAD.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    SLIPS[slip][0](tmp_path)
    with pytest.raises(InputError) as caught:
        read_region(tmp_path)
    message = Words(language).error(caught.value)
    assert "{" not in message
    assert message.endswith(".")


@pytest.mark.parametrize("language", LANGUAGES)
def test_reports_are_whole(tmp_path: Path, language: str) -> None:
    """Each line of an import report reads as a sentence with its facts filled in."""
    places = tmp_path / "places.csv"
    places.write_text(
        "id,name,lat,lon,population,children\n1,A,54.7,20.5,1 234,5000\n1,B,54.6,20.6,,\n"
        "2,C,54.6,20.6,-4,\n3,D,99,20.6,x1,\n4,,54.6,20.6,1.5,\n5,E,54.6,,3,\n6,F,,,3,\n"
        "7,G,50.0,10.0,3,\n8,H,54.7,20.5,1,2,3,4\n",
        encoding="utf-8",
    )
    land = [[(19.5, 54.3), (22.9, 54.3), (22.9, 55.3), (19.5, 55.3)]]
    stops = tmp_path / "stops.csv"
    stops.write_text(
        "stop,lon,lat,kind,windows,min_gap_days,max_gap_days,power,permission_until\n"
        "A,20,54,odd,12-9,,,,\nB,20,54,,12:00-09:00,9,3,maybe,soon\nC,20,54,,,,,,\n",
        encoding="utf-8",
    )
    _, first = import_settlements(places, land=[tuple(ring) for ring in land])
    _, second = import_stops(stops)
    problems = [*first.problems, *second.problems]
    assert len({p.code for p in problems}) >= 14
    words = Words(language)
    for problem in problems:
        message = words(problem.code, **problem.facts)
        assert "{" not in message, message
        assert str(problem.row) in message


@pytest.mark.parametrize("language", LANGUAGES)
def test_errors_are_whole(tmp_path: Path, language: str) -> None:
    """So does each error that stops an import."""
    words = Words(language)
    (tmp_path / "p.osm.pbf").write_bytes(b"x" * 100)
    (tmp_path / "s.csv").write_text("a,b\n1,2\n")
    for attempt in (
        lambda: read_osm(tmp_path / "p.osm.pbf"),
        lambda: read_osm(tmp_path / "none.pbf"),
        lambda: import_settlements(tmp_path / "s.csv"),
        lambda: import_settlements(tmp_path / "s.csv", mapping={"c": "name"}),
        lambda: import_settlements(tmp_path / "s.csv", mapping={"a": "nmae"}),
        lambda: import_settlements(tmp_path / "s.csv", encoding="utf-99"),
        lambda: import_settlements(tmp_path / "s.txt"),
        lambda: import_settlements(tmp_path / "s.doc"),
        lambda: read_region(tmp_path / "nowhere"),
        lambda: read_region(tmp_path),
        lambda: region_from_files(region_id="x", settlements=[]),
    ):
        with pytest.raises(InputError) as caught:
            attempt()
        assert "{" not in words.error(caught.value)
