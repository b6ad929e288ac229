"""secondpost subscribers: the owner's commands on readers of a newsletter."""

from typing import TYPE_CHECKING

import click

from secondpost.cli.command import JSON, Command, Ending, Exit, Group
from secondpost.cli.newsletters import NOT_RUNNING, Meant, addressed
from secondpost.cli.opening import at_newsletter, configuration
from secondpost.cli.screen import say, say_json
from secondpost.config.records import Newsletter
from secondpost.mail.address import Mailbox
from secondpost.mail.subscriber import Consent, Subscriber, SubscriberState
from secondpost.mail.subscriber_states import Reason
from secondpost.owner.newsletter_documents import ChangeDocument
from secondpost.owner.reader_words import state_text
from secondpost.store.subscriber_ports import ReaderLookup
from secondpost.subscribers.signup import SignUps
from secondpost.subscribers.typed import NotAReader

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter

BY_COMMAND = "by command"
ADDRESSED = click.argument("words", nargs=-1, required=True, metavar="[NAME] ADDRESS")
CONFIRMED_HELP = "Where and when they agreed. It is kept as their consent, and makes them a reader at once."


@click.group(
    cls=Group,
    places={
        "import": "secondpost.cli.subscribers_import",
        "export": "secondpost.cli.subscribers_lists",
        "show": "secondpost.cli.subscribers_show",
        "bounces": "secondpost.cli.subscribers_bounces",
    },
)
def subscribers() -> None:
    """Readers of the newsletter: add, confirm, remove, suppress, import, export, show, bounces."""


@subscribers.command("add", cls=Command)
@ADDRESSED
@click.option("--confirmed", metavar="TEXT", help=CONFIRMED_HELP)
@JSON
def add(words: tuple[str, ...], confirmed: str | None, as_json: bool) -> None:
    """Add a reader.

    Without --confirmed they get a mail that asks them to confirm, and nothing else until they do.
    """
    which, mailbox = addressed(configuration(), words)
    _said(confirmed)

    async def work(open_: "OpenNewsletter") -> None:
        name = which.newsletter.name
        before = await open_.store.find(name, mailbox)
        consent = None if confirmed is None else _consent(confirmed, open_.clock.now_ms())
        after = await _added(open_.sign_ups, name, mailbox, consent)
        asked = consent is None and after is not None and after.state is SubscriberState.PENDING
        changed = after is not None and (before is None or before.state is not after.state)
        _answer("add", which, mailbox, after, changed or asked, as_json)
        if asked and not as_json and not await open_.store.is_served():
            say(NOT_RUNNING)

    at_newsletter(work, configuration())


@subscribers.command("confirm", cls=Command)
@ADDRESSED
@click.option("--confirmed", metavar="TEXT", required=True, help=CONFIRMED_HELP)
@JSON
def confirm(words: tuple[str, ...], confirmed: str, as_json: bool) -> None:
    """Confirm a reader who agreed in another way than by answering our mail."""
    which, mailbox = addressed(configuration(), words)
    _said(confirmed)

    async def work(open_: "OpenNewsletter") -> None:
        before = await _known(open_.store, which.newsletter, mailbox)
        consent = _consent(confirmed, open_.clock.now_ms())
        after = await _added(open_.sign_ups, which.newsletter.name, mailbox, consent)
        changed = after is not None and after.state is not before.state
        _answer("confirm", which, mailbox, after, changed, as_json)

    at_newsletter(work, configuration())


async def _added(
    sign_ups: SignUps, newsletter: str, mailbox: Mailbox, consent: Consent | None
) -> Subscriber | None:
    try:
        return await sign_ups.add(newsletter, mailbox, consent)
    except NotAReader as fault:
        raise Ending(f"{mailbox} cannot be a reader: {fault}", Exit.NO) from None


