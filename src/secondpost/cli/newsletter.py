"""secondpost newsletter: rename a newsletter, or give it up."""

from typing import TYPE_CHECKING

import click

from secondpost.cli.command import JSON, Command, Ending, Exit, Group
from secondpost.cli.newsletters import led
from secondpost.cli.opening import at_newsletter, configuration
from secondpost.cli.screen import progressed, progressing, say, say_json
from secondpost.compose.masthead import own_list_identity
from secondpost.config.records import Config, Newsletter
from secondpost.newsletter.renaming import move_to_new_name
from secondpost.owner.figures import counted
from secondpost.owner.newsletter_documents import RenameDocument, RetireDocument
from secondpost.store.naming_ports import RenameRefused
from secondpost.store.subscriber_ports import ReaderLookup

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter


@click.group(cls=Group)
def newsletter() -> None:
    """Newsletters: rename one, or give one up."""


@newsletter.command("rename", cls=Command)
@click.argument("old")
@click.argument("new")
@JSON
def rename(old: str, new: str, as_json: bool) -> None:
    """Move readers, articles and issues to the name that the file has now.

    Links in old mails keep working. If it is interrupted, type it again to continue.
    """
    config = configuration()
    goes_to = _named(config, old, new)

    async def work(open_: "OpenNewsletter") -> None:
        store = open_.store
        known = await store.known_newsletters()
        formers = await store.former_names()
        was_begun = any(former.name == old and former.now == new for former in formers)
        if old not in known and not was_begun:
            raise Ending(f"the store has no newsletter {old}, {_known(known)}", Exit.NO)
        async with led(store) as leader:
            try:
                await store.begin_rename(old, new, open_.clock.now_ms(), leader)
            except RenameRefused as refused:
                raise Ending(str(refused), Exit.NO) from None
            moved = await move_to_new_name(
                store, old, leader, lambda rows: progressing(f"{rows:,} rows moved")
            )
            progressed()
        if as_json:
            say_json(RenameDocument(old, new, moved))
        else:
            await _say_renamed(store, old, goes_to)

    at_newsletter(work, config)


def _named(config: Config, old: str, new: str) -> Newsletter:
    named = {one.name: one for one in config.newsletters}
    if old in named:
        text = f'{config.path} still names {old}: change it to name = "{new}", then type this again'
        raise Ending(text, Exit.CONFIGURATION)
    if new not in named:
        raise Ending(
            f'{config.path} does not name {new}: write name = "{new}" there first', Exit.CONFIGURATION
        )
    return named[new]


def _known(names: list[str]) -> str:
    return f"only {', '.join(names)}" if len(names) > 0 else "or any other"


async def _say_renamed(store: ReaderLookup, old: str, goes_to: Newsletter) -> None:
    readers = counted(sum((await store.reader_counts(goes_to.name)).values()), "reader", "readers")
    say(f"{old} is now called {goes_to.name}, with {readers}. Links in old mails keep working.")
    if goes_to.list_id is None:
        identity = own_list_identity(old, goes_to)
        say(f'To keep the List-Id, by which readers may sort their mail: list_id = "{identity}".')
    say("If the service is running, have it read the file again: secondpost reload")


@newsletter.command("retire", cls=Command)
@click.argument("name")
@JSON
def retire(name: str, as_json: bool) -> None:
    """State that a newsletter is not in the file because it was given up.

    Nothing is sent to its readers, and none of its data is deleted.
    """
    config = configuration()
    if any(one.name == name for one in config.newsletters):
        raise Ending(f"{config.path} still names {name}: remove its [[newsletter]] first", Exit.CONFIGURATION)

    async def work(open_: "OpenNewsletter") -> None:
        known = await open_.store.known_newsletters()
        if name not in known:
            raise Ending(f"the store has no newsletter {name}, {_known(known)}", Exit.NO)
        changed = await open_.store.retire(name, open_.clock.now_ms())
        if as_json:
            say_json(RetireDocument(name, changed))
        else:
            say(f"{name} is given up. Its readers get nothing, and can still unsubscribe and see their data.")

    at_newsletter(work, config)
