"""Settlements without a library over HTTP: the verdict, the norm, the date, the export."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx
import pytest

from api.progress import Quiet
from api.services.needs import audit_region
from data.feeds.estimate_file import load_default_estimate
from maps.estimate import EstimatedRoads
from tests.api.regions.house import add_bundled, add_region, region_of
from tests.e2e.service import Running
from tests.plan_example import region as rutland

ROOT = "/api/v1/regions/kaliningrad"
DAY = "2026-11-26"


@pytest.fixture(scope="module", autouse=True)
def kaliningrad(running: Running) -> Iterator[None]:
    """Every test of this module is about the bundled region."""
    add_bundled(running)
    yield


def ask(client: httpx.Client, **query: Any) -> dict[str, Any]:
    """The audit, once it is measured."""
    for _ in range(30):
        answer = client.get(f"{ROOT}/needs", params={"on": DAY, **query})
        if answer.status_code == 200:
            found: dict[str, Any] = answer.json()
            return found
        assert answer.status_code == 202, answer.text
        assert answer.json()["state"] == "measuring"
    raise AssertionError("the audit is never measured")


def test_the_page_says_what_the_core_says(running: Running, dispatcher: httpx.Client) -> None:
    """Each settlement has the status, minutes and kilometres that the audit itself gives."""
    region = region_of(running, "kaliningrad")
    roads = EstimatedRoads(region.land, region.estimate or load_default_estimate())
    audit = audit_region(region, roads, on=date.fromisoformat(DAY), tick=Quiet())
    expected = {n.settlement_id: (n.status, n.nearest_s, n.nearest_m) for n in audit.needs}
    seen = {}
    after: str | None = ""
    while after is not None:
        page = ask(dispatcher, limit=200, **({"after": after} if after else {}))
        for item in page["items"]:
            seen[item["settlement_id"]] = item
        after = page["next"]
    assert set(seen) == set(expected)
    for key, (status, seconds, metres) in expected.items():
        item = seen[key]
        assert item["status"] == status
        assert item["minutes"] == (None if seconds is None else round(seconds / 60, 1))
        assert item["km"] == (None if metres is None else round(metres / 1000, 2))
        assert item["passes"] == (status in ("served", "served_assumed"))
    counts = Counter(status for status, *_ in expected.values())
    assert {s: c["settlements"] for s, c in page["counts"].items() if c["settlements"]} == counts
    assert page["is_estimated"]
    assert page["norm"]["mark"] == "D"


def test_filters_and_order(dispatcher: httpx.Client) -> None:
    """By name without regard to ё, by district, status, residents; unknown figures come last."""
    names = [i["name"] for i in ask(dispatcher, text="РЫБ", sort="name")["items"]]
    assert names == ["Рыбачий", "Рыбкино", "Рыбное"]
    district = ask(dispatcher, district="27705000", limit=200)
    assert {i["district"] for i in district["items"]} == {"Балтийский городской округ"}
    lacking = ask(dispatcher, lacking=True, limit=200)
    assert not any(i["passes"] for i in lacking["items"])
    assert lacking["total"] == 661
    few = ask(dispatcher, people_from=10, people_to=12, limit=200)["items"]
    assert few and all(10 <= i["population"] <= 12 for i in few)
    for descending in (False, True):
        people = [
            i["population"]
            for i in ask(dispatcher, sort="population", descending=descending, limit=5)["items"]
        ]
        assert people == sorted(people, reverse=descending)
    status = ask(dispatcher, status="served", limit=200)["items"]
    assert {i["nearest_standing"] for i in status} == {"known"}


def test_another_norm_gives_another_verdict(dispatcher: httpx.Client) -> None:
    """A norm of one's own is quoted with its source, and judges by its bands."""
    answer = dispatcher.post(
        f"{ROOT}/norms",
        params={"key": "own"},
        json={
            "name": "Своя норма",
            "source": "Приказ № 1",
            "mark": "V",
            "bands": [{"population_from": 0, "max_km": 1000}],
            "unknown_population": {"max_km": 1000},
        },
    )
    assert answer.status_code == 201
    found = ask(dispatcher, norm="own", lacking=True)
    assert found["total"] == 0
    assert found["norm"]["source"] == "Приказ № 1"
    # Short hops within a region never need a thousand kilometres.
    unknown = dispatcher.get(f"{ROOT}/needs", params={"norm": "none"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "norms.unknown")


def test_a_branch_that_closes_counts_until_its_day(dispatcher: httpx.Client) -> None:
    """The audit of a day before the closing still counts the branch; that of the day does not."""
    home = "inid-109516"
    added = dispatcher.post(
        f"{ROOT}/libraries",
        params={"from_date": "2026-12-01"},
        json={"name": "Володаровская", "settlement_id": home, "closed_date": "2027-02-01"},
    )
    assert added.status_code == 201, added.text
    verdicts = {}
    for day in ("2026-11-30", "2027-01-31", "2027-02-01"):
        [item] = ask(dispatcher, on=day, text="Володаровка")["items"]
        verdicts[day] = item["passes"], item["nearest_standing"]
    assert verdicts["2026-11-30"][0] is False
    assert verdicts["2027-01-31"] == (True, "known")
    assert verdicts["2027-02-01"][0] is False


def test_the_export_cannot_run_as_a_formula(dispatcher: httpx.Client) -> None:
    """A name that begins like a formula is led by an apostrophe; other cells stay as they are."""
    answer = dispatcher.post(
        f"{ROOT}/settlements",
        json={"name": "=cmd|' /C calc'!A0", "lon": 21.0, "lat": 54.7, "population": 3},
    )
    assert answer.status_code == 201
    ask(dispatcher, text="cmd")
    answer = dispatcher.get(f"{ROOT}/needs.csv", params={"on": DAY, "text": "cmd"})
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.text.startswith("\ufeff")
    [row] = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert row["name"] == "'=cmd|' /C calc'!A0"
    assert float(row["lon"]) == 21.0
    points = dispatcher.get(f"{ROOT}/needs.geojson", params={"on": DAY, "text": "cmd"}).json()
    assert points["features"][0]["properties"]["name"] == "=cmd|' /C calc'!A0"


def test_small_regions_and_empty_ones(running: Running, dispatcher: httpx.Client) -> None:
    """A region without settlements says so; one nobody works in is closed to him."""
    from dataclasses import replace

    add_region(running, replace(rutland(), region_id="empty", settlements=(), libraries=()))
    answer = dispatcher.get("/api/v1/regions/empty/needs")
    assert (answer.status_code, answer.json()["code"]) == (422, "needs.no_settlements")
    assert dispatcher.get("/api/v1/regions/nowhere/needs").status_code == 404
    with running.api(None) as nobody:
        assert nobody.get(f"{ROOT}/needs").status_code == 401
