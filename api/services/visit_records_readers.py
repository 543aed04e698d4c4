"""Which readers stop visits served, of the journal of loans, under pseudonyms."""

from collections.abc import Iterable

from sqlmodel import Session

from api.services.ledger import Ledger
from data.db import visit_reader_store
from data.model.readers_served import ServedReader, pseudonym
from data.model.visit_record import VisitRecord
from fleet.circulation_counts import readers_of_visits


def keep_readers(session: Session, ledger: Ledger, records: Iterable[VisitRecord]) -> int:
    """Bring the readers of some records to what the journal knows; gives how many changed.

    Those of a demonstration stay as they were made.
    """
    real = {r.key: r for r in records if not r.is_simulated}
    own = [s for s in ledger.replay.steps if s.timed.event.visit_id in real]
    served: dict[str, list[ServedReader]] = {}
    found = readers_of_visits(ledger.state, own)
    if found:
        salt = visit_reader_store.reader_salt(session, ledger.region_id)
        served = {
            key: [ServedReader(reader=pseudonym(i, salt), band=b) for i, b in some.items()]
            for key, some in found.items()
        }
    return visit_reader_store.put_readers(session, ledger.region_id, real.values(), served)
