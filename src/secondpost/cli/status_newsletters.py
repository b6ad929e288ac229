"""How the newsletters stand, for `status`: readers, sign-ups of the day, issues under way and to come."""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from secondpost.cli.documents import (
    NewsletterStandingDocument,
    SignUpsDocument,
    UnderWayDocument,
    UnnamedDocument,
)
from secondpost.cli.issue_words import deferred_text, reckoning_text, standing_text
from secondpost.cli.newsletter_documents import next_document
from secondpost.cli.reader_words import sign_ups_text
from secondpost.cli.readers_mail import ReadersMail, readers_mail, say_readers_mail
from secondpost.cli.screen import counted, say
from secondpost.config.records import Config, Newsletter
from secondpost.mail.daily import DAY_MS, day_of
from secondpost.mail.issue import Issue, Reckoning
from secondpost.newsletter.outlook import Outlook
from secondpost.newsletter.renaming import cut_short_text, left_behind_sentence, left_behind_text
from secondpost.store.newsletter_ports import ReaderDelivery
from secondpost.store.standing_ports import MailToReaders
from secondpost.store.subscriber_ports import SignedUp, SignUpCounts

if TYPE_CHECKING:
    from secondpost.app_newsletter import NamesInStore, OpenNewsletter


@dataclass(frozen=True, slots=True)
class NewslettersStand:
    """All of them, those too that the file does not name, and the mail to their readers."""

    stands: list["Stands"]
    names: "NamesInStore"
    mail: ReadersMail


def newsletters_stand(open_: "OpenNewsletter", config: Config, now_ms: int) -> NewslettersStand:
    from secondpost.app_newsletter import names_in_store

    mail = readers_mail(open_.store, now_ms)
    stands = [_stands(open_, each, mail.mail, now_ms) for each in config.newsletters]
    return NewslettersStand(stands, names_in_store(config, open_.store), mail)


def say_newsletters(found: NewslettersStand, config: Config, now_ms: int) -> None:
    say_readers_mail(found.mail, now_ms)
    for stands in found.stands:
        _say_newsletter(stands)
    say_names(found.names)


def say_names(names: "NamesInStore") -> None:
    """What the store has under names that the file does not have; nothing where there is none."""
    for known in names.left_behind:
        say(f"NOT NAMED: {left_behind_sentence(known, names.unused)}")
    for former in names.half_renamed:
        say(f"NOT DONE: {cut_short_text(former)}")


@dataclass(frozen=True, slots=True)
class Stands:
    """One newsletter; `under_way`: an issue that is made and not done."""

    told: Outlook
    readers: int
    under_way: "UnderWay | None"
    sign_ups: SignUpCounts  # of today
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class UnderWay:
    issue: Issue
    reckoning: Reckoning
    deferred: int  # of those under way: tried, and put off
    last: ReaderDelivery | None  # the one put off last


def _stands(open_: "OpenNewsletter", newsletter: Newsletter, mail: MailToReaders, now_ms: int) -> Stands:
    """From what is known: the feeds are not looked at."""
    store, name = open_.store, newsletter.name
    issues = [issue for issue in store.issues_under_way() if issue.newsletter == name]
    under_way = None
    if len(issues) > 0:
        issue = issues[0]
        deferred, last = mail.deferred.get(issue.id, 0), store.last_deferred(issue.id)
        under_way = UnderWay(issue, store.reckoning(issue.id), deferred, last)
    sign_ups = store.sign_up_counts(name, day_of(now_ms) * DAY_MS)
    return Stands(
        open_.publisher.outlook(newsletter),
        store.active_readers(name),
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
        newsletter=stands.told.newsletter,
        readers=stands.readers,
        next=next_document(stands.told),
        under_way=under_way,
        sign_ups=_sign_ups_document(stands.sign_ups),
    )


def _sign_ups_document(counts: SignUpCounts) -> SignUpsDocument:
    nothing_sent = {
        outcome.value: many for outcome, many in counts.outcomes.items() if outcome is not SignedUp.CONFIRM
    }
    return SignUpsDocument(counts.asked, counts.confirmed, nothing_sent)


def _say_newsletter(stands: Stands) -> None:
    name = stands.told.newsletter
    say(f"{name} has {counted(stands.readers, 'reader', 'readers')}. {stands.told.reason}")
    if stands.sign_ups.asked > 0:
        say(f"Sign-ups for {name} today: {sign_ups_text(stands.sign_ups)}.")
    if stands.under_way is not None:
        issue, reckoning = stands.under_way.issue, stands.under_way.reckoning
        standing = standing_text(issue, stands.zone)
        say(f"Issue {issue.number} of {name} is {standing}. {reckoning_text(reckoning)}.")
        if stands.under_way.last is not None:
            say(f"{deferred_text(stands.under_way.deferred, stands.under_way.last)}.")


def unnamed_documents(found: NewslettersStand) -> list[UnnamedDocument]:
    return [
        UnnamedDocument(known.name, known.readers, known.issues, left_behind_text(known))
        for known in found.names.left_behind
    ]
