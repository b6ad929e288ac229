"""secondpost issue note: the foreword of the next issue."""

from typing import TYPE_CHECKING

import click

from secondpost.cli.command import JSON, Command, Ending, Exit
from secondpost.cli.newsletters import meant
from secondpost.cli.opening import at_newsletter, configuration
from secondpost.cli.own_words import own_words
from secondpost.cli.screen import say, say_json
from secondpost.owner.newsletter_documents import NoteDocument

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter


@click.command(cls=Command)
@click.argument("words", nargs=-1, metavar="[NAME] [FILE]")
@click.option("--show", is_flag=True, help="Show the foreword.")
@click.option("--remove", is_flag=True, help="Remove the foreword.")
@JSON
def note(words: tuple[str, ...], show: bool, remove: bool, as_json: bool) -> None:
    """Put the text of a Markdown file before the articles of the next issue; - means standard input.

    It replaces an earlier foreword, and waits until an issue goes out.
    """
    if show and remove:
        raise click.UsageError("Use only one of --show and --remove.")
    config = configuration()
    files = 0 if show or remove else 1
    wanted = "Name the file with the foreword, or - for standard input."
    which = meant(config, words, files, files, wanted)
    name = which.newsletter.name
    found = own_words(which.words[0]) if files == 1 else None
    if found is not None and len(found.subject) > 0:
        raise Ending("a foreword has no subject: leave out the lines between --- and ---", Exit.NO)

    async def work(open_: "OpenNewsletter") -> None:
        before = await open_.store.note(name)
        if (show or remove) and len(before) == 0:
            raise Ending(f"{name} has no foreword", Exit.NO)
        if found is not None or remove:
            await open_.store.set_note(name, "" if found is None else found.text)
        if as_json:
            say_json(NoteDocument(name, await open_.store.note(name)))
        elif show:
            say(before)
        elif remove:
            say(f"Removed the foreword of the next issue of {name}. It was:\n\n{before}")
        else:
            say(f"The next issue of {name} begins with this text. To see it: secondpost issue preview {name}")
            if len(before) > 0:
                say(f"It replaces:\n\n{before}")

    at_newsletter(work, config)
