"""Letters in words: subject, paragraphs, one link, why one gets it; as text and as HTML."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.mail import Letter
from api.rendering import TEMPLATES
from api.services.letters import CONFIRM, MANAGE, token_of
from api.services.public_views import notice_text
from api.settings import Settings
from api.web.public_links import ServedLinks
from api.words import Words
from data.model.cancellation import Notice
from data.model.letters import CONFIRM_DAYS, Subscription
from data.model.place import StopId
from data.model.public_timetable import PublicStop, PublicTimetable
from data.model.publication import PromisedVisit
from data.model.service_time import date_of
from data.model.stop_request import CONTACT_DAYS, RequestState, StopRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a letter says."""

    subject: str
    heading: str
    where: str
    """The stop and the region, in small letters above all."""
    paragraphs: tuple[str, ...]
    link: str
    link_text: str
    why: str
    """Why one gets it."""
    leave: str = ""
    """Address at which one says that one has had enough; empty where there is nothing to leave."""
    leave_text: str = ""

    @property
    def text(self) -> str:
        """The letter as plain text."""
        body = [self.where, *self.paragraphs, f"{self.link_text}:\n{self.link}", "-- ", self.why]
        if self.leave:
            body.append(f"{self.leave_text}:\n{self.leave}")
        return "\n\n".join(body).replace("-- \n\n", "-- \n") + "\n"

    def html(self, language: str) -> str:
        """The same as HTML."""
        page: str = (
            _templates().get_template("letters/letter.html").render(told=self, lang=language)
        )
        return page


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class LetterTeller:
    """Words of the letters of one region.

    Parameters
    ----------
    stops
        Stops that the timetable does not know any more, by id.
    """

    def __init__(
        self,
        timetable: PublicTimetable,
        settings: Settings,
        language: str,
        stops: Mapping[StopId, PublicStop] | None = None,
    ) -> None:
        self._timetable = timetable
        self._words = Words(language)
        self._links = ServedLinks(region_id=timetable.region_id, public_url=settings.public_url)
        self._stops = dict(stops or {}) | dict(timetable.stop_of)

    @property
    def _region(self) -> str:
        return self._timetable.name_in(self._words.language)

    def asking(self, reader: Subscription) -> Told:
        """Asks the owner of an address whether it was they."""
        words, stop = self._words, self._stop(reader)
        until = reader.expires_at or reader.asked_at
        on = date_of(until, ZoneInfo(self._timetable.time_zone))
        return Told(
            subject=words("letters.confirm.subject", stop=stop),
            heading=words("letters.confirm.heading"),
            where=self._where(stop),
            paragraphs=(
                words("letters.confirm.text", stop=stop),
                words("letters.confirm.until", day=words.day(on, "d MMMM"), days=CONFIRM_DAYS),
            ),
            link=self._link(f"letters/confirm/{token_of(reader, CONFIRM)}"),
            link_text=words("letters.confirm.do"),
            why=words("letters.confirm.why"),
        )

    def known(self, reader: Subscription) -> Told:
        """Tells whoever asks again that it is done."""
        words, stop = self._words, self._stop(reader)
        return self._of_stop(
            reader,
            subject=words("letters.known.subject", stop=stop),
            heading=words("letters.known.heading"),
            paragraphs=(words("letters.known.text", stop=stop),),
        )

    def notice(self, reader: Subscription, notice: Notice) -> Told:
        """A notice to the readers of a stop."""
        words, stop = self._words, self._stop(reader)
        with_next = notice.visit_id not in self._timetable.make_up_of
        subject = words(f"letters.{notice.code}.subject", stop=stop)
        return self._of_stop(
            reader,
            subject=subject,
            heading=words(f"letters.{notice.code}.heading"),
            paragraphs=(notice_text(notice, words, with_next=with_next),),
        )

    def restored(self, reader: Subscription, visits: tuple[PromisedVisit, ...]) -> Told:
        """What was cancelled or moved is as it was."""
        words, stop = self._words, self._stop(reader)
        first, last = visits[0], visits[-1]
        facts = {
            "date": words.day(first.opens_date, "EEEE, d MMMM"),
            "start": words.clock(first.opens_s),
            "end": words.clock(first.closes_s),
            "last_date": words.day(last.opens_date, "d MMMM"),
        }
        if len(visits) > 1:
            told = words.count("letters.restored.text_many", len(visits), **facts)
        else:
            told = words("letters.restored.text", **facts)
        return self._of_stop(
            reader,
            subject=words("letters.restored.subject", stop=stop),
            heading=words("letters.restored.heading"),
            paragraphs=(told, words("letters.restored.before")),
        )

    def reminder(self, reader: Subscription, visit: PromisedVisit) -> Told:
        """The visit of tomorrow."""
        words, stop = self._words, self._stop(reader)
        facts = {
            "date": words.day(visit.opens_date, "EEEE, d MMMM"),
            "start": words.clock(visit.opens_s),
            "end": words.clock(visit.closes_s),
        }
        return self._of_stop(
            reader,
            subject=words("letters.reminder.subject", stop=stop, start=facts["start"]),
            heading=words("letters.reminder.heading"),
            paragraphs=(words("letters.reminder.text", **facts),),
        )

    def answer(self, request: StopRequest) -> Told:
        """The library's answer to a request for a stop."""
        words = self._words
        is_accepted = request.state is RequestState.ACCEPTED
        decision = "letters.answer.accepted" if is_accepted else "letters.answer.declined"
        return Told(
            subject=words("letters.answer.subject", place=request.place),
            heading=words("letters.answer.heading"),
            where=self._where(request.place),
            paragraphs=(words(decision), *filter(None, request.answer.splitlines())),
            link=self._link("home"),
            link_text=words("letters.region"),
            why=words("letters.answer.why", days=CONTACT_DAYS),
        )

    def _of_stop(
        self, reader: Subscription, *, subject: str, heading: str, paragraphs: tuple[str, ...]
    ) -> Told:
        words, stop_id = self._words, StopId(reader.stop_id)
        is_shown = stop_id in self._timetable.stop_of
        page = self._links.stop(stop_id) if is_shown else self._links.page("home")
        phone = self._timetable.phone
        asked = (words("public.phone", phone=phone),) if phone else ()
        return Told(
            subject=subject,
            heading=heading,
            where=self._where(self._stop(reader)),
            paragraphs=(*paragraphs, *asked),
            link=self._links.absolute(page),
            link_text=words("letters.stop" if is_shown else "letters.region"),
            why=words("letters.why", stop=self._stop(reader)),
            leave=self._link(f"letters/{token_of(reader, MANAGE)}"),
            leave_text=words("letters.leave"),
        )

    def _stop(self, reader: Subscription) -> str:
        stop = self._stops.get(StopId(reader.stop_id))
        return reader.stop_id if stop is None else stop.name

    def _where(self, place: str) -> str:
        return self._words("letters.where", place=place, region=self._region)

    def _link(self, page: str) -> str:
        return self._links.absolute(self._links.page(page))


def as_letter(told: Told, *, letter_id: str, recipient: str, language: str) -> Letter:
    """A letter to be sent.

    Whoever gets it can leave at a click of their mail program, without opening a page (RFC 8058).
    """
    headers = {}
    if told.leave:
        headers = {
            "List-Unsubscribe": f"<{told.leave}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    return Letter(
        letter_id=letter_id,
        recipient=recipient,
        subject=told.subject,
        text=told.text,
        html=told.html(Words(language).language),
        headers=headers,
    )
