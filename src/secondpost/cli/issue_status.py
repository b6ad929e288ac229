"""secondpost issue status: what became of each reader's mail of an issue, as counts or one by one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from secondpost.cli.command import COUNTED, JSON, Command, Ending, Exit
from secondpost.cli.issue_progress import say_progress
from secondpost.cli.newsletters import NOT_RUNNING, Meant, meant, numbered
from secondpost.cli.opening import at_newsletter, configuration
from secondpost.cli.parameters import DELIVERY
from secondpost.cli.reader_mail import stands_columns, stands_row
from secondpost.cli.screen import Column, say, say_json, say_table
from secondpost.mail.delivery import DeliveryId, State
from secondpost.mail.issue import Issue, IssueState, Reckoning
from secondpost.mail.moment import zoned_text
from secondpost.mail.subscriber import SubscriberId
from secondpost.owner.figures import counted
from secondpost.owner.issue_progress import read_progress
from secondpost.owner.issue_progress_documents import issue_status_document
from secondpost.owner.issue_words import deferred_text, reckoning_text, standing_sentence
from secondpost.owner.newsletter_documents import issue_mails_document
from secondpost.store.newsletter_ports import IssueLookup, IssueRefused
from secondpost.store.newsletter_store_ports import NewsletterDesk

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter

LISTED_MAX = 100  # mails per list, by default
FAILED = (State.FAILED, State.EXPIRED)
UNKNOWN = (State.UNKNOWN,)
WAITING = (State.FROZEN, State.WAITING, State.HELD, State.CLAIMED, State.COMMITTING)


@click.command(cls=Command)
@click.argument("words", nargs=-1, metavar="[NAME] [N]")
@click.option("--failed", is_flag=True, help="List mail that was refused for good, or waited too long.")
@click.option("--unknown", is_flag=True, help="List mail that was sent and got no answer.")
@click.option("--waiting", is_flag=True, help="List mail that is still to be sent, or is being sent.")
@click.option("--limit", type=COUNTED, default=LISTED_MAX, show_default=True, help="List at most this many.")
@click.option("--after", type=DELIVERY, help="Continue after this mail, the last one of the previous list.")
@JSON
def status(
    words: tuple[str, ...],
    failed: bool,
    unknown: bool,
    waiting: bool,
    limit: int,
    after: DeliveryId | None,
    as_json: bool,
) -> None:
    """Count who got an issue and who did not; without a number, the newest issue."""
    config = configuration()
    which = meant(config, words, 0, 1)
    chosen = ((failed, FAILED), (unknown, UNKNOWN), (waiting, WAITING))
    states = [state for is_wanted, those in chosen if is_wanted for state in those]
    if after is not None and len(states) == 0:
        raise click.UsageError("--after continues a list: add --failed, --unknown or --waiting.")

    async def read(open_: "OpenNewsletter") -> None:
        store = open_.store
        found = await _meant_issue(store, which)
        if len(states) > 0:
            await _list(store, found, states, limit, after, as_json, which.zone)
            return
        now_ms = open_.clock.now_ms()
        reckoning = await store.reckoning(found.id)
        providers = await read_progress(store, found.id, now_ms)
        if as_json:
            say_json(issue_status_document(found, reckoning, await store.bounced(found.id), providers))
        else:
            await _say(store, found, reckoning, which.zone)
            say_progress(providers, which.zone, now_ms)

    at_newsletter(read, config)


async def _meant_issue(store: IssueLookup, which: Meant) -> Issue:
    if len(which.words) == 1:
        return await numbered(store, which.newsletter, which.words[0])
    newest = await store.issues(which.newsletter.name, None, 1)
    if len(newest) == 0:
        raise Ending(f"{which.newsletter.name} has no issue yet: `secondpost issue next` says why", Exit.NO)
    return newest[0]


async def _say(store: NewsletterDesk, found: Issue, reckoning: Reckoning, zone: ZoneInfo) -> None:
    say(standing_sentence(found, zone))
    say(f"{reckoning_text(reckoning)}.")
    bounced = {kind: reports for kind, reports in (await store.bounced(found.id)).items() if reports > 0}
    if len(bounced) > 0:
        kinds = ", ".join(f"{reports:,} {kind}" for kind, reports in bounced.items())
        say(f"{counted(sum(bounced.values()), 'mail', 'mails')} came back: {kinds}.")
    if reckoning.unknown > 0:
        say(f"{_unknown_text(reckoning.unknown)} {await _once_more(store, found)}")
    if reckoning.under_way > 0:
        await _say_under_way(store, found, zone)
    listed = {
        "--failed": reckoning.failed + reckoning.expired,
        "--unknown": reckoning.unknown,
        "--waiting": reckoning.under_way,
    }
    options = ", ".join(option for option, many in listed.items() if many > 0)
    if len(options) > 0:
        say(f"To list them: secondpost issue status {found.newsletter} {found.number} with {options}.")
    if found.state is IssueState.DONE:
        say("Every reader is accounted for." if reckoning.adds_up else "The counts DO NOT add up.")


async def _say_under_way(store: NewsletterDesk, found: Issue, zone: ZoneInfo) -> None:
    if not await store.is_served():
        say(NOT_RUNNING)
    last = await store.last_deferred(found.id)
    if last is not None:
        deferred = (await store.mail_to_readers()).deferred
        say(f"{deferred_text(deferred.get(found.id, 0), last)}.")
    for down in await store.sites_down():
        say(f"{down.site} has been down since {zoned_text(down.since_ms, zone)}: {down.detail}")


async def _list(
    store: NewsletterDesk,
    found: Issue,
    states: Sequence[State],
    limit: int,
    after: DeliveryId | None,
    as_json: bool,
    zone: ZoneInfo,
) -> None:
    if after is not None and after.queue_id != found.message:
        raise Ending(f"{after} is not a mail of issue {found.number} of {found.newsletter}", Exit.NO)
    behind = None if after is None else SubscriberId(after.number)
    page = await store.deliveries(found.id, states, behind, limit + 1)
    mails, more = page[:limit], len(page) > limit
    if as_json:
        say_json(issue_mails_document(found, mails, more))
        return
    if len(mails) == 0:
        say(f"No mail of issue {found.number} of {found.newsletter} {_none_text(found, after)}.")
        return
    columns = (Column("mail"), Column("address"), *stands_columns(zone))
    say_table(columns, [(str(mail.id), mail.recipient, *stands_row(mail, zone)) for mail in mails])
    if more:
        say(f"There are more. To see them: --after {mails[-1].id}")


def _unknown_text(unknown: int) -> str:
    readers = counted(unknown, "reader", "readers")
    return (
        f"Of {readers} it is not known whether they have it: their server was sent the whole mail, and "
        "did not answer."
    )


async def _once_more(store: NewsletterDesk, found: Issue) -> str:
    """How they are sent it once more, or why they cannot be."""
    try:
        many = await store.unknown_to_retry(found.id, None)
    except IssueRefused as refused:
        return f"It cannot be sent to them once more now: {refused}."
    if many == 0:
        return "It was already sent to them once more, and is not sent again."
    return f"To send it to them once more: secondpost issue retry --unknown {found.newsletter} {found.number}"


def _none_text(found: Issue, after: DeliveryId | None) -> str:
    if after is not None:
        return "is in this state after that one"
    if found.finished_ms is not None:
        return "is in this state, or it is more than a year old: then only its counts are kept"
    return "is in this state"
