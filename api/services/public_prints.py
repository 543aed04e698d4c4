"""What residents read on paper: posters, large print, the whole timetable.

Paper is looked at for weeks, so it says nothing of today and tomorrow, and it is the same for a
whole day.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any, Literal
from urllib.parse import urlsplit

from api.print.typeset import print_pdf, qr_svg
from api.services.public_pages import PublicPages
from api.services.public_views import PublicViews, StopView, VisitView
from api.words import Words
from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.public_timetable import PublicStop
from data.model.publication import PromisedVisit

type Size = Literal["a4", "a3"]
SIZES: tuple[Size, ...] = ("a4", "a3")
DATES = 16
"""Most dates of one stop on its poster or page; so many fit where names are short."""
IN_BOX = 3
"""Most cancelled visits in the box that says so; further ones stand among the dates."""
NOTICES = 12
AHEAD_DAYS = 91
"""A timetable tells the dates of a quarter; the rhythm tells the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicPrints:
    """The printed documents of one region in one language on one day.

    Parameters
    ----------
    pages
        The same as pages; its links say where readers find more.
    has_address
        Whether others can open those links, so that a QR code leads somewhere.
    """

    pages: PublicPages
    has_address: bool = True

    @property
    def words(self) -> Words:
        return self.pages.words

    @property
    def _today(self) -> date:
        return self.pages.now[0]

    @property
    def _views(self) -> PublicViews:
        pages = self.pages
        return PublicViews(pages.timetable, (self._today, 0), pages.words, pages.links)

    def poster(self, stop_id: StopId, size: Size) -> bytes:
        """A stop's poster.

        Raises
        ------
        NotFoundError
            ``public.no_stop``.
        """
        stop = self.pages.place(stop_id)
        title = self.words("print.title.poster", stop=stop.name)
        return self._print("poster", self._stops(title, [stop]) | {"size": size})

    def posters(self, size: Size) -> bytes:
        """The posters of all stops, one on each page."""
        title = self.words("print.title.posters", region=self.pages.region_name)
        stops = self._stops(title, self.pages.timetable.stops)
        return self._print("poster", stops | {"size": size})

    def stop_large(self, stop_id: StopId) -> bytes:
        """A stop's timetable in large print.

        Raises
        ------
        NotFoundError
            ``public.no_stop``.
        """
        stop = self.pages.place(stop_id)
        title = self.words("print.title.stop", stop=stop.name)
        return self._print("large", self._stops(title, [stop]))

    def vehicle_large(self, vehicle_id: VehicleId) -> bytes:
        """The stops of a vehicle in large print, in the order in which it comes to them.

        Raises
        ------
        NotFoundError
            ``public.no_vehicle``.
        """
        title = self.words("print.title.vehicle", vehicle=self.pages.vehicle_name(vehicle_id))
        timetable = self.pages.timetable
        coming = [
            v
            for v in timetable.visits
            if v.vehicle_id == vehicle_id and v.is_coming and v.opens_date >= self._today
        ]
        order = dict.fromkeys(v.stop_id for v in coming)
        return self._print("large", self._stops(title, [timetable.stop_of[i] for i in order]))

    def region_large(self) -> bytes:
        """All stops in large print, one on each page."""
        title = self.words("print.title.region", region=self.pages.region_name)
        return self._print("large", self._stops(title, self.pages.timetable.stops))

    def timetable(self) -> bytes:
        """The whole timetable on as few pages as can be."""
        timetable, words, views = self.pages.timetable, self.words, self._views
        last = self._today + timedelta(days=AHEAD_DAYS)
        if timetable.until_date is not None:
            last = min(last, timetable.until_date)
        title = words("print.title.timetable", region=self.pages.region_name)
        notices = views.notices(timetable.notices)[:NOTICES]
        rows = [self._row(views, stop, last) for stop in timetable.stops]
        told = {
            "until": words("print.until", last=self._day(last)),
            "notices": [words("print.notice", stop=n.stop_name, text=n.text) for n in notices],
            "rows": rows,
        }
        return self._print("timetable", self._head(title) | self._scan() | told)

    def _print(self, template: str, data: dict[str, Any]) -> bytes:
        at = datetime.combine(self._today, time(12), UTC)
        return print_pdf(template, data, self.words, at=at)

    def _head(self, title: str) -> dict[str, Any]:
        timetable, words = self.pages.timetable, self.words
        last = timetable.until_date
        return {
            "title": title,
            "region": self.pages.region_name,
            "phone": timetable.phone,
            "address": _typed(self.pages.links.short()) if self.has_address else "",
            "valid": "" if last is None else words("print.valid", last=self._day(last)),
            "made": words("print.made", day=self._day(self._today)),
        }

    def _scan(self) -> dict[str, str]:
        """The QR code of the region's page."""
        links = self.pages.links
        address = links.absolute(links.page("home")) if self.has_address else ""
        alt = self.words("print.scan.region", address=address)
        return {"qr": qr_svg(address) if address else "", "qr_alt": alt}

    def _stops(self, title: str, stops: Iterable[PublicStop]) -> dict[str, Any]:
        views = self._views
        return self._head(title) | {"stops": [self._stop(views, stop) for stop in stops]}

    def _stop(self, views: PublicViews, stop: PublicStop) -> dict[str, Any]:
        words, links = self.words, self.pages.links
        shown = views.stop(stop)
        boxed = shown.cancelled[:IN_BOX]
        hidden = {v.visit_id for v in boxed}
        dates = [v for v in views.coming(stop.stop_id) if v.visit_id not in hidden][:DATES]
        address = links.absolute(links.stop(stop.stop_id)) if self.has_address else ""
        return {
            **_named(shown),
            "cancelled": [self._cancelled(v) for v in boxed],
            "dates": [self._date(v) for v in dates],
            "access": ". ".join(self._access(stop)),
            "qr": qr_svg(address) if address else "",
            "qr_alt": words("print.scan.stop", stop=stop.name, address=address),
        }

    def _access(self, stop: PublicStop) -> Iterable[str]:
        if stop.step_free is not None:
            yield self.words("public.where.step_free" if stop.step_free else "public.where.steps")
        if stop.toilet:
            yield self.words("public.where.toilet")

    def _cancelled(self, visit: VisitView) -> dict[str, str]:
        instead = visit.instead
        return {
            "when": _capital(self._when(visit)),
            "why": " ".join(_sentence(part) for part in (visit.reason, visit.note) if part),
            "instead": self.words("print.instead", when=self._when(instead)) if instead else "",
        }

    def _date(self, visit: VisitView) -> dict[str, Any]:
        notes = [visit.services]
        if visit.is_cancelled:
            notes = [self.words("print.cancelled.row"), visit.reason]
        elif visit.makes_up:
            notes = [self.words("public.makes_up.short", date=visit.makes_up), visit.services]
        return {
            "day": _capital(visit.day),
            "time": visit.time,
            "is_cancelled": visit.is_cancelled,
            "note": ", ".join(filter(None, notes)),
        }

    def _row(self, views: PublicViews, stop: PublicStop, last: date) -> dict[str, Any]:
        """A stop's row of the whole timetable."""
        coming = [
            v
            for v in self.pages.timetable.coming(stop.stop_id, (self._today, 0))
            if v.opens_date <= last
        ]
        off = [views.visit(v) for v in coming if not v.is_coming]
        return {
            **_named(views.stop(stop)),
            "dates": self._dates([v for v in coming if v.is_coming]),
            "off": [self._off(v) for v in off],
        }

    def _off(self, visit: VisitView) -> str:
        when = self._when(visit)
        if visit.reason:
            text = self.words("print.cancelled.why", when=when, reason=visit.reason)
        else:
            text = self.words("print.cancelled.line", when=when)
        if visit.instead:
            text += ". " + self.words("print.instead", when=self._when(visit.instead))
        return text + "."

    def _dates(self, visits: Sequence[PromisedVisit]) -> list[str]:
        """Dates by clock time: ``10:00–11:30: 1, 15 December; 12 January``."""
        by_time: dict[tuple[int, int], list[date]] = {}
        for visit in visits:
            by_time.setdefault((visit.opens_s, visit.closes_s), []).append(visit.opens_date)
        clock = self.words.clock
        return [
            self.words(
                "print.dates.at",
                time=f"{clock(opens_s)}–{clock(closes_s)}",
                dates="; ".join(self._month(month) for month in _months(dates)),
            )
            for (opens_s, closes_s), dates in sorted(by_time.items())
        ]

    def _month(self, dates: Sequence[date]) -> str:
        days = [*(self.words.day(on, "d") for on in dates[:-1]), self._day(dates[-1])]
        return ", ".join(days)

    def _day(self, on: date) -> str:
        """A date; the year where it is another than now."""
        told = self.words.day(on, "d MMMM" if on.year == self._today.year else "d MMMM y")
        return told.replace(" ", "\N{NO-BREAK SPACE}")

    def _when(self, visit: VisitView) -> str:
        return self.words("print.when", day=visit.day, time=visit.time)


def _months(dates: Iterable[date]) -> Iterable[list[date]]:
    for _, month in groupby(dates, key=lambda on: (on.year, on.month)):
        yield list(month)


def _named(shown: StopView) -> dict[str, Any]:
    """Name and rhythm of a stop."""
    return {
        "name": shown.name,
        "community": shown.community,
        "rhythm": [{"rule": _capital(rule), "time": time} for rule, time in shown.rhythm],
    }


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _sentence(text: str) -> str:
    text = _capital(text)
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _typed(address: str) -> str:
    """An address as a person types it."""
    parts = urlsplit(address)
    return f"{parts.netloc}{parts.path}".rstrip("/")
