"""secondpost snapshot accept and hold: what becomes of mail in a store that is a copy."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

import click

from secondpost.cli.command import JSON, Command, Ending, Exit
from secondpost.cli.leading import YES, ask
from secondpost.cli.opening import become_owner, configuration, store_faults_shown
from secondpost.cli.screen import local_time, say, say_json
from secondpost.owner.figures import counted
from secondpost.store.copy_ports import CopyVerdict

if TYPE_CHECKING:
    from secondpost.owner.copies import CopyAcceptance, CopyStands, SentLog

T = TypeVar("T")
LINE_CHARACTERS_MAX = 10_000


def _at_copies(work: "Callable[[CopyAcceptance], Awaitable[T]]") -> T:
    config = configuration()
    from secondpost.roles.copies import open_copies

    become_owner(config)

    async def opened() -> T:
        async with open_copies(config) as acceptance:
            return await work(acceptance)

    with store_faults_shown(config):
        return asyncio.run(opened())


@click.command("hold", cls=Command)
def hold() -> None:
    """Declare this store a copy: nothing that waits in it is sent until you accept it.

    For a machine whose whole disk was set back to an earlier state, which cannot be noticed. Type it
    before the service starts there.
    """

    async def declare(acceptance: "CopyAcceptance") -> None:
        await acceptance.declare()

    _at_copies(declare)
    say("This store is held as a copy. `secondpost snapshot accept` shows what waits in it.")


@click.command("accept", cls=Command)
@click.option(
    "--sent-log",
    "paths",
    metavar="FILE",
    multiple=True,
    help="The original's log since the snapshot: what it says was delivered is not sent again. May be "
    "repeated.",
)
@click.option(
    "--nothing-sent",
    is_flag=True,
    help="The original sent nothing since, as when it was stopped before the snapshot: all goes on.",
)
@click.option("--drop-mail", is_flag=True, help="Drop mail that belongs to no issue, instead of sending it.")
@YES
@JSON
def accept(paths: tuple[str, ...], nothing_sent: bool, drop_mail: bool, yes: bool, as_json: bool) -> None:
    """Accept a store that is a copy, and say what is sent of the mail that it holds.

    Relayed mail goes out, perhaps for the second time. Readers to whom an issue was under way become
    unknown: it is not sent to them again. Articles that waited are skipped, since an issue that this copy
    does not know may have had them; `secondpost issue take` takes them back.
    """
    if nothing_sent and (drop_mail or len(paths) > 0):
        raise click.UsageError("--nothing-sent goes with neither --sent-log nor --drop-mail.")
    sent = None if len(paths) == 0 else _sent(paths)

    async def work(acceptance: "CopyAcceptance") -> None:
        stands = await acceptance.stands()
        if not stands.is_held:
            raise Ending("this store is no copy: nothing in it is held for that", Exit.NO)
        if not nothing_sent and len(stands.unread) > 0:
            newsletter, url = stands.unread[0]
            raise Ending(
                f"the feed {url} of {newsletter} was not read since: start the service, and try again in "
                "some minutes; what it has by then counts as sent",
                Exit.NO,
            )
        if not as_json:
            _say(stands)
        if not yes:
            ask("Accept the copy?", "add --yes to accept it")
        to = CopyVerdict.ON if nothing_sent else CopyVerdict.DROPPED if drop_mail else CopyVerdict.AGAIN
        done = await acceptance.accept(to, sent)
        if as_json:
            from secondpost.owner.snapshot_documents import AcceptDocument

            say_json(
                AcceptDocument(
                    done.delivered, done.sent_on, done.dropped, done.unknown, done.articles_skipped
                )
            )
            return
        say(
            f"Accepted: {counted(done.sent_on, 'delivery goes', 'deliveries go')} out, "
            f"{done.dropped:,} dropped, {done.delivered:,} had been delivered, "
            f"{done.unknown:,} of issues are unknown, "
            f"{counted(done.articles_skipped, 'article', 'articles')} skipped."
        )
        if stands.newsletter_hold is not None and not nothing_sent:
            say(
                "Readers who left, joined or bounced at the original since then are not known here: "
                "import its latest export, if you have one (`secondpost subscribers import`)."
            )

    _at_copies(work)


def _sent(paths: tuple[str, ...]) -> "SentLog":
    from secondpost.owner.copies import SentLog

    return SentLog.read(line for path in paths for line in _lines(path))


def _lines(path: str) -> Iterator[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            yield from iter(lambda: file.readline(LINE_CHARACTERS_MAX), "")
    except OSError as error:
        raise Ending(f"{path} cannot be read: {error.strerror}", Exit.NO) from None


def _say(stands: "CopyStands") -> None:
    holds = [each for each in (stands.mail_hold, stands.newsletter_hold) if each is not None]
    say(f"This store is a copy, held since {local_time(holds[0].since_ms)}: {holds[0].why}.")
    for doubt in stands.held:
        if not doubt.of_issues:
            what = counted(doubt.deliveries, "delivery", "deliveries")
            say(f"  lane {doubt.lane.value}: {what} waited; the original may have sent them")
    for issue in stands.issues:
        readers = counted(issue.deliveries, "reader", "readers")
        say(f"  issue {issue.number} of {issue.newsletter} was {issue.state}, for {readers} not sent yet")
    for newsletter, articles in stands.articles.items():
        say(f"  {newsletter}: {counted(articles, 'article', 'articles')} waited for an issue")
