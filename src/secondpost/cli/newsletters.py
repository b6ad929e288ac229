"""Find the newsletter that a command means, and take the lead for work that must not run twice at
once.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import click

from secondpost.cli.command import Ending, Exit, command_waits
from secondpost.cli.screen import progressing
from secondpost.config.records import Config, Newsletter
from secondpost.mail.address import Mailbox
from secondpost.mail.issue import Issue
from secondpost.store.newsletter_ports import IssueLookup, LeadershipLost, Leading
from secondpost.store.ports import Lease
from secondpost.subscribers.typed import typed_mailbox

ASK_AGAIN_SECONDS = 0.1
_ONLY_KEY = "secondpost.only"
_LIKE_A_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True)
class Meant:
    """The newsletter, and the other words of the command line."""

    newsletter: Newsletter
    words: tuple[str, ...]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.newsletter.timezone)


TOO_FEW = "There are too few words: see --help."


def meant(config: Config, words: tuple[str, ...], least: int, most: int, wanted: str = TOO_FEW) -> Meant:
    """Parse `[NAME] WORD…` with `least` to `most` words besides the name.

    The name may be left out if there is only one newsletter; a word that could be both is the name.
    Raises UsageError, with the text `wanted` if there are too few words.
    """
    named = {newsletter.name: newsletter for newsletter in config.newsletters}
    if len(named) == 0:
        text = f"{config.path} has no [[newsletter]]: add one, with name, from and feeds"
        raise Ending(text, Exit.CONFIGURATION)
    if len(words) > least and words[0] in named:
        newsletter, rest = named[words[0]], words[1:]
    elif len(words) > most:
        raise click.UsageError(f"There is no newsletter {words[0]!r}, only {_listed(config)}.")
    elif len(named) > 1 and len(words) > 0 and words[0] in named:
        raise click.UsageError(wanted)
    elif len(named) > 1:
        raise click.UsageError(f"Which newsletter? Name one first: {_listed(config)}.")
    else:
        newsletter, rest = config.newsletters[0], words
        click.get_current_context().meta[_ONLY_KEY] = newsletter.name
    if not least <= len(rest) <= most:
        raise click.UsageError(wanted if len(rest) < least else "There are too many words: see --help.")
    return Meant(newsletter, rest)


def only_name(config: Config, name: str | None) -> Newsletter:
    """The newsletter of a command that takes only a name."""
    return meant(config, () if name is None else (name,), 0, 0).newsletter


def addressed(config: Config, words: tuple[str, ...]) -> tuple[Meant, Mailbox]:
    """Parse `[NAME] ADDRESS`. Raises UsageError."""
    which = meant(config, words, 1, 1)
    return which, typed(which.words[0])


def typed(text: str) -> Mailbox:
    """Parse an address. Raises UsageError."""
    _check_name(text, "not an address, which has an @")
    try:
        return typed_mailbox(text)
    except ValueError as error:
        raise click.UsageError(f"{text!r} cannot be used: {error}") from None


def _check_name(text: str, otherwise: str) -> None:
    """Raise UsageError for what may be the misspelt name of a newsletter, where that could be left out.

    `otherwise` says what else it is not.
    """
    only: str | None = click.get_current_context().meta.get(_ONLY_KEY)
    if only is not None and _LIKE_A_NAME.fullmatch(text) is not None:
        raise click.UsageError(f"There is no newsletter {text!r}, only {only}; and it is {otherwise}.")


def _listed(config: Config) -> str:
    return ", ".join(newsletter.name for newsletter in config.newsletters)


@asynccontextmanager
async def led(store: Leading) -> AsyncIterator[Lease]:
    """Hold the lead while the body runs; waits for the service to give it back, and shows that.

    Raises Ending if it takes too long, or another process takes the lead meanwhile.
    """
    from secondpost.newsletter.turns import PUBLISH

    loop = asyncio.get_running_loop()
    until = loop.time() + command_waits().lead
    while (leader := await store.lead(PUBLISH)) is None:
        if await store.copy_hold() is not None:
            raise Ending(COPY_IS_HELD, Exit.NO)
        if loop.time() > until:
            text = "the service is just preparing an issue; try again when `secondpost issue list` shows it"
            raise Ending(text, Exit.UNREACHABLE)
        progressing("waiting for the service, which is preparing or sending an issue")
        await asyncio.sleep(ASK_AGAIN_SECONDS)
    try:
        yield leader
    except LeadershipLost:
        text = "another process took over, and nothing more was done here; see `secondpost issue list`"
        raise Ending(text, Exit.UNREACHABLE) from None
    finally:
        await store.give_back(leader)


NUMBER_DIGITS_MAX = 9
COPY_IS_HELD = "this store is a copy, and nothing in it goes out before you type: secondpost snapshot accept"
NOT_RUNNING = "The service is NOT RUNNING: nothing is sent until it runs."


async def numbered(store: IssueLookup, newsletter: Newsletter, text: str) -> Issue:
    """The issue with this number. Raises UsageError, and Ending if there is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS_MAX):
        _check_name(text, "not the number of an issue, such as 12")
        raise click.UsageError(f"{text!r} is not the number of an issue, such as 12.")
    found = await store.issue_by_number(newsletter.name, int(text))
    if found is None:
        raise Ending(f"{newsletter.name} has no issue {text}: `secondpost issue list` lists them", Exit.NO)
    return found
