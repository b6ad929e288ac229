"""Decide what becomes of a delivery after an attempt, and when it is tried again. Pure.

After a fault of the site the delivery stays due, and waits because the site is marked as down.
After any other fault it waits five minutes, doubling to an hour, within the time it may wait in
total.
"""

import re

from msgspec import Struct

from secondpost.mail.delivery import Claimed, KeptFor, State
from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS
from secondpost.mail.envelope import Lane
from secondpost.mail.outcome import Cause, Deferred, Delivered, Failed, Level, Outcome
from secondpost.mail.reply import Reply
from secondpost.store.ports import Settlement

FIRST_WAIT_MS = 5 * MINUTE_MS
WAIT_MS_MAX = HOUR_MS
JITTER = 0.1  # of the wait, so that deliveries deferred together do not return together
ISSUE_WAITS_MS = 3 * DAY_MS  # less than other mail: an issue is soon out of date
OWN_MAIL_WAITS_MS = 5 * DAY_MS  # RFC 5321 §4.5.4.1
KEEP_MS = 31 * DAY_MS  # for redirected mail, and for domains no longer backed up
STORED_REPLY_CHARACTERS_MAX = 500
_REPLY = re.compile(r"([245]\d\d) (?:([245]\.\d{1,3}\.\d{1,3}) )?(.*)", re.DOTALL)
ONLY_TO = "not among those of send.only_to"


class Term(Struct, frozen=True, gc=False):
    """How long a delivery may wait, and whether it then becomes a dead letter or a report."""

    waits_ms: int
    ends_kept: bool  # a backup domain's mail: only delivery or the owner ends it


def own_wait_ms(attempts: int, fraction: float) -> int:
    """The wait after this many attempts, in ms; `fraction` is a random number from 0 to 1."""
    wait = min(FIRST_WAIT_MS << min(max(attempts - 1, 0), 10), WAIT_MS_MAX)
    return int(wait * (1 - JITTER / 2 + JITTER * fraction))


def settle(claimed: Claimed, outcome: Outcome, term: Term, now_ms: int, fraction: float) -> Settlement:
    match outcome:
        case Delivered(host, reply):
            return Settlement(
                id=claimed.id, state=State.DELIVERED, at_ms=now_ms, host=host, reply=_stored(reply)
            )
        case Deferred(Cause.UNANSWERED, host, reply) if claimed.issue is not None:
            # At most once: a reader's server that did not answer is not tried again (design §4).
            return Settlement(
                id=claimed.id,
                state=State.UNKNOWN,
                at_ms=now_ms,
                cause=Cause.UNANSWERED.word,
                host=host,
                reply=_stored(reply),
            )
        case Deferred(cause, host, reply):
            return _wait(claimed, cause, host, reply, term, now_ms, fraction)
        case Failed(cause, host, reply):
            return _end(claimed, KeptFor.REFUSED, State.FAILED, cause, host, reply, term, now_ms)


def _wait(
    claimed: Claimed, cause: Cause, host: str, reply: Reply, term: Term, now_ms: int, fraction: float
) -> Settlement:
    if now_ms - _waits_since_ms(claimed, now_ms) >= term.waits_ms:
        return _end(claimed, KeptFor.EXPIRED, State.EXPIRED, cause, host, reply, term, now_ms)
    own_clock = cause.level is not Level.SITE or cause is Cause.LOST
    return Settlement(
        id=claimed.id,
        state=State.WAITING,
        at_ms=now_ms,
        # A connection lost in mid-message may be this message's fault: it waits, and lets others go
        # first.
        due_ms=now_ms + own_wait_ms(claimed.attempts + 1, fraction) if own_clock else now_ms,
        maybe_duplicate=cause is Cause.UNANSWERED,
        cause=cause.word,
        host=host,
        reply=_stored(reply),
    )


def _end(
    claimed: Claimed,
    kept_for: KeptFor,
    otherwise: State,
    cause: Cause,
    host: str,
    reply: Reply,
    term: Term,
    now_ms: int,
) -> Settlement:
    return Settlement(
        id=claimed.id,
        state=State.KEPT if term.ends_kept else otherwise,
        at_ms=now_ms,
        kept_for=kept_for if term.ends_kept else None,
        maybe_duplicate=cause is Cause.UNANSWERED,
        cause=cause.word,
        host=host,
        reply=_stored(reply),
    )


def _waits_since_ms(claimed: Claimed, now_ms: int) -> int:
    """When the waiting time began: for an issue at its first attempt, so that queueing does not use
    it up.
    """
    if claimed.issue is None:
        return claimed.arrived_ms
    return claimed.first_attempt_ms if claimed.first_attempt_ms is not None else now_ms


def handed_back(claimed: Claimed, now_ms: int) -> Settlement:
    """Return a delivery that was not tried; no attempt is counted."""
    return Settlement(id=claimed.id, state=State.WAITING, at_ms=now_ms, due_ms=now_ms, attempted=False)


def not_for(claimed: Claimed, now_ms: int) -> Settlement:
    """End a delivery that send.only_to forbids; counted as suppressed."""
    return Settlement(id=claimed.id, state=State.SUPPRESSED, at_ms=now_ms, attempted=False, reply=ONLY_TO)


def term_of(origin: Lane, keep_ms: int | None) -> Term:
    """The term of a delivery. `keep_ms`: the backup domain's `keep`; None if not backed up."""
    if origin is Lane.RELAY:
        # Mail of a domain removed from the configuration is still kept, never bounced.
        return Term(waits_ms=keep_ms if keep_ms is not None else KEEP_MS, ends_kept=True)
    return Term(waits_ms=ISSUE_WAITS_MS if origin is Lane.ISSUES else OWN_MAIL_WAITS_MS, ends_kept=False)


def stored_reply(text: str) -> Reply:
    """Parse a reply as the store keeps it. Any other text describes a network fault, and becomes a 451."""
    found = _REPLY.match(text)
    if found is None:
        return Reply.of(451, "4.4.0", text)
    return Reply.of(int(found[1]), found[2] or "", found[3])


def _stored(reply: Reply) -> str:
    return str(reply)[:STORED_REPLY_CHARACTERS_MAX]
