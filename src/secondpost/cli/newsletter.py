"""secondpost newsletter: another name for one, or its end."""

from typing import TYPE_CHECKING

import click

from secondpost.cli.command import Command, Ending, Exit, Group
from secondpost.cli.newsletter_documents import RenameDocument, RetireDocument
from secondpost.cli.newsletters import led
from secondpost.cli.opening import at_newsletter, configuration
from secondpost.cli.screen import counted, progressed, progressing, say, say_json
from secondpost.compose.masthead import own_list_identity
from secondpost.config.records import Config, Newsletter
from secondpost.newsletter.renaming import move_to_new_name
from secondpost.store.naming_ports import RenameRefused
from secondpost.store.subscriber_ports import NewsletterStore

if TYPE_CHECKING:
    from secondpost.app_newsletter import OpenNewsletter

JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document.")


@click.group(cls=Group)
def newsletter() -> None:
    """A newsletter gets another name, or is given up."""


@newsletter.command("rename", cls=Command)
@click.argument("old")
@click.argument("new")
@JSON
def rename(old: str, new: str, as_json: bool) -> None:
    """Move readers, articles and issues to the name that the file has now.

    The links in old mails go on working. What was cut short goes on when it is typed again.
    """
    config = configuration()
    goes_to = _named(config, old, new)

    async def work(open_: "OpenNewsletter") -> None:
        store = open_.store
        known = store.known_newsletters()
        was_begun = any(former.name == old and former.now == new for former in store.former_names())
        if old not in known and not was_begun:
            raise Ending(f"the store knows no newsletter {old}: {_known(known)}", Exit.NO)
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
            _say_renamed(store, old, goes_to)

    at_newsletter(work, config)


def _named(config: Config, old: str, new: str) -> Newsletter:
    named = {one.name: one for one in config.newsletters}
    if old in named:
        text = f'{config.path} still names {old}: write name = "{new}" in its place, then type this again'
        raise Ending(text, Exit.CONFIGURATION)
    if new not in named:
        raise Ending(f'{config.path} names no {new}: write name = "{new}" there first', Exit.CONFIGURATION)
    return named[new]


def _known(names: list[str]) -> str:
    return f"it knows {', '.join(names)}" if len(names) > 0 else "it knows none"


def _say_renamed(store: NewsletterStore, old: str, goes_to: Newsletter) -> None:
    readers = counted(sum(store.reader_counts(goes_to.name).values()), "reader", "readers")
    say(f"{old} is called {goes_to.name} now, with {readers}. The links in old mails go on working.")
    if goes_to.list_id is None:
        identity = own_list_identity(old, goes_to)
        say(f'Readers who sort mail by its List-Id find it as before with list_id = "{identity}".')
    say("If the service still runs with the file of before, restart it: systemctl restart secondpost")


@newsletter.command("retire", cls=Command)
@click.argument("name")
@JSON
def retire(name: str, as_json: bool) -> None:
    """Say that a newsletter is not in the file because it is given up.

    Nothing is sent to its readers, and nothing of it is deleted.
    """
    config = configuration()
    if any(one.name == name for one in config.newsletters):
        raise Ending(f"{config.path} names {name}: take its [[newsletter]] out first", Exit.CONFIGURATION)

    async def work(open_: "OpenNewsletter") -> None:
        known = open_.store.known_newsletters()
        if name not in known:
            raise Ending(f"the store knows no newsletter {name}: {_known(known)}", Exit.NO)
        changed = await open_.store.retire(name, open_.clock.now_ms())
        if as_json:
            say_json(RetireDocument(name, changed))
        else:
            say(f"{name} is given up. Its readers get nothing, and can still leave and see what we keep.")

    at_newsletter(work, config)
