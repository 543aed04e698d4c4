"""What may be uploaded: names, contents, archives."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pyogrio
import pytest

from api.services.archives import check_archive, unpack
from api.services.import_runs import _DRIVERS
from api.services.upload_files import UploadKind, check_head, check_kind, looks_like, tidy_name
from data.model.errors import InputError

MB = 1_000_000


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("villages.csv", "villages.csv"),
        ("Насел. пункты (2021).XLSX", "Насел. пункты (2021).xlsx"),
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\Users\\x\\библ.csv", "библ.csv"),
        ("a/b\0.csv", "b.csv"),
        ("<script>.geojson", "_script_.geojson"),
        (".csv.zip", "csv.zip"),
        ("x" * 300 + ".csv", "x" * 96 + ".csv"),
    ],
)
def test_a_name_never_leads_out_of_its_folder(given: str, kept: str) -> None:
    """Folders, control signs and signs of markup are taken off; the ending stays."""
    assert tidy_name(given) == kept


@pytest.mark.parametrize("name", ["a.exe", "a", "..", "", "a.csv.sh", "con.js"])
def test_unknown_endings_are_refused(name: str) -> None:
    with pytest.raises(InputError) as caught:
        tidy_name(name)
    assert caught.value.code == "setup.file_kind"


@pytest.mark.parametrize(
    ("name", "head", "looks"),
    [
        ("a.csv", b"\x89PNG\r\n\x1a\n", "other"),
        ("a.csv", b"PK\x03\x04....", "zip"),
        ("a.xlsx", b"id;name\n1;2\n", "text"),
        ("a.zip", b"Rar!\x1a\x07\x00", "other"),
        ("a.gpkg", b"<OGRVRTDataSource>", "text"),
        ("a.geojson", b"<OGRVRTDataSource>", "text"),
        ("a.osm.pbf", b"<osm version='0.6'>", "text"),
        ("a.csv", b"\x00\x00\x00\x0d\x0a\x09OSMHeader\x18", "pbf"),
    ],
)
def test_content_that_its_name_does_not_say_is_refused(name: str, head: bytes, looks: str) -> None:
    """Above all a text in a vector file's clothes, which could send the reader elsewhere."""
    assert looks_like(head) == looks
    with pytest.raises(InputError) as caught:
        check_head(name, head)
    assert caught.value.code == f"setup.content.{looks}"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp1251", "cp866", "utf-16", "utf-16-le"]
)
def test_tables_in_any_encoding_pass(encoding: str) -> None:
    """Cyrillic text is text in each encoding that the readers know."""
    text = "Код НП;Название НП\n1;Рыбачий\n" * 40
    check_head("a.csv", text.encode(encoding)[:4096])


def test_a_use_must_fit_the_file() -> None:
    """An extract is no table, and a table no extract."""
    with pytest.raises(InputError):
        check_kind("a.osm.pbf", UploadKind.SETTLEMENTS)
    with pytest.raises(InputError):
        check_kind("a.csv", UploadKind.OSM)
    check_kind("a.xlsx", UploadKind.STOPS)
    check_kind("a.zip", UploadKind.SETTLEMENTS)


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def code_of(path: Path, into: Path, most_bytes: int = 100 * MB) -> str:
    with pytest.raises(InputError) as caught:
        unpack(path, into, most_bytes=most_bytes)
    assert not into.exists() or not any(into.iterdir())
    return caught.value.code


def test_a_zip_bomb_is_not_opened(tmp_path: Path) -> None:
    """Fifty megabytes of nothing in fifty kilobytes are refused by their ratio."""
    bomb = zipped(tmp_path / "b.zip", {"region.toml": b"\0" * (50 * MB)})
    assert bomb.stat().st_size < MB
    assert code_of(bomb, tmp_path / "out") == "setup.zip.bomb"


def test_a_zip_larger_than_allowed_is_refused(tmp_path: Path) -> None:
    large = zipped(tmp_path / "b.zip", {"a.shp": os.urandom(3 * MB)})
    assert code_of(large, tmp_path / "out", most_bytes=2 * MB) == "setup.zip.size"


