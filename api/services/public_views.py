"""Public pages as values ready for a template: dates and times in words, links, what is next."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from api.web.public_links import PublicLinks
from api.words import Words
from data.model.calendar import DAY_S
from data.model.cancellation import RESTORED, Notice
from data.model.crew import with_services
from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.public_timetable import PublicStop, PublicTimetable
from data.model.publication import Moment, PromisedVisit, VisitState, moment_of
from data.model.rhythm_words import rule_text

NEAR_STOPS = 3
"""Other stops named beside one."""
NEAR_M = 20_000
"""Farther stops are no help."""
_LAST_S = DAY_S - 60
_RHYTHM_DAYS = 28
"""A line that has ended or begins later than this is not what a stop's rhythm is now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitView:
    """One visit in words."""

    visit_id: str
    stop_name: str
    stop_community: str
    stop_link: str
    vehicle: str
    vehicle_link: str
    iso_opens: str
    """Date and time for machines, without a zone: it is the place's own."""
    iso_closes: str
    day: str
    """``Tuesday, 1 December``; the year where it is another."""
    time: str
    """``10:00–11:30``."""
    distance: str
    """``today``, ``tomorrow``, ``in 5 days``; ``open now``; empty on pages that stay as files."""
    services: str
    is_cancelled: bool
    reason: str
    note: str
    instead: "VisitView | None" = None
    """The visit that stands in for a cancelled one."""
    makes_up: str = ""
    """The day of the cancelled visit for which this one stands in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopView:
    """A stop as lists show it."""

    stop_id: StopId
    name: str
    community: str
    link: str
    next: VisitView | None
    cancelled: tuple[VisitView, ...]
    """Cancelled visits that would come before the next real one."""
    rhythm: tuple[tuple[str, str], ...]
    """Rule and time, each in words."""
    distance: str = ""
    """From where somebody asked, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeView:
    """A notice in words."""

    notice_id: str
    text: str
    day: str
    iso_day: str
    stop_name: str
    stop_link: str
    is_good: bool
    """Something takes place after all."""


