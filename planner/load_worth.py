"""What an item is worth on a run: the loans to be expected of it.

A title's own loans say little until it has been offered often, so its rate leans on that of its
shelf (a gamma-Poisson model; the shelf's mean is the prior, worth so many offers). Of that, readers
who have had it do not come again, and what nobody took run after run has been seen by now.

References
----------
Robbins (1956), "An empirical Bayes approach to statistics"; Morris (1983),
doi:10.1080/01621459.1983.10477920.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from planner.load_problem import Candidate

PRIOR_OFFERS = 6.0
"""So many offers of a title weigh as much as what is known of its shelf."""
LEAST_RATE = 0.01
"""Loans a run of a shelf that nobody has ever lent from: it may just not have been there."""
STALE = 0.85
"""Part of its pull that an item keeps with each run on which nobody took it."""
LEAST_PULL = 0.2
NEW_PULL = 1.5
"""New titles are asked for more than their shelf."""


def shelf_rates(candidates: Sequence[Candidate]) -> dict[str, float]:
    """Loans a run and title of each shelf at the run's stops."""
    loans: dict[str, int] = defaultdict(int)
    offers: dict[str, int] = defaultdict(int)
    seen = set()
    for item in candidates:
        loans[item.shelf] += 0  # a further copy may stand on a shelf of its own
        if item.title_id not in seen:
            seen.add(item.title_id)
            loans[item.shelf] += item.num_loans
            offers[item.shelf] += item.num_offers
    overall = (sum(loans.values()) + LEAST_RATE) / (sum(offers.values()) + 1.0)
    prior = max(overall, LEAST_RATE)
    return {
        shelf: (loans[shelf] + prior * PRIOR_OFFERS) / (offers[shelf] + PRIOR_OFFERS)
        for shelf in loans
    }


def worth_of(item: Candidate, rates: Mapping[str, float], num_readers: int | None = None) -> float:
    """Loans to be expected of an item on one run.

    Parameters
    ----------
    num_readers
        Readers of the run's stops; where it is not known, who has had a title is not reckoned.
    """
    prior = rates.get(item.shelf, LEAST_RATE)
    rate = (item.num_loans + prior * PRIOR_OFFERS) / (item.num_offers + PRIOR_OFFERS)
    if num_readers:
        rate *= max(0.0, 1.0 - item.num_readers_had / num_readers)
    pull = max(LEAST_PULL, STALE**item.num_stale_offers)
    return rate * pull * (NEW_PULL if item.is_new and not item.num_offers else 1.0)