def _answer(
    verb: str, which: Meant, mailbox: Mailbox, after: Subscriber | None, changed: bool, as_json: bool
) -> None:
    """`after` is None for a suppressed address."""
    name = which.newsletter.name
    if as_json:
        state = None if after is None else after.state.value
        say_json(ChangeDocument(verb, name, str(mailbox), changed, state, after is None))
    if after is None:
        text = (
            f"{mailbox} is suppressed. To lift that: secondpost subscribers suppress --lift {name} {mailbox}"
        )
        raise Ending(text, Exit.NO)
    match after.state:
        case SubscriberState.ACTIVE:
            answer = f"{mailbox} is {'now' if changed else 'already'} a reader of {name}."
        case SubscriberState.PENDING:
            answer = f"{mailbox} is pending: a mail asks them to confirm that they want {name}."
        case SubscriberState.COMPLAINED:
            text = f"{mailbox} has complained, and comes back only if they write to you that they want it"
            raise Ending(f"{text}: secondpost subscribers confirm {name} {mailbox} --confirmed TEXT", Exit.NO)
        case state:
            text = f"{mailbox} {state_text(state)}, and can only come back by signing up again"
            raise Ending(text, Exit.NO)
    if not as_json:
        say(answer)


@subscribers.command("remove", cls=Command)
@ADDRESSED
@JSON
def remove(words: tuple[str, ...], as_json: bool) -> None:
    """Remove a reader. An imported list does not bring them back; they have to sign up again."""
    which, mailbox = addressed(configuration(), words)

    async def work(open_: "OpenNewsletter") -> None:
        name = which.newsletter.name
        known = await _known(open_.store, which.newsletter, mailbox)
        changed = await open_.store.remove(known.id, open_.clock.now_ms(), BY_COMMAND)
        after = await open_.store.subscriber(known.id)
        if as_json:
            state = None if after is None else after.state.value
            suppressed = await open_.store.suppression(name, mailbox) is not None
            say_json(ChangeDocument("remove", name, str(mailbox), changed, state, suppressed))
        if not changed:
            raise Ending(f"{mailbox} is not a reader of {name}: it {state_text(known.state)}", Exit.NO)
        if not as_json:
            say(f"{mailbox} no longer gets {name}.")

    at_newsletter(work, configuration())


@subscribers.command("suppress", cls=Command)
@ADDRESSED
@click.option("--everywhere", is_flag=True, help="For all newsletters, including future ones.")
@click.option("--lift", is_flag=True, help="Stop suppressing the address. This does not make it a reader.")
@JSON
def suppress(words: tuple[str, ...], everywhere: bool, lift: bool, as_json: bool) -> None:
    """Never write to an address again, even if it is imported or signs up. Keeps a keyed hash of
    it.
    """
    which, mailbox = addressed(configuration(), words)

    async def work(open_: "OpenNewsletter") -> None:
        store, name = open_.store, "" if everywhere else which.newsletter.name
        if lift:
            changed = await store.unsuppress(name, mailbox)
        else:
            now_ms = open_.clock.now_ms()
            changed = await store.suppress(name, [mailbox], Reason.OWNER, now_ms, BY_COMMAND) > 0
        found = await store.find(which.newsletter.name, mailbox)
        now_suppressed = await store.suppression(which.newsletter.name, mailbox) is not None
        if as_json:
            state = None if found is None else found.state.value
            verb = "lift" if lift else "suppress"
            say_json(ChangeDocument(verb, name, str(mailbox), changed, state, now_suppressed))
        if lift and not changed:
            hint = ", but for all of them: add --everywhere" if now_suppressed else ""
            raise Ending(f"{mailbox} is not suppressed for {name or 'all newsletters'}{hint}", Exit.NO)
        if not as_json:
            word = "no longer suppressed" if lift else "suppressed" if changed else "already suppressed"
            say(f"{mailbox} is {word} for {name or 'all newsletters'}.")

    at_newsletter(work, configuration())


def _said(confirmed: str | None) -> None:
    if confirmed is not None and len(confirmed.strip()) == 0:
        raise click.UsageError('Say where and when they agreed: --confirmed "at the fair, 3 May 2026".')


def _consent(confirmed: str, now_ms: int) -> Consent:
    return Consent(where=confirmed, how="owner", text=BY_COMMAND, at_ms=now_ms)


async def _known(store: ReaderLookup, newsletter: Newsletter, mailbox: Mailbox) -> Subscriber:
    found = await store.find(newsletter.name, mailbox)
    if found is None:
        is_suppressed = await store.suppression(newsletter.name, mailbox) is not None
        known = "; the address is suppressed" if is_suppressed else ""
        raise Ending(f"{newsletter.name} has no reader {mailbox}{known}", Exit.NO)
    return found