class PublicViews:
    """Makes the views of one timetable in one language at one moment."""

    def __init__(
        self, timetable: PublicTimetable, now: Moment, words: Words, links: PublicLinks
    ) -> None:
        self.timetable = timetable
        self.now = now
        self.words = words
        self.links = links

    @property
    def today(self) -> date:
        return self.now[0]

    def visit(self, visit: PromisedVisit, *, with_instead: bool = True) -> VisitView:
        """One visit."""
        words, timetable = self.words, self.timetable
        stop = timetable.stop_of[visit.stop_id]
        is_cancelled = visit.state is VisitState.CANCELLED
        instead = timetable.make_up_of.get(visit.visit_id) if with_instead else None
        missed = timetable.visit_of.get(visit.make_up_for) if visit.make_up_for else None
        vehicle = timetable.vehicles.get(visit.vehicle_id, visit.vehicle_id)
        closes_s = min(visit.closes_s, _LAST_S)
        return VisitView(
            visit_id=visit.visit_id,
            stop_name=stop.name,
            stop_community="" if stop.community == stop.name else stop.community,
            stop_link=self.links.stop(stop.stop_id),
            vehicle=vehicle,
            vehicle_link=self.links.vehicle(visit.vehicle_id),
            iso_opens=f"{visit.opens_date.isoformat()}T{words.clock(visit.opens_s)}",
            iso_closes=f"{visit.opens_date.isoformat()}T{words.clock(closes_s)}",
            day=self.day(visit.opens_date),
            time=f"{words.clock(visit.opens_s)}–{words.clock(visit.closes_s)}",
            distance=self._distance(visit),
            services=with_services(visit.services, words),
            is_cancelled=is_cancelled,
            reason=words(f"cancel.reason.{visit.reason}") if visit.reason else "",
            note=self._notes.get(visit.visit_id, "") if is_cancelled else "",
            instead=None if instead is None else self.visit(instead, with_instead=False),
            makes_up="" if missed is None else words.day(missed.opens_date, "d MMMM"),
        )

    def day(self, on: date) -> str:
        """A date with its weekday; the year where it is another than now."""
        same_year = on.year == self.today.year
        return self.words.day(on, "EEEE, d MMMM" if same_year else "EEEE, d MMMM y")

    @property
    def _notes(self) -> dict[str, str]:
        """What a dispatcher has written to readers, by cancelled visit."""
        return {
            n.visit_id: str(n.facts.get("note", ""))
            for n in self.timetable.notices
            if n.visit_id is not None and n.code == "notice.cancelled"
        }

    def _distance(self, visit: PromisedVisit) -> str:
        if self.links.is_static:
            return ""
        if visit.begins <= self.now < visit.ends:
            return self.words("public.open_now")
        days = (visit.opens_date - self.today).days
        if days == 0:
            return self.words("public.today")
        if days == 1:
            return self.words("public.tomorrow")
        return self.words.count("public.in_days", days) if days > 0 else ""

    def stop(self, stop: PublicStop, *, metres: float | None = None) -> StopView:
        """A stop with what comes next."""
        coming = self.timetable.coming(stop.stop_id, self.now)
        real = next((v for v in coming if v.is_coming), None)
        before = coming[: coming.index(real)] if real else coming[:1]
        return StopView(
            stop_id=stop.stop_id,
            name=stop.name,
            community="" if stop.community == stop.name else stop.community,
            link=self.links.stop(stop.stop_id),
            next=None if real is None else self.visit(real),
            cancelled=tuple(self.visit(v) for v in before if not v.is_coming),
            rhythm=self.rhythm(stop.stop_id),
            distance="" if metres is None else self.metres(metres),
        )

    def metres(self, metres: float) -> str:
        """A distance as people say it."""
        if metres < 950:
            return self.words("public.metres", n=self.words.number(round(metres, -2) or 50))
        return self.words("public.kilometres", n=self.words.number(metres / 1000, 1))

    def rhythm(self, stop_id: StopId) -> tuple[tuple[str, str], ...]:
        """When a stop is visited, as a timetable would print it: rule and time."""
        last = self.today + timedelta(days=_RHYTHM_DAYS)
        told: dict[tuple[str, str], None] = {}
        for line in self.timetable.lines_of.get(stop_id, ()):
            if line.rule is None or line.last_date < self.today or line.first.opens_date > last:
                continue
            clock = self.words.clock
            time = f"{clock(line.first.opens_s)}–{clock(line.first.closes_s)}"
            told[rule_text(line.rule, line.weekday, self.words), time] = None
        return tuple(told)

    def coming(self, stop_id: StopId) -> tuple[VisitView, ...]:
        """All coming visits of a stop, cancelled ones too."""
        return tuple(self.visit(v) for v in self.timetable.coming(stop_id, self.now))

    def near(self, stop: PublicStop) -> tuple[StopView, ...]:
        """Other stops nearby, for whoever cannot wait."""
        found = self.timetable.nearest(stop.lon, stop.lat, most=NEAR_STOPS + 1)
        return tuple(
            self.stop(other, metres=metres)
            for other, metres in found
            if other.stop_id != stop.stop_id and metres <= NEAR_M
        )[:NEAR_STOPS]

    def soon(
        self, *, most: int, stops: Iterable[PublicStop] | None = None
    ) -> tuple[VisitView, ...]:
        """The next visits of some stops, or of the whole region."""
        chosen = self.timetable.stops if stops is None else stops
        coming = [v for s in chosen for v in self._first_of(s.stop_id, most)]
        coming.sort(key=lambda v: (v.opens_date, v.opens_s, v.stop_id))
        return tuple(self.visit(v) for v in coming[:most])

    def _first_of(self, stop_id: StopId, most: int) -> Sequence[PromisedVisit]:
        return self.timetable.coming(stop_id, self.now)[:most]

    def run_days(
        self, vehicle_id: VehicleId, *, most: int
    ) -> tuple[tuple[str, tuple[VisitView, ...]], ...]:
        """The coming days of one vehicle, each with its visits in order."""
        days: dict[date, list[PromisedVisit]] = {}
        for visit in self.timetable.visits:
            if visit.vehicle_id != vehicle_id or visit.ends <= self.now:
                continue
            if visit.opens_date not in days and len(days) == most:
                break
            days.setdefault(visit.opens_date, []).append(visit)
        return tuple(
            (self.day(on), tuple(self.visit(v) for v in visits)) for on, visits in days.items()
        )

    def notices(self, notices: Iterable[Notice]) -> tuple[NoticeView, ...]:
        """Notices that are shown today, of stops that readers know."""
        return tuple(
            self.notice(n)
            for n in notices
            if n.is_shown(self.today) and n.stop_id in self.timetable.stop_of
        )

    def notice(self, notice: Notice) -> NoticeView:
        """One notice."""
        stop = self.timetable.stop_of[notice.stop_id]
        on, _ = moment_of(notice.created_at, self.timetable.time_zone)
        return NoticeView(
            notice_id=notice.notice_id,
            text=notice_text(
                notice, self.words, with_next=notice.visit_id not in self.timetable.make_up_of
            ),
            day=self.words.day(on, "d MMMM y"),
            iso_day=on.isoformat(),
            stop_name=stop.name,
            stop_link=self.links.stop(stop.stop_id),
            is_good=notice.code == RESTORED,
        )


def subject_of(notice: Notice) -> str:
    """Code of the few words that head a notice in letters and feeds; ``stop`` is their fact."""
    if notice.code == RESTORED:
        return "letters.restored.subject"
    return f"letters.{notice.code}.subject"


def notice_text(notice: Notice, words: Words, *, with_next: bool = True) -> str:
    """A notice in words: facts that end in ``date`` are dates, in ``_s`` clock times.

    Parameters
    ----------
    with_next
        Whether the next visit that it names is still the next one.
    """
    told: dict[str, object] = {}
    for name, value in notice.facts.items():
        if name.endswith("date"):
            told[name] = words.day(date.fromisoformat(str(value)), "d MMMM")
        elif name.endswith("_s"):
            told[name.removesuffix("_s")] = words.clock(int(value))
        else:
            told[name] = value
    reason = str(notice.facts.get("reason", ""))
    if reason:
        told["reason"] = words(f"cancel.reason.{reason}")
    count = int(notice.facts.get("count", 1))
    many = f"{notice.code}_many"
    text = words.count(many, count, **told) if count > 1 else words(notice.code, **told)
    parts = [text, str(notice.facts.get("note", ""))]
    if "dropped_date" in notice.facts:
        parts.append(words("notice.no_instead", **told))
    if with_next and "next_date" in notice.facts:
        parts.append(words("notice.next", **told))
    return " ".join(p if p.endswith((".", "!", "?")) else f"{p}." for p in parts if p)
