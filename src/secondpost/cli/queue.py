"""secondpost queue: everything that is on its way or lies here, and the owner's hand on it."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import click

from secondpost.cli.choosing import (
    Chosen,
    DeliveryParam,
    DomainParam,
    MessageParam,
    choosing_options,
    chosen,
)
from secondpost.cli.command import COUNTED, Command, Ending, Exit, Group
from secondpost.cli.documents import VerbDocument, list_document, message_document
from secondpost.cli.opening import at_desk
from secondpost.cli.screen import (
    Column,
    age_text,
    counted,
    local_time,
    on_terminal,
    printable,
    say,
    say_json,
    say_table,
)
from secondpost.config.records import Config
from secondpost.mail.address import Domain
from secondpost.mail.delivery import DeliveryId, State
from secondpost.mail.queue_id import QueueId, queue_id_text
from secondpost.mail.size import size_text
from secondpost.spool.desk import Done, OwnersDesk, Standing, Verb, standing
from secondpost.spool.states import KEEPING_CONTENT
from secondpost.store.ports import Listed, Selection

LISTED_MAX = 1000  # deliveries in one list, unless --limit says otherwise
PRIMARY = "primary"  # the filter's word for Standing.HELD_PRIMARY

COLUMNS = (
    Column("ID"),
    Column("standing"),
    Column("size", right=True),
    Column("age", right=True),
    Column("from", folds=True),
    Column("to", folds=True),
)
LAST_ANSWER = Column("last answer", folds=True)  # only where there is one


@dataclass(frozen=True, slots=True)
class Page:
    deliveries: list[Listed]
    more: bool
    now_ms: int


@click.group(cls=Group)
def queue() -> None:
    """All that is on its way or lies here: list, hold, release, drop."""


@queue.command("list", cls=Command)
@click.option(
    "--state",
    "words",
    multiple=True,
    type=click.Choice([PRIMARY, *(state.value for state in State)]),
    help=f'Only these, several times if need be; "{PRIMARY}" means waiting for a primary that is down. '
    "Left out: all that has not ended.",
)
@click.option("--domain", type=DomainParam(), help="Only those to this domain.")
@click.option("--address", metavar="ADDRESS", help="Only those from or to this address.")
@click.option("--site", metavar="SITE", help="Only those whose next hop is this site.")
@click.option("--limit", type=COUNTED, default=LISTED_MAX, show_default=True, help="At most so many.")
@click.option("--after", type=DeliveryParam(), help="Go on after this delivery, the last of the list before.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def list_queue(
    words: tuple[str, ...],
    domain: Domain | None,
    address: str | None,
    site: str | None,
    limit: int,
    after: DeliveryId | None,
    as_json: bool,
) -> None:
    """List deliveries in the order in which their messages came."""
    selection = Selection(states=_states(words), domain=domain, address=address, site=site)

    async def read(desk: OwnersDesk, _config: Config) -> Page:
        return page_of(_with_words(desk.found(selection, after), words), limit, desk.clock.now_ms())

    say_list(at_desk(read), as_json, "Nothing is in the queue." if _is_whole(selection, words) else None)


def _states(words: tuple[str, ...]) -> tuple[State, ...]:
    if len(words) == 0:
        return KEEPING_CONTENT
    return tuple({State.WAITING if word == PRIMARY else State(word) for word in words})


def _with_words(deliveries: Iterator[Listed], words: tuple[str, ...]) -> Iterator[Listed]:
    """The store knows no state "primary": of the waiting ones, those are picked here."""
    for listed in deliveries:
        primary = standing(listed) is Standing.HELD_PRIMARY
        if len(words) == 0 or listed.state.value in words or (primary and PRIMARY in words):
            yield listed


def _is_whole(selection: Selection, words: tuple[str, ...]) -> bool:
    return len(words) == 0 and selection == Selection(states=KEEPING_CONTENT)


def page_of(deliveries: Iterator[Listed], limit: int, now_ms: int) -> Page:
    """The first `limit`, and whether there are more."""
    page = list(islice(deliveries, limit))
    return Page(page, next(deliveries, None) is not None, now_ms)


def say_list(page: Page, as_json: bool, empty: str | None) -> None:
    if as_json:
        say_json(list_document(page.deliveries, page.more))
        return
    if len(page.deliveries) == 0:
        say("No delivery matches." if empty is None else empty)
        return
    rows = [_row(listed, page.now_ms) for listed in page.deliveries]
    answers = [_last_answer(listed) for listed in page.deliveries]
    if any(len(answer) > 0 for answer in answers):
        say_table((*COLUMNS, LAST_ANSWER), [(*row, last) for row, last in zip(rows, answers, strict=True)])
    else:
        say_table(COLUMNS, rows)
    if page.more:
        say(f"There are more: --after {page.deliveries[-1].id}")


def _row(listed: Listed, now_ms: int) -> tuple[str, ...]:
    return (
        str(listed.id),
        standing(listed).value,
        size_text(listed.size),
        age_text(now_ms - listed.arrived_ms),
        f"<{listed.sender}>",
        recipient_text(listed),
    )


def recipient_text(listed: Listed) -> str:
    """And for whom it was, when it was redirected."""
    first = listed.first_recipient
    return listed.recipient if first is None else f"{listed.recipient} (for {first})"


def _last_answer(listed: Listed) -> str:
    return f"{listed.host}: {listed.reply}" if len(listed.host) > 0 else listed.reply


@queue.command("show", cls=Command)
@click.argument("id", type=MessageParam())
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def show(id: QueueId, as_json: bool) -> None:
    """Show how a message came, and how it stands with each recipient."""

    async def read(desk: OwnersDesk, _config: Config) -> None:
        message = desk.desk.message(id)
        if message is None:
            raise Ending(f"there is no message {queue_id_text(id)}", Exit.NO)
        deliveries = list(desk.found(Selection(ids=(id,))))
        told = desk.desk.told(id)
        if as_json:
            say_json(message_document(message, deliveries, told))
            return
        say(f"message   {queue_id_text(id)}, {size_text(message.size)}, lane {message.lane}")
        say(f"from      <{message.sender}>")
        tls = f" with {message.tls}" if len(message.tls) > 0 else ""
        say(f"came      {local_time(message.arrived_ms)} from {message.peer_address} ({message.helo})")
        say(f"by        {message.protocol}{tls}")
        say(f"content   {'here' if message.has_content else 'gone: nobody needs it any more'}")
        for listed in deliveries:
            say(f"{listed.id} to {recipient_text(listed)}: {sentence(listed)}")

    at_desk(read)


def sentence(listed: Listed) -> str:
    """How it stands with one delivery, in a sentence."""
    parts = [standing(listed).value]
    if listed.attempts > 0:
        parts.append(counted(listed.attempts, "try", "tries"))
    if listed.last_ms is not None:
        parts.append(f"last {local_time(listed.last_ms)}")
    if listed.state is State.WAITING and not listed.site_down:
        parts.append(f"next {local_time(listed.due_ms)}")
    if len(listed.reply) > 0:
        parts.append(f"{listed.host} said {listed.reply}" if len(listed.host) > 0 else listed.reply)
    if listed.maybe_duplicate:
        parts.append("may have been delivered once already")
    return "; ".join(parts)


ALL = click.option("--all", "everything", is_flag=True, help="Every delivery in the queue.")
YES = click.option("--yes", is_flag=True, help="Do not ask whether that is meant.")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document.")


@queue.command("hold", cls=Command)
@choosing_options
@ALL
@YES
@JSON
def hold(
    ids: tuple[QueueId | DeliveryId, ...],
    domain: Domain | None,
    address: str | None,
    site: str | None,
    everything: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Keep waiting deliveries here until you release them."""
    _do(Verb.HOLD, chosen(ids, domain, address, site, everything), everything and not yes, as_json)


