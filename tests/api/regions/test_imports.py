"""A region made and grown from uploaded files: what is taken, what is refused, what is kept."""

import io
import os
import signal
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from openpyxl import Workbook

from data.db import audit_store, region_store
from data.db.engine import reading, writing
from data.feeds.region_folder import read_region
from data.model.accounts import Role
from tests import plan_example
from tests.api.regions.house import Importer, add_bundled, parts_of, region_ids, region_of
from tests.e2e.service import Running
from tests.osm_region import make_region

KALININGRAD = Path("data/samples/kaliningrad")
AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
PLACES = (
    "Код НП;Название НП;Широта;Долгота;Население\n"
    "a;Рыбачий;55,15528;20,85028;1112\n"
    "b;<script>alert(1)</script>;55,10;20,80;12\n"
    "c;=cmd|' /C calc'!A0;55,05;20,75;7\n"
    "d;Далеко;99,5;20,7;5\n"
    "e;Немного;55,0;20,7;12 тыс.\n"
)


def folder_zip(folder: Path, **changed: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path in folder.iterdir():
            if path.name not in changed:
                archive.write(path, f"my/{path.name}")
        for name, text in changed.items():
            archive.writestr(f"my/{name}", text)
    return out.getvalue()


def test_tables_become_a_region_with_every_refused_row_named(
    running: Running, dispatcher: httpx.Client
) -> None:
    """Kinds are told from columns, cp1251 is read, two bad rows are named, the rest is stored."""
    new = Importer(dispatcher, name="Проба <b>")
    new.give("нас пункты.csv", PLACES.encode("cp1251"))
    new.give("libs.csv", "Библ.;Код НП\nФилиал 1;a\nФилиал 2;zzz\n")
    view = new.read()
    places, libs = view["files"]
    assert (places["kind"], places["num_rows"], places["num_loaded"]) == ("settlements", 5, 3)
    assert places["encoding"] == "cp1251"
    found = {
        (p["facts"]["row"], p["facts"]["column"], p["facts"]["value"]) for p in places["problems"]
    }
    assert found == {(5, "Широта", "99,5"), (6, "Население", "12 тыс.")}
    assert all(p["message"].endswith(".") and "{" not in p["message"] for p in places["problems"])
    assert (libs["kind"], libs["num_loaded"], libs["num_rejected"]) == ("libraries", 1, 1)
    unused = [c["theirs"] for c in libs["columns"] if not c["ours"]]
    assert unused == ["Библ."]
    assert view["is_ready"]
    assert {m["code"] for m in view["assumed"]} >= {"setup.assumed.depot", "setup.assumed.vehicles"}
    assert "proba-b" not in region_ids(running)

    answer = new.confirm()
    assert answer.status_code == 201, answer.text
    region = region_of(running, answer.json()["region_id"])
    assert region.region_id == "proba-b"
    assert region.names == {"ru": "Проба <b>"}
    names = {s.settlement_id: s.name for s in region.settlements}
    assert names == {"a": "Рыбачий", "b": "<script>alert(1)</script>", "c": "=cmd|' /C calc'!A0"}
    with reading(running.engine) as session:
        [entry] = audit_store.entries(session, limit=5, action="region.add", region_id="proba-b")
    assert entry.account_id == running.accounts[Role.DISPATCHER].account_id
    assert new.confirm().json()["code"] == "setup.not_read"
    assert new.send("more.csv", b"a,b\n").json()["code"] == "setup.confirmed_already"


def test_a_column_told_by_hand_is_read_so(dispatcher: httpx.Client) -> None:
    """After a mapping the old report no longer counts, and the new one uses the column."""
    new = Importer(dispatcher, name="Mapped")
    new.give("places.csv", "id,Ort,lat,lon\n1,Triesen,47.1,9.52\n")
    view = new.read()
    assert [e["code"] for e in view["files"][0]["errors"]] == ["feeds.columns.missing"]
    assert not view["is_ready"]
    answer = dispatcher.patch(
        f"{new.path}/uploads/{view['files'][0]['file_id']}",
        json={"kind": "settlements", "mapping": {"Ort": "name"}},
    )
    assert answer.json()["is_outdated"]
    assert new.confirm().status_code == 409
    assert new.read()["is_ready"]


@pytest.mark.parametrize("kind", ["xlsx", "geojson", "gpkg", "shp"])
def test_each_kind_of_table_is_read(dispatcher: httpx.Client, tmp_path: Path, kind: str) -> None:
    """Workbook, GeoJSON, GeoPackage and a zipped Shapefile give the same settlement."""
    import geopandas
    from shapely.geometry import Point

    if kind == "xlsx":
        book = Workbook()
        sheet = book.active
        assert sheet is not None
        for row in (["id", "name", "lat", "lon", "population"], ["1", "Triesen", 47.1, 9.52, 5266]):
            sheet.append(row)
        book.save(tmp_path / "t.xlsx")
        raw = (tmp_path / "t.xlsx").read_bytes()
        name = "t.xlsx"
    else:
        frame = geopandas.GeoDataFrame(
            {"id": ["1"], "name": ["Triesen"], "population": [5266]},
            geometry=[Point(9.52, 47.1)], crs="EPSG:4326",
        )  # fmt: skip
        frame.to_file(tmp_path / f"t.{kind}")
        name = f"t.{kind}"
        raw = (tmp_path / name).read_bytes()
        if kind == "shp":
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w") as archive:
                for path in tmp_path.glob("t.*"):
                    archive.write(path, path.name)
            name, raw = "t.zip", out.getvalue()
    new = Importer(dispatcher, name=f"Kind {kind}")
    new.give(name, raw, "settlements")
    view = new.read()
    assert view["is_ready"], view
    assert view["holds"]["people"] == 5266
    assert view["about"]["time_zone"] == "Europe/Vaduz"


def test_a_published_timetable_is_enough(dispatcher: httpx.Client) -> None:
    """A file of the UK mobile-library schema is known by its columns and gives stops."""
    head = (
        "organisation,mobile,route,community,stop,address,postcode,geox,geoy,day,type,arrival,"
        "departure,frequency,start,end,exceptions,timetable\n"
    )
    rows = (
        "Rutland,1,A,Exton,The Green,,LE15 8AR,-0.6347,52.6887,Monday,Public,10:00,10:30,"
        "FREQ=WEEKLY;INTERVAL=2,2026-01-05,,,\n"
    )
    new = Importer(dispatcher, name="Rutland")
    new.give("rutland.csv", head + rows)
    view = new.read()
    assert (view["files"][0]["kind"], view["holds"]["stops"]) == ("stops", 1)
    assert view["is_ready"]
    assert view["about"]["language"] == "en"


def test_an_extract_gives_settlements_and_stays_as_roads(
    running: Running, dispatcher: httpx.Client, tmp_path: Path
) -> None:
    """An OpenStreetMap extract is stored with the region, under a name of our own."""
    facts = make_region(tmp_path / "tver.osm.pbf", seed=3, num_settlements=12)
    new = Importer(dispatcher, name="Тверь")
    new.give("../../tver.osm.pbf", facts.path.read_bytes())
    view = new.read()
    assert view["is_ready"], view
    assert view["holds"]["settlements"] == len(facts.villages)
    region_id = new.confirm().json()["region_id"]
    region = region_of(running, region_id)
    kept = running.settings.data_dir / "regions" / region_id / region.roads_file
    assert kept.read_bytes() == facts.path.read_bytes()
    assert region.roads_file.startswith("roads-")
    assert any("OpenStreetMap" in s.title for s in region.sources)


def test_a_region_folder_comes_back_as_it_was(running: Running, dispatcher: httpx.Client) -> None:
    """A zipped region folder gives the region that the folder gives, under another id."""
    new = Importer(dispatcher, region_id="copied")
    new.give("kaliningrad.zip", folder_zip(KALININGRAD))
    view = new.read()
    assert view["is_ready"], view["errors"]
    assert new.confirm().status_code == 201
    whole, copy = read_region(KALININGRAD), region_of(running, "copied")
    assert copy.settlements == whole.settlements
    assert copy.standard == whole.standard
    assert copy.calendar == whole.calendar
    assert copy.libraries == whole.libraries


def test_a_region_folder_cannot_name_files_of_the_server(dispatcher: httpx.Client) -> None:
    """An extract by a full or climbing path is refused: it is none of the archive."""
    toml = (KALININGRAD / "region.toml").read_text("utf-8")
    for path in ("/etc/passwd", "../../../bookmobile.sqlite"):
        new = Importer(dispatcher, region_id="thief")
        new.give(
            "r.zip",
            folder_zip(KALININGRAD, **{"region.toml": toml + f'\n[roads]\nextract = "{path}"\n'}),
        )
        view = new.read()
        assert [e["code"] for e in view["files"][0]["errors"]] == ["setup.zip.roads"]
        assert new.confirm().status_code == 409


def test_more_files_become_new_versions(running: Running, dispatcher: httpx.Client) -> None:
    """An import into a region tells what changes, and what was before stays readable."""
    add_bundled(running)
    new = Importer(dispatcher, into="kaliningrad")
    new.give(
        "new.csv",
        "settlement_id,name,lat,lon,population,population_year\n"
        "inid-146540,Рыбачий,55.15528,20.85028,871,2026\nplace-x,Новый,54.7,21.0,10,2026\n",
    )
    view = new.read()
    assert view["changes"]["settlements"] == [1, 1]
    assert new.confirm().status_code == 201
    history = dispatcher.get("/api/v1/regions/kaliningrad/settlements/inid-146540/history").json()
    assert [(v["population"], v["valid_to_date"] is None) for v in history] == [
        (1112, False),
        (871, True),
    ]
    assert len(region_of(running, "kaliningrad").settlements) == 1083
    nothing = Importer(dispatcher, into="kaliningrad").read()
    assert [e["code"] for e in nothing["errors"]] == ["region.nothing_to_import"]


def test_nothing_is_stored_where_the_id_is_taken(
    running: Running, dispatcher: httpx.Client
) -> None:
    """The transaction fails as a whole, and the extract is taken away again."""
    before = region_ids(running)
    new = Importer(dispatcher, name="Twice", region_id="twice")
    rival = Importer(dispatcher, name="Twice", region_id="twice")
    for one in (new, rival):
        one.give("places.csv", "id,name,lat,lon\n1,Triesen,47.1,9.52\n")
        assert one.read()["is_ready"]
    assert rival.confirm().status_code == 201
    answer = new.confirm()
    assert (answer.status_code, answer.json()["code"]) == (409, "region.taken")
    assert region_ids(running) == before | {"twice"}
    assert dispatcher.post("/api/v1/imports", json={"region_id": "twice"}).status_code == 409


def test_files_take_their_places_with_the_regions_turn(
    running: Running, dispatcher: httpx.Client, tmp_path: Path
) -> None:
    """While another import to the id may still win, no file of this one lies where its would."""
    facts = make_region(tmp_path / "roads.osm.pbf", seed=4, num_settlements=12)
    new = Importer(dispatcher, name="Turn", region_id="turn")
    new.give("roads.osm.pbf", facts.path.read_bytes())
    assert new.read()["is_ready"]
    home = running.settings.data_dir / "regions" / "turn"
    with ThreadPoolExecutor(1) as other:
        with writing(running.engine) as session:
            region_store.add_region(
                session, replace(plan_example.region(), region_id="turn"), at=AT
            )
            confirming = other.submit(new.confirm)
            until_s = time.monotonic() + 60
            while not list(home.glob("*")) and time.monotonic() < until_s:
                time.sleep(0.05)
            time.sleep(0.2)
            assert [p.suffix for p in home.iterdir()] == [".part"]
        answer = confirming.result()
    assert (answer.status_code, answer.json()["code"]) == (409, "region.taken")
    assert list(home.iterdir()) == []


def test_bad_uploads_leave_nothing(running: Running, dispatcher: httpx.Client) -> None:
    """A wrong ending, a wrong content, an empty and an oversized file: refused, and gone."""
    new = Importer(dispatcher, name="Bad")
    assert new.send("a.exe", b"MZ").json()["code"] == "setup.file_kind"
    assert new.send("a.csv", b"\x89PNG\r\n").json()["code"] == "setup.content.other"
    assert new.send("a.csv", b"").json()["code"] == "feeds.file.empty"
    assert new.send("a.csv", b"id;name\n", "osm").json()["code"] == "setup.kind_of_file"
    big = new.send("a.csv", b"id;name\n" + b"1;x\n" * 26_000_000)
    assert (big.status_code, big.json()["code"]) == (422, "setup.file_size")
    assert new.client.get(new.path).json()["files"] == []
    home = running.settings.data_dir / "imports" / new.draft_id / "files"
    assert list(home.iterdir()) == []
    for path in ("../../../etc", "x" * 32):
        assert dispatcher.get(f"/api/v1/imports/{path}").status_code == 404


def test_one_refused_file_does_not_hide_the_others(dispatcher: httpx.Client) -> None:
    """Every file gets its report, but there is no region until each is read."""
    new = Importer(dispatcher, name="Mixed")
    new.give("places.csv", "id,name,lat,lon\n1,Triesen,47.1,9.52\n")
    new.give("broken.xlsx", b"PK\x03\x04 no workbook")
    new.give("odd.csv", "foo,bar\n1,2\n")
    view = new.read()
    errors = {f["name"]: [e["code"] for e in f["errors"]] for f in view["files"]}
    assert errors == {
        "places.csv": [],
        "broken.xlsx": ["feeds.file.not_a_workbook"],
        "odd.csv": ["setup.kind_unknown"],
    }
    assert not view["is_ready"]
    assert new.confirm().status_code == 409


def test_an_import_is_its_makers(running: Running, dispatcher: httpx.Client) -> None:
    """Others get 404, other roles 403, nobody 401; a caller of some regions makes no new one."""
    new = Importer(dispatcher, name="Mine")
    with running.api(Role.ADMIN) as admin:
        assert admin.get(new.path).status_code == 200
    with running.api(Role.ANALYST) as analyst:
        assert analyst.get(new.path).status_code == 403
    with running.api(None) as nobody:
        assert nobody.get(new.path).status_code == 401
        assert nobody.put(f"{new.path}/uploads?name=a.csv", content=b"a,b\n").status_code == 401


def test_the_same_request_twice_begins_one_import(dispatcher: httpx.Client) -> None:
    first, second = (
        dispatcher.post(
            "/api/v1/imports", json={"name": "Once"}, headers={"idempotency-key": "once"}
        )
        for _ in range(2)
    )
    assert first.json()["import_id"] == second.json()["import_id"]


def child_of(running: Running, draft_id: str) -> int:
    return parts_of(running).setup.runs._running[draft_id].pid


def test_a_reading_that_is_killed_is_taken_up_again(
    running: Running, dispatcher: httpx.Client
) -> None:
    """kill -9 of the reading process costs a second start, no more."""
    new = Importer(dispatcher, name="Killed")
    new.give("settlements.csv", (KALININGRAD / "settlements.csv").read_bytes())
    new.client.post(f"{new.path}/reading")
    os.kill(child_of(running, new.draft_id), signal.SIGKILL)
    view = new.wait()
    assert view["is_ready"], view
    assert view["files"][0]["num_loaded"] == 1082


def test_a_reading_that_dies_twice_says_so(running: Running, dispatcher: httpx.Client) -> None:
    new = Importer(dispatcher, name="Dies")
    new.give("settlements.csv", (KALININGRAD / "settlements.csv").read_bytes())
    new.client.post(f"{new.path}/reading")
    for _ in range(2):
        os.kill(child_of(running, new.draft_id), signal.SIGKILL)
        parts_of(running).setup.runs._running[new.draft_id].wait()
        view = new.client.get(new.path).json()
    assert [e["code"] for e in view["errors"]] == ["setup.reader_lost"]


def test_a_reading_can_be_stopped(running: Running, dispatcher: httpx.Client) -> None:
    """The process ends, the files stay, and the draft can be dropped."""
    new = Importer(dispatcher, name="Stopped")
    new.give("settlements.csv", (KALININGRAD / "settlements.csv").read_bytes())
    new.client.post(f"{new.path}/reading")
    process = parts_of(running).setup.runs._running[new.draft_id]
    view = new.client.delete(f"{new.path}/reading").json()
    assert (view["state"], len(view["files"])) == ("collecting", 1)
    assert process.poll() is not None
    assert new.client.delete(new.path).status_code == 204
    assert not (running.settings.data_dir / "imports" / new.draft_id).exists()


def test_a_reading_ends_with_its_server(running: Running, dispatcher: httpx.Client) -> None:
    """A child whose draft is gone does not linger."""
    new = Importer(dispatcher, name="Orphan")
    new.give("settlements.csv", (KALININGRAD / "settlements.csv").read_bytes())
    new.client.post(f"{new.path}/reading")
    process = parts_of(running).setup.runs._running[new.draft_id]
    (running.settings.data_dir / "imports" / new.draft_id / "stop").touch()
    until = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < until:
        time.sleep(0.1)
    assert process.poll() is not None
