"""The page on bringing your own region names every table, column and key that is read."""

import re
from pathlib import Path
from typing import Any

import pytest

from data.feeds.assume import RULES
from data.feeds.depots import DEPOTS
from data.feeds.entity import Entity
from data.feeds.libraries import LIBRARIES
from data.feeds.region_folder import read_region, write_region
from data.feeds.settlements import MUNICIPALITIES, SETTLEMENTS
from data.feeds.specialists import SPECIALISTS
from data.feeds.stops import STOPS
from data.feeds.vehicles import VEHICLES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "data-in.md").read_text(encoding="utf-8")
ENTITIES: tuple[Entity[Any], ...] = (
    SETTLEMENTS,
    MUNICIPALITIES,
    LIBRARIES,
    DEPOTS,
    VEHICLES,
    SPECIALISTS,
    STOPS,
)


def section(title: str) -> str:
    """Text from a heading to the next one."""
    found = re.search(rf"^### {re.escape(title)}\n(.*?)(?=^##|\Z)", PAGE, re.S | re.M)
    assert found, title
    return found[1]


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)
def test_every_column_is_named_and_the_required_ones_are_bold(entity: Entity[Any]) -> None:
    """Each table's section holds its columns, no more bold ones than are required."""
    text = section(f"{entity.name}.csv")
    words = set(re.findall(r"\w+", text))
    assert set(entity.columns) <= words
    assert set(re.findall(r"\*\*(\w+)\*\*", text)) == set(entity.required)


def test_every_key_of_the_head_is_named(tmp_path: Path) -> None:
    """Whatever a written region.toml holds, the page tells of it."""
    write_region(read_region(ROOT / "data" / "samples" / "kaliningrad"), tmp_path)
    head = (tmp_path / "region.toml").read_text(encoding="utf-8")
    keys = set(re.findall(r"^(\w+) =", head, re.M))
    assert len(keys) > 30
    assert keys <= set(re.findall(r"\w+", PAGE))


def test_the_rules_of_the_assumption_are_named() -> None:
    """A new rule has to be told of."""
    assert all(rule in PAGE for rule in RULES)
