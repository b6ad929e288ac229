"""The JSON documents of commands on readers, by the rules of documents.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from secondpost.mail.address import Mailbox
from secondpost.mail.delivery import State
from secondpost.mail.issue import IssueId
from secondpost.mail.queue_id import queue_id_text
from secondpost.mail.subscriber import Consent, SubscriberState
from secondpost.owner.figures import utc_time
from secondpost.store.newsletter_ports import ReaderDelivery
from secondpost.store.newsletter_store_ports import NewsletterLookup
from secondpost.store.subscriber_ports import SignUpOutcome
from secondpost.subscribers.reader_desk import AboutReader


@dataclass(frozen=True, slots=True)
class ReadersDocument:
    """The document of `subscribers show`."""

    newsletter: str
    active: int
    pending: int
    left: int
    suspended: int
    complained: int
    suppressed: int


@dataclass(frozen=True, slots=True)
class AgreementDocument:
    at: str
    where: str
    how: str
    text: str
    network: str


@dataclass(frozen=True, slots=True)
class ReaderEventDocument:
    at: str
    what: str
    state: str
    detail: str
    agreed: AgreementDocument | None


@dataclass(frozen=True, slots=True)
class ReaderMailDocument:
    id: str
    kind: str
    state: str
    attempts: int
    last: str | None
    due: str | None
    host: str
    reply: str


@dataclass(frozen=True, slots=True)
class SignUpDocument:
    """The result of one sign-up."""

    at: str
    how: str
    outcome: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class BounceDocument:
    """A mail that came back."""

    at: str
    issue: int | None
    kind: str
    status: str
    text: str
    id: str | None
    came_of: str


@dataclass(frozen=True, slots=True)
class ReaderDocument:
    """The document of `subscribers show ADDRESS`, and of /me/TOKEN?as=json."""

    newsletter: str
    address: str
    state: str | None
    since: str | None
    created: str | None
    suppressed: bool
    agreed: AgreementDocument | None
    attributes: dict[str, str]
    events: list[ReaderEventDocument]
    mails: list[ReaderMailDocument]
    bounces: list[BounceDocument]
    sign_ups: list[SignUpDocument]


def readers_document(newsletter: str, counts: dict[SubscriberState, int], suppressed: int) -> ReadersDocument:
    return ReadersDocument(
        newsletter=newsletter,
        active=counts[SubscriberState.ACTIVE],
        pending=counts[SubscriberState.PENDING],
        left=counts[SubscriberState.LEFT],
        suspended=counts[SubscriberState.SUSPENDED],
        complained=counts[SubscriberState.COMPLAINED],
        suppressed=suppressed,
    )


async def reader_document(store: NewsletterLookup, about: AboutReader) -> ReaderDocument:
    """Everything kept about a reader, for the owner, and for the reader (GDPR articles 15 and 20)."""
    one = about.subscriber
    suppression = await store.suppression(one.newsletter, one.mailbox)
    issues = await bounced_numbers(store, about)
    return ReaderDocument(
        newsletter=one.newsletter,
        address=str(one.mailbox),
        state=one.state.value,
        since=utc_time(one.since_ms),
        created=utc_time(one.created_ms),
        suppressed=suppression is not None,
        agreed=_agreement(one.consent),
        attributes=dict(one.attributes),
        events=[
            ReaderEventDocument(
                utc_time(event.at_ms), event.what, event.state.value, event.detail, _agreement(event.consent)
            )
            for event in about.events
        ],
        mails=[
            ReaderMailDocument(
                id=str(mail.id),
                kind="confirmation" if mail.issue is None else "issue",
                state=mail.state.value,
                attempts=mail.attempts,
                last=time_text(mail.last_ms),
                due=due_time(mail),
                host=mail.host,
                reply=mail.reply,
            )
            for mail in about.deliveries
        ],
        bounces=[
            BounceDocument(
                at=utc_time(bounce.at_ms),
                issue=None if bounce.issue is None else issues[bounce.issue],
                kind=bounce.kind.value,
                status=bounce.status,
                text=bounce.text,
                id=None if bounce.evidence is None else queue_id_text(bounce.evidence),
                came_of=bounce.weighed.value,
            )
            for bounce in about.bounces
        ],
        sign_ups=_sign_ups(about.sign_ups),
    )


def stranger_document(
    newsletter: str, mailbox: Mailbox, suppressed: bool, sign_ups: Sequence[SignUpOutcome]
) -> ReaderDocument:
    """The document of an address that is not a reader's."""
    return ReaderDocument(
        newsletter=newsletter,
        address=str(mailbox),
        state=None,
        since=None,
        created=None,
        suppressed=suppressed,
        agreed=None,
        attributes={},
        events=[],
        mails=[],
        bounces=[],
        sign_ups=_sign_ups(sign_ups),
    )


async def bounced_numbers(store: NewsletterLookup, about: AboutReader) -> Mapping[IssueId, int]:
    """Numbers of the issues whose mail to this reader came back."""
    ids = {bounce.issue for bounce in about.bounces if bounce.issue is not None}
    found = [(id, await store.issue(id)) for id in ids]
    return {id: issue.number for id, issue in found if issue is not None}


def _sign_ups(outcomes: Sequence[SignUpOutcome]) -> list[SignUpDocument]:
    return [
        SignUpDocument(utc_time(one.at_ms), one.how, one.outcome.value, one.is_confirmed) for one in outcomes
    ]


def due_time(mail: ReaderDelivery) -> str | None:
    """When a mail is tried next; None if it does not wait, or waits for its site to come up."""
    return utc_time(mail.due_ms) if mail.state is State.WAITING and not mail.site_down else None


def _agreement(consent: Consent | None) -> AgreementDocument | None:
    if consent is None:
        return None
    return AgreementDocument(
        utc_time(consent.at_ms), consent.where, consent.how, consent.text, consent.address_prefix
    )


def time_text(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else utc_time(milliseconds)
