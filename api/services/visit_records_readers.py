"""Which readers stop visits served, of the journal of loans, under pseudonyms."""

from collections.abc import Iterable

from sqlmodel import Session

from api.services.ledger import Ledger
from data.db import visit_reader_store
from data.model.readers_served import ServedReader, pseudonym
from fleet.circulation_counts import readers_of_visits


def served_readers(
    session: Session, ledger: Ledger, keys: Iterable[str]
) -> dict[str, list[ServedReader]]:
    """Who was served at some stop visits, as the journal knows."""
    wanted = frozenset(keys)
    own = [s for s in ledger.replay.steps if s.timed.event.visit_id in wanted]
    found = readers_of_visits(ledger.state, own)
    if not found:
        return {}
    salt = visit_reader_store.reader_salt(session, ledger.region_id)
    return {
        key: [ServedReader(reader=pseudonym(i, salt), band=band) for i, band in some.items()]
        for key, some in found.items()
    }
