"""The card of a stop on the crew's tablet, and the way handed over to other programs; offline."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from api.services.photos import keep_photo, photos_folder
from data.db import region_store
from data.db.engine import writing
from data.model.patrons import Block, BlockReason, Patron, PatronId, PatronKind
from data.model.place import SiteCard, Stop
from tests.api.circulation.library import STOPS, stock_up
from tests.api.tracking.depot import REGION
from tests.e2e.service import NEEDS_CHROMIUM, Running
from tests.e2e.tablet import MORNING, Aboard, settle, show
from tests.fleet.days import positions

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]
SITE = SiteCard(
    surface="гравий",
    room_m=14.0,
    power=True,
    mobile_signal=False,
    light=True,
    toilet=False,
    step_free=True,
    contact="Староста Пётр, +7 911 222-33-44",
    permission_until_date=date(2027, 5, 31),
    notes="Въезд со двора, <b>ворота</b> открывает староста",
)
EVERYTHING = """async () => {
  const text = (value) => JSON.stringify(value, (_, v) => {
    if (v instanceof ArrayBuffer) v = new Uint8Array(v);
    return ArrayBuffer.isView(v) ? new TextDecoder().decode(v) : v;
  });
  const told = [JSON.stringify(localStorage), JSON.stringify(sessionStorage)];
  for (const { name } of await indexedDB.databases()) {
    const base = await new Promise((done, fail) => {
      const asked = indexedDB.open(name);
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => fail(asked.error);
    });
    for (const store of base.objectStoreNames) {
      told.push(name + "/" + store, await new Promise((done, fail) => {
        const asked = base.transaction(store).objectStore(store).getAll();
        asked.onsuccess = () => done(text(asked.result));
        asked.onerror = () => fail(asked.error);
      }));
    }
    base.close();
  }
  for (const name of await caches.keys()) {
    const kept = await caches.open(name);
    for (const request of await kept.keys()) {
      told.push(request.url, await (await kept.match(request)).clone().text());
    }
  }
  return told.join("\\n");
}"""
"""All that the browser keeps of the tablet on its disk, as text."""
HAS_PHOTO = """() => new Promise((done) => {
  indexedDB.open("bookmobile-tablet").onsuccess = (opened) => {
    const base = opened.target.result;
    const range = IDBKeyRange.bound("site/", "site/\uffff");
    base.transaction("pieces").objectStore("pieces").count(range).onsuccess = (e) => {
      base.close();
      done(e.target.result === 1);
    };
  };
})"""
GPX = "{http://www.topografix.com/GPX/1/1}"


@pytest.fixture(scope="module")
def aboard(running: Running) -> Iterator[Aboard]:
    expect.set_options(timeout=30_000)
    made = Aboard.begin(running)
    drawn = io.BytesIO()
    Image.new("RGB", (640, 360), "seagreen").save(drawn, "JPEG")
    photo = keep_photo(photos_folder(running.settings.data_dir, REGION), drawn.getvalue())
    with writing(running.engine) as session:
        kept = region_store.get_thing(session, REGION, Stop, STOPS[0])
        assert isinstance(kept.thing, Stop)
        stop = replace(kept.thing, site=replace(SITE, photo=photo))
        before = MORNING - timedelta(hours=1)
        region_store.put_thing(session, REGION, stop, at=before, expect_revision=kept.revision)
    school = Patron(
        patron_id=PatronId("school"), kind=PatronKind.COLLECTIVE, name="Школа, 3 класс",
        stop_ids=frozenset({STOPS[0]}),
    )  # fmt: skip
    blocked = Patron(
        patron_id=PatronId("debtor"), name="Должников Иван", card="39777777",
        stop_ids=frozenset({STOPS[0]}),
        blocks=(Block(reason=BlockReason.DEBT, since_date=date(2026, 1, 1)),),
    )  # fmt: skip
    stock_up(running.engine, school, blocked)
    yield made
    expect.set_options(timeout=5_000)


@pytest.mark.parametrize(("width", "height"), [(800, 1280), (360, 740)])
def test_a_stop_tells_all_that_its_crew_must_know(
    aboard: Aboard, chromium: Browser, width: int, height: int
) -> None:
    """Holds, items expected back, blocked readers, groups, the ground, whom to call; no network."""
    with aboard.browser(chromium, width=width, height=height) as tablet:
        page = tablet.open("/tablet")
        settle(page)
        page.wait_for_function(HAS_PHOTO)
        page.context.set_offline(True)
        page.locator(".t-card-open").first.click()
        people = page.get_by_role("region", name="Читатели стоянки")
        expect(people).to_contain_text("Выдать по заказам")
        told = people.inner_text()
        assert "Денискины рассказы" in told
        assert "Мастер и Маргарита" in told
        assert "Иванова" in told
        assert "Не выдавать" in told
        assert "Должников" in told
        assert "Школа, 3 класс" in told
        site = page.locator("section:has(#site-title)")
        facts = site.inner_text()
        for text in (SITE.notes, SITE.contact, "гравий", "14", "31 мая 2027"):
            assert text in facts
        assert site.locator("dt").count() == 10
        picture = site.get_by_role("img", name="Фото места стоянки")
        expect(picture).to_be_visible()
        assert picture.evaluate("(img) => img.decode().then(() => img.naturalWidth)") == 640
        assert (picture.get_attribute("src") or "").startswith("blob:"), "the one taken along"
        call = site.locator("a[href^='tel:']")
        assert call.get_attribute("href") == "tel:+79112223344"
        assert tablet.axe() == []
        assert tablet.overflow_px() == 0
        tablet.shot("tablet-stop-card", whole=True)


def test_the_way_goes_to_other_programs(aboard: Aboard, chromium: Browser, tmp_path: Path) -> None:
    """Links that OsmAnd, Organic Maps and any map program take, and the run as GPX 1.1."""
    lon, lat = positions()[STOPS[0]]
    with aboard.browser(chromium) as tablet:
        page = tablet.open("/tablet")
        settle(page)
        page.context.set_offline(True)
        page.locator(".t-card-open").first.click()
        way = page.locator("section:has(#way-title)")
        links = [a.get_attribute("href") or "" for a in way.locator("a").all()]
        point = f"{lat:.6f},{lon:.6f}"
        assert f"https://osmand.net/map/navigate/?finish={point}&type=osmand&profile=car" in links
        geo = next(href for href in links if href.startswith("geo:"))
        assert re.fullmatch(rf"geo:{point}\?q={point}\(.+\)", unquote(geo))
        organic = next(href for href in links if href.startswith("om://"))
        assert f"ll={point}&n=" in organic
        show(page, "run")
        with page.expect_download() as waited:
            page.get_by_role("button", name="Выезд в GPX").click()
        path = tmp_path / "run.gpx"
        waited.value.save_as(path)
        assert waited.value.suggested_filename.endswith(".gpx")
    root = ElementTree.parse(path).getroot()
    assert root.tag == f"{GPX}gpx"
    route = root.findall(f"{GPX}rte/{GPX}rtept")
    assert len(route) == len(root.findall(f"{GPX}wpt")) == len(STOPS)
    first = route[0].attrib
    assert float(first["lat"]) == pytest.approx(lat, abs=1e-6)
    assert float(first["lon"]) == pytest.approx(lon, abs=1e-6)


def test_nobody_is_named_on_the_disk(aboard: Aboard, chromium: Browser) -> None:
    """The screen names readers with no network; what lies on the disk names none of them."""
    with aboard.browser(chromium) as tablet:
        page = tablet.open("/tablet")
        settle(page)
        page.context.set_offline(True)
        page.locator(".t-card-open").first.click()
        shown = page.get_by_role("region", name="Читатели стоянки")
        expect(shown).to_contain_text("Должников Иван")
        kept = str(page.evaluate(EVERYTHING))
        assert "bookmobile-tablet/events" in kept
        assert "/static/" in kept
        for word in ("Должников", "39777777", "Иванова", "Школа, 3 класс"):
            assert word not in kept
