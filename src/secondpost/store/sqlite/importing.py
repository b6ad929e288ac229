"""Many readers at once, a list of them or all that have not confirmed: each batch is one short job."""

from collections.abc import Awaitable, Sequence

import apsw

from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import Consent, SubscriberId, SubscriberState
from secondpost.store.sqlite.base import BATCH_ROWS, as_json
from secondpost.store.sqlite.checkpoint import Checkpoints
from secondpost.store.sqlite.group import CHANGE_UNITS
from secondpost.store.sqlite.readers import ERASING, READER_QUERIES, SqliteReaders, add_consent, tell
from secondpost.store.sqlite.suppressing import check_size, suppress_each
from secondpost.store.subscriber_ports import HashedSuppression, ImportCount, Imported
from secondpost.store.verbs.steps import Row, number
from secondpost.store.verbs.steps import rows as found_by
from secondpost.subscribers.states import By, sources_of

DAY_MS = 24 * 3_600_000
SHARED_CONSENTS_MAX = 20  # of one batch: with more of them each is the consent of one reader
LEFT_ELSEWHERE = "left elsewhere"

_TAKEN_FROM = as_json([state.value for state in sources_of(SubscriberState.LEFT, By.OWNER)])


class SqliteImporting(SqliteReaders, Checkpoints):
    def import_batch(
        self,
        newsletter: str,
        lines: Sequence[Imported],
        state: SubscriberState,
        consent: Consent | None,
        at_ms: int,
        messages: Sequence[QueueId] = (),
    ) -> Awaitable[ImportCount]:
        check_size(len(lines))
        _check_consents(lines, state, consent)
        if len(messages) not in (0, len(lines)):
            raise ValueError("there is a message for each line, or for none")
        agreed = _Consents(lines)
        named = messages if len(messages) > 0 else [None] * len(lines)
        rows = [self._row(one, message, agreed.place(one)) for one, message in zip(lines, named, strict=True)]
        told, keys = as_json(rows), [str(row[1]) for row in rows]
        carried = [
            HashedSuppression(self.hash_of(one.mailbox), self.own_key, each)
            for one in lines
            for each in one.suppressions
        ]

        def write(db: apsw.Connection) -> ImportCount:
            self.recognise_in(db, keys)
            [(suppressed,)] = db.execute(READER_QUERIES["count_suppressed"], (told, newsletter)).fetchall()
            [(last,)] = db.execute(READER_QUERIES["last_subscriber"]).fetchall()
            [(event,)] = self._drive(db, found_by("issues.last_event"))
            [(agreement,)] = db.execute(READER_QUERIES["last_consent"]).fetchall()
            db.execute(READER_QUERIES["add_domains"], (told, "issues"))
            shared, places = _shared_consent(db, consent), agreed.written(db)
            db.execute(READER_QUERIES["add_readers"], (told, newsletter, state.value, at_ms, shared, places))
            db.execute(READER_QUERIES["tell_imported"], (last, at_ms, LEFT_ELSEWHERE))
            [(added, left)] = db.execute(READER_QUERIES["added"], (last,)).fetchall()
            asked = _ask(db, (told, newsletter, 0, at_ms), state) if len(messages) > 0 else 0
            known = len(lines) - number(added) - number(suppressed)
            confirmed = taken = 0
            if number(added) < len(lines):
                confirmed = _confirm(db, (told, newsletter, shared, state.value, places), at_ms)
                taken = _take_away(db, (told, newsletter, at_ms, _TAKEN_FROM, state.value))
            db.execute(READER_QUERIES["forget_consents"], (agreement, event))
            suppress_each(db, carried)
            return ImportCount(
                number(added) - number(left),
                confirmed,
                number(suppressed),
                known - confirmed - taken,
                asked,
                number(left) + taken,
            )

        return self._change_some(write, CHANGE_UNITS + 2 * len(lines))

    def _row(self, one: Imported, message: QueueId | None, consent: int | None) -> list[object]:
        state = None if one.state is None else one.state.value
        return [
            *self.line(one.mailbox, one.attributes, message),
            state,
            one.created_ms,
            one.since_ms,
            consent,
            1 if len(one.suppressions) > 0 else 0,
        ]

    def forget_pending(self, since_before_ms: int) -> Awaitable[int]:
        now_ms = self._opened.clock.now_ms()

        def write(db: apsw.Connection) -> int:
            db.execute(READER_QUERIES["forget_sign_ups"], (now_ms - DAY_MS, BATCH_ROWS))
            db.execute(READER_QUERIES["forget_outcomes"], (since_before_ms, BATCH_ROWS))
            rows = db.execute(READER_QUERIES["pending_before"], (since_before_ms, BATCH_ROWS)).fetchall()
            for id in [SubscriberId(number(row[0])) for row in rows]:
                _forget(db, id, now_ms)
            return len(rows)

        return self._change_some(write, 2 * BATCH_ROWS)


