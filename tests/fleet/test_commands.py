"""The commands of the road as a person types them: simulate, track, onboard."""

import fcntl
import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from data.feeds.observed_csv import import_observed
from data.feeds.plan_file import write_plan
from data.feeds.plan_geojson import write_geojson
from data.feeds.plan_lines import read_lines
from data.model.errors import InputError
from data.model.lines import leg_lines
from data.model.observed import VisitStatus
from fleet import owntracks
from tests.api.runner import Terminal
from tests.fleet.days import plan, world
from tests.fleet.service import TOKEN, serving

DATE = ("--date", "2026-12-01")
LATER = ("--date", "2026-12-15")
QUICK = ("--gaps", "0", "--breakdowns", "0")


@pytest.fixture
def bookmobile(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Terminal:
    return Terminal(monkeypatch, capfd, tmp_path / "cache")


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    write_plan(tmp_path / "plan.json", world(), plan())
    return tmp_path / "plan.json"


@pytest.mark.parametrize(
    ("kind", "ending", "count"),
    [("gpx", "gpx", 2), ("nmea", "nmea", 1), ("owntracks", "jsonl", 2), ("traccar", "jsonl", 2)],
)
def test_a_simulated_day_is_tracked_again(
    bookmobile: Terminal, plan_file: Path, tmp_path: Path, kind: str, ending: str, count: int
) -> None:
    """Whatever the format, the truth beside the files is what ``track`` tells of them."""
    truth_file = tmp_path / "truth.json"
    out = tmp_path / "days"
    one = ("--vehicle", "kibo-1") if count == 1 else ()
    told = bookmobile(
        *("simulate", plan_file, *DATE, "--as", kind, "--out", out, "--truth", truth_file),
        *(*QUICK, *one),
    )
    assert told.code == 0, told.said
    files = sorted(out.glob(f"*.{ending}"))
    assert len(files) == count
    told = bookmobile("track", plan_file, *files, "--json", "--out", tmp_path / "records.csv")
    assert told.code == 0, told.said
    days = json.loads(told.said)["days"]
    truth = {d["vehicle_id"]: d for d in json.loads(truth_file.read_text(encoding="utf-8"))}
    assert {d["vehicle_id"] for d in days} == set(truth)
    for day in days:
        stands = [s for s in truth[day["vehicle_id"]]["stands"] if s["kind"] == "stop"]
        assert day["figures"]["num_held"] == len(stands) == 5
        for visit, stand in zip(day["visits"], stands, strict=True):
            assert visit["stop_id"] == stand["place_id"]
            came = datetime.fromisoformat(visit["arrived_at"])
            off = came - datetime.fromisoformat(stand["from"])
            assert abs(off.total_seconds()) < 30
        driven = truth[day["vehicle_id"]]["driven_m"]
        assert day["figures"]["driven_m"] == pytest.approx(driven, rel=0.05)
    records, report = import_observed(tmp_path / "records.csv")
    assert not report.problems
    assert len(records) == count * 7


def test_the_loop_to_the_planner_closes(
    bookmobile: Terminal, plan_file: Path, tmp_path: Path
) -> None:
    """Simulated days, tracked, are what ``learn`` learns from: drives half as long again."""
    files = []
    for on in ("2026-12-01", "2026-12-15", "2026-12-29"):
        out = tmp_path / f"{on}.jsonl"
        told = bookmobile(
            *("simulate", plan_file, "--date", on, "--as", "traccar", "--out", out),
            *("--traffic", "1.5", "--skips", "0.1", *QUICK),
        )
        assert told.code == 0, told.said
        files.append(out)
    records = tmp_path / "records.csv"
    told = bookmobile("track", plan_file, *files, "--out", records)
    assert told.code == 0, told.said
    assert "records.csv" in told.said
    told = bookmobile("learn", plan_file, records, "--json")
    assert told.code == 0, told.said
    factors = json.loads(told.said)["proposal"]["factors"]
    overall = next(f for f in factors if not f["level"])
    assert overall["factor"] == pytest.approx(1.5, abs=0.2)
    seen, _ = import_observed(records)
    skipped = [r for r in seen if r.status is VisitStatus.CANCELLED]
    assert all(r.reason == "not visited by the track" for r in skipped)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_day_is_told_in_words(
    bookmobile: Terminal, plan_file: Path, tmp_path: Path, language: str
) -> None:
    """Tables in both languages, no code and no placeholder left open."""
    out = tmp_path / "day.jsonl"
    bookmobile(
        *("simulate", plan_file, *DATE, "--as", "owntracks", "--out", out),
        *("--skips", "0.3", "--breakdowns", "0.4", "--seed", "4"),
    )
    with out.open("a", encoding="utf-8") as more:
        more.write('{"_type":"location","topic":"owntracks/a/b","lat":500,"lon":1,"tst":1}\n')
    told = bookmobile("track", plan_file, out, "--lang", language)
    assert told.code == 0, told.said
    assert "Черняховск" in told.said
    for left in ("track.", "refusal.", "{", "kaliningrad/kibo-1/"):
        assert left not in told.said
    assert ("skipped" if language == "en" else "пропущена") in told.said


def test_whose_track_it_is_can_be_said(
    bookmobile: Terminal, plan_file: Path, tmp_path: Path
) -> None:
    """By --device, by the stops that it visits; a track of nowhere fits no vehicle."""
    out = tmp_path / "day.txt"
    bookmobile(
        *("simulate", plan_file, *DATE, "--as", "osmand", "--vehicle", "kibo-2"),
        *("--device", "353861053849681", "--out", out, *QUICK),
    )
    told = bookmobile("track", plan_file, out, "--json")
    (day,) = json.loads(told.said)["days"]
    assert (day["vehicle_id"], day["is_guessed"]) == ("kibo-2", True)
    told = bookmobile("track", plan_file, out, "--json", "--device", "353861053849681=КИБО-1")
    (day,) = json.loads(told.said)["days"]
    assert (day["vehicle_id"], day["is_guessed"]) == ("kibo-1", False)
    assert day["figures"]["num_skipped"] == 5
    nowhere = tmp_path / "nowhere.txt"
    nowhere.write_text("/?id=x&lat=1&lon=2&timestamp=1796112000\n", encoding="utf-8")
    told = bookmobile("track", plan_file, nowhere)
    assert told.code == 2
    assert "2026-12-01" in told.said


def test_the_same_seed_drives_the_same_day(
    bookmobile: Terminal, plan_file: Path, tmp_path: Path
) -> None:
    """Byte for byte; another seed is another day; leaving out one vehicle changes no other."""
    files = [tmp_path / f"{k}.jsonl" for k in range(4)]
    more: list[tuple[object, ...]] = [
        ("--seed", 7, "--vehicle", "kibo-1"),
        ("--seed", 7, "--vehicle", "kibo-1"),
        ("--seed", 8, "--vehicle", "kibo-1"),
        ("--seed", 7),
    ]
    for out, options in zip(files, more, strict=True):
        bookmobile("simulate", plan_file, *DATE, "--as", "traccar", "--out", out, *options)
    first, again, other, both = (f.read_bytes() for f in files)
    assert first == again
    assert first != other
    assert set(first.splitlines()) == {line for line in both.splitlines() if b'"kibo-1"' in line}


def test_simulated_devices_send_to_a_service(
    bookmobile: Terminal, plan_file: Path, tmp_path: Path
) -> None:
    """OwnTracks, OsmAnd and our own batches over HTTP, with the token, through a short outage."""
    token = tmp_path / "token"
    token.write_text(TOKEN, encoding="ascii")
    quick = ("--vehicle", "kibo-1", *QUICK)
    with serving() as service:
        service.answers = ["drop"]
        send = ("--to", service.url, "--token-file", token)
        told = bookmobile("simulate", plan_file, *DATE, "--as", "batch", *quick, *send)
        assert told.code == 0, told.said
        assert len(service.stored) > 1000
        assert len({f.fix_at for f in service.stored.values()}) == len(service.stored)
        service.requests.clear()
        service.answers = [(200, b"[]")] * 10**4
        told = bookmobile("simulate", plan_file, *DATE, "--as", "owntracks", *quick, *send)
        assert told.code == 0, told.said
        path, body = service.requests[0]
        query = parse_qs(urlsplit(path).query)
        assert (query["u"], query["d"]) == (["kaliningrad"], ["kibo-1"])
        assert owntracks.decode(body).fixes[0].device_id == "kaliningrad/kibo-1"
        service.answers = [403]
        told = bookmobile("simulate", plan_file, *DATE, "--as", "osmand", *quick, *send)
        assert told.code == 2
        assert "403" in told.said


def test_a_day_can_be_driven_faster_than_life(bookmobile: Terminal, plan_file: Path) -> None:
    """A thousand times as fast: ten hours in half a minute would be too long here, so not all."""
    command = [
        *("bookmobile", "simulate", str(plan_file), *DATE, "--as", "nmea"),
        *("--vehicle", "kibo-1", "--speed", "1000"),
    ]
    running = subprocess.Popen(
        [sys.executable, "-c", "from api.cli import main; main()", *command[1:]],
        stdout=subprocess.PIPE,
    )
    assert running.stdout is not None
    lines = [running.stdout.readline() for _ in range(50)]
    running.kill()
    running.stdout.close()
    running.wait()
    assert all(line.startswith(b"$GP") for line in lines)
    told = bookmobile("simulate", plan_file, *DATE, "--live", "--speed", 60)
    assert told.code == 2
    assert "future" in told.said


def test_road_lines_are_followed(bookmobile: Terminal, plan_file: Path, tmp_path: Path) -> None:
    """Lines beside the plan are driven along; straight legs of an estimate are not."""
    request, made = world(), plan()
    around = {
        (run.vehicle_id, run.day): [
            [leg[0], (leg[0][0], leg[1][1]), leg[1]] for leg in leg_lines(request, run, None)[0]
        ]
        for run in made.runs
    }
    roads = replace(
        request, travel={v: replace(m, is_estimated=False) for v, m in request.travel.items()}
    )
    write_geojson(roads, made, tmp_path / "plan.geojson", lines=around)
    assert set(read_lines(tmp_path / "plan.geojson")) == set(around)
    out = tmp_path / "day.jsonl"
    told = bookmobile(
        *("simulate", plan_file, *DATE, "--as", "traccar", "--vehicle", "kibo-1"),
        *("--out", out, "--noise", "0", *QUICK),
    )
    assert told.code == 0, told.said
    first = around[made.runs[0].vehicle_id, 1][0]
    places = [json.loads(line)["position"] for line in out.read_text(encoding="utf-8").splitlines()]
    corner_m = min(
        abs(p["longitude"] - first[1][0]) * 64_000 + abs(p["latitude"] - first[1][1]) * 111_000
        for p in places
    )
    assert corner_m < 300
    (tmp_path / "wrong.geojson").write_text('{"features": [5]}', encoding="utf-8")
    with pytest.raises(InputError, match="not_geojson"):
        read_lines(tmp_path / "wrong.geojson")


def test_wrong_input_is_refused_in_words(
    bookmobile: Terminal, plan_file: Path, tmp_path: Path
) -> None:
    """Each refusal names what is wrong and what would be right."""
    out = tmp_path / "x.nmea"
    junk = tmp_path / "junk.jsonl"
    junk.write_text("hello\n", encoding="utf-8")
    empty = tmp_path / "none.gpx"
    empty.write_text('<gpx version="1.1"></gpx>', encoding="utf-8")
    cases: list[tuple[tuple[object, ...], str]] = [
        (("simulate", plan_file, *DATE, "--as", "egts"), "owntracks"),
        (("simulate", plan_file, *DATE, "--as", "nmea", "--to", "http://x/"), "batch"),
        (("simulate", plan_file, *DATE, "--as", "nmea"), "--vehicle"),
        (("simulate", plan_file, *DATE, "--as", "nmea", "--out", out), "folder"),
        (("simulate", plan_file, "--date", "2026-12-02"), "2026-12-02"),
        (("simulate", plan_file, *DATE, "--as", "osmand", "--to", "ftp://x"), "ftp://x"),
        (("simulate", plan_file, *DATE, "--as", "osmand", "--device", "a"), "--vehicle"),
        (("simulate", plan_file, *DATE, "--vehicle", "kibo-9"), "kibo-9"),
        (("track", plan_file, junk), "junk.jsonl, line 1"),
        (("track", plan_file, empty), "not one position"),
        (("track", plan_file, tmp_path / "nothing.gpx"), "nothing.gpx"),
        (("track", plan_file, junk, "--device", "kibo"), "DEVICE=VEHICLE"),
        (("onboard", "--gpsd", "nowhere"), "HOST:PORT"),
        (("onboard", "--server", "http://x/"), "--token-file"),
        (("onboard", "--server", "http://x/", "--token-file", junk), "junk.jsonl"),
        (("onboard", "--status", "--store", tmp_path / "no"), "no positions"),
        (("onboard", "--print-unit"), "--server"),
    ]
    junk.write_text("two words\n", encoding="utf-8")
    for arguments, told in cases:
        found = bookmobile(*arguments)
        assert found.code == 2, (arguments, found.said)
        assert told in found.said, (arguments, found.said)


def test_a_systemd_unit_is_printed(bookmobile: Terminal, tmp_path: Path) -> None:
    """The unit starts this command line, keeps the token out of it and restarts for ever."""
    token = tmp_path / "token"
    told = bookmobile(
        *("onboard", "--print-unit", "--server", "https://library.example/api/v1/positions"),
        *("--token-file", token, "--gpsd", "127.0.0.1:2947/dev/ttyUSB0"),
    )
    assert told.code == 0
    assert f"LoadCredential=token:{token}" in told.said
    assert "--token-file %d/token --store %S/bookmobile" in told.said
    assert "--gpsd 127.0.0.1:2947/dev/ttyUSB0" in told.said
    assert "Restart=always" in told.said


def test_only_one_program_keeps_a_store(bookmobile: Terminal, tmp_path: Path) -> None:
    """A second one would give the same sequences again: it is refused."""
    store = tmp_path / "store"
    store.mkdir()
    with (store / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        told = bookmobile("onboard", "--store", store, "--for", "0")
    assert told.code == 2
    assert str(store) in told.said


def test_live_days_begin_now(bookmobile: Terminal, plan_file: Path, tmp_path: Path) -> None:
    """The first position of a live day is of this moment, whatever the date driven."""
    with serving() as service:
        service.answers = [403]
        began = datetime.now(UTC)
        bookmobile(
            *("simulate", plan_file, *LATER, "--as", "owntracks", "--vehicle", "kibo-1"),
            *("--live", "--to", service.url, *QUICK),
        )
        (_, body) = service.requests[0]
    told = datetime.fromtimestamp(json.loads(body)["tst"], UTC)
    assert abs((told - began).total_seconds()) < 60
