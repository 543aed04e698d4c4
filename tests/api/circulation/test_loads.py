"""Loading a run: chosen with reasons, carried, handed over; boxes and moves by scan."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from openpyxl import load_workbook

from api.auth import cookie_name
from api.services import load_planning
from api.services.circulation_moves import moves_page
from data.model.stock import Item, ItemId, ItemPlace, PlaceKind, Title, TitleId
from tests.api.circulation.library import (
    ABOARD,
    MORNING,
    OLGA_TOKEN,
    STOPS,
    Library,
    TabletAt,
    library,
    pair,
    stock_up,
)
from tests.api.tracking.depot import NORTH, REGION
from tests.fleet.days import DAY

STORE = ItemPlace(kind=PlaceKind.STORE, key=str(NORTH))
POINT = f"point:{STOPS[1]}"


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """A region whose store holds what nobody lent and what readers like."""
    folder: Path = tmp_path_factory.mktemp("loads")
    with library(folder) as made:
        stored: list[Title | Item] = []
        for n in range(30):
            title = Title(
                title_id=TitleId(f"w{n}"), name=f"=Повесть {n}", shelf="84" if n % 2 else "28",
                is_for_children=n % 3 == 0,
            )  # fmt: skip
            item = Item(item_id=ItemId(f"s{n}"), title_id=title.title_id, place=STORE)
            stored += [title, item, replace(item, item_id=ItemId(f"v{n}"), inventory_no=f"inv {n}")]
        stock_up(made.engine, *stored)
        device, token = pair(made.engine, 1)
        tablet = TabletAt(device=device)
        at = MORNING - timedelta(days=20)
        for patron in range(6):
            at += timedelta(hours=1)
            tablet.lend("s1", f"p{patron}", at)
            at += timedelta(hours=1)
            tablet.write("return", at, STOPS[0], item_id="s1")
        tablet.write("move", at, item_ids=["s1"], to_place=str(STORE))
        made.bring(token, tablet)
        yield made


def page(one: Library, path: str, **form: object) -> httpx.Response:
    """A page of the desk as the librarian sees it, or what a form comes to."""
    client, url = one.depot.client, f"/desk/{REGION}/circulation/{path}"
    cookie = f"{cookie_name(one.service.settings)}={OLGA_TOKEN}"
    headers = {"cookie": cookie, "accept-language": "ru", "accept": "text/html"}
    if form:
        headers["origin"] = str(client.base_url).rstrip("/")
        return client.post(url, data=form, headers=headers, follow_redirects=False)
    return client.get(url, headers=headers)


RUN = {"vehicle": str(NORTH), "date": DAY.isoformat()}
RULES = {"num_items": "20", "capacity_m": "1", "children": "30", "accessible": "0", "new": "0",
         "most_copies": "1", "most_swaps": "12"}  # fmt: skip


def test_a_load_is_chosen_kept_and_told(one: Library) -> None:
    """What was lent at the stops goes first; every rule is told kept or not; why is told."""
    answer = page(one, "loads/plan", **RUN, **RULES)
    assert answer.status_code == 303, answer.text
    found = load_planning.load_page(one.service, REGION, NORTH, DAY, asked="s1")
    assert found.kept is not None
    facts = found.kept.facts
    assert facts["num_loans"] == 6
    assert facts["counts"]["items"] == 20
    assert facts["counts"]["children"] >= 6 or facts["faults"]
    assert len(facts["put_aboard"]) <= 12
    # Two copies of what was lent: one goes, and the other one because of it does not.
    assert len({"s1", "v1"} & set(facts["put_aboard"])) == 1
    (first, *_) = found.asked
    assert first.item.item_id == "s1"
    assert (first.goes, first.why) in ((True, "worth"), (False, "copy_goes"))
    told = {why for why, _ in facts["why"].values()}
    assert {"worth", "copy_goes"} <= told
    shown = page(one, f"loads?vehicle={NORTH}&date={DAY}&why=s1")
    assert "спрос на этих стоянках" in shown.text
    lists = one.ask("GET", f"regions/{REGION}/circulation/lists", params=RUN).json()
    assert {x["item_id"] for x in lists["loads"] if x["reason"] == "plan"} == set(
        facts["put_aboard"]
    )


def test_the_lists_are_a_workbook_without_formulas(one: Library) -> None:
    """A title that looks like a formula is text."""
    page(one, "loads/plan", **RUN, **RULES)
    raw = page(one, f"loads/lists.xlsx?vehicle={NORTH}&date={DAY}").content
    book = load_workbook(BytesIO(raw))
    cells = [c for sheet in book for row in sheet.iter_rows() for c in row]
    assert any(str(c.value).startswith("=Повесть") for c in cells)
    assert all(c.data_type != "f" for c in cells)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"num_items": "0"}, "Экземпляров на борту"),
        ({"num_items": "nan"}, "Экземпляров на борту"),
        ({"children": "101"}, "Детские"),
        ({"most_swaps": "-1"}, "Сколько книг успеют принести"),
        ({"date": "2026-12-06"}, "нет стоянок"),
        ({"date": "tomorrow"}, "tomorrow"),
    ],
)
def test_what_cannot_be_planned_is_told(one: Library, given: dict[str, str], told: str) -> None:
    """The refusal names the field and its limits, and the form keeps what was typed."""
    answer = page(one, "loads/plan", **(RUN | RULES | given))
    assert answer.status_code in (409, 422), answer.status_code
    assert told in answer.text


def test_items_go_into_a_box_and_the_tablet_learns_when_to_fetch_it(one: Library) -> None:
    """By barcode or inventory number; the day's box is told only from its date on."""
    back = date.fromisoformat("2026-12-29")
    form = {"items": "s20\r\ninv 21\n", "place": POINT, "box": "Школа", "back": back.isoformat()}
    assert page(one, "moves", **form).status_code == 303
    (box,) = moves_page(one.service, REGION).boxes
    assert (box.box_id, str(box.point), box.item_ids) == ("Школа", POINT, ("s20", "v21"))
    assert box.back_date == back
    _, token = pair(one.engine, 2)
    stop = next(s for s in one.day(token)["run"]["stops"] if s["stop_id"] == STOPS[1])
    assert stop["boxes_back"] == []
    assert page(one, "moves", items="s20\nv21", place=str(ABOARD)).status_code == 303
    assert moves_page(one.service, REGION).boxes == ()


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"items": " \n ", "place": POINT}, "хотя бы один номер"),
        ({"items": "s2\nnobody", "place": POINT}, "nobody"),
        ({"items": "s2", "place": "vehicle:elsewhere"}, "Выберите, где книги теперь"),
        ({"items": "s2", "place": str(STORE), "box": "B"}, "ящик"),
    ],
)
def test_what_cannot_be_moved_moves_nothing(one: Library, form: dict[str, str], told: str) -> None:
    """An unknown number or place, a box in a store: all stays where it was."""
    before = moves_page(one.service, REGION)
    answer = page(one, "moves", **form)
    assert answer.status_code >= 400
    assert told in answer.text
    assert moves_page(one.service, REGION) == before
