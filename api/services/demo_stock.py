"""A simulated stock of the demo's bookmobiles, so that reports of the stock show something.

The titles are works that everybody knows and issues of series made up for the demo; every
inventory number begins with ``DEMO``. The same seed makes the same stock.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Engine

from data.db import circulation_store, region_store
from data.db.engine import writing
from data.model.age_marks import AgeMark
from data.model.stock import Carrier, Item, ItemId, ItemPlace, PlaceKind, Title, TitleId

ITEMS_ABOARD = 1_150
"""Of each bookmobile (DOMAIN §4: 1,000 to 1,200 books)."""
IN_STORE = 0.12
SHARES = {"children": 0.28, "accessible": 0.02, "periodical": 0.14, "audiovisual": 0.03}
NEW_A_YEAR = 0.07
"""Below the quotas of children's and special items, so that the report has something to say."""
_PROSE = (
    ("Пушкин А. С.", "Капитанская дочка"), ("Пушкин А. С.", "Повести Белкина"),
    ("Гоголь Н. В.", "Мёртвые души"), ("Гоголь Н. В.", "Вечера на хуторе близ Диканьки"),
    ("Лермонтов М. Ю.", "Герой нашего времени"), ("Тургенев И. С.", "Отцы и дети"),
    ("Тургенев И. С.", "Записки охотника"), ("Толстой Л. Н.", "Война и мир"),
    ("Толстой Л. Н.", "Анна Каренина"), ("Достоевский Ф. М.", "Преступление и наказание"),
    ("Достоевский Ф. М.", "Идиот"), ("Чехов А. П.", "Рассказы"), ("Чехов А. П.", "Вишнёвый сад"),
    ("Лесков Н. С.", "Левша"), ("Гончаров И. А.", "Обломов"),
    ("Куприн А. И.", "Гранатовый браслет"),
    ("Бунин И. А.", "Тёмные аллеи"), ("Островский А. Н.", "Гроза"), ("Диккенс Ч.", "Домби и сын"),
    ("Дюма А.", "Три мушкетёра"), ("Верн Ж.", "Таинственный остров"), ("Гюго В.", "Отверженные"),
    ("Остин Дж.", "Гордость и предубеждение"), ("Лондон Дж.", "Мартин Иден"),
)  # fmt: skip
_CHILDREN = (
    ("Пушкин А. С.", "Сказки"), ("Крылов И. А.", "Басни"), ("Андерсен Х. К.", "Сказки"),
    ("Бажов П. П.", "Малахитовая шкатулка"), ("Ершов П. П.", "Конёк-горбунок"),
    ("Аксаков С. Т.", "Аленький цветочек"), ("Кэрролл Л.", "Алиса в Стране чудес"),
    ("Твен М.", "Приключения Тома Сойера"), ("Киплинг Р.", "Книга джунглей"),
    ("Перро Ш.", "Сказки матушки Гусыни"), ("Погорельский А.", "Чёрная курица"),
    ("", "Русские народные сказки"),
)  # fmt: skip


def put_stock(engine: Engine, region_id: str, *, at: datetime, seed: int) -> int:
    """Store the stock where the region has none; gives how many items."""
    with writing(engine) as session:
        region = region_store.load_region(session, region_id)
        circulation_store.hold_circulation(session, region_id)
        if circulation_store.load_base(session, region_id):
            return 0
        vehicles = [str(v.vehicle_id) for v in region.vehicles]
        things = list(_stock(vehicles, at, seed))
        circulation_store.put_things(session, region_id, things)
        circulation_store.advance(session, region_id, is_new_base=True)
    return sum(isinstance(thing, Item) for thing in things)


def _stock(vehicles: list[str], at: datetime, seed: int) -> Iterator[Title | Item]:
    rng = np.random.default_rng([seed, 612])
    number = 0
    for vehicle in vehicles:
        for _ in range(ITEMS_ABOARD):
            number += 1
            kind = str(rng.choice([*SHARES, "prose"], p=[*SHARES.values(), _rest()]))
            title = _title(kind, number, int(rng.integers(1_000)), at.year)
            yield title
            is_new = rng.random() < NEW_A_YEAR
            days = rng.integers(5, 360) if is_new else rng.integers(400, 5_400)
            is_stored = rng.random() < IN_STORE
            place = PlaceKind.STORE if is_stored else PlaceKind.VEHICLE
            yield Item(
                item_id=ItemId(f"demo-{number:05d}"),
                title_id=title.title_id,
                place=ItemPlace(kind=place, key=vehicle),
                inventory_no=f"DEMO-{number:05d}",
                acquired_date=at.date() - timedelta(days=int(days)),
            )


def _rest() -> float:
    return 1 - sum(SHARES.values())


def _title(kind: str, number: int, chance: int, year: int) -> Title:
    """A title of a kind: a known work, or an issue of a series made up for the demo."""
    title_id, issue = TitleId(f"demo-t{number:05d}"), 1 + chance % 12
    match kind:
        case "children":
            author, name = _CHILDREN[chance % len(_CHILDREN)]
            return Title(
                title_id=title_id, name=name, author=author, age_mark=AgeMark.SIX,
                is_for_children=True, shelf="Д",
            )  # fmt: skip
        case "accessible":
            author, name = _PROSE[chance % len(_PROSE)]
            return Title(
                title_id=title_id, name=f"{name} (крупный шрифт)", author=author,
                is_accessible=True, shelf="84",
            )  # fmt: skip
        case "periodical":
            name = f"Журнал для всей семьи (пример), {year - chance % 2}, № {issue}"
            return Title(
                title_id=title_id, name=name, carrier=Carrier.PERIODICAL, year=year - chance % 2
            )
        case "audiovisual":
            author, name = _PROSE[chance % len(_PROSE)]
            return Title(
                title_id=title_id, name=f"{name} (аудиокнига)", author=author,
                carrier=Carrier.AUDIOVISUAL,
            )  # fmt: skip
    author, name = _PROSE[chance % len(_PROSE)]
    return Title(title_id=title_id, name=name, author=author, shelf="84")
