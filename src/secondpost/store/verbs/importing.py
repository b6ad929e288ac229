"""Import readers, and expire unconfirmed ones; each batch is one short verb."""

from collections.abc import Awaitable, Sequence

from secondpost.mail.duration import DAY_MS
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import Consent, SubscriberId, SubscriberState
from secondpost.store.subscriber_ports import ImportCount, Imported
from secondpost.store.verbs.engine import BATCH_ROWS, CHANGE_UNITS, Verbs
from secondpost.store.verbs.import_batch import ImportBatch, check_consents, import_batch, lines_of
from secondpost.store.verbs.known_readers import Happened, erase, lead
from secondpost.store.verbs.steps import Steps, number, rows, run
from secondpost.store.verbs.suppressing import check_size

_NEVER_CONFIRMED = "never confirmed anew"


class ImportingVerbs(Verbs):
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
        batch = ImportBatch(newsletter, lines_of(lines, state, messages), consent, at_ms)
        check_consents(batch)
        return self._engine.change_some(lambda: import_batch(batch), CHANGE_UNITS + 2 * len(lines))

    def forget_pending(self, since_before_ms: int) -> Awaitable[int]:
        now_ms = self._engine.clock.now_ms()
        return self._engine.change_some(lambda: _forget_pending(since_before_ms, now_ms), 2 * BATCH_ROWS)


def _forget_pending(since_before_ms: int, now_ms: int) -> Steps[int]:
    """End unconfirmed sign-ups.

    Readers who had left become left again: otherwise a stranger who enters their address into the
    form could let a list bring them back.
    """
    yield from run("importing.forget_sign_ups", now_ms - DAY_MS, BATCH_ROWS)
    yield from run("importing.forget_outcomes", since_before_ms, BATCH_ROWS)
    found = yield from rows("importing.pending_before", since_before_ms, BATCH_ROWS)
    if len(found) == 0:
        return 0
    pending = [SubscriberId(number(id)) for (id,) in found]
    before = {id for (id,) in (yield from rows("importing.were_readers", chosen=found))}
    again = [(id, None) for id in pending if id in before]
    if len(again) > 0:
        yield from lead(again, Happened(SubscriberState.LEFT, now_ms, "left", _NEVER_CONFIRMED))
    yield from erase([id for id in pending if id not in before])
    return len(pending)