class _Consents:
    """What the lines of a batch say that their readers agreed to. One with a network in it is one reader's
    alone, who may have it erased; others are written once.
    """

    def __init__(self, lines: Sequence[Imported]) -> None:
        self._places: dict[tuple[Consent, str], int] = {}
        for one in lines:
            if one.consent is not None:
                self._places.setdefault(self._of(one, one.consent), len(self._places))

    def _of(self, one: Imported, consent: Consent) -> tuple[Consent, str]:
        return consent, str(one.mailbox) if consent.address_prefix != "" else ""

    def place(self, one: Imported) -> int | None:
        return None if one.consent is None else self._places[self._of(one, one.consent)]

    def written(self, db: apsw.Connection) -> str:
        """The numbers of their rows, as JSON."""
        may_share = len(self._places) <= SHARED_CONSENTS_MAX
        return as_json(
            [
                _shared_consent(db, consent)
                if may_share and consent.address_prefix == ""
                else add_consent(db, consent)
                for consent, _ in self._places
            ]
        )


def _check_consents(lines: Sequence[Imported], state: SubscriberState, consent: Consent | None) -> None:
    for one in lines:
        is_active = (state if one.state is None else one.state) is SubscriberState.ACTIVE
        if is_active and one.consent is None and consent is None:
            raise ValueError("readers are active only with a consent")


def _ask(db: apsw.Connection, asking: Row, state: SubscriberState) -> int:
    """How many of the lines are asked to confirm."""
    db.execute(READER_QUERIES["add_domains"], (asking[0], "own"))
    db.execute(READER_QUERIES["ask_messages"], (*asking, state.value))
    db.execute(READER_QUERIES["confirm_deliveries"], asking)
    return db.changes()


def _confirm(db: apsw.Connection, were_pending: Row, at_ms: int) -> int:
    due = db.execute(READER_QUERIES["to_confirm"], were_pending).fetchall()
    told = as_json(due)
    db.execute(READER_QUERIES["confirm_pending"], (told, at_ms))
    db.execute(READER_QUERIES["tell_confirmed"], (told,))
    return len(due)


def _take_away(db: apsw.Connection, left: Row) -> int:
    """How many; those who are suppressed count among these."""
    taken = db.execute(READER_QUERIES["take_away"], left).fetchall()
    ids = as_json([id for id, _ in taken])
    db.execute(READER_QUERIES["tell_taken_away"], (ids, LEFT_ELSEWHERE))
    return sum(number(is_suppressed) == 0 for _, is_suppressed in taken)


def _forget(db: apsw.Connection, id: SubscriberId, now_ms: int) -> None:
    """One who never confirmed. Whoever had left has left again: else anybody could bring it about, with an
    address typed into the form, that a list makes them a reader.
    """
    if len(db.execute(READER_QUERIES["was_reader"], (id,)).fetchall()) > 0:
        db.execute(READER_QUERIES["lead"], (id, SubscriberState.LEFT.value, now_ms, None))
        tell(db, id, now_ms, "left", "never confirmed anew")
        return
    for query in ERASING:
        db.execute(READER_QUERIES[query], (id,))


def _shared_consent(db: apsw.Connection, consent: Consent | None) -> int | None:
    """All batches of one import agreed to the same: it is written once."""
    if consent is None:
        return None
    same = (consent.where, consent.how, consent.text, consent.at_ms, consent.address_prefix)
    for (id,) in db.execute(READER_QUERIES["same_consent"], same).fetchall():
        return number(id)
    return add_consent(db, consent)
