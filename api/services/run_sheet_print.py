"""The run sheet as PDF: what the crew must know, and empty boxes for what it counts."""

from typing import Any

from api.print.typeset import print_pdf, qr_svg
from api.services.diary_words import count_name, reason_text
from api.services.run_sheets import FIELDS, RunSheet, SheetStop
from api.words import Words
from data.model.place import SiteCard
from data.model.service_time import instant_of

MOST_BOOKS = 12


def sheet_pdf(sheet: RunSheet, words: Words, *, address: str) -> bytes:
    """The sheet as PDF.

    Parameters
    ----------
    address
        Where it is typed in again, as others can open it.
    """
    day = words.day(sheet.on, "d MMMM y")
    labels = {
        name: words(f"runsheet.{name}")
        for name in ("scan", "odometer_out", "odometer_in", "fuel", "driver", "plan", "opened",
                     "closed", "skip", "holds", "notes", "codes", "depart", "back")
    }  # fmt: skip
    clock = words.clock
    data: dict[str, Any] = {
        "title": words("runsheet.of", vehicle=sheet.vehicle.name, day=day),
        "region": sheet.head.name_in(words.language),
        "number": words("runsheet.number", number=sheet.number),
        "address": address,
        "qr": qr_svg(address),
        "qr_alt": words("runsheet.scan.alt", number=sheet.number),
        "labels": labels,
        "depart": "" if sheet.depart_s is None else clock(sheet.depart_s),
        "back": "" if sheet.return_s is None else clock(sheet.return_s),
        "fields": [count_name(name, words) for name in FIELDS],
        "stops": [_stop(n, stop, words) for n, stop in enumerate(sheet.stops, start=1)],
    }
    at = instant_of(sheet.on, 0, sheet.zone)
    return print_pdf("run_sheet", data, words, at=at)


def _stop(number: int, stop: SheetStop, words: Words) -> dict[str, Any]:
    visit = stop.visit
    clock = words.clock
    site = stop.stop.site if stop.stop is not None else SiteCard()
    notes = [site.notes]
    if site.contact:
        notes.insert(0, words("runsheet.contact", contact=site.contact))
    cancelled = ""
    if not visit.is_coming and visit.state.value == "cancelled":
        cancelled = words("runsheet.cancelled", reason=reason_text(visit.reason, words))
    return {
        "number": str(number),
        "id": str(visit.stop_id),
        "name": stop.name,
        "community": "" if stop.stop is None else stop.stop.community,
        "time": words("runsheet.planned", first=clock(visit.start_s), last=clock(visit.end_s)),
        "arrival": clock(visit.arrival_s),
        "departure": clock(visit.departure_s),
        "notes": ". ".join(n.rstrip(".") for n in notes if n),
        "books": [
            f"{b.title} [{b.item_id}] …{b.card_end}" if b.card_end else f"{b.title} [{b.item_id}]"
            for b in stop.books[:MOST_BOOKS]
        ],
        "more": max(0, len(stop.books) - MOST_BOOKS),
        "cancelled": cancelled,
    }
