"""Operations carried out by SIP2, and what becomes of one whose answer was lost.

SIP2 knows no ids of operations. Before an operation is sent again, the system is asked whether it
has it: a loan stands among what the reader has, a returned item is back, a renewed one is due then.
Where the system does not tell, a person decides; nothing is sent twice in the dark.
"""

from dataclasses import dataclass

from data.model.errors import InputError
from data.model.library_ops import (
    Answer,
    LibraryOperation,
    OperationKind,
    Outcome,
    plain_facts,
)
from fleet.library.sip2_client import Sip2Client
from fleet.library.sip2_replies import ActionReply
from fleet.library.trouble import LibraryTroubleError, RefusedByLibraryError


@dataclass(slots=True)
class Sip2System:
    """A library's system that is told of operations by SIP2.

    Parameters
    ----------
    pickup
        Code of the place where holds are fetched, in the library's system.
    """

    client: Sip2Client
    pickup: str = ""

    def carry_out(self, operation: LibraryOperation, *, is_repeat: bool) -> Answer:
        """Tell the system of an operation.

        Parameters
        ----------
        is_repeat
            It may have been told before: ask first.
        """
        has_asked = False
        try:
            if is_repeat:
                was_told = self._was_told(operation)
                if was_told is not None:
                    return was_told
            self.client.open()
            has_asked = True
            reply = self._told(operation)
        except LibraryTroubleError as wrong:
            # What was lost while we only asked leaves the operation as doubtful as it was.
            is_doubtful = wrong.is_doubtful if has_asked else is_repeat
            outcome = Outcome.DOUBTFUL if is_doubtful else Outcome.UNREACHABLE
            return Answer(outcome=outcome, code=wrong.code, facts=plain_facts(wrong))
        except RefusedByLibraryError as wrong:
            outcome = Outcome.DOUBTFUL if is_repeat else Outcome.UNREACHABLE
            return Answer(outcome=outcome, code=wrong.code, told=wrong.told)
        except InputError as wrong:
            return Answer(outcome=Outcome.REFUSED, code=wrong.code, facts=plain_facts(wrong))
        if reply is None:
            return Answer(outcome=Outcome.REFUSED, code="library.sip2_cannot_carry")
        if not reply.is_done:
            code = "" if reply.told else "library.refused_without_words"
            return Answer(outcome=Outcome.REFUSED, code=code, told=reply.told)
        is_other = reply.due_date is not None and reply.due_date != operation.due_date
        due_date = reply.due_date if is_other else None
        return Answer(outcome=Outcome.ACCEPTED, told=reply.told, due_date=due_date)

    def _told(self, operation: LibraryOperation) -> ActionReply | None:
        """The answer; ``None`` where the protocol has no message for the operation."""
        system = self.client.open()
        is_done = self.client.settings.no_block and system.takes_offline
        match operation.kind:
            case OperationKind.LOAN:
                return self.client.checkout(
                    operation.card,
                    operation.item_id,
                    at=operation.at,
                    due_date=operation.due_date,
                    is_done=is_done,
                )
            case OperationKind.RENEWAL:
                return self.client.renew(
                    operation.card,
                    operation.item_id,
                    at=operation.at,
                    due_date=operation.due_date,
                    is_done=is_done,
                )
            case OperationKind.RETURN:
                return self.client.checkin(operation.item_id, at=operation.at, is_done=is_done)
            case OperationKind.HOLD | OperationKind.HOLD_CANCELLED:
                return self.client.hold(
                    operation.card,
                    at=operation.at,
                    item_id=operation.item_id,
                    title_code=operation.catalogue_code,
                    pickup=self.pickup,
                    is_cancelled=operation.kind is OperationKind.HOLD_CANCELLED,
                )
            case OperationKind.REGISTRATION:
                return None

    def _was_told(self, operation: LibraryOperation) -> Answer | None:
        """Whether the system has it; ``None``: it has not, or telling it again does no harm."""
        already = Answer(outcome=Outcome.ALREADY)
        match operation.kind:
            case OperationKind.LOAN:
                return self._is_lent(operation)
            case OperationKind.RETURN:
                return already if self.client.item(operation.item_id).is_back else None
            case OperationKind.RENEWAL:
                due_date = self.client.item(operation.item_id).due_date
                wanted = operation.due_date
                if due_date is None or wanted is None:
                    return Answer(outcome=Outcome.REFUSED, code="library.cannot_tell")
                return already if due_date >= wanted else None
            case OperationKind.HOLD | OperationKind.HOLD_CANCELLED | OperationKind.REGISTRATION:
                return None

    def _is_lent(self, operation: LibraryOperation) -> Answer | None:
        patron = self.client.patron(operation.card)
        if operation.item_id in patron.charged:
            return Answer(outcome=Outcome.ALREADY)
        if patron.num_charged is not None and patron.num_charged == len(patron.charged):
            return None
        if not self.client.item(operation.item_id).is_charged:
            return None
        # On loan, but the system does not say to whom.
        return Answer(outcome=Outcome.REFUSED, code="library.cannot_tell")
