"""What a self-test met on the backup way, station by station, and what that means. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from secondpost.mail.address import Mailbox
from secondpost.mail.plan import Inside, NoPlan, Plan, TlsDemand
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.client import Phase, RecipientResult
from secondpost.protocols.smtp.transcript import GREETING, Exchange
from secondpost.setup.certificate import CertificateFacts
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.primary_answers import is_about_us
from secondpost.setup.primary_kind import PrimaryKind, kinds_of_host
from secondpost.setup.trust_settings import Relay, trust_settings
from secondpost.world.ports import TlsFacts

NAMES_SHOWN_MAX = 5  # of a certificate
DELIVERED = "delivered"  # in the words of lists
_GREYLISTED = re.compile(r"gr[ae]y-?\s?list", re.IGNORECASE)


class Met(StrEnum):
    """How the primary met the message, or its recipient if it was only asked."""

    TAKEN = "taken"
    GREYLISTED = "greylisted"  # asked to come again, as first-time callers are
    DEFERRED = "deferred"  # any other 4xx
    UNKNOWN_RECIPIENT = "unknown-recipient"
    REFUSED_BY_POLICY = "refused-by-policy"
    REFUSED = "refused"  # any other 5xx
    LOST = "lost"  # the connection ended, or the primary did not answer in time


@dataclass(frozen=True, slots=True)
class HostVisit:
    """One connection, to our own service or to a host of the primary."""

    host: str
    exchanges: tuple[Exchange, ...] = ()
    tls: TlsFacts | None = None
    certificate: CertificateFacts | None = None  # None: it showed none, or one that cannot be read
    failure: str = ""  # why it ended early

    @property
    def greeting(self) -> str:
        return next((one.reply.text for one in self.exchanges if one.command == GREETING), "")


@dataclass(frozen=True, slots=True)
class HandedIn:
    """The message was given to the running service. `reply`: its answer."""

    visit: HostVisit
    queue_id: str  # "" if the service did not take it
    reply: str
    state: str = ""  # of the delivery when the command stopped watching, in the words of lists
    said: str = ""  # the primary's last reply to the delivery, with its host


@dataclass(frozen=True, slots=True)
class SelfTest:
    to: Mailbox
    token: str
    route: Plan | NoPlan | Inside
    visits: tuple[HostVisit, ...] = ()  # to the primary, in order
    met: Met | None = None  # None: no host let us in
    reply: Reply | None = None  # that decided
    handed_in: HandedIn | None = None  # None: no service ran, or the primary refused beforehand
    is_served: bool = True  # whether this server's own service runs

    @property
    def is_sent(self) -> bool:
        """Whether a message was given to the primary, or to the service for it."""
        if self.handed_in is not None:
            return len(self.handed_in.queue_id) > 0
        return self.met is Met.TAKEN

    @property
    def is_delivered(self) -> bool:
        return self.met is Met.TAKEN if self.handed_in is None else self.handed_in.state == DELIVERED


def met_by(result: RecipientResult, is_unknown: bool) -> Met:
    """`is_unknown`: the reply is known to be about a mailbox that does not exist."""
    reply = result.reply
    if reply.is_positive:
        return Met.TAKEN
    if is_unknown:
        return Met.UNKNOWN_RECIPIENT
    if reply.is_permanent:
        return Met.REFUSED_BY_POLICY if is_about_us(result) else Met.REFUSED
    # Greylisting answers RCPT (Postfix, Exim) or DATA (rspamd), mostly with 4.7.x (RFC 6647 §5).
    early = result.phase in (Phase.MAIL, Phase.RCPT, Phase.DATA)
    is_greylisting = _GREYLISTED.search(reply.text) is not None or (early and reply.status.startswith("4.7."))
    return Met.GREYLISTED if is_greylisting else Met.DEFERRED


def kinds_met(test: SelfTest) -> tuple[PrimaryKind, ...]:
    hosts = [hop.name for hop in test.route.hops] if isinstance(test.route, Plan) else []
    return kinds_of_host(hosts, " ".join(visit.greeting for visit in test.visits))


def diagnose(test: SelfTest, relay: Relay) -> Iterator[Diagnosis]:
    route = test.route
    domain = str(test.to.domain)
    if isinstance(route, Inside):
        text = f"{domain} is a domain of this server itself: there is no primary."
        yield Diagnosis(Check.SELF_TEST_ROUTE, domain, Grade.FAULT, text, "take it out of [[backup]]")
        return
    if isinstance(route, NoPlan):
        remedy = "secondpost check dns shows the records; or name the hosts with `primary`"
        yield Diagnosis(Check.SELF_TEST_ROUTE, domain, Grade.FAULT, f"{route.reply.text}.", remedy)
        return
    names = ", ".join(hop.name for hop in route.hops)
    yield Diagnosis(Check.SELF_TEST_ROUTE, domain, Grade.WELL, f"Mail for {domain} leads to {names}.")
    yield _connection(test, domain)
    if test.met is not None:
        yield _tls(test.visits[-1], route)
        yield _taken(test, relay)
    if test.handed_in is not None:
        yield _handed_in(test.handed_in, test)
    elif not test.is_served:
        text = "No service of this server answered, so the message went straight to the primary."
        remedy = "secondpost serve"
        yield Diagnosis(Check.SELF_TEST_RECEIVED, str(test.to), Grade.NOTE, text, remedy)


def _connection(test: SelfTest, domain: str) -> Diagnosis:
    if test.met is not None:
        text = f"{test.visits[-1].host} let this server in."
        return Diagnosis(Check.SELF_TEST_CONNECTION, domain, Grade.WELL, text)
    tried = "; ".join(f"{visit.host}: {visit.failure}" for visit in test.visits)
    text = f"No host of the primary let this server in ({tried})."
    remedy = "mail for it is held until one does; secondpost status shows since when"
    return Diagnosis(Check.SELF_TEST_CONNECTION, domain, Grade.FAULT, text, remedy)


def _tls(visit: HostVisit, route: Plan) -> Diagnosis:
    if visit.tls is not None:
        return _encrypted(visit, visit.tls, route)
    if all(hop.tls is TlsDemand.NONE for hop in route.hops):
        text = "TLS is not used for this host: it is on this machine, or a [[route]] says so."
        return Diagnosis(Check.SELF_TEST_TLS, visit.host, Grade.NOTE, text)
    text = "The connection is not encrypted: the primary offers no STARTTLS, or it failed."
    remedy = "give the primary a certificate, and switch STARTTLS on there"
    return Diagnosis(Check.SELF_TEST_TLS, visit.host, Grade.WARNING, text, remedy)


def _encrypted(visit: HostVisit, tls: TlsFacts, route: Plan) -> Diagnosis:
    if visit.certificate is None:
        text = f"The connection is encrypted: {tls}."
        return Diagnosis(Check.SELF_TEST_TLS, visit.host, Grade.WELL, text)
    text = f"The connection is encrypted: {tls}, with a certificate {certificate_text(visit.certificate)}."
    name = next((hop.name for hop in route.hops if visit.host.startswith(hop.name)), visit.host)
    if visit.certificate.covers(name):
        return Diagnosis(Check.SELF_TEST_TLS, visit.host, Grade.WELL, text)
    text += f" It does not name {name}, so any machine between can pose as it."
    remedy = f"a certificate for {name} at the primary"
    return Diagnosis(Check.SELF_TEST_TLS, visit.host, Grade.NOTE, text, remedy)


def certificate_text(certificate: CertificateFacts) -> str:
    """Its names, issuer and last day."""
    names = ", ".join(certificate.names[:NAMES_SHOWN_MAX]) if len(certificate.names) > 0 else "no host"
    more = "" if len(certificate.names) <= NAMES_SHOWN_MAX else " and others"
    last_day = datetime.fromtimestamp(certificate.ends_ms / 1000, UTC).date()
    by = "itself" if certificate.is_self_signed else certificate.issuer
    return f"for {names}{more}, signed by {by}, until {last_day}"


def _taken(test: SelfTest, relay: Relay) -> Diagnosis:
    grade, text, remedy = _meaning(test, trust_settings(kinds_met(test), relay))
    said = "" if test.reply is None else f" It said: {test.reply}"
    return Diagnosis(Check.SELF_TEST_TAKEN, str(test.to), grade, f"{text}{said}", remedy)


def _meaning(test: SelfTest, settings: str) -> tuple[Grade, str, str]:
    """The grade, what the primary's answer means, and what to do."""
    domain = test.to.domain
    match test.met:
        case Met.TAKEN if test.handed_in is None:
            return Grade.WELL, f"The primary took the message for {test.to}.", ""
        case Met.TAKEN:
            return Grade.WELL, f"The primary takes mail for {test.to} from this server.", ""
        case Met.GREYLISTED:
            text = "The primary asks this server to come again later, as it asks all that it does not know."
            return Grade.WARNING, text, f"so that the mail of an outage is not delayed too:\n{settings}"
        case Met.UNKNOWN_RECIPIENT:
            text = f"The primary has no mailbox {test.to}."
            return Grade.NOTE, text, f"secondpost check delivery {domain} --to ADDRESS-THAT-EXISTS"
        case Met.REFUSED_BY_POLICY:
            text = "The primary refuses this server by its policy: a block list, SPF, or its name or address."
            return Grade.FAULT, text, settings
        case Met.REFUSED:
            return Grade.FAULT, "The primary refused the message for good.", "look at the log of the primary"
        case Met.LOST | None:
            return Grade.FAULT, "The connection ended before the primary had answered.", "try again later"
        case _:
            return Grade.WARNING, "The primary does not take the message now.", "try again later"


def _handed_in(one: HandedIn, test: SelfTest) -> Diagnosis:
    if len(one.queue_id) == 0:
        text = f"This server's own service did not take the message. It said: {one.reply}"
        remedy = "secondpost check config; recipients of the domain stand under [[backup]]"
        return Diagnosis(Check.SELF_TEST_RECEIVED, str(test.to), Grade.FAULT, text, remedy)
    text = f"This server's own service took the message: {one.queue_id} is {one.state}."
    said = f" {one.said}" if len(one.said) > 0 else ""
    if one.state == DELIVERED:
        return Diagnosis(Check.SELF_TEST_RECEIVED, str(test.to), Grade.WELL, f"{text}{said}")
    refused = one.state.startswith("kept")
    remedy = f"secondpost trace {one.queue_id}"
    if refused:
        remedy += f"\nsecondpost queue drop {one.queue_id}"
    return Diagnosis(
        Check.SELF_TEST_RECEIVED,
        str(test.to),
        Grade.FAULT if refused else Grade.NOTE,
        f"{text}{said}",
        remedy,
    )
