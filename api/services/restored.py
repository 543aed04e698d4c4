"""What readers are told when a cancellation is taken back: which visits take place after all.

A notice that is withdrawn leaves pages and feeds, but not the memory of whoever read it, nor of
programs that read feeds. So the stops that it was about get a notice of their own.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from data.db import publication_store
from data.model.cancellation import RESTORED, Effect, Notice
from data.model.place import StopId
from data.model.publication import Moment, PromisedVisit

MADE_UP = "notice.make_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """A cancellation that was taken back, with its visits as they stood before that."""

    region_id: str
    exception_id: str | None
    before: Sequence[PromisedVisit]
    now: Moment
    at: datetime


def restored_notices(
    session: Session, change: TakenBack, withdrawn: Sequence[Effect]
) -> Iterator[Notice]:
    """A notice to each stop whose readers were told what no longer holds.

    Call it when the visits have been restored.

    Parameters
    ----------
    withdrawn
        The effects of the notices that were withdrawn.
    """
    before = {v.visit_id: v for v in change.before}
    now = publication_store.get_visits(session, change.region_id, list(before))
    for stop_id in dict.fromkeys(str((e.after or {}).get("stop_id", "")) for e in withdrawn):
        back = [
            v
            for v in sorted(now, key=lambda v: v.begins)
            if v.stop_id == stop_id
            and v.is_coming
            and v.begins > change.now
            and not _same(v, before[v.visit_id])
        ]
        if back:
            own = [e for e in withdrawn if (e.after or {}).get("stop_id") == stop_id]
            yield _notice(change, back, _dropped(session, change, own))


def _same(visit: PromisedVisit, was: PromisedVisit) -> bool:
    """Whether readers saw the visit as it is now."""
    return was.is_coming and was.begins == visit.begins


def _dropped(session: Session, change: TakenBack, withdrawn: Sequence[Effect]) -> dict[str, object]:
    """The day on which nobody needs to come instead."""
    for effect in withdrawn:
        if (effect.after or {}).get("code") != MADE_UP:
            continue
        notice = publication_store.find_notice(session, effect.subject)
        if notice is not None and str(notice.facts["new_date"]) >= change.now[0].isoformat():
            facts = notice.facts
            return {"dropped_date": facts["new_date"], "dropped_start_s": facts["new_start_s"]}
    return {}


def _notice(change: TakenBack, back: Sequence[PromisedVisit], more: dict[str, object]) -> Notice:
    first, last = back[0], back[-1]
    return Notice(
        notice_id=uuid.uuid4().hex,
        region_id=change.region_id,
        stop_id=StopId(first.stop_id),
        visit_id=first.visit_id,
        exception_id=change.exception_id,
        code=RESTORED,
        facts={
            "date": first.opens_date.isoformat(),
            "start_s": first.opens_s,
            "last_date": last.opens_date.isoformat(),
            "count": len(back),
            "visit_ids": [v.visit_id for v in back],
        }
        | more,
        shown_from_date=change.now[0],
        shown_until_date=last.opens_date,
        created_at=change.at,
    )
