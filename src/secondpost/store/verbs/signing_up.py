"""Single readers join and leave: sign-up, confirmation, leaving, complaint, erasure."""

from collections.abc import Awaitable

from secondpost.mail.address import Mailbox
from secondpost.mail.envelope import Lane
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import Consent, Subscriber, SubscriberId, SubscriberState, subscriber_key
from secondpost.mail.subscriber_states import Reason, SubscriberActor, subscriber_sources_of
from secondpost.store.subscriber_ports import SignedUp, SignUpLimits
from secondpost.store.verbs.engine import Verbs
from secondpost.store.verbs.known_readers import (
    Happened,
    KnownReader,
    OwnMail,
    add_consent,
    add_domains,
    erase,
    known_by_id,
    known_by_key,
    lead,
    next_event,
    reader_line,
    send_own,
    tell,
)
from secondpost.store.verbs.readers import one_reader
from secondpost.store.verbs.sign_up_bounds import NOT_ASKED, bound_met
from secondpost.store.verbs.sign_up_outcomes import note_outcome
from secondpost.store.verbs.steps import Steps, rows, run
from secondpost.store.verbs.suppressed import Suppressed, recognise, suppress, suppressed

SIGN_UP_UNITS = 30
_MAY_COME_BACK = subscriber_sources_of(SubscriberState.PENDING, SubscriberActor.READER)


class SigningUpVerbs(Verbs):
    # ---- joining

    def sign_up(
        self,
        newsletter: str,
        mailbox: Mailbox,
        consent: Consent,
        message: QueueId,
        limits: SignUpLimits,
        content: bytes = b"",
    ) -> Awaitable[SignedUp]:
        """Sign up an address, in the same steps and rows for every outcome.

        If no confirmation is sent, the rows are rolled back before the commit. Otherwise the time
        taken would reveal who reads what.
        """
        mail = OwnMail(message, consent.at_ms, content)

        def write() -> Steps[SignedUp]:
            hash = (yield from recognise([subscriber_key(mailbox)])).hash_of(mailbox)
            standing = yield from suppressed(newsletter, hash)
            known = yield from known_by_key(newsletter, mailbox)
            bound = yield from bound_met(_pending(known), mailbox.domain, consent, limits)
            outcome = _outcome(standing is Suppressed.FOR_GOOD, known, bound)
            is_asked = outcome is SignedUp.CONFIRM
            yield from run("readers.asking_begins")
            id = yield from _ask(newsletter, mailbox, hash, consent, mail)
            if not is_asked:
                yield from run("readers.asking_is_taken_back")
            yield from run("readers.asking_ends")
            where = (mailbox.domain.name, id) if is_asked else ("", None)
            yield from run("readers.count_sign_up", consent.address_prefix, consent.at_ms, *where)
            yield from note_outcome(newsletter, hash, consent.at_ms, consent.how, outcome)
            return outcome

        return self._engine.change(write, SIGN_UP_UNITS)

    def add(
        self,
        newsletter: str,
        mailbox: Mailbox,
        consent: Consent | None,
        at_ms: int,
        message: QueueId | None,
        content: bytes = b"",
    ) -> Awaitable[Subscriber | None]:
        def write() -> Steps[Subscriber | None]:
            hash = (yield from recognise([subscriber_key(mailbox)])).hash_of(mailbox)
            if (yield from suppressed(newsletter, hash)) is not Suppressed.NOT:
                return None
            known = yield from known_by_key(newsletter, mailbox)
            if known is None:
                id = yield from _add(newsletter, mailbox, hash, consent, at_ms)
            else:
                id = known.id
                yield from _confirm_known(known, consent, at_ms)
            now = yield from one_reader(id)
            assert now is not None
            if message is not None and now.state is SubscriberState.PENDING:
                mail = OwnMail(message, at_ms, content)
                yield from send_own(mail, mailbox.domain.name, str(now.mailbox), id)
            return now

        return self._engine.change(write)

    def confirm(self, id: SubscriberId, consent: Consent, evidence: QueueId | None = None) -> Awaitable[bool]:
        happened = Happened(SubscriberState.ACTIVE, consent.at_ms, "confirmed", consent.where, evidence)

        def write() -> Steps[bool]:
            known = yield from known_by_id(id)
            if known is None:
                return False
            # No confirmation lifts a permanent suppression.
            if (yield from suppressed(known.newsletter, known.hash)) is Suppressed.FOR_GOOD:
                return False
            if not (yield from goes(known, SubscriberActor.READER, happened, consent)):
                return False
            yield from run("suppressing.lift_by_reader", known.hash, known.newsletter)
            yield from run("readers.sign_up_answered", id)
            confirmed = (known.hash, known.newsletter, SignedUp.CONFIRM.value)
            yield from run("readers.outcome_confirmed", *confirmed)
            return True

        return self._engine.change(write)

    # ---- leaving

    def leave(
        self, id: SubscriberId, at_ms: int, how: str, evidence: QueueId | None = None
    ) -> Awaitable[bool]:
        return self._go(
            id, SubscriberActor.READER, Happened(SubscriberState.LEFT, at_ms, "left", how, evidence)
        )

    def remove(self, id: SubscriberId, at_ms: int, why: str) -> Awaitable[bool]:
        return self._go(id, SubscriberActor.OWNER, Happened(SubscriberState.LEFT, at_ms, "removed", why))

    def suspend(self, id: SubscriberId, at_ms: int, why: str) -> Awaitable[bool]:
        return self._go(
            id, SubscriberActor.PROVIDER, Happened(SubscriberState.SUSPENDED, at_ms, "suspended", why)
        )

    def complain(
        self, id: SubscriberId, at_ms: int, how: str, evidence: QueueId | None = None
    ) -> Awaitable[bool]:
        happened = Happened(SubscriberState.COMPLAINED, at_ms, "complained", how, evidence)
        return self._go(id, SubscriberActor.PROVIDER, happened)

    def _go(self, id: SubscriberId, by: SubscriberActor, happened: Happened) -> Awaitable[bool]:
        def write() -> Steps[bool]:
            known = yield from known_by_id(id)
            if known is None or not (yield from goes(known, by, happened)):
                return False
            if happened.state is SubscriberState.COMPLAINED:
                yield from _suppress(known, Reason.COMPLAINED, happened.at_ms, happened.detail)
            return True

        return self._engine.change(write)

    def erase(self, id: SubscriberId, at_ms: int) -> Awaitable[bool]:
        def write() -> Steps[bool]:
            known = yield from known_by_id(id)
            if known is None:
                return False
            yield from _suppress(known, Reason.ERASED, at_ms, "")
            yield from run("readers.missing_in_freeze", id, known.newsletter)
            yield from erase([id])
            return True

        return self._engine.change(write)


