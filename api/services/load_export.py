"""Loading of a run as a workbook: to put aboard, to take off, to hand over at each stop."""

import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from api.services.load_planning import LoadPage, WhyItem
from api.words import Words
from data.feeds.workbook import Cell, Column, Kind, TableBook
from data.model.place import StopId


def lists_xlsx(
    page: LoadPage,
    stops: Mapping[StopId, str],
    places: Mapping[str, str],
    on: date,
    words: Words,
) -> bytes:
    """The lists as a workbook; what looks like a formula is text.

    Parameters
    ----------
    stops, places
        Names by id, and by ``str(place)``.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "loading.xlsx"
        book = TableBook(path, words, on)
        loads: list[list[Cell]] = [
            [line.item_id, page.lists.titles.get(line.item_id, ""),
             places.get(str(line.from_place), str(line.from_place)),
             words(f"loads.reason.{line.reason}"),
             stops.get(line.stop_id, line.stop_id) if line.stop_id else ""]
            for line in page.lists.loads
        ]  # fmt: skip
        book.add_table(
            words("loads.load_list"), _heads(words, "number", "title", "from", "reason", "stop"),
            loads,
        )  # fmt: skip
        book.add_table(
            words("loads.off_list"), _heads(words, "number", "title", "shelf", "why"),
            [_off(item, words) for item in page.taken_off],
        )  # fmt: skip
        picks: list[list[Cell]] = [
            [stops.get(line.stop_id, line.stop_id),
             page.readers.get(str(line.patron_id), ""),
             page.lists.titles.get(line.item.item_id, ""), line.item.item_id, line.shelf,
             places.get(str(line.item.place), str(line.item.place))]
            for line in page.lists.picks
        ]  # fmt: skip
        book.add_table(
            words("loads.pick_list"),
            _heads(words, "stop", "reader", "title", "number", "shelf", "where"), picks,
        )  # fmt: skip
        book.close()
        return path.read_bytes()


def _off(told: WhyItem, words: Words) -> Sequence[Cell]:
    name = told.item.item_id if told.title is None else told.title.name
    shelf = "" if told.title is None else told.title.shelf
    return [told.item.item_id, name, shelf, words(f"loads.why.{told.why}")]


def _heads(words: Words, *names: str) -> list[Column]:
    wide = {"title": 44, "from": 24, "where": 24, "reader": 28, "stop": 28, "why": 44}
    return [Column(words(f"loads.col.{n}"), Kind.TEXT, wide.get(n, 16)) for n in names]
