"""How readers come and go, one at a time: sign-up, confirmation, leaving, complaint, erasure."""

from collections.abc import Awaitable
from dataclasses import dataclass

import apsw

from secondpost.mail.address import Mailbox
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import Consent, Subscriber, SubscriberId, SubscriberState, subscriber_key
from secondpost.mail.subscriber_states import By, Reason, sources_of
from secondpost.store.sqlite.base import as_json
from secondpost.store.sqlite.readers import (
    ERASING,
    ONE_READER,
    READER_QUERIES,
    add_consent,
    first_reader,
    tell,
)
from secondpost.store.sqlite.sign_up_bounds import NOT_ASKED, bound_met
from secondpost.store.sqlite.sign_up_outcomes import SqliteSignUpOutcomes, note_outcome
from secondpost.store.sqlite.suppressed import Suppressed, suppress_hashes, suppressed
from secondpost.store.subscriber_ports import SignedUp, SignUpLimits
from secondpost.store.verbs.steps import Row, number

SIGN_UP_UNITS = 30
_MAY_COME_BACK = sources_of(SubscriberState.PENDING, By.READER)

Line = list[object]  # of add_readers


@dataclass(frozen=True, slots=True)
class _Known:
    id: SubscriberId
    newsletter: str
    state: SubscriberState
    since_ms: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class _Step:
    """What leads a reader to another state, and is told of it."""

    state: SubscriberState
    at_ms: int
    what: str
    detail: str
    consent: Consent | None = None
    evidence: QueueId | None = None


