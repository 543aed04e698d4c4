"""The map file: whole, safe, in words, and small."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from api.words import Words
from data.model.place import Settlement, SettlementId, StopId
from data.model.plan import Plan, Unserved
from data.model.region import SourceNote
from maps.draw import draw_map, draw_need_map
from tests import plan_example as example

NASTY = "</script><img src=x onerror=alert(1)>{{ 7*7 }} {% raw %} @@panel@@ \u2028"


def plan() -> Plan:
    left = Unserved(stop_id=StopId("braunston"), reason="table.unknown")
    return replace(example.plan(), unserved=(left,))


def draw(language: str = "en", **changes: Any) -> str:
    options: dict[str, Any] = {"estimated": True, **changes}
    region = options.pop("region", example.region())
    lines = options.pop("lines", None)
    request = example.request(is_estimated=options["estimated"])
    return draw_map(region, example.needs(), request, plan(), lines, Words(language), **options)


class Links(HTMLParser):
    """Addresses that a browser would fetch, and the page's visible text."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.text: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self._hidden += tag in {"script", "style"}
        for name in ("src", "srcset", "data", "poster"):
            if named.get(name):
                self.fetched.append(str(named[name]))
        if tag == "link":
            self.fetched.append(str(named.get("href")))

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.text.append(data)


def read(page: str) -> Links:
    links = Links()
    links.feed(page)
    return links


def features(page: str) -> dict[str, Any]:
    found = re.search(r"^bookmobileMap\(map_bookmobile, (\{.*\})\);$", page, re.MULTILINE)
    assert found
    loaded: dict[str, Any] = json.loads(found.group(1))
    return loaded


def test_the_page_fetches_nothing() -> None:
    """No element loads a file, and the page's own policy forbids it."""
    page = draw()
    assert read(page).fetched == []
    assert "cdn" not in page.lower()
    assert "url(" not in page.replace("url(#default#VML)", "")  # Leaflet asks what a browser can.
    assert "default-src 'none'" in page
    assert "tile.openstreetmap.org" not in page.split("function bookmobileMap")[0]


def test_tiles_are_offered_only_on_demand() -> None:
    """The switch for the background is there only when asked for, off at start."""
    assert "data-online>" not in draw()
    page = draw(online_base=True)
    assert '<input type="checkbox" data-online>' in page
    assert "img-src data: https://tile.openstreetmap.org" in page
    assert "uses the network" in page


def test_names_cannot_break_the_page() -> None:
    """A name with markup, template signs or our own marks stays a name."""
    region = example.region()
    places = (
        *region.settlements,
        Settlement(settlement_id=SettlementId("x"), name=NASTY, lon=-0.7, lat=52.6),
    )
    sources = (SourceNote(title=NASTY, licence=NASTY, address="javascript:alert(1)"),)
    page = draw(region=replace(region, settlements=places, sources=sources, names={"en": NASTY}))
    assert "<img" not in page
    assert "javascript:" not in page
    assert NASTY in {p["name"] for p in features(page)["places"]}
    assert "7*7" in page


def test_same_plan_same_page() -> None:
    """No random id and no clock."""
    assert draw() == draw()


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_word_comes_from_the_catalogue(language: str) -> None:
    """No message code and no unfilled fact is left in what a viewer reads."""
    for page in (
        draw(language, online_base=True),
        draw_need_map(
            example.region(), example.needs(), Words(language), norm=example.NORM, estimated=True
        ),
    ):
        data = features(page)
        shown = read(page).text + data["labels"] + list(data["text"].values())
        for group in ("places", "libraries", "stops", "runs", "depots"):
            for item in data[group]:
                shown += [item["name"], item.get("brief", "")] + [v for _, v in item["rows"]]
        code = re.compile(r"\b(map|need_status|standing|table)\.[a-z_]+|\{\w+\}")
        assert not [text for text in shown if code.search(text)]
        assert f'<html lang="{language}">' in page


def test_estimated_is_said_and_lines_are_straight() -> None:
    """With roads the badge goes and the lines follow them."""
    assert "ESTIMATED" in draw()
    assert not any(run["roads"] for run in features(draw())["runs"])
    road = [(-0.7283, 52.6705), (-0.7, 52.68), (-0.6347, 52.6887)]
    page = draw(estimated=False, lines={(example.NORTH.vehicle_id, 14): [road, road[::-1]]})
    assert "ESTIMATED" not in page
    assert [run["roads"] for run in features(page)["runs"]] == [False, False, True, False]


def test_features_hold_the_plan() -> None:
    """Kinds, hollow symbols, visits and dates are those of the example."""
    data = features(draw())
    kinds = {p["name"]: (p["kind"], p["hollow"]) for p in data["places"]}
    assert kinds["Cottesmore"] == ("need_unserved", False)
    assert kinds["Braunston"] == ("need_unserved_assumed", True)
    assert kinds["Wing"] == ("need_served_assumed", False)
    assert [s["kind"] for s in data["stops"]] == [*["stops"] * 4, "stops_unserved"]
    exton = data["stops"][1]
    assert [data["dates"][i][0] for i, _ in exton["dates"][:3]] == [
        "2026-03-02",
        "2026-03-16",
        "2026-03-30",
    ]
    assert exton["dates"][0][1] == "12:00–13:00"
    assert data["runs"][0]["stops"] == [[0, "10:00–11:00"], [1, "12:00–13:00"]]
    assert len(data["styles"]) == len({(s["shape"], s["fill"]) for s in data["styles"].values()})


def test_a_reader_of_another_language_gets_latin_names() -> None:
    """Where a Latin name is known it is shown, and the own name can still be searched."""
    region = replace(example.region(), language="ru")
    places = tuple(replace(s, name="Окем", name_latin="Okem") for s in region.settlements[:1])
    region = replace(region, settlements=places)
    [shown] = features(draw("en", region=region))["places"]
    assert (shown["name"], shown["other"]) == ("Okem", "Окем")
    [shown] = features(draw("ru", region=region))["places"]
    assert (shown["name"], shown["other"]) == ("Окем", "Okem")


def test_a_region_of_nothing_can_be_drawn() -> None:
    """No outline, no library, no need: still a page."""
    bare = replace(
        example.region(), land=(), districts={}, libraries=(), settlements=(), sources=()
    )
    page = draw_need_map(bare, (), Words("ru"), norm=example.NORM)
    assert features(page)["places"] == []
    page = draw_map(bare, (), example.request(), Plan(runs=()), None, Words("ru"), estimated=False)
    assert features(page)["runs"] == []


@pytest.mark.parametrize("language", ["en", "ru"])
def test_reach_without_a_known_population(language: str) -> None:
    """Where no population is known the panel says so, and claims no share of nobody."""
    region = example.region()
    unknown = tuple(replace(s, population=None) for s in region.settlements)
    text = " ".join(read(draw(language, region=replace(region, settlements=unknown))).text)
    told = Words(language)("map.reach_text_unsure_nobody").split(":")[0]
    assert told in text
    assert "()" not in text
