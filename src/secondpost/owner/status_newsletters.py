"""The state of the newsletters: readers, today's sign-ups, issues under way and to come."""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from secondpost.config.records import Config, Newsletter
from secondpost.mail.daily import day_of
from secondpost.mail.duration import DAY_MS
from secondpost.mail.issue import Issue, Reckoning
from secondpost.newsletter.outlook import Outlook
from secondpost.newsletter.renaming import left_behind_text
from secondpost.owner.documents import (
    NewsletterStandingDocument,
    SignUpsDocument,
    UnderWayDocument,
    UnnamedDocument,
)
from secondpost.owner.newsletter_documents import next_document
from secondpost.owner.readers_mail import ReadersMail, readers_mail
from secondpost.store.newsletter_ports import ReaderDelivery
from secondpost.store.provider_ports import ProviderPause
from secondpost.store.standing_ports import MailToReaders
from secondpost.store.subscriber_ports import SignedUp, SignUpCounts

if TYPE_CHECKING:
    from secondpost.owner.names import NamesInStore
    from secondpost.owner.newsletter_desk import OpenNewsletter


@dataclass(frozen=True, slots=True)
class NewslettersStand:
    """All newsletters, those not in the file, the mail to readers, and pauses of providers."""

    stands: list["Stands"]
    names: "NamesInStore"
    mail: ReadersMail
    pauses: list[ProviderPause]


async def newsletters_stand(open_: "OpenNewsletter", config: Config, now_ms: int) -> NewslettersStand:
    from secondpost.owner.names import names_in_store

    mail = await readers_mail(open_.store, now_ms)
    stands = [await _stands(open_, each, mail.mail, now_ms) for each in config.newsletters]
    names = await names_in_store(config, open_.store)
    return NewslettersStand(stands, names, mail, await open_.store.provider_pauses())


@dataclass(frozen=True, slots=True)
class Stands:
    """One newsletter; `under_way` is an issue that is made and not finished."""

    outlook: Outlook
    readers: int
    under_way: "IssueUnderWay | None"
    sign_ups: SignUpCounts  # today's
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class IssueUnderWay:
    issue: Issue
    reckoning: Reckoning
    deferred: int  # mails waiting after a failed attempt
    last: ReaderDelivery | None  # the mail deferred last


async def _stands(
    open_: "OpenNewsletter", newsletter: Newsletter, mail: MailToReaders, now_ms: int
) -> Stands:
    """One newsletter's state as stored; the feeds are not fetched."""
    store, name = open_.store, newsletter.name
    issues = [issue for issue in await store.issues_under_way() if issue.newsletter == name]
    under_way = None
    if len(issues) > 0:
        issue = issues[0]
        deferred, last = mail.deferred.get(issue.id, 0), await store.last_deferred(issue.id)
        under_way = IssueUnderWay(issue, await store.reckoning(issue.id), deferred, last)
    sign_ups = await store.sign_up_counts(name, day_of(now_ms) * DAY_MS)
    return Stands(
        await open_.publisher.outlook(newsletter),
        await store.active_readers(name),
        under_way,
        sign_ups,
        ZoneInfo(newsletter.timezone),
    )


def newsletter_document(stands: Stands) -> NewsletterStandingDocument:
    under_way = None
    if stands.under_way is not None:
        issue, reckoning = stands.under_way.issue, stands.under_way.reckoning
        under_way = UnderWayDocument(
            number=issue.number,
            state=issue.state.value,
            planned=reckoning.planned,
            under_way=reckoning.under_way,
            deferred=stands.under_way.deferred,
        )
    return NewsletterStandingDocument(
        newsletter=stands.outlook.newsletter,
        readers=stands.readers,
        next=next_document(stands.outlook),
        under_way=under_way,
        sign_ups=_sign_ups_document(stands.sign_ups),
    )


def _sign_ups_document(counts: SignUpCounts) -> SignUpsDocument:
    nothing_sent = {
        outcome.value: many for outcome, many in counts.outcomes.items() if outcome is not SignedUp.CONFIRM
    }
    return SignUpsDocument(counts.asked, counts.confirmed, nothing_sent)


def unnamed_documents(found: NewslettersStand) -> list[UnnamedDocument]:
    return [
        UnnamedDocument(known.name, known.readers, known.issues, left_behind_text(known))
        for known in found.names.left_behind
    ]
