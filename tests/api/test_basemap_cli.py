"""The command ``bookmobile basemap``: what it writes, says and refuses."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from maps.basemap import read_facts
from tests.api.runner import Terminal
from tests.osm_region import RegionFacts, make_region


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("osm") / "region.osm.pbf"
    facts: RegionFacts = make_region(path, num_settlements=12)
    return facts.path


def test_an_extract_becomes_a_file(bookmobile: Terminal, extract: Path, tmp_path: Path) -> None:
    """The file is written where asked; the words name it, its size and zooms, in Russian."""
    out = tmp_path / "maps" / "мой край.pmtiles"
    outcome = bookmobile("basemap", extract, "--out", out, "--lang", "ru")
    assert outcome.code == 0
    assert "Чтение выгрузки" in outcome.said
    assert f"Карта-подложка записана: {out} (0," in outcome.said
    assert "масштабы 0–14" in outcome.said
    assert read_facts(out).max_zoom == 14


def test_a_region_becomes_a_file(bookmobile: Terminal, tmp_path: Path) -> None:
    """A bundled region needs no extract; a program gets figures."""
    out = tmp_path / "k.pmtiles"
    outcome = bookmobile("basemap", "kaliningrad", "--out", out, "--json")
    assert outcome.code == 0
    told = json.loads(outcome.said)
    assert told["file"] == str(out)
    assert told["zooms"] == [0, 10]
    assert told["features"] == 1082
    assert set(told["layers"]) == {"earth", "water", "boundaries", "places"}


def test_a_region_without_a_file_name_is_kept_for_the_desk(bookmobile: Terminal) -> None:
    """The map goes to the cache, and a second call finds it there."""
    first = bookmobile("basemap", "kaliningrad")
    second = bookmobile("basemap", "kaliningrad")
    assert first == second
    assert "region-" in first.said


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is empty (0 bytes)"), (b"<html>" * 30, "this is not an OpenStreetMap extract")],
)
def test_a_wrong_file_is_refused(
    bookmobile: Terminal, tmp_path: Path, content: bytes, words: str
) -> None:
    """The error names the file and what to do; nothing is written."""
    wrong = tmp_path / "wrong.osm.pbf"
    wrong.write_bytes(content)
    outcome = bookmobile("basemap", wrong, "--out", tmp_path / "x.pmtiles")
    assert outcome.code == 2
    assert "wrong.osm.pbf" in outcome.said
    assert words in outcome.said
    assert not (tmp_path / "x.pmtiles").exists()


def test_the_extract_is_never_overwritten(bookmobile: Terminal, extract: Path) -> None:
    """Writing onto the extract itself is refused before anything is read."""
    before = extract.read_bytes()
    outcome = bookmobile("basemap", extract, "--out", extract)
    assert outcome.code == 2
    assert "the extract itself" in outcome.said
    assert extract.read_bytes() == before


def test_a_folder_in_the_place_of_the_file_is_refused(
    bookmobile: Terminal, extract: Path, tmp_path: Path
) -> None:
    """A folder is named as such."""
    outcome = bookmobile("basemap", extract, "--out", tmp_path)
    assert outcome.code == 2
    assert "is a folder" in outcome.said


def test_neither_file_nor_region_is_told(bookmobile: Terminal) -> None:
    """A wrong name is answered with the regions that there are."""
    outcome = bookmobile("basemap", "kalinengrad")
    assert outcome.code == 2
    assert "kaliningrad" in outcome.said


@pytest.mark.skipif(os.name == "nt", reason="signals of a terminal")
def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    """Ctrl-C while the map is made ends with its own code; no file, no tiler is left."""
    large = make_region(tmp_path / "large.osm.pbf", num_settlements=400)
    folder = tmp_path / "maps"
    folder.mkdir()
    command = [sys.executable, "-P", "-c", "from api.cli import main; main()"]
    child = subprocess.Popen(
        [*command, "basemap", str(large.path), "--out", str(folder / "x.pmtiles"), "--lang", "en"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    end = time.monotonic() + 60
    while not list(folder.iterdir()) and time.monotonic() < end:
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    said, _ = child.communicate(timeout=60)
    assert child.returncode == 130, said
    assert "Nothing was written" in said
    assert list(folder.iterdir()) == []
