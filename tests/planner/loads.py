"""Stocks to load from, made by a seed: shelves of unlike draw, a long tail of titles."""

import random

from data.model.stock import ItemId, TitleId
from planner.load_problem import Candidate

SHELVES = tuple(f"shelf-{n:02d}" for n in range(24))


def stock_of(
    num_items: int,
    *,
    seed: int = 1,
    num_aboard: int = 0,
    num_held: int = 0,
    children_ratio: float = 0.22,
    accessible_ratio: float = 0.02,
) -> list[Candidate]:
    """Candidates with loans drawn at random, the first ones aboard."""
    dice = random.Random(seed)
    items = []
    for n in range(num_items):
        shelf = dice.choices(SHELVES, [1 / (k + 1) for k in range(len(SHELVES))])[0]
        offers = dice.choice((0, 0, 1, 2, 4, 8, 12))
        draw = 0.6 / (1 + SHELVES.index(shelf)) * dice.random() ** 3
        loans = sum(dice.random() < draw for _ in range(offers))
        items.append(
            Candidate(
                item_id=ItemId(f"item-{n:05d}"),
                title_id=TitleId(f"title-{dice.randrange(max(1, num_items * 4 // 5)):05d}"),
                shelf=shelf,
                thickness_mm=round(dice.uniform(6, 45), 1),
                is_for_children=dice.random() < children_ratio,
                is_accessible=dice.random() < accessible_ratio,
                is_new=dice.random() < 0.04,
                is_aboard=n < num_aboard,
                is_held=n >= num_items - num_held,
                num_loans=loans,
                num_offers=offers,
                num_readers_had=loans,
                num_stale_offers=dice.randrange(offers + 1) if offers else 0,
            )
        )
    return items