def test_a_zip_that_lies_about_its_size_stops_at_the_limit(tmp_path: Path) -> None:
    """A size in the head that is too small does not let more bytes out."""
    path = zipped(tmp_path / "b.zip", {"a.shp": b"x" * (3 * MB)})
    raw = path.read_bytes().replace((3 * MB).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    path.write_bytes(raw)
    assert code_of(path, tmp_path / "out", most_bytes=2 * MB) in {
        "setup.zip.broken",
        "setup.zip.size",
    }


@pytest.mark.parametrize("name", ["../x.shp", "/etc/x.shp", "a/../../x.shp", "c:x.shp", "a\\x.shp"])
def test_names_that_lead_out_of_the_archive_are_refused(tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path / "b.zip", {"plain.shp": b"1"})
    with zipfile.ZipFile(path, "a") as archive:
        odd = zipfile.ZipInfo("x")
        odd.filename = name
        archive.writestr(odd, b"1")
    assert code_of(path, tmp_path / "out") == "setup.zip.path"
    assert not (tmp_path / "x.shp").exists()


def test_links_are_refused(tmp_path: Path) -> None:
    """A symbolic link in a zip would be followed to any file of the server."""
    path = tmp_path / "b.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("settlements.csv")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("region.toml", "")
    assert code_of(path, tmp_path / "out") == "setup.zip.path"


def test_other_odd_archives_are_refused(tmp_path: Path) -> None:
    """No archive, a damaged one, one of too many files, of nothing known, of two regions."""
    broken = tmp_path / "b.zip"
    broken.write_bytes(b"PK\x03\x04 no archive")
    assert code_of(broken, tmp_path / "o1") == "setup.zip.broken"
    many = zipped(tmp_path / "m.zip", {f"{n}.csv": b"" for n in range(2_001)})
    assert code_of(many, tmp_path / "o2") == "setup.zip.entries"
    empty = zipped(tmp_path / "e.zip", {"readme.txt": b"hello"})
    assert code_of(empty, tmp_path / "o3") == "setup.zip.nothing"
    two = zipped(tmp_path / "t.zip", {"a/region.toml": b"", "b/region.toml": b""})
    assert code_of(two, tmp_path / "o4") == "setup.zip.several"
    locked = zipped(tmp_path / "l.zip", {"region.toml": b"x"})
    raw = bytearray(locked.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    locked.write_bytes(raw)
    assert code_of(locked, tmp_path / "o5") == "setup.zip.locked"


def test_a_region_folder_comes_out_without_what_is_not_needed(tmp_path: Path) -> None:
    """Files beside region.toml come out; programs, deeper folders and Mac leftovers do not."""
    path = zipped(
        tmp_path / "r.zip",
        {
            "my/region.toml": b"1",
            "my/settlements.csv": b"2",
            "my/run.sh": b"3",
            "my/deeper/stops.csv": b"4",
            "__MACOSX/my/region.toml": b"5",
        },
    )
    found = unpack(path, tmp_path / "out", most_bytes=MB)
    assert found.region == tmp_path / "out"
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "region.toml",
        "settlements.csv",
    ]
    assert set(found.passed_over) == {
        "my/run.sh",
        "my/deeper/stops.csv",
        "__MACOSX/my/region.toml",
    }


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    """A workbook is a zip as well."""
    bomb = zipped(tmp_path / "b.xlsx", {"xl/sharedStrings.xml": b" " * (60 * MB)})
    with pytest.raises(InputError) as caught:
        check_archive(bomb, most_bytes=500 * MB)
    assert caught.value.code == "setup.zip.bomb"


def test_only_three_drivers_read_uploads(tmp_path: Path) -> None:
    """A data source that names another file, by a virtual layer or a pipeline, is not followed."""
    secret = tmp_path / "secret.csv"
    secret.write_text("id,name,lon,lat\n1,SECRET,20,54\n")
    (tmp_path / "v.geojson").write_text(
        '<OGRVRTDataSource><OGRVRTLayer name="secret">'
        f"<SrcDataSource>{secret}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
    )
    (tmp_path / "g.json").write_text(
        '{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read '
        f'{secret} ! write streamed"}}'
    )
    (tmp_path / "ok.geojson").write_text(
        '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"name":"A"},'
        '"geometry":{"type":"Point","coordinates":[20,54]}}]}'
    )
    off = ",".join(sorted(set(pyogrio.list_drivers()) - _DRIVERS))
    program = (
        "import os, sys; os.environ['GDAL_SKIP'] = sys.argv[1]\n"
        "from pathlib import Path\n"
        "import pyogrio\n"
        "from data.feeds.tables import read_table\n"
        "from data.model.errors import InputError\n"
        "print(sorted(pyogrio.list_drivers()))\n"
        "for name in ('v.geojson', 'g.json', 'ok.geojson'):\n"
        "    try:\n"
        "        print(name, [r.cells for r in read_table(Path(sys.argv[2], name)).rows])\n"
        "    except InputError as wrong:\n"
        "        print(name, wrong.code)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, off, str(tmp_path)],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert told.splitlines() == [
        "['ESRI Shapefile', 'GPKG', 'GeoJSON']",
        "v.geojson feeds.file.unreadable_shapes",
        "g.json feeds.file.unreadable_shapes",
        "ok.geojson [{'name': 'A'}]",
    ]
