"""Who may come in, as places run short.

A stranger's network has a small share of the places. One that brought mail to people who are here is proven
and has ten times as much, for a few networks of large providers bring half of all mail. As places run short
strangers are the first to be turned away; a tenth of the places is for networks that have none, and the
very last for those of them that are proven.
"""

from secondpost.mail.reply import Reply
from secondpost.mail.verdict import ACCEPT, Defer, Verdict
from secondpost.policy.known import AtConnect

PROVEN_SHARES = 10  # what a proven network or a primary may have
# How much of all places has to be free for a caller to come in; our primaries come in as long as one is.
FOR_STRANGERS_PERCENT = 30
FOR_PROVEN_PERCENT = 15
FOR_NEWCOMERS_PERCENT = 5  # for networks that have none; to a proven one of them the rest is open, too

_TOO_MANY = Reply.of(421, "4.7.0", "Too many connections; try again later")
TOO_MANY = Defer(_TOO_MANY, "too-many-connections")
TOO_MANY_FROM_CLIENT = Defer(_TOO_MANY, "too-many-from-client")
TOO_MANY_FROM_NETWORK = Defer(_TOO_MANY, "too-many-from-network")


def judge_places(at: AtConnect) -> Verdict:
    if at.taken >= at.places.total:
        return TOO_MANY
    if at.is_own:
        return ACCEPT
    if at.from_address >= at.places.per_address:
        return TOO_MANY_FROM_CLIENT
    shares = PROVEN_SHARES if at.is_primary or at.is_proven else 1
    if at.from_link >= at.places.share * shares:
        return TOO_MANY_FROM_NETWORK
    return ACCEPT if at.is_primary or _has_room_for(at) else TOO_MANY


def _has_room_for(at: AtConnect) -> bool:
    free_percent = 100 * (at.places.total - at.taken) / at.places.total
    if free_percent > FOR_STRANGERS_PERCENT:
        return True
    if at.is_proven and (at.is_newcomer or free_percent > FOR_PROVEN_PERCENT):
        return True
    return at.is_newcomer and free_percent > FOR_NEWCOMERS_PERCENT
