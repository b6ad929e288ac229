"""Decides whether a new connection is accepted, more strictly as connections run short.

A network that delivered mail to known recipients is proven. An unproven one may have a small share
of the connections, a proven one ten times as much, since a few networks of large providers bring
half of all mail. As connections run short, unproven networks are refused first. A tenth of the
connections is kept for networks that have none, and the last 5 percent for proven ones among them.
"""

from secondpost.mail.reply import Reply
from secondpost.mail.verdict import ACCEPT, Defer, Verdict
from secondpost.policy.known import AtConnect

PROVEN_SHARES = 10  # shares of a proven network or a primary
# Percentage of connections that must be free for a client to be accepted; primaries need one free.
FOR_STRANGERS_PERCENT = 30
FOR_PROVEN_PERCENT = 15
# Networks without a connection; a proven one of them may also have the last free connections.
FOR_NEWCOMERS_PERCENT = 5

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