def _pending(known: KnownReader | None) -> tuple[SubscriberId, int]:
    """A reader who has yet to confirm, and the time of the sign-up."""
    if known is None or known.state is not SubscriberState.PENDING:
        return NOT_ASKED
    return known.id, known.since_ms


def _outcome(is_suppressed: bool, known: KnownReader | None, bound: SignedUp | None) -> SignedUp:
    if is_suppressed:
        return SignedUp.SUPPRESSED
    if known is not None and known.state is SubscriberState.ACTIVE:
        return SignedUp.ALREADY
    if bound is not None:
        return bound
    may_be = known is None or known.state in (SubscriberState.PENDING, *_MAY_COME_BACK)
    return SignedUp.CONFIRM if may_be else SignedUp.SUPPRESSED


def _ask(
    newsletter: str, mailbox: Mailbox, hash: bytes, consent: Consent, mail: OwnMail
) -> Steps[SubscriberId]:
    """Make a reader pending, new or returning, and queue the confirmation; returns the reader's
    number.
    """
    agreed, event = (yield from add_consent(consent)), (yield from next_event())
    yield from add_domains(Lane.ISSUES, [mailbox.domain.name])
    yield from run(
        "readers.pend",
        *(newsletter, subscriber_key(mailbox), consent.at_ms, event, agreed, str(mailbox)),
    )
    line = reader_line(mailbox, hash, SubscriberState.PENDING, consent.at_ms, agreed)
    yield from run("readers.add_readers", newsletter, event, chosen=[line])
    now = yield from known_by_key(newsletter, mailbox)
    assert now is not None
    yield from tell([(now.id, agreed)], Happened(now.state, consent.at_ms, "signed-up", consent.where))
    yield from send_own(mail, mailbox.domain.name, now.mailbox, now.id)
    return now.id


def _add(
    newsletter: str, mailbox: Mailbox, hash: bytes, consent: Consent | None, at_ms: int
) -> Steps[SubscriberId]:
    """Add a new reader by the owner."""
    state = SubscriberState.PENDING if consent is None else SubscriberState.ACTIVE
    agreed, event = (yield from add_consent(consent)), (yield from next_event())
    yield from add_domains(Lane.ISSUES, [mailbox.domain.name])
    line = reader_line(mailbox, hash, state, at_ms, agreed)
    yield from run("readers.add_readers", newsletter, event, chosen=[line])
    now = yield from known_by_key(newsletter, mailbox)
    assert now is not None
    where = "" if consent is None else consent.where
    yield from tell([(now.id, agreed)], Happened(state, at_ms, "added", where))
    return now.id


def _confirm_known(known: KnownReader, consent: Consent | None, at_ms: int) -> Steps[None]:
    """Make a known reader active by the owner, if the owner may do so from the present state."""
    if consent is not None and known.state in subscriber_sources_of(
        SubscriberState.ACTIVE, SubscriberActor.OWNER
    ):
        happened = Happened(SubscriberState.ACTIVE, at_ms, "confirmed", consent.where)
        yield from lead([(known.id, (yield from add_consent(consent)))], happened)


def goes(
    known: KnownReader, by: SubscriberActor, happened: Happened, consent: Consent | None = None
) -> Steps[bool]:
    """Lead a reader along an edge of mail/subscriber_states, once per mail; whether it was done."""
    if known.state not in subscriber_sources_of(happened.state, by):
        return False
    if happened.evidence is not None and len((yield from rows("readers.has_event", happened.evidence))) > 0:
        return False
    yield from lead([(known.id, (yield from add_consent(consent)))], happened)
    return True


def _suppress(known: KnownReader, why: Reason, at_ms: int, evidence: str) -> Steps[None]:
    yield from suppress([known.hash], known.newsletter, why, at_ms, evidence)
