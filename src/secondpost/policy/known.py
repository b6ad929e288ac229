"""The facts known at each stage of an SMTP dialogue: one value per stage, passed to all its
decisions.

A decision returns its verdict or, if it needs more, a generator that asks for it (mail/questions)
and returns the verdict. Most ask nothing, and this runs for every command of every client.
"""

from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

from secondpost.config.records import Backup
from secondpost.mail.address import Domain, Mailbox, ReversePath
from secondpost.mail.authentication import Authentication
from secondpost.mail.envelope import Utf8
from secondpost.mail.offered import Offered
from secondpost.mail.questions import AskingPolicy
from secondpost.mail.verdict import ACCEPT, Accept, Destination, Verdict
from secondpost.policy.domains import OwnDomains, Recipients

Stage = TypeVar("Stage", bound="Known")
Judgement = Verdict | AskingPolicy[Verdict]
Decision = Callable[[Stage], Judgement]


class Known(Struct, frozen=True, gc=False, kw_only=True):
    """`accepted`: the verdict of the decisions before in this stage."""

    accepted: Accept = ACCEPT


class CallerPlaces(Struct, frozen=True, gc=False):
    """Limits of connections: of all clients, of one address, and one network's share."""

    total: int
    per_address: int
    share: int


class AtConnect(Known, frozen=True, gc=False):
    """A new client that got no greeting yet, and the connections of the others."""

    address: str
    is_own: bool  # loopback: a proxy, a tunnel or a test, so many clients share the address
    is_primary: bool  # a primary by its configured address
    is_proven: bool  # its network delivered mail to known recipients
    is_newcomer: bool  # its network has no connection
    places: CallerPlaces
    taken: int  # connections of all clients
    from_address: int  # connections of its address
    from_link: int  # connections of its network, a /24 or /64


class AtHello(Known, frozen=True, gc=False):
    """EHLO or HELO. A refusal at this stage is the reply to each MAIL."""

    address: str
    name: str  # argument of EHLO or HELO


class AtMail(Known, frozen=True, gc=False):
    hello: AtHello
    sender: ReversePath
    size: int  # octets, from SIZE=; 0 if not declared
    eight_bit: bool  # BODY=8BITMIME
    utf8: bool  # SMTPUTF8
    free: int  # octets of the disk beyond its reserve; may be negative
    coming: int  # octets reserved by other messages under way


class AtRcpt(Known, frozen=True, gc=False):
    mail: AtMail
    mailbox: Mailbox
    recipients: Recipients | None  # the domain's recipients; None if it is no backup domain
    offered: Offered | None  # what the domain's primary offers; None if unknown
    own: OwnDomains
    way: Destination | None  # of the earlier recipients; None for the first
    is_first_of_domain: bool
    unverified: int  # number of earlier recipients with the way UNVERIFIED
    is_first_unverified_of_domain: bool


class AtContent(Known, frozen=True, gc=False):
    """The message is complete."""

    mail: AtMail
    backups: tuple[Backup, ...]  # of the recipients' domains, each once
    offered: tuple[Offered | None, ...]  # what their primaries offer
    unverified: frozenset[Domain]  # domains of recipients with the way UNVERIFIED
    size: int  # octets as received
    size_passed_on: int  # octets with what we add
    received_fields: int
    utf8: Utf8
    authentication: Authentication | None = None  # None: no domain of a recipient wants it evaluated
