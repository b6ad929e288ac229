"""What is known at each stage of a conversation: the one value that every decision of the stage gets.

A decision returns its verdict or, if it needs to know more, a generator that asks for it (mail/questions) and
returns the verdict. Most ask nothing, and this is done for every command of every client.
"""

from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

from secondpost.config.records import Backup
from secondpost.mail.address import Domain, Mailbox, ReversePath
from secondpost.mail.envelope import Utf8
from secondpost.mail.offered import Offered
from secondpost.mail.questions import AskingPolicy
from secondpost.mail.verdict import ACCEPT, Accept, Destination, Verdict
from secondpost.policy.domains import OwnDomains, Recipients

Stage = TypeVar("Stage", bound="Known")
Judgement = Verdict | AskingPolicy[Verdict]
Decision = Callable[[Stage], Judgement]


class Known(Struct, frozen=True, gc=False, kw_only=True):
    """`accepted`: how the decisions before took it."""

    accepted: Accept = ACCEPT


class CallerPlaces(Struct, frozen=True, gc=False):
    """How many connections there may be: of all callers, of one address, and of a network of strangers."""

    total: int
    per_address: int
    share: int


class AtConnect(Known, frozen=True, gc=False):
    """A caller that nothing was said to yet, and who else is here."""

    address: str
    is_own: bool  # loopback: a proxy, a tunnel or a test, with many callers behind one address
    is_primary: bool  # the configuration names it
    is_proven: bool  # its network brought mail to people who are here
    is_newcomer: bool  # its network has no connection
    places: CallerPlaces
    taken: int  # places, by all callers
    from_address: int  # of them by its address
    from_link: int  # and by its network, a /24 or /64


class AtHello(Known, frozen=True, gc=False):
    """Refused here, a caller hears of it at each MAIL."""

    address: str
    name: str  # as the caller gave it with EHLO or HELO


class AtMail(Known, frozen=True, gc=False):
    hello: AtHello
    sender: ReversePath
    size: int  # octets as declared; 0 when they were not
    eight_bit: bool  # BODY=8BITMIME was said
    utf8: bool  # SMTPUTF8 was said
    free: int  # octets of the disk beyond its reserve; may be negative
    coming: int  # octets that other messages under way speak for


class AtRcpt(Known, frozen=True, gc=False):
    mail: AtMail
    mailbox: Mailbox
    recipients: Recipients | None  # of its domain; None when that is no backup domain
    offered: Offered | None  # by the domain's primary; None where nothing is known
    own: OwnDomains
    way: Destination | None  # of the recipients before; None for the first
    is_first_of_domain: bool
    unverified: int  # how many recipients before are of the way UNVERIFIED
    is_first_unverified_of_domain: bool


class AtContent(Known, frozen=True, gc=False):
    """The message is whole."""

    mail: AtMail
    backups: tuple[Backup, ...]  # of the recipients' domains, each once
    offered: tuple[Offered | None, ...]  # by the primary of each of them
    unverified: frozenset[Domain]  # those of them with recipients of the way UNVERIFIED
    size: int  # octets as they came
    size_passed_on: int  # with what we add
    received_fields: int
    utf8: Utf8