@queue.command("release", cls=Command)
@choosing_options
@ALL
@YES
@JSON
def release(
    ids: tuple[QueueId | DeliveryId, ...],
    domain: Domain | None,
    address: str | None,
    site: str | None,
    everything: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Let go on what you held."""
    _do(Verb.RELEASE, chosen(ids, domain, address, site, everything), everything and not yes, as_json)


@queue.command("retry", cls=Command)
@choosing_options
@ALL
@YES
@JSON
def retry(
    ids: tuple[QueueId | DeliveryId, ...],
    domain: Domain | None,
    address: str | None,
    site: str | None,
    everything: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Try now what waits for its next try, and try again what is kept."""
    _do(Verb.RETRY, chosen(ids, domain, address, site, everything), everything and not yes, as_json)


@queue.command("drop", cls=Command)
@choosing_options
@ALL
@YES
@JSON
def drop(
    ids: tuple[QueueId | DeliveryId, ...],
    domain: Domain | None,
    address: str | None,
    site: str | None,
    everything: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Remove deliveries for good: nobody gets them, nobody is told.

    Asks before it drops what was not named by id; where nobody can be asked, --yes is needed.
    """
    which = chosen(ids, domain, address, site, everything)
    _do(Verb.DROP, which, not which.is_by_id and not yes, as_json)


def _do(verb: Verb, which: Chosen, must_ask: bool, as_json: bool) -> None:
    async def work(desk: OwnersDesk, _config: Config) -> None:
        selection = which.selection(desk)
        reach = desk.within_reach(verb, selection)
        deliveries, behind = _count(desk, reach)
        if deliveries == 0:
            raise Ending(_why_none(desk, verb, selection), Exit.NO)
        if must_ask:
            ask(f"{verb.capitalize()} {counted(deliveries, 'delivery', 'deliveries')} {which.words}?")
        if verb is Verb.DROP and not as_json:
            for listed in desk.found(reach):
                click.echo(
                    f"{listed.id}  <{printable(listed.sender)}> to {printable(recipient_text(listed))}"
                )
        done = await _lead(desk, verb, reach)
        if as_json:
            say_json(VerbDocument(verb.value, done.deliveries))
            return
        say(f"{verb.past.capitalize()}: {counted(done.deliveries, 'delivery', 'deliveries')}.")
        busy = sum(1 for _ in desk.found(replace(selection, states=(State.CLAIMED,))))
        if busy > 0:
            say(f"{counted(busy, 'is', 'are')} being delivered at this moment, and left alone.")
        if verb in (Verb.RETRY, Verb.RELEASE) and behind > 0:
            wait, go = ("waits", "goes") if behind == 1 else ("wait", "go")
            say(f"{behind:,} {wait} for a site that is down, and {go} as soon as it answers.")

    at_desk(work)


async def _lead(desk: OwnersDesk, verb: Verb, selection: Selection) -> Done:
    why = "by command"
    match verb:
        case Verb.HOLD:
            return await desk.hold(selection, why)
        case Verb.RELEASE:
            return await desk.release(selection, why)
        case Verb.RETRY:
            return await desk.retry(selection, why)
        case Verb.DROP:
            return await desk.drop(selection, why)
        case Verb.REDIRECT:
            raise TypeError("redirect needs an address: held redirect")


def _count(desk: OwnersDesk, selection: Selection) -> tuple[int, int]:
    """How many there are, and how many of them belong to a site that is down."""
    deliveries, behind = 0, 0
    for listed in desk.found(selection):
        deliveries += 1
        behind += listed.site_down
    return deliveries, behind


def _why_none(desk: OwnersDesk, verb: Verb, selection: Selection) -> str:
    """What was named but cannot be led on, by standing; or that there is nothing at all."""
    standings: dict[str, int] = {}
    for listed in desk.found(selection):
        word = standing(listed).value
        standings[word] = standings.get(word, 0) + 1
    if len(standings) == 0:
        return f"nothing to {verb}: no delivery matches; `secondpost queue list` shows what there is"
    found = ", ".join(f"{count} {word}" for word, count in sorted(standings.items()))
    takes = " or ".join(state.value for state in verb.takes)
    return f"nothing to {verb}: what matches is {found}, and {verb} takes what is {takes}"


def ask(question: str) -> None:
    """Go on only with a yes; where nobody can be asked, end with the way to say it beforehand."""
    if not (on_terminal() and sys.stdin.isatty()):
        raise Ending(f"{question} Nobody can be asked here: add --yes if that is meant", Exit.USAGE)
    if not click.confirm(question):
        raise Ending("nothing was changed", Exit.NO)
