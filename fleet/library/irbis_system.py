"""Operations carried out by the IRBIS64 server: find, enter, write the reader, write the book.

The reader's record is written first. Breaks it off before the book's, the operation is doubtful,
and told again it finds its mark and writes the book alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from data.feeds.irbis_readers import copy_of, reader_card
from data.feeds.irbis_record import IrbisRecord
from data.model.errors import InputError
from data.model.library_ops import (
    Answer,
    LibraryOperation,
    OperationKind,
    Outcome,
    plain_facts,
)
from fleet.library.irbis_client import IrbisClient, StaleRecordError
from fleet.library.irbis_ledger import IrbisRules, enter
from fleet.library.trouble import LibraryTroubleError, RefusedByLibraryError

_MOST_STALE = 5
_NO_FACTS: Mapping[str, str] = MappingProxyType({})
_WITH_BOOK = frozenset({OperationKind.LOAN, OperationKind.RETURN})


@dataclass(slots=True)
class IrbisSystem:
    """A library's system that is told of operations over the protocol of IRBIS64."""

    client: IrbisClient
    rules: IrbisRules = field(default_factory=IrbisRules)

    def carry_out(self, operation: LibraryOperation, *, is_repeat: bool) -> Answer:
        """Tell the server of an operation; told twice, it is entered once."""
        was_written = False
        try:
            for _ in range(_MOST_STALE):
                reader, book = self._reader(operation), self._book(operation)
                entry = enter(operation, reader, book, self.rules)
                try:
                    for database, record in self._writes(entry.reader, entry.book):
                        self.client.write(database, record)
                        was_written = True
                except StaleRecordError:
                    continue
                if was_written and not is_repeat and entry.answer.is_settled:
                    return Answer(outcome=Outcome.ACCEPTED)
                return entry.answer
            return self._trouble("library.irbis_busy", is_doubtful=was_written or is_repeat)
        except LibraryTroubleError as wrong:
            is_doubtful = wrong.is_doubtful or was_written or is_repeat
            return self._trouble(wrong.code, is_doubtful=is_doubtful, facts=plain_facts(wrong))
        except RefusedByLibraryError as wrong:
            if wrong.code == "library.login_refused":
                return Answer(
                    outcome=Outcome.DOUBTFUL if is_repeat else Outcome.UNREACHABLE,
                    code=wrong.code,
                    told=wrong.told,
                )
            return Answer(outcome=Outcome.REFUSED, code=wrong.code, told=wrong.told)
        except InputError as wrong:
            return Answer(outcome=Outcome.REFUSED, code=wrong.code, facts=plain_facts(wrong))

    def _trouble(
        self, code: str, *, is_doubtful: bool, facts: Mapping[str, str] = _NO_FACTS
    ) -> Answer:
        outcome = Outcome.DOUBTFUL if is_doubtful else Outcome.UNREACHABLE
        return Answer(outcome=outcome, code=code, facts=dict(facts))

    def _writes(
        self, reader: IrbisRecord | None, book: IrbisRecord | None
    ) -> Iterator[tuple[str, IrbisRecord]]:
        settings = self.client.settings
        if reader is not None:
            yield settings.readers, reader
        if book is not None:
            yield settings.catalogue, book

    def _reader(self, operation: LibraryOperation) -> IrbisRecord | None:
        settings = self.client.settings
        if operation.card:
            found = self._found(settings.readers, settings.reader_prefix, operation.card)
            exact = [r for r in found if reader_card(r) == operation.card]
            if len(exact) > 1:
                raise InputError("library.irbis_two_readers")
            return exact[0] if exact else None
        if not settings.loan_prefix:
            return None
        found = self._found(settings.readers, settings.loan_prefix, operation.item_id)
        return found[0] if len(found) == 1 else None

    def _book(self, operation: LibraryOperation) -> IrbisRecord | None:
        if operation.kind not in _WITH_BOOK:
            return None
        settings = self.client.settings
        for number in dict.fromkeys((operation.item_id, operation.inventory_no)):
            if not number:
                continue
            for book in self._found(settings.catalogue, settings.item_prefix, number):
                if copy_of(book, operation.item_id, operation.inventory_no) is not None:
                    return book
        return None

    def _found(self, database: str, prefix: str, value: str) -> list[IrbisRecord]:
        read = (
            self.client.record(database, m) for m in self.client.search(database, prefix, value)
        )
        return [record for record in read if record is not None and not record.is_deleted]
