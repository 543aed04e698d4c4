"""Review of stops: who comes and how that changes; a verdict and a proposal by a stated rule.

A stop whose visits are few for long is looked at (DOMAIN §4, ``service.min_visitors`` and
``service.review_months``); a new one has a time of grace in which nothing is proposed.

References
----------
Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5: quantiles of Student's t.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from math import sqrt

from data.model.errors import InputError

MONTH_DAYS = 365.25 / 12
AHEAD_MONTHS = 6
_Z = 1.959964


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRules:
    """By what stops are judged; data of a region. Metres, people, stop visits."""

    min_visitors: float = 3.0
    """Visits by stop visit below which a stop is looked at (S: Lincolnshire, Devon …)."""
    grace_months: int = 9
    """So long nothing is said of a new stop."""
    grace_most_months: int = 12
    """So long nothing is said of a new stop whose visits grow."""
    least_held: int = 4
    """Stop visits below which nothing can be said (D)."""
    merge_m: int = 1000
    """Walk to another stop that may take a stop's readers over (D, ``access.walk_to_stop_m``)."""
    home_people: int = 30
    """Residents up to which their homes are visited instead (D)."""
    home_senior_percent: float = 60.0
    """Part of the visits that are seniors' from which their homes are visited instead (D)."""
    point_loans: float = 5.0
    """Loans by stop visit from which an exchange collection is worth it (D)."""

    def __post_init__(self) -> None:
        limits = {
            "min_visitors": (0, 1000),
            "grace_months": (0, 60),
            "grace_most_months": (0, 60),
            "least_held": (2, 1000),
            "merge_m": (0, 50_000),
            "home_people": (0, 100_000),
            "home_senior_percent": (0, 100),
            "point_loans": (0, 10_000),
        }
        for name, (least, most) in limits.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise InputError(
                    "reports.out_of_range", field=name, value=value, least=least, most=most
                )
        if self.grace_most_months < self.grace_months:
            raise InputError(
                "reports.out_of_range",
                field="grace_most_months",
                value=self.grace_most_months,
                least=self.grace_months,
                most=60,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Change of visits by stop visit in a month, with its 95 % interval."""

    slope: float
    low: float
    high: float
    mid_date: date | None = None
    """Where the line passes through the mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopFigures:
    """What is on record of a stop in a period."""

    stop_id: str
    name: str
    num_held: int
    open_s: int
    """Of the held ones whose open time is known."""
    num_open_visits: int
    """At those."""
    num_open_loans: int
    num_visits: int
    num_loans: int
    first_date: date
    """First stop visit held, as far as the diary goes back."""
    is_new: bool
    """Whether the diary goes back further than the stop."""
    trend: Trend | None = None
    cost: Decimal | None = None
    people: int | None = None
    senior_percent: float | None = None
    """Seniors' part of the visits whose age is known."""
    near: tuple[tuple[str, float], ...] = ()
    """Other stops within a walk, nearest first: name, metres."""

    @property
    def visits_per_hour(self) -> float | None:
        return 3600 * self.num_open_visits / self.open_s if self.open_s else None

    @property
    def loans_per_hour(self) -> float | None:
        return 3600 * self.num_open_loans / self.open_s if self.open_s else None

    @property
    def visits_mean(self) -> float:
        return self.num_visits / self.num_held if self.num_held else 0.0

    @property
    def loans_mean(self) -> float:
        return self.num_loans / self.num_held if self.num_held else 0.0

    @property
    def cost_per_visit(self) -> Decimal | None:
        return self.cost / self.num_visits if self.cost is not None and self.num_visits else None


class Verdict(StrEnum):
    GRACE = "grace"
    TOO_FEW = "too_few"
    KEEP = "keep"
    WATCH = "watch"
    """Enough still, but fewer and fewer."""
    REVIEW = "review"


class Proposal(StrEnum):
    MERGE = "merge"
    HOME = "home"
    POINT = "point"
    SHIFT = "shift"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopVerdict:
    """What becomes of a stop by the rules; ``facts`` are the numbers of the rule that said so."""

    verdict: Verdict
    proposal: Proposal | None
    facts: dict[str, object]

    @property
    def rule(self) -> str:
        """Code of the rule (``reports.rule.<rule>``)."""
        return self.proposal.value if self.proposal else self.verdict.value


def trend_of(points: Sequence[tuple[date, float]]) -> Trend | None:
    """Least squares over dates with the interval of the slope; ``None`` below five dates."""
    num = len(points)
    if num < 5 or len({on for on, _ in points}) < 3:
        return None
    start = points[0][0]
    xs = [(on - start).days / MONTH_DAYS for on, _ in points]
    ys = [y for _, y in points]
    mean_x, mean_y = sum(xs) / num, sum(ys) / num
    spread = sum((x - mean_x) ** 2 for x in xs)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread
    rest = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in zip(xs, ys, strict=True))
    half = t_quantile(num - 2) * sqrt(rest / (num - 2) / spread)
    mid_date = start + timedelta(days=round(mean_x * MONTH_DAYS))
    return Trend(slope=slope, low=slope - half, high=slope + half, mid_date=mid_date)