class SqliteSigningUp(SqliteSignUpOutcomes):
    # ---- coming

    def sign_up(
        self,
        newsletter: str,
        mailbox: Mailbox,
        consent: Consent,
        message: QueueId,
        limits: SignUpLimits,
        content: bytes = b"",
    ) -> Awaitable[SignedUp]:
        """The same steps for every address, and the same rows: those of one that is not asked to confirm are
        taken back before the commit. Else the time that it takes would say who reads what.
        """
        line, hash = self.line(mailbox, (), message), self.hash_of(mailbox)

        def write(db: apsw.Connection) -> SignedUp:
            self.recognise_in(db, [subscriber_key(mailbox)])
            for_good = suppressed(db, newsletter, hash) is Suppressed.FOR_GOOD
            known = _by_key(db, newsletter, mailbox)
            is_pending = known is not None and known.state is SubscriberState.PENDING
            pending = (known.id, known.since_ms) if known is not None and is_pending else NOT_ASKED
            bound = bound_met(db, pending, mailbox.domain, consent, limits)
            outcome = _outcome(for_good, known, bound)
            is_asked = outcome is SignedUp.CONFIRM
            db.execute("SAVEPOINT asking")
            _pend(db, newsletter, mailbox, line, consent)
            _ask_to_confirm(db, newsletter, line, message, consent.at_ms, content)
            now = _by_key(db, newsletter, mailbox)
            if not is_asked:
                db.execute("ROLLBACK TO asking")
            db.execute("RELEASE asking")
            where = (mailbox.domain.name, now.id) if now is not None and is_asked else ("", None)
            db.execute(READER_QUERIES["count_sign_up"], (consent.address_prefix, consent.at_ms, *where))
            note_outcome(db, newsletter, hash, consent.at_ms, consent.how, outcome)
            return outcome

        return self._writer.change(write, SIGN_UP_UNITS)

    def add(
        self,
        newsletter: str,
        mailbox: Mailbox,
        consent: Consent | None,
        at_ms: int,
        message: QueueId | None,
        content: bytes = b"",
    ) -> Awaitable[Subscriber | None]:
        line, hash = self.line(mailbox, (), message), self.hash_of(mailbox)
        state = SubscriberState.PENDING if consent is None else SubscriberState.ACTIVE
        where = "" if consent is None else consent.where

        def write(db: apsw.Connection) -> Subscriber | None:
            self.recognise_in(db, [subscriber_key(mailbox)])
            if suppressed(db, newsletter, hash) is not Suppressed.NOT:
                return None
            known = _by_key(db, newsletter, mailbox)
            if known is None:
                id = _add(db, newsletter, line, _Step(state, at_ms, "added", where, consent))
            else:
                id = known.id
                if consent is not None and known.state in sources_of(state, By.OWNER):
                    _lead(db, id, _Step(state, at_ms, "confirmed", where, consent))
            now = first_reader(db.execute(ONE_READER, (id,)).fetchall())
            assert now is not None
            if message is not None and now.state is SubscriberState.PENDING:
                _ask_to_confirm(db, newsletter, line, message, at_ms, content)
            return now

        return self._writer.change(write)

    def confirm(self, id: SubscriberId, consent: Consent, evidence: QueueId | None = None) -> Awaitable[bool]:
        step = _Step(SubscriberState.ACTIVE, consent.at_ms, "confirmed", consent.where, consent, evidence)

        def write(db: apsw.Connection) -> bool:
            known = _by_id(db, id)
            if known is None or not _goes_back(db, known, step):
                return False
            who = (known.hash, known.newsletter)
            db.execute(READER_QUERIES["lift_by_reader"], who)
            db.execute(READER_QUERIES["sign_up_answered"], (id,))
            db.execute(READER_QUERIES["outcome_confirmed"], (*who, SignedUp.CONFIRM.value))
            return True

        return self._writer.change(write)

    # ---- going

    def leave(
        self, id: SubscriberId, at_ms: int, how: str, evidence: QueueId | None = None
    ) -> Awaitable[bool]:
        return self._go(id, By.READER, _Step(SubscriberState.LEFT, at_ms, "left", how, None, evidence))

    def remove(self, id: SubscriberId, at_ms: int, why: str) -> Awaitable[bool]:
        return self._go(id, By.OWNER, _Step(SubscriberState.LEFT, at_ms, "removed", why))

    def suspend(self, id: SubscriberId, at_ms: int, why: str) -> Awaitable[bool]:
        return self._go(id, By.PROVIDER, _Step(SubscriberState.SUSPENDED, at_ms, "suspended", why))

    def complain(
        self, id: SubscriberId, at_ms: int, how: str, evidence: QueueId | None = None
    ) -> Awaitable[bool]:
        step = _Step(SubscriberState.COMPLAINED, at_ms, "complained", how, None, evidence)
        return self._go(id, By.PROVIDER, step)

    def _go(self, id: SubscriberId, by: By, step: _Step) -> Awaitable[bool]:
        def write(db: apsw.Connection) -> bool:
            known = _by_id(db, id)
            if known is None or not _goes(db, known, by, step):
                return False
            if step.state is SubscriberState.COMPLAINED:
                _suppress(db, known, Reason.COMPLAINED, step.at_ms, step.detail)
            return True

        return self._writer.change(write)

    def erase(self, id: SubscriberId, at_ms: int) -> Awaitable[bool]:
        def write(db: apsw.Connection) -> bool:
            known = _by_id(db, id)
            if known is None:
                return False
            _suppress(db, known, Reason.ERASED, at_ms, "")
            db.execute(READER_QUERIES["missing_in_freeze"], (id, known.newsletter))
            for query in ERASING:
                db.execute(READER_QUERIES[query], (id,))
            return True

        return self._writer.change(write)


def _by_key(db: apsw.Connection, newsletter: str, mailbox: Mailbox) -> _Known | None:
    return _known(db, "by_key", (newsletter, subscriber_key(mailbox)))


def _by_id(db: apsw.Connection, id: SubscriberId) -> _Known | None:
    return _known(db, "by_id", (id,))


def _known(db: apsw.Connection, query: str, bindings: Row) -> _Known | None:
    for id, newsletter, state, since_ms, hash in db.execute(READER_QUERIES[query], bindings).fetchall():
        assert isinstance(hash, bytes)
        named = SubscriberState(str(state))
        return _Known(SubscriberId(number(id)), str(newsletter), named, number(since_ms), hash)
    return None


