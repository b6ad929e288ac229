"""secondpost issue write: a letter to all readers, written by hand."""

from typing import TYPE_CHECKING

import click

from secondpost.cli.command import JSON, Command, Ending, Exit
from secondpost.cli.issue_preview import filled
from secondpost.cli.issue_send import freezing_shown, why_not_made
from secondpost.cli.leading import YES, ask
from secondpost.cli.newsletters import NOT_RUNNING, Meant, led, meant
from secondpost.cli.opening import at_newsletter, configuration
from secondpost.cli.own_words import SUBJECT_CHARACTERS_MAX, OwnWords, own_words
from secondpost.cli.screen import say, say_json
from secondpost.compose.issue import Composed
from secondpost.compose.markdown import first_heading
from secondpost.config.records import Newsletter
from secondpost.mail.duration import DAY_MS
from secondpost.mail.issue import Issue, IssueKind, IssueState
from secondpost.mail.moment import zoned_text
from secondpost.newsletter.publish import CannotCompose
from secondpost.owner.figures import counted
from secondpost.owner.forecast_documents import ForecastDocument, forecast_document
from secondpost.owner.newsletter_documents import LetterDocument
from secondpost.store.newsletter_ports import IssueRefused

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter


SAME_MS = DAY_MS  # a letter made so long ago may be sent again without --again
SAME_LOOKED_AT_MAX = 100  # issues, the newest


@click.command(cls=Command)
@click.argument("words", nargs=-1, required=True, metavar="[NAME] FILE")
@click.option("--subject", metavar="TEXT", help="The subject, instead of the one in the file.")
@click.option("--preview", is_flag=True, help="Show the letter as a reader would see it, and send nothing.")
@click.option(
    "--again", is_flag=True, help="Send it although the same letter was sent within the last 24 hours."
)
@YES
@JSON
def write(
    words: tuple[str, ...], subject: str | None, preview: bool, again: bool, yes: bool, as_json: bool
) -> None:
    """Send the text of a Markdown file to all readers; - means standard input.

    The subject is the `subject:` of its front matter, else its first heading. Articles keep waiting for the
    next issue.
    """
    config = configuration()
    which = meant(config, words, 1, 1)
    newsletter, found = which.newsletter, own_words(which.words[0])
    title = _subject(found, subject)

    async def work(open_: "OpenNewsletter") -> None:
        from secondpost.newsletter.forecasting import forecast_of, forecast_text

        try:
            letter = await open_.renderer.letter(newsletter, None, open_.clock.now_ms(), title, found.text)
        except CannotCompose as fault:
            raise Ending(f"it cannot be sent like this: {fault}", Exit.NO) from None
        shown = filled(letter.composed, newsletter, config.web)
        now_ms = open_.clock.now_ms()
        if not (preview or again):
            await _refuse_same(open_, which, title, found.text)
        expected = await forecast_of(open_.store, config, newsletter, now_ms)
        takes = forecast_text(expected, newsletter, now_ms)
        made = None
        if not preview:
            if not yes:
                to = f"to {counted(expected.readers, 'reader', 'readers')} of {newsletter.name}"
                ask(" ".join([takes, f"Send {title!r} {to} now? (--preview shows it.)"]).strip())
            elif not (as_json or expected.is_plain):
                say(takes)
            await open_.prove()
            made = await _sent(open_, which, title, found.text, again=again)
        if as_json:
            say_json(_document(newsletter, made, shown, forecast_document(expected, newsletter, now_ms)))
        elif made is None:
            say(f"Subject: {title}\n\n{shown.text}")
            to = counted(expected.readers, "reader", "readers")
            words = " ".join([f"It would go to {to}.", takes]).strip()
            click.echo(f"({words})", err=True)
        else:
            await _say_sent(open_, made)

    at_newsletter(work, config)


def _document(
    newsletter: Newsletter, made: Issue | None, shown: Composed, expected: ForecastDocument
) -> LetterDocument:
    """`made`: None of a letter that is only looked at."""
    return LetterDocument(
        newsletter=newsletter.name,
        sent=made is not None,
        number=None if made is None else made.number,
        readers=expected.readers if made is None else made.planned,
        subject=shown.subject,
        text=shown.text,
        html=shown.html,
        forecast=expected,
    )


async def _say_sent(open_: "OpenNewsletter", made: Issue) -> None:
    to = counted(made.planned, "reader", "readers")
    say(f"Issue {made.number} of {made.newsletter} goes to {to}. The service delivers it.")
    if not await open_.store.is_served():
        say(NOT_RUNNING)
    say(f"To follow it: secondpost issue status {made.newsletter} {made.number}")


def _subject(found: OwnWords, given: str | None) -> str:
    for subject in (given or "", found.subject, first_heading(found.text)):
        line = " ".join(subject.split())
        if len(line) > SUBJECT_CHARACTERS_MAX:
            text = f"the subject has {len(line)} characters, more than {SUBJECT_CHARACTERS_MAX}: shorten it"
            raise Ending(text, Exit.NO)
        if len(line) > 0:
            return line
    raise Ending("the letter has no subject: begin the file with a heading, or give --subject", Exit.NO)


async def _refuse_same(open_: "OpenNewsletter", which: Meant, subject: str, body: str) -> None:
    """Raise Ending if the same letter was sent lately: a command that is typed twice sends once."""
    after_ms = open_.clock.now_ms() - SAME_MS
    for each in await open_.store.issues(which.newsletter.name, None, SAME_LOOKED_AT_MAX):
        is_same = each.kind is IssueKind.LETTER and (each.subject, each.body) == (subject, body)
        if each.created_ms < after_ms or not is_same:
            continue
        if each.state is IssueState.STOPPED and (await open_.store.reckoning(each.id)).delivered == 0:
            continue
        when = zoned_text(each.created_ms, which.zone)
        raise Ending(
            f"this letter was sent already: it is issue {each.number}, made at {when}. "
            "To send it once more: add --again",
            Exit.NO,
        )


async def _sent(open_: "OpenNewsletter", which: Meant, subject: str, body: str, *, again: bool) -> Issue:
    newsletter = which.newsletter
    async with led(open_.store) as leader:
        if not again:
            await _refuse_same(open_, which, subject, body)
        try:
            async with freezing_shown(open_.store, newsletter):
                return await open_.publisher.send_letter(newsletter, subject, body, leader)
        except (CannotCompose, IssueRefused) as fault:
            raise Ending(await why_not_made(open_.store, newsletter, fault), Exit.NO) from None
