"""The state of all mail to readers."""

from collections.abc import Sequence
from dataclasses import dataclass

from secondpost.mail.duration import DAY_MS
from secondpost.owner.documents import ReadersMailDocument, site_document
from secondpost.store.newsletter_ports import ReaderDelivery
from secondpost.store.newsletter_store_ports import NewsletterDesk
from secondpost.store.owner_ports import SiteDown
from secondpost.store.standing_ports import MailToReaders

FAILED_DAYS = 7
FAILED_SINCE_MS = FAILED_DAYS * DAY_MS
FAILED_MAX = 1_000  # failed confirmations counted


@dataclass(frozen=True, slots=True)
class ReadersMail:
    mail: MailToReaders
    failed: Sequence[ReaderDelivery]  # recent confirmations, newest first
    down: Sequence[SiteDown]


async def readers_mail(store: NewsletterDesk, now_ms: int) -> ReadersMail:
    failed = await store.failed_confirmations(now_ms - FAILED_SINCE_MS, FAILED_MAX)
    return ReadersMail(await store.mail_to_readers(), failed, await store.sites_down())


def readers_mail_document(found: ReadersMail) -> ReadersMailDocument:
    mail = found.mail
    return ReadersMailDocument(
        waiting=mail.waiting,
        deferred=mail.all_deferred,
        frozen=mail.frozen,
        held=mail.held,
        unknown=mail.unknown,
        confirmations_waiting=mail.own_waiting,
        confirmations_deferred=mail.own_deferred,
        confirmations_failed=len(found.failed),
        sites_down=[site_document(site) for site in found.down],
    )