def t_quantile(freedom: int) -> float:
    """The 97.5 % quantile of Student's t for 3 degrees of freedom and more."""
    z, v = _Z, float(freedom)
    return (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    )


def judge_stop(stop: StopFigures, rules: ReviewRules, on: date) -> StopVerdict:
    """The verdict on a stop as of a date."""
    months = (on - stop.first_date).days / MONTH_DAYS
    facts: dict[str, object] = {
        "mean": stop.visits_mean,
        "least": rules.min_visitors,
        "held": stop.num_held,
        "months": months,
    }
    if stop.is_new and months < rules.grace_months:
        return _said(Verdict.GRACE, facts | {"limit": rules.grace_months})
    grows = stop.trend is not None and stop.trend.slope > 0
    if stop.is_new and grows and months < rules.grace_most_months:
        return _said(Verdict.GRACE, facts | {"limit": rules.grace_most_months})
    if stop.num_held < rules.least_held:
        return _said(Verdict.TOO_FEW, facts | {"limit": rules.least_held})
    if stop.visits_mean >= rules.min_visitors:
        trend = stop.trend
        if trend is not None and trend.high < 0:
            since = (on - trend.mid_date).days / MONTH_DAYS if trend.mid_date else 0.0
            then = stop.visits_mean + (since + AHEAD_MONTHS) * trend.slope
            if then < rules.min_visitors:
                return _said(Verdict.WATCH, facts | {"then": max(0.0, then)})
        return _said(Verdict.KEEP, facts)
    proposal, more = _proposed(stop, rules)
    return StopVerdict(verdict=Verdict.REVIEW, proposal=proposal, facts=facts | more)


def _said(verdict: Verdict, facts: dict[str, object]) -> StopVerdict:
    return StopVerdict(verdict=verdict, proposal=None, facts=facts)


def _proposed(stop: StopFigures, rules: ReviewRules) -> tuple[Proposal, dict[str, object]]:
    """The first rule that fits.

    Another stop is near; few live here, or mostly old people come; much is lent; else the time.
    """
    near = next(((name, m) for name, m in stop.near if m <= rules.merge_m), None)
    if near is not None:
        return Proposal.MERGE, {"near": near[0], "metres": near[1], "limit": rules.merge_m}
    are_few = stop.people is not None and stop.people <= rules.home_people
    seniors = stop.senior_percent
    if are_few or (seniors is not None and seniors >= rules.home_senior_percent):
        return Proposal.HOME, {
            "people": stop.people,
            "limit": rules.home_people,
            "seniors": seniors,
            "senior_limit": rules.home_senior_percent,
        }
    if stop.loans_mean >= rules.point_loans:
        return Proposal.POINT, {"loans": stop.loans_mean, "limit": rules.point_loans}
    return Proposal.SHIFT, {"people": stop.people}
