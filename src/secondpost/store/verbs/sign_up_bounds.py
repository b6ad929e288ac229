"""Limits on sign-ups: how often the form may make us write to an address, a domain, and in total.

Unanswered confirmations count against a limit, and answered ones raise it: people confirm, and a
flood of other people's addresses does not. Every limit is counted each time, so that all sign-ups
take the same steps.
"""

from secondpost.mail.address import Domain
from secondpost.mail.duration import DAY_MS, HOUR_MS
from secondpost.mail.subscriber import Consent, SubscriberId
from secondpost.store.subscriber_ports import SignedUp, SignUpLimits
from secondpost.store.verbs.steps import Steps, Value, maybe_number, number, rows

COUNTED_MAX = 10_000  # answered confirmations; more are not counted
NOT_ASKED = (SubscriberId(-1), 0)  # reader 0 receives test copies


def bound_met(
    pending: tuple[SubscriberId, int],
    domain: Domain,
    consent: Consent,
    limits: SignUpLimits,
) -> Steps[SignedUp | None]:
    """The limit that was met (LIMITED, REPEATED or CROWDED), or None if a confirmation may be sent.

    `pending` is a reader who has yet to confirm, with the time of the sign-up, or NOT_ASKED.
    """
    is_limited = yield from _too_many_of_network(consent, limits)
    is_repeated = yield from _too_many_to_address(pending, consent.at_ms, limits)
    is_flooded = yield from _too_many_to_domain(domain, consent.at_ms, limits)
    is_crowded = yield from _too_many_in_all(consent.at_ms, limits)
    if is_limited or is_repeated:
        return SignedUp.LIMITED if is_limited else SignedUp.REPEATED
    return SignedUp.CROWDED if is_flooded or is_crowded else None


def _too_many_of_network(consent: Consent, limits: SignUpLimits) -> Steps[bool]:
    prefix, most = consent.address_prefix, limits.prefix_per_hour_max
    return (yield from _count("readers.sign_ups", prefix, consent.at_ms - HOUR_MS, most)) >= most and len(
        prefix
    ) > 0


def _too_many_to_address(pending: tuple[SubscriberId, int], now_ms: int, limits: SignUpLimits) -> Steps[bool]:
    [(sent, last_ms)] = yield from rows("readers.confirmations", *pending)
    last = maybe_number(last_ms)
    too_soon = last is not None and now_ms - last < limits.again_after_ms
    return too_soon or number(sent) >= limits.confirmations_max


def _too_many_to_domain(domain: Domain, now_ms: int, limits: SignUpLimits) -> Steps[bool]:
    answered = yield from _count("readers.asked_at", domain.name, now_ms - DAY_MS, 1, COUNTED_MAX)
    most = limits.domain_per_hour_max + answered
    return (yield from _count("readers.asked_at", domain.name, now_ms - HOUR_MS, 0, most)) >= most


def _too_many_in_all(now_ms: int, limits: SignUpLimits) -> Steps[bool]:
    answered = yield from _count("readers.asked_in_all", now_ms - DAY_MS, 1, COUNTED_MAX)
    more = answered + (yield from _count("readers.active_in_all")) // limits.readers_per_more
    in_hour, in_day = limits.per_hour_max + more, limits.per_day_max + more
    of_hour = yield from _count("readers.asked_in_all", now_ms - HOUR_MS, 0, in_hour)
    of_day = yield from _count("readers.asked_in_all", now_ms - DAY_MS, 0, in_day)
    return of_hour >= in_hour or of_day >= in_day


def _count(query: str, *binds: Value) -> Steps[int]:
    [(many,)] = yield from rows(query, *binds)
    return number(many)
