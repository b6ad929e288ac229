"""Decides whether there is room for mail to unverified addresses.

They have a share of their domain's room, and one network may send a limited number of messages. So
guessed addresses never push out mail for known ones.
"""

from secondpost.config.records import Backup
from secondpost.mail.questions import (
    AskingPolicy,
    DomainOctets,
    FreeOctets,
    MayBringUnverified,
    UnverifiedOctets,
)
from secondpost.mail.reply import Reply
from secondpost.mail.verdict import ACCEPT, Defer, Destination, Verdict
from secondpost.policy.known import AtContent, AtRcpt, Judgement
from secondpost.policy.room import spoken_for

UNVERIFIED_MAX = 10  # unverified recipients of one message
UNVERIFIED_SHARE = 0.25  # of a domain's room

TOO_MANY_UNVERIFIED = Defer(
    Reply.of(452, "4.5.3", "Too many unverified recipients; send the rest in another message"),
    "unverified-recipients",
)
UNVERIFIED_FULL = Defer(
    Reply.of(452, "4.2.2", "Enough mail for unverified addresses of that domain is waiting; try again later"),
    "unverified-room",
)
UNVERIFIED_TOO_OFTEN = Defer(
    Reply.of(451, "4.7.1", "Too much mail for unverified addresses from your network; try again later"),
    "unverified-rate",
)


def judge_unverified(at: AtRcpt) -> Judgement:
    if at.recipients is None or at.accepted.way is not Destination.UNVERIFIED:
        return ACCEPT
    return TOO_MANY_UNVERIFIED if at.unverified >= UNVERIFIED_MAX else _unverified(at, at.recipients.backup)


def _unverified(at: AtRcpt, backup: Backup) -> AskingPolicy[Verdict]:
    if at.unverified == 0 and not (yield from MayBringUnverified(backup.domain, at.mail.hello.address).ask()):
        return UNVERIFIED_TOO_OFTEN
    room = yield from _room_of(backup)
    octets = yield from UnverifiedOctets(backup.domain).ask()
    # Room reserved by this message for an earlier recipient of the domain does not count again.
    coming = spoken_for(octets.certain, octets.expected, int(room * UNVERIFIED_SHARE))
    return judge_share(room, at.mail.size, octets.stored, coming if at.is_first_unverified_of_domain else 0)


def judge_whole_unverified(at: AtContent) -> Judgement:
    return ACCEPT if len(at.unverified) == 0 else _whole_unverified(at)


def _whole_unverified(at: AtContent) -> AskingPolicy[Verdict]:
    for backup in at.backups:
        if backup.domain not in at.unverified:
            continue
        room = yield from _room_of(backup)
        octets = yield from UnverifiedOctets(backup.domain).ask()
        verdict = judge_share(room, at.size, octets.stored, octets.certain)
        if verdict is not ACCEPT:
            return verdict
    return ACCEPT


def _room_of(backup: Backup) -> AskingPolicy[int]:
    """Octets that may wait for the domain: its quota, or what waits plus what the disk has free."""
    if backup.quota is not None:
        return backup.quota
    octets = yield from DomainOctets(backup.domain).ask()
    return octets.stored + max((yield from FreeOctets().ask()), 0)


def judge_share(room: int, size: int, stored: int, coming: int = 0) -> Verdict:
    """Judge against the share. `room`: octets that may wait for the domain; `stored`: octets
    waiting for its unverified addresses; `coming`: octets reserved by other mail for such
    addresses.
    """
    return ACCEPT if stored + coming + size <= room * UNVERIFIED_SHARE else UNVERIFIED_FULL
