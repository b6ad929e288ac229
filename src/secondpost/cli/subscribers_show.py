"""secondpost subscribers show: the number of readers, or all that is known of one address."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from secondpost.cli.command import JSON, Command, Ending, Exit
from secondpost.cli.newsletters import Meant, meant, typed
from secondpost.cli.opening import at_newsletter, configuration
from secondpost.cli.reader_mail import stands_columns, stands_row
from secondpost.cli.screen import Column, say, say_field, say_json, say_table
from secondpost.cli.status_newsletters import say_names
from secondpost.mail.address import Mailbox
from secondpost.mail.issue import IssueId
from secondpost.mail.moment import zoned_text
from secondpost.owner.figures import counted
from secondpost.owner.reader_documents import (
    bounced_numbers,
    reader_document,
    readers_document,
    stranger_document,
)
from secondpost.owner.reader_words import (
    WAYS_BACK,
    came_of_text,
    outcome_text,
    state_since_text,
    suppression_text,
)
from secondpost.store.newsletter_ports import ReaderDelivery
from secondpost.store.subscriber_ports import Bounce, ReaderLookup, SignedUp, SignUpOutcome, Suppression
from secondpost.subscribers.reader_desk import SIGN_UPS_SHOWN_MAX, AboutReader, ReadersDesk

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter

SHOWN_MAX = 20  # mails, and bounces, per reader; --json has all that are kept
BOUNCE_COLUMNS = (
    Column("came back"),
    Column("issue", right=True),
    Column("came of it"),
    Column("what its server said", folds=True),
)


@click.command(cls=Command)
@click.argument("words", nargs=-1, metavar="[NAME] [ADDRESS]")
@JSON
def show(words: tuple[str, ...], as_json: bool) -> None:
    """Count the readers; or show all that is known of one address, reader or not."""
    config = configuration()
    which = meant(config, words, 0, 1)

    async def read(open_: "OpenNewsletter") -> None:
        from secondpost.owner.names import names_in_store

        name = which.newsletter.name
        if len(which.words) == 0:
            await _count(open_.store, name, as_json)
            if not as_json:
                say_names(await names_in_store(config, open_.store))
        else:
            await _show(open_, which, typed(which.words[0]), as_json)

    at_newsletter(read, config)


async def _count(store: ReaderLookup, name: str, as_json: bool) -> None:
    document = readers_document(name, await store.reader_counts(name), await store.suppressed_count(name))
    if as_json:
        say_json(document)
        return
    say(f"{name} has {counted(document.active, 'reader', 'readers')}.")
    say(
        f"pending {document.pending:,}, left {document.left:,}, suspended {document.suspended:,}, "
        f"complained {document.complained:,}, suppressed {document.suppressed:,}"
    )


async def _show(open_: "OpenNewsletter", which: Meant, mailbox: Mailbox, as_json: bool) -> None:
    store, name, zone = open_.store, which.newsletter.name, which.zone
    suppression, found = await store.suppression(name, mailbox), await store.find(name, mailbox)
    if found is None:
        sign_ups = await store.sign_ups_of(name, mailbox, SIGN_UPS_SHOWN_MAX)
        _show_stranger(which, mailbox, suppression, sign_ups, as_json)
        return
    about = await ReadersDesk(store, open_.clock).about(found.id)
    assert about is not None
    if as_json:
        say_json(await reader_document(store, about))
    else:
        _say_reader(about, suppression, zone)
        issues = await bounced_numbers(store, about)
        _say_bounces(about.bounces[:SHOWN_MAX], issues, zone)


def _show_stranger(
    which: Meant,
    mailbox: Mailbox,
    suppression: Suppression | None,
    sign_ups: list[SignUpOutcome],
    as_json: bool,
) -> None:
    name, zone = which.newsletter.name, which.zone
    if as_json and (suppression is not None or len(sign_ups) > 0):
        say_json(stranger_document(name, mailbox, suppression is not None, sign_ups))
    elif not as_json:
        for one in sign_ups:
            say(f"{zoned_text(one.at_ms, zone)}  asked to sign up {outcome_text(one)}.")
        if suppression is not None:
            say(f"{zoned_text(suppression.at_ms, zone)}  suppressed {suppression_text(suppression)}.")
    known = "; the address is suppressed" if suppression is not None else ""
    raise Ending(f"{name} has no reader {mailbox}{known}", Exit.NO)


def _say_reader(about: AboutReader, suppression: Suppression | None, zone: ZoneInfo) -> None:
    one = about.subscriber
    suppressed_too = "" if suppression is None else ", and the address is suppressed"
    say(f"{one.mailbox} {state_since_text(one.state, zoned_text(one.since_ms, zone))}{suppressed_too}.")
    if suppression is not None:
        say_field("suppressed", suppression_text(suppression))
    if one.state in WAYS_BACK:
        say_field("back if", WAYS_BACK[one.state])
    if one.consent is not None:
        say_field("agreed", f"{zoned_text(one.consent.at_ms, zone)}, {one.consent.how}: {one.consent.where}")
    for name, value in one.attributes:
        say(f"{name}: {value}")
    lines = [
        (event.at_ms, f"{event.what}: {event.detail}" if len(event.detail) > 0 else event.what)
        for event in about.events
    ]
    lines += [
        (each.at_ms, f"asked to sign up {outcome_text(each)}")
        for each in about.sign_ups
        if each.outcome is not SignedUp.CONFIRM  # those are among the events
    ]
    for at_ms, words in sorted(lines, key=lambda line: line[0]):
        say(f"{zoned_text(at_ms, zone)}  {words}")
    shown = about.deliveries[:SHOWN_MAX]
    if len(shown) > 0:
        columns = (Column("mail"), Column("of"), *stands_columns(zone))
        say_table(columns, [_mail_row(mail, zone) for mail in shown])


def _say_bounces(bounces: Sequence[Bounce], issues: Mapping[IssueId, int], zone: ZoneInfo) -> None:
    if len(bounces) > 0:
        say_table(BOUNCE_COLUMNS, [_bounce_row(bounce, issues, zone) for bounce in bounces])


def _bounce_row(bounce: Bounce, issues: Mapping[IssueId, int], zone: ZoneInfo) -> tuple[str, ...]:
    issue = "confirmation" if bounce.issue is None else str(issues[bounce.issue])
    return (zoned_text(bounce.at_ms, zone), issue, came_of_text(bounce), bounce.text or bounce.status)


def _mail_row(mail: ReaderDelivery, zone: ZoneInfo) -> tuple[str, ...]:
    return (str(mail.id), "confirmation" if mail.issue is None else "issue", *stands_row(mail, zone))