def _add(db: apsw.Connection, newsletter: str, line: Line, step: _Step) -> SubscriberId:
    """A reader who was not there before."""
    consent = add_consent(db, step.consent)
    lines = as_json([line])
    db.execute(READER_QUERIES["add_domains"], (lines, "issues"))
    [(last,)] = db.execute(READER_QUERIES["last_subscriber"]).fetchall()
    db.execute(
        READER_QUERIES["add_readers"], (lines, newsletter, step.state.value, step.at_ms, consent, "[]")
    )
    db.execute(READER_QUERIES["tell_added"], (last, step.what, step.detail))
    [(id,)] = db.execute(READER_QUERIES["last_subscriber"]).fetchall()
    return SubscriberId(number(id))


def _goes(db: apsw.Connection, known: _Known, by: By, step: _Step) -> bool:
    """Over an edge of subscribers/states, or not at all."""
    if known.state not in sources_of(step.state, by) or _is_told(db, step.evidence):
        return False
    _lead(db, known.id, step)
    return True


def _goes_back(db: apsw.Connection, known: _Known, step: _Step) -> bool:
    """By the reader's own word, which is not asked for where the address is suppressed for good."""
    if suppressed(db, known.newsletter, known.hash) is Suppressed.FOR_GOOD:
        return False
    return _goes(db, known, By.READER, step)


def _lead(db: apsw.Connection, id: SubscriberId, step: _Step) -> None:
    consent = add_consent(db, step.consent)
    db.execute(READER_QUERIES["lead"], (id, step.state.value, step.at_ms, consent))
    tell(db, id, step.at_ms, step.what, step.detail, consent, step.evidence)


def _is_told(db: apsw.Connection, evidence: QueueId | None) -> bool:
    return evidence is not None and len(db.execute(READER_QUERIES["is_told"], (evidence,)).fetchall()) > 0


def _outcome(is_suppressed: bool, known: _Known | None, bound: SignedUp | None) -> SignedUp:
    if is_suppressed:
        return SignedUp.SUPPRESSED
    if known is not None and known.state is SubscriberState.ACTIVE:
        return SignedUp.ALREADY
    if bound is not None:
        return bound
    may_be = known is None or known.state in (SubscriberState.PENDING, *_MAY_COME_BACK)
    return SignedUp.CONFIRM if may_be else SignedUp.SUPPRESSED


def _pend(db: apsw.Connection, newsletter: str, mailbox: Mailbox, line: Line, consent: Consent) -> None:
    """A new reader, or one who comes back, or one who is asked once more: whichever it is."""
    key, agreed, at_ms = subscriber_key(mailbox), add_consent(db, consent), consent.at_ms
    db.execute(READER_QUERIES["add_domains"], (as_json([line]), "issues"))
    back = (newsletter, key, at_ms, agreed, as_json([state.value for state in _MAY_COME_BACK]), str(mailbox))
    db.execute(READER_QUERIES["pend"], back)
    db.execute(READER_QUERIES["add_pending"], (as_json(line), newsletter, at_ms, agreed))
    db.execute(READER_QUERIES["tell_signed_up"], (newsletter, key, at_ms, consent.where, agreed))


def _ask_to_confirm(
    db: apsw.Connection, newsletter: str, line: Line, message: QueueId, at_ms: int, content: bytes
) -> None:
    """The confirmation: a message in lane own, with its delivery."""
    lines = as_json([line])
    db.execute(READER_QUERIES["add_domains"], (lines, "own"))
    db.execute(READER_QUERIES["add_own_message"], (message, len(content), at_ms))
    db.execute(READER_QUERIES["confirm_deliveries"], (lines, newsletter, len(content), at_ms))
    if len(content) > 0:
        db.execute(READER_QUERIES["confirm_content"], (message, content))


def _suppress(db: apsw.Connection, known: _Known, why: Reason, at_ms: int, evidence: str) -> None:
    suppress_hashes(db, [known.hash], known.newsletter, why, at_ms, evidence)
