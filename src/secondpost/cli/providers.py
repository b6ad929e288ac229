"""secondpost providers: issues' mail to the providers of readers' mailboxes, and pauses of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from secondpost.cli.command import JSON, Command, Ending, Exit, Group
from secondpost.cli.opening import at_newsletter, configuration
from secondpost.cli.screen import Column, say, say_json, say_table
from secondpost.mail.daily import day_of
from secondpost.mail.duration import age_text
from secondpost.mail.printable import printable
from secondpost.mail.provider import BY_KEY, provider_of_site
from secondpost.owner.provider_documents import ProviderStands, provider_document, providers_stand
from secondpost.store.provider_ports import PauseCause, ProviderDay, ProviderPause

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter

SITE_CHARACTERS_MAX = 500
CAUSES = {
    PauseCause.BREAKER: "it refuses this server",
    PauseCause.BOUNCES: "too many of its mails came back",
    PauseCause.OWNER: "by you",
}
COLUMNS = (
    Column("provider"),
    Column("name"),
    Column("delivered", right=True),
    Column("deferred", right=True),
    Column("failed", right=True),
    Column("our fault", right=True),
)
PROVIDER = click.argument("provider", metavar="PROVIDER")


@click.group(cls=Group)
def providers() -> None:
    """Providers of your readers' mailboxes: list, pause and resume the issues' mail to them."""


@providers.command("list", cls=Command)
@JSON
def list_providers(as_json: bool) -> None:
    """List the providers with today's mails of issues (in UTC), and those that are paused."""

    async def read(open_: "OpenNewsletter") -> None:
        stands = await _stands(open_)
        if as_json:
            say_json([provider_document(each) for each in stands])
            return
        shown = [each for each in stands if each.today.attempts > 0]
        if len(shown) > 0:
            say_table(COLUMNS, [_row(each) for each in shown])
        else:
            say("No mail of an issue was sent today.")
        say_paused([pause for each in stands for pause in each.pauses], open_.clock.now_ms())

    at_newsletter(read, configuration())


@providers.command("pause", cls=Command)
@PROVIDER
@click.option("--reason", metavar="TEXT", default="by command", help="The reason, shown in lists.")
@JSON
def pause(provider: str, reason: str, as_json: bool) -> None:
    """Send no mail of issues to a provider until `providers resume`; it waits, and does not expire.

    Confirmations and other mail still go.
    """
    key = _key(provider)

    async def work(open_: "OpenNewsletter") -> None:
        detail = printable(reason)[:SITE_CHARACTERS_MAX]
        wanted = ProviderPause(key, PauseCause.OWNER, open_.clock.now_ms(), detail)
        if not await open_.store.pause_provider(wanted) and not as_json:
            say(f"{key} was paused already.")
        elif not as_json:
            say(f"Paused: {key}. To go on: secondpost providers resume {key}")
        if as_json:
            await _say_one(open_, key)

    at_newsletter(work, configuration())


@providers.command("resume", cls=Command)
@PROVIDER
@JSON
def resume(provider: str, as_json: bool) -> None:
    """Send mail of issues to a provider again, whatever it was paused for."""
    key = _key(provider)

    async def work(open_: "OpenNewsletter") -> None:
        ended = [cause for cause in PauseCause if await open_.store.resume_provider(key, cause)]
        if len(ended) == 0:
            raise Ending(f"{key} is not paused; `secondpost providers list` shows which are", Exit.NO)
        if as_json:
            await _say_one(open_, key)
        else:
            say(f"Goes on: {key}. It was paused since {' and '.join(_cause_text(each) for each in ended)}.")

    at_newsletter(work, configuration())


def say_paused(pauses: Sequence[ProviderPause], now_ms: int) -> None:
    """Print which providers get no mail of issues, why, and until when."""
    for each in pauses:
        trial = ""
        if each.trial_ms is not None:
            trial = f"; next trial mail in {age_text(max(each.trial_ms - now_ms, 0))}"
        age = age_text(max(now_ms - each.since_ms, 0))
        why = f"{CAUSES[each.cause]}: {printable(each.detail)}"
        say(f"PAUSED for {age}: issues to {printable(each.provider)} ({why}){trial}.")


def _cause_text(cause: PauseCause) -> str:
    return "you paused it" if cause is PauseCause.OWNER else CAUSES[cause]


def _key(provider: str) -> str:
    """A provider's key, or a site as lists show it."""
    written = provider.strip().lower()
    if written in BY_KEY:
        return written
    if "." not in written or len(written) > SITE_CHARACTERS_MAX or not written.isprintable():
        known = ", ".join(BY_KEY)
        raise Ending(
            f"{printable(provider)} is no provider; it is one of {known}, or a mail host", Exit.USAGE
        )
    return provider_of_site(written).key


async def _stands(open_: "OpenNewsletter") -> list[ProviderStands]:
    today = day_of(open_.clock.now_ms())
    return providers_stand(await open_.store.provider_pauses(), await open_.store.provider_days(today), today)


async def _say_one(open_: "OpenNewsletter", key: str) -> None:
    found = {each.key: each for each in await _stands(open_)}
    nothing = ProviderStands(key, key, ProviderDay(key, day_of(open_.clock.now_ms())), ())
    say_json(provider_document(found.get(key, nothing)))


def _row(stands: ProviderStands) -> tuple[str, ...]:
    day = stands.today
    figures = (day.delivered, day.deferred, day.failed, day.sender_fault)
    return (stands.key, stands.name, *(f"{figure:,}" for figure in figures))
