"""Regions over HTTP: the list, the bundled ones, their own settings."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from api.services.region_settings import SETTINGS
from data.model.accounts import Role
from tests import plan_example
from tests.api.regions.house import add_region, region_of
from tests.e2e.service import Running

REGIONS = "/api/v1/regions"
ROOT = f"{REGIONS}/kaliningrad"


@pytest.fixture(scope="module", autouse=True)
def kaliningrad(running: Running) -> None:
    """The bundled region, taken over as a dispatcher does."""
    with running.api(Role.DISPATCHER) as client:
        answer = client.post(REGIONS, json={"bundled": "kaliningrad"})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == ROOT


def test_a_bundled_region_is_taken_once(dispatcher: httpx.Client) -> None:
    """It is listed, told in figures, and not taken twice."""
    [region] = dispatcher.get(REGIONS).json()["items"]
    assert region["names"]["ru"] == "Калининградская область"
    detail = dispatcher.get(ROOT)
    assert detail.json()["holds"]["settlements"] == 1082
    assert detail.headers["etag"] == f'"{region["revision"]}"'
    assert {m["code"] for m in detail.json()["missing"]} >= {"setup.better.roads"}
    assert all(m["message"] != m["code"] for m in detail.json()["missing"])
    again = dispatcher.post(REGIONS, json={"bundled": "kaliningrad"})
    assert (again.status_code, again.json()["code"]) == (409, "region.taken")
    assert dispatcher.post(REGIONS, json={"bundled": "../x"}).json()["code"] == "setup.no_bundled"


def settings(client: httpx.Client) -> tuple[dict[str, Any], str]:
    answer = client.get(f"{ROOT}/settings")
    body: dict[str, Any] = answer.json()
    return body, answer.headers["etag"]


def test_settings_come_back_as_they_were_sent(running: Running, dispatcher: httpx.Client) -> None:
    """What is read can be sent again unchanged; a change reaches the region; a stale one not."""
    body, tag = settings(dispatcher)
    assert set(body) == set(SETTINGS)
    before = region_of(running, "kaliningrad")
    same = dispatcher.put(f"{ROOT}/settings", json=body, headers={"if-match": tag})
    assert same.status_code == 200, same.text
    after = region_of(running, "kaliningrad")
    assert all(getattr(after, name) == getattr(before, name) for name in SETTINGS)
    assert after.settlements == before.settlements
    body["standard"]["walk_to_stop_m"] = 700
    stale = dispatcher.put(f"{ROOT}/settings", json=body, headers={"if-match": tag})
    assert stale.status_code == 412
    assert dispatcher.put(f"{ROOT}/settings", json=body).status_code == 428
    changed = dispatcher.put(
        f"{ROOT}/settings", json=body, headers={"if-match": same.headers["etag"]}
    )
    assert changed.status_code == 200
    assert region_of(running, "kaliningrad").standard.walk_to_stop_m == 700


def test_a_complete_register_assumes_nothing(running: Running, dispatcher: httpx.Client) -> None:
    """Marked complete, the assumed libraries go; marked incomplete again, they come back."""
    for is_complete, num_assumed in ((True, 0), (False, 226)):
        body, tag = settings(dispatcher)
        body["library_register_is_complete"] = is_complete
        answer = dispatcher.put(f"{ROOT}/settings", json=body, headers={"if-match": tag})
        assert answer.status_code == 200, answer.text
        libraries = region_of(running, "kaliningrad").libraries
        assert sum(lib.standing.value == "assumed" for lib in libraries) == num_assumed


def test_a_shipped_rule_set_comes_along(running: Running, dispatcher: httpx.Client) -> None:
    """A region that names a shipped set of rules or norms then holds it."""
    body, tag = settings(dispatcher)
    body["default_rule_set_ids"] = ["ru-424-summed", "ru-pdd26"]
    body["norm_set_id"] = "sp42-30min"
    answer = dispatcher.put(f"{ROOT}/settings", json=body, headers={"if-match": tag})
    assert answer.status_code == 200, answer.text
    region = region_of(running, "kaliningrad")
    assert "ru-424-summed" in region.rule_sets
    assert "sp42-30min" in {n.norm_set_id for n in region.norm_sets}


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("time_zone", "Mars/Olympus", "settings.region.time_zone"),
        ("start_date", "2026-12-01", "settings.region.not_monday"),
        ("norm_set_id", "none", "norms.unknown"),
        ("default_rule_set_ids", ["none"], "settings.region.rules"),
        ("standard.day_end_s", 3600, "settings.region.day_backwards"),
        ("standard.bands", [{"up_to": 5, "service_s": 600}], "settings.region.bands"),
        ("standard.walk_to_stop_m", -1, "request.invalid"),
        ("names", {}, "request.invalid"),
        ("costs.per_km", "a lot", "request.invalid"),
    ],
)
def test_wrong_settings_are_refused_by_field(
    dispatcher: httpx.Client, path: str, value: Any, code: str
) -> None:
    body, tag = settings(dispatcher)
    place = body
    *heads, last = path.split(".")
    for head in heads:
        place = place[head]
    place[last] = value
    answer = dispatcher.put(f"{ROOT}/settings", json=body, headers={"if-match": tag})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert path.rsplit(".", maxsplit=1)[-1] in str(answer.json()["problems"])
    assert "{" not in answer.json()["message"]


def test_who_may_what(running: Running) -> None:
    """Staff read; dispatchers change; nobody is asked to sign in."""
    with running.api(Role.ANALYST) as analyst:
        body, tag = settings(analyst)
        answer = analyst.put(f"{ROOT}/settings", json=body, headers={"if-match": tag})
        assert answer.status_code == 403
        assert analyst.post(REGIONS, json={"bundled": "kaliningrad"}).status_code == 403
    with running.api(None) as nobody:
        assert nobody.get(REGIONS).status_code == 401
        assert nobody.get(ROOT).status_code == 401


def test_the_folder_comes_out_as_it_would_go_in(running: Running, dispatcher: httpx.Client) -> None:
    """The zip of a region is one that an import reads again."""
    from tests.api.regions.house import Importer

    answer = dispatcher.get("/desk/kaliningrad/folder.zip")
    assert answer.headers["content-type"] == "application/zip"
    again = Importer(dispatcher, region_id="again")
    again.give("kaliningrad.zip", answer.content)
    view = again.read()
    assert view["is_ready"], view
    assert again.confirm().status_code == 201
    assert region_of(running, "again").settlements == region_of(running, "kaliningrad").settlements


def test_a_region_is_put_away_by_an_administrator(running: Running) -> None:
    """It leaves every list; its id stays taken; a dispatcher may not."""
    add_region(running, replace(plan_example.region(), region_id="old-one"))
    path = f"{REGIONS}/old-one"
    with running.api(Role.DISPATCHER) as dispatcher:
        assert dispatcher.delete(path, headers={"if-match": "*"}).status_code == 403
    with running.api(Role.ADMIN) as admin:
        assert admin.delete(path).status_code == 428
        unsure = admin.post("/desk/old-one/settings/close", data={"typed": "old"})
        assert unsure.status_code == 422
        assert admin.delete(path, headers={"if-match": "*"}).status_code == 204
        assert "old-one" not in {r["region_id"] for r in admin.get(REGIONS).json()["items"]}
        assert admin.post("/api/v1/imports", json={"region_id": "old-one"}).status_code == 409
