"""What waits for a librarian, in words: the same for pages and the API."""

from collections.abc import Mapping, Sequence

from api.schemas.circulation import (
    EncodingRead,
    OpenConflictPublic,
    RefusedPublic,
    RowProblem,
    TakenIn,
)
from api.schemas.sync import HistoryPublic
from api.services.circulation_desk import OpenConflict
from api.words import Words
from data.feeds.iso2709 import EncodingPreview
from data.feeds.report import ImportReport, Verdict
from data.model.journal_kept import RefusedEvent

MOST_PROBLEMS = 200


def shown_conflict(
    conflict: OpenConflict, words: Words, places: Mapping[str, str] | None = None
) -> OpenConflictPublic:
    """A conflict with its rule and proposal in words.

    Parameters
    ----------
    places
        Names of places by ``str(place)``.
    """
    outcome, timed = conflict.step.outcome, conflict.step.timed
    facts = {name: plain(value) for name, value in outcome.facts.items()}
    told = dict(facts)
    if places and (place := str(facts.get("place", ""))) in places:
        told["place"] = places[place]
    proposal = outcome.proposal
    return OpenConflictPublic(
        event_id=conflict.event_id,
        kind=timed.event.kind.value,
        happened_at=timed.at,
        is_clock_doubtful=timed.corrected.is_doubtful,
        place=str(timed.event.place),
        rule=outcome.rule,
        message=words(f"conflict.{outcome.rule}", **told),
        proposal=proposal,
        proposed="" if proposal is None else words(f"proposal.{proposal.value}"),
        asks_for=conflict.asks_for,
        item_id=conflict.item_id,
        item_name=conflict.item_name,
        patron_name=conflict.patron_name,
        facts=facts,
        own_history=[HistoryPublic.from_domain(line) for line in conflict.own_history],
        other_history=[HistoryPublic.from_domain(line) for line in conflict.other_history],
    )


def shown_refused(refused: RefusedEvent, words: Words) -> RefusedPublic:
    """What could not be taken, and why."""
    return RefusedPublic.from_domain(refused, words(refused.code, **refused.reasons))


def shown_import(
    report: ImportReport,
    words: Words,
    *,
    is_trial: bool,
    previews: Sequence[EncodingPreview] = (),
) -> TakenIn:
    """The account of an import, with the first of its faults in words.

    Parameters
    ----------
    previews
        Of a trial, how the file reads in each encoding.
    """
    problems = [
        RowProblem(
            code=p.code,
            message=words(p.code, **p.facts),
            row=p.row,
            is_rejected=p.verdict is Verdict.REJECTED,
        )
        for p in report.problems[:MOST_PROBLEMS]
    ]
    told = TakenIn.of(report, problems, is_trial=is_trial)
    told.previews = [
        EncodingRead(
            encoding=p.encoding,
            lines=[printed(line) for line in p.lines],
            num_wrong=p.num_wrong,
            is_likely=p.is_likely,
        )
        for p in previews
    ]
    return told


def printed(line: str) -> str:
    """A line of a file without signs that cannot be shown."""
    return "".join(c if c.isprintable() else "·" for c in line)


def plain(value: object) -> object:
    """A fact as JSON has it."""
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)
