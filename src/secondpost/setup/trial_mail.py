"""Examines a trial mail: an issue with a made-up article, composed and signed as for a reader, and never
sent. Its signature is verified with the key that DNS has. Pure: it yields questions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import getaddresses

from secondpost.mail.address import AddressError, Mailbox
from secondpost.mail.authentication import AuthResult
from secondpost.mail.provider import provider_of_domain
from secondpost.mail.questions import Asking
from secondpost.protocols.dkim.arrival import SignatureCheck
from secondpost.protocols.dkim.verifying import Proves
from secondpost.setup.bulk_rules import BulkRule

LINE_OCTETS_MAX = 998  # without CRLF, RFC 5322 §2.1.1
ONCE = ("From", "Date", "Message-ID", "To", "Subject")  # RFC 5322 §3.6; receivers want all of them
LIST_FIELDS = ("List-Unsubscribe", "List-Unsubscribe-Post")
ONE_CLICK = "List-Unsubscribe=One-Click"  # RFC 8058 §3.1


@dataclass(frozen=True, slots=True)
class MailFault:
    """What a trial mail does against a rule; `is_unsure`: DNS did not answer."""

    rule: BulkRule
    text: str  # a clause that follows the newsletter's name
    is_unsure: bool = False


@dataclass(frozen=True, slots=True)
class TrialMail:
    newsletter: str
    data: bytes
    dated_s: int


def examine_trial_mail(mail: TrialMail, proves: Proves) -> Asking[tuple[MailFault, ...]]:
    """`proves`: the operation with a public key."""
    message = message_from_bytes(mail.data, policy=default)
    assert isinstance(message, EmailMessage)  # as the policy makes it
    header, _, body = mail.data.partition(b"\r\n\r\n")
    check = SignatureCheck(header + b"\r\n", mail.dated_s)
    check.add_body(body)
    signatures = (yield from check.found(proves)).dkim
    found = [*_format(mail.data, message), *_author(message), *_links(message)]
    author = _domain(message, "From")
    aligned = [one for one in signatures if one.domain == author]
    results = [one.result for one in aligned]
    if AuthResult.PASS not in results:
        why = "; ".join(f"{one.selector}: {one.reason or one.result}" for one in aligned) or "none is there"
        text = f"has no signature of {author or 'its sender'} that DNS verifies ({why})"
        is_unsure = AuthResult.TEMPERROR in results
        found.append(MailFault(BulkRule.SPF_AND_DKIM, text, is_unsure))
        found.append(MailFault(BulkRule.DMARC, text, is_unsure))
    found += _signed(message)
    return tuple(found)


def _format(data: bytes, message: EmailMessage) -> Iterator[MailFault]:
    for name in ONCE:
        times = len(message.get_all(name, []))
        if times != 1:
            yield MailFault(BulkRule.FORMAT, f"has {name} {times} times instead of once")
    lines = data.split(b"\r\n")
    longest = max(map(len, lines))
    if longest > LINE_OCTETS_MAX:
        yield MailFault(BulkRule.FORMAT, f"has a line of {longest} octets, more than {LINE_OCTETS_MAX}")
    if any(b"\r" in line or b"\n" in line for line in lines):
        yield MailFault(BulkRule.FORMAT, "has lines that do not end in CRLF")


def _author(message: EmailMessage) -> Iterator[MailFault]:
    for name in ("From", "Reply-To"):
        if message[name] is not None and _domain(message, name) is None:
            yield MailFault(BulkRule.FROM, f"has no valid address in {name}")
    domain = _domain(message, "From")
    profile = None if domain is None else provider_of_domain(domain).profile
    if profile is not None:
        text = f"is from an address at {profile.name}, whose domain allows no other server to send for it"
        yield MailFault(BulkRule.FROM, text)


def _domain(message: EmailMessage, name: str) -> str | None:
    """The domain of a field's only address; None if it is none."""
    addresses = getaddresses([str(value) for value in message.get_all(name, [])])
    try:
        return Mailbox.parse(addresses[0][1]).domain.name if len(addresses) == 1 else None
    except AddressError:
        return None


def _links(message: EmailMessage) -> Iterator[MailFault]:
    listed = str(message.get("List-Unsubscribe", ""))
    ways = [part.strip().removeprefix("<").removesuffix(">") for part in listed.split(",")]
    pages = [way for way in ways if way.startswith("https://")]
    mails = [way for way in ways if way.startswith("mailto:")]
    if len(pages) + len(mails) == 0:
        yield MailFault(BulkRule.UNSUBSCRIBE_LINK, "has no List-Unsubscribe by https or mail")
    for kind in ("plain", "html"):
        part = message.get_body((kind,))
        shown = "" if part is None else str(part.get_content())
        if not any(way in shown.replace("&amp;", "&") for way in (*pages, *mails)):
            yield MailFault(BulkRule.UNSUBSCRIBE_LINK, f"shows no link to unsubscribe in its {kind} text")
    if len(pages) == 0:
        yield MailFault(BulkRule.ONE_CLICK, "has no link to unsubscribe that begins with https://")
    if str(message.get("List-Unsubscribe-Post", "")) != ONE_CLICK:
        yield MailFault(BulkRule.ONE_CLICK, f"does not say {ONE_CLICK}")


def _signed(message: EmailMessage) -> Iterator[MailFault]:
    """RFC 8058 §4: a signature must cover both fields."""
    signed = [_signed_fields(str(value)) for value in message.get_all("DKIM-Signature", [])]
    for name in LIST_FIELDS:
        if message[name] is not None and not all(name.lower() in names for names in signed):
            yield MailFault(BulkRule.ONE_CLICK, f"has {name} outside of a signature")


def _signed_fields(signature: str) -> tuple[str, ...]:
    """The names in h= (RFC 6376 §3.5), lower case."""
    tags = dict(tag.strip().partition("=")[::2] for tag in signature.split(";"))
    return tuple("".join(name.split()).lower() for name in tags.get("h", "").split(":"))
