"""The state of a delivery after an attempt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.mail.address import NULL_PATH, Mailbox
from secondpost.mail.delivery import Claimed, DeliveryId, KeptFor, State
from secondpost.mail.duration import DAY_MS, MINUTE_MS
from secondpost.mail.envelope import Lane
from secondpost.mail.outcome import Cause, Deferred, Delivered, Failed, Level
from secondpost.mail.queue_id import QueueId
from secondpost.mail.reply import Reply
from secondpost.spool.schedule import (
    STORED_REPLY_CHARACTERS_MAX,
    Term,
    own_wait_ms,
    settle,
    stored_reply,
    term_of,
)

NOW_MS = 1_800_000_000_000
BACKUP = term_of(Lane.RELAY, 31 * DAY_MS)
OWN = term_of(Lane.OWN, None)
TEMPORARY = Reply.of(451, "4.3.0", "later")
PERMANENT = Reply.of(550, "5.1.1", "no such user")


def claimed(arrived_ms: int = NOW_MS - MINUTE_MS, attempts: int = 0) -> Claimed:
    return Claimed(
        id=DeliveryId(QueueId(7), 1),
        lane=Lane.RELAY,
        origin=Lane.RELAY,
        sender=NULL_PATH,
        recipient=Mailbox.parse("anna@example.net"),
        size=1000,
        file=None,
        eight_bit=False,
        arrived_ms=arrived_ms,
        attempts=attempts,
        first_attempt_ms=None,
        maybe_duplicate=False,
    )


def test_a_delivery_is_delivered() -> None:
    done = settle(claimed(), Delivered("mx1", Reply.of(250, "2.0.0", "ok")), BACKUP, NOW_MS, 0.5)
    assert (done.state, done.host, done.reply) == (State.DELIVERED, "mx1", "250 2.0.0 ok")


@pytest.mark.parametrize("cause", [Cause.CONNECT, Cause.GREETING, Cause.TLS, Cause.DNS, Cause.SHUTDOWN])
def test_a_fault_of_the_site_leaves_the_deliverys_own_clock_alone(cause: Cause) -> None:
    assert cause.level is Level.SITE
    waiting = settle(claimed(attempts=9), Deferred(cause, "mx1", TEMPORARY), BACKUP, NOW_MS, 0.5)
    assert (waiting.state, waiting.due_ms) == (State.WAITING, NOW_MS)


@pytest.mark.parametrize("cause", [Cause.RECIPIENT, Cause.MESSAGE, Cause.DOMAIN_POLICY, Cause.LOST])
def test_any_other_fault_has_a_clock_of_its_own(cause: Cause) -> None:
    waiting = settle(claimed(), Deferred(cause, "mx1", TEMPORARY), BACKUP, NOW_MS, 0.5)
    assert waiting.due_ms == NOW_MS + 5 * MINUTE_MS


def test_the_wait_doubles_from_five_minutes_to_an_hour() -> None:
    assert [own_wait_ms(n, 0.5) // MINUTE_MS for n in range(1, 8)] == [5, 10, 20, 40, 60, 60, 60]


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_the_wait_is_never_shorter_or_longer_than_its_bounds(attempts: int, fraction: float) -> None:
    assert 4 * MINUTE_MS < own_wait_ms(attempts, fraction) <= 66 * MINUTE_MS


def test_an_unanswered_dot_may_be_a_delivery() -> None:
    waiting = settle(claimed(), Deferred(Cause.UNANSWERED, "mx1", TEMPORARY), BACKUP, NOW_MS, 0.5)
    assert waiting.state is State.WAITING
    assert waiting.maybe_duplicate


def test_what_a_primary_refuses_is_kept_for_the_owner_and_never_reported() -> None:
    kept = settle(claimed(), Failed(Cause.RECIPIENT, "mx1", PERMANENT), BACKUP, NOW_MS, 0.5)
    assert (kept.state, kept.kept_for) == (State.KEPT, KeptFor.REFUSED)


def test_what_waited_its_whole_term_is_kept() -> None:
    old = claimed(arrived_ms=NOW_MS - 31 * DAY_MS)
    kept = settle(old, Deferred(Cause.MESSAGE, "mx1", TEMPORARY), BACKUP, NOW_MS, 0.5)
    assert (kept.state, kept.kept_for) == (State.KEPT, KeptFor.EXPIRED)


def test_own_mail_fails_or_expires() -> None:
    failed = settle(claimed(), Failed(Cause.RECIPIENT, "mx1", PERMANENT), OWN, NOW_MS, 0.5)
    assert (failed.state, failed.kept_for) == (State.FAILED, None)
    old = claimed(arrived_ms=NOW_MS - 5 * DAY_MS)
    expired = settle(old, Deferred(Cause.MESSAGE, "mx1", TEMPORARY), OWN, NOW_MS, 0.5)
    assert expired.state is State.EXPIRED


def test_relayed_mail_of_a_domain_no_longer_backed_up_is_still_kept() -> None:
    assert term_of(Lane.RELAY, None) == Term(31 * DAY_MS, ends_kept=True)


def test_a_long_reply_is_stored_in_part() -> None:
    reply = Reply(451, "4.3.0", ("x" * 2000,) * 100)
    waiting = settle(claimed(), Deferred(Cause.MESSAGE, "mx1", reply), BACKUP, NOW_MS, 0.5)
    assert len(waiting.reply) == STORED_REPLY_CHARACTERS_MAX


@pytest.mark.parametrize(
    "reply",
    [TEMPORARY, PERMANENT, Reply.of(421, "", "too many"), Reply.of(452, "4.2.2", "not 550")],
)
def test_a_stored_reply_is_the_reply_again(reply: Reply) -> None:
    waiting = settle(claimed(), Deferred(Cause.MESSAGE, "mx1", reply), BACKUP, NOW_MS, 0.5)
    assert stored_reply(waiting.reply) == reply


@pytest.mark.parametrize("words", ["", "mx.example: connection refused", "9 of 10", "451", "55 1"])
def test_the_words_of_a_fault_are_no_refusal(words: str) -> None:
    assert stored_reply(words) == Reply.of(451, "4.4.0", words)
