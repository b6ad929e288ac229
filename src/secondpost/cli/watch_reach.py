"""secondpost watch reach: from which networks of other countries the MX addresses can be reached."""

import asyncio

import click

from secondpost.cli.command import JSON, Command, Ending, Exit
from secondpost.cli.opening import at_desk, become_owner, configuration, store_faults_shown
from secondpost.cli.parameters import AGE
from secondpost.cli.screen import Column, local_time, say, say_json, say_table, say_wrapped
from secondpost.config.records import Config, ReachSettings
from secondpost.mail.duration import DAY_MS, age_text, duration_text
from secondpost.mail.reach import ReachSource, ReachVerdict, ReachView, SourceState
from secondpost.owner.figures import counted
from secondpost.owner.reach import ReachPicture, reach_document, reach_picture
from secondpost.spool.desk import OwnersDesk
from secondpost.watch.reach.quota import quota_of
from secondpost.watch.reach.words import block_text

COLUMNS = (
    Column("address"),
    Column("host"),
    Column("from"),
    Column("verdict"),
    Column("passes", right=True),
    Column("fails", right=True),
    Column("unknown", right=True),
    Column("rounds with failures"),
    Column("networks that fail", folds=True),
)
UNITS = {
    ReachSource.GLOBALPING: ("test", "tests"),
    ReachSource.ATLAS: ("credit", "credits"),
    ReachSource.REGISTER: ("reading", "readings"),
    ReachSource.OONI: ("question", "questions"),
}
OFF = "It is off: no one is asked whether your MX addresses can be reached from other countries."
REVEALS = (
    "Asking reveals who asks. Globalping would learn the addresses of this server and of all your MX "
    "hosts, and its probes, which are strangers' machines, connect to port 25 of them. With other sources "
    "RIPE Atlas publishes each question, OONI learns what is blocked, and GitHub sees that the register is "
    "read: docs/security.md says more."
)
TURN_ON = "To turn it on, write into {path}:"
LINES = """\
  [reach]
  countries = ["RU", "BY"]        # the countries to ask from"""
THEN = (
    "Then type `secondpost reload`. If each role has a systemd unit, type `secondpost systemd --install` "
    "first: the role fetch may be new."
)


@click.command(cls=Command)
@click.option("--now", is_flag=True, help="Make a round first, and wait for it: some minutes.")
@click.option("--since", type=AGE, help="Count the rounds since so long ago (default: 1 day).")
@click.option("--raw", type=click.IntRange(min=1), metavar="ID", help="Print an answer as it came.")
@JSON
def reach(now: bool, since: int | None, raw: int | None, as_json: bool) -> None:
    """Show whether other countries reach your MX addresses.

    It is off until the configuration names countries, because asking reveals who asks.
    """
    config = configuration()
    if raw is not None:
        _print_answer(config, raw)
        return
    if not config.reach.is_on and not as_json:
        _say_off(config)
        if now:
            raise Ending("no round is made: it is off", Exit.NO)
        return
    if now and config.reach.is_on:
        _make_round(config)

    async def show(desk: OwnersDesk, config: Config) -> None:
        now_ms = desk.clock.now_ms()
        since_ms = now_ms - (DAY_MS if since is None else since)
        picture = await reach_picture(desk.desk, config.reach, since_ms, now_ms)
        if as_json:
            say_json(reach_document(picture))
        else:
            _say_picture(picture, now_ms)

    at_desk(show, config)


def _say_off(config: Config) -> None:
    say_wrapped(OFF)
    say("")
    say_wrapped(REVEALS)
    say("")
    say_wrapped(TURN_ON.format(path=config.path))
    say("")
    say(LINES)
    say("")
    say_wrapped(THEN)


def _make_round(config: Config) -> None:
    from secondpost.roles.reach import make_round

    become_owner(config)
    with store_faults_shown(config):
        over = asyncio.run(make_round(config))
    if len(over.fault) > 0:
        raise Ending(f"the round was not made to its end: {over.fault}", Exit.UNREACHABLE)


def _print_answer(config: Config, number: int) -> None:
    async def show(desk: OwnersDesk, config: Config) -> None:
        answer = await desk.desk.raw_answer(number)
        if answer is None:
            text = f"no answer {number} is kept; `secondpost watch reach --json` lists those that are"
            raise Ending(text, Exit.NO)
        cut = f", cut to {len(answer.body):,}" if len(answer.body) < answer.octets else ""
        status = "no answer" if answer.status == 0 else f"HTTP {answer.status}"
        head = f"{answer.asked} of {answer.source.named} at {local_time(answer.at_ms)}: {status}"
        click.echo(f"{head}, {answer.octets:,} octets{cut}", err=True)
        say(answer.body.decode("utf-8", "replace"))

    at_desk(show, config)


def _say_picture(picture: ReachPicture, now_ms: int) -> None:
    settings = picture.settings
    if picture.last_ms is None:
        last = "No round was made yet: `--now` makes one."
    else:
        last = f"Last round {age_text(now_ms - picture.last_ms)} ago."
    countries = ", ".join(settings.countries)
    every = duration_text(settings.every_ms)
    say(f"Asked from {countries} every {every}, with {settings.control} as the control. {last}")
    if len(picture.views) > 0:
        say("")
        say_table(COLUMNS, [*_rows(picture), *_control_rows(picture)])
    _say_blocks(picture)
    say("")
    for state in picture.sources:
        say(_source_text(settings, state, now_ms))
    if len(picture.answers) > 0:
        latest = picture.answers[0].number
        kept = counted(len(picture.answers), "answer is kept", "answers are kept")
        say(f"{kept}: `secondpost watch reach --raw {latest}` prints the latest.")


def _rows(picture: ReachPicture) -> list[tuple[str, ...]]:
    return [
        (
            view.target.address,
            view.target.host,
            view.country,
            _verdict(view),
            *_counts(picture, view.target.address, view.country),
            _rounds(picture, view),
            ", ".join(str(one.network) for one in view.networks if one.failed > 0 or one.is_blocked),
        )
        for view in picture.views
    ]


def _control_rows(picture: ReachPicture) -> list[tuple[str, ...]]:
    targets = {view.target.address: view.target.host for view in picture.views}
    control = picture.settings.control
    return [
        (address, host, control, "control", *_counts(picture, address, control), "", "")
        for address, host in targets.items()
    ]


def _verdict(view: ReachView) -> str:
    if view.verdict is ReachVerdict.BLOCKED:
        return f"blocked since {local_time(view.since_ms)}"
    return view.verdict.value


def _counts(picture: ReachPicture, address: str, country: str) -> tuple[str, str, str]:
    """Of the last round: what passes, fails, and is not known."""
    count = picture.last_count(address, country)
    if count is None:
        return "", "", ""
    return str(count.passes), str(count.fails), str(count.unknown)


def _rounds(picture: ReachPicture, view: ReachView) -> str:
    rounds = picture.rounds_of(view)
    return f"{sum(one.fails > 0 for one in rounds)} of {len(rounds)}"


def _say_blocks(picture: ReachPicture) -> None:
    for view in picture.views:
        if view.verdict is ReachVerdict.BLOCKED:
            say("")
            say_wrapped(f"BLOCKED: {block_text(view, picture.settings.control, picture.contexts)}")
        else:
            for text in picture.contexts_of(view):
                say("")
                say_wrapped(f"NOTE: {text}")


def _source_text(settings: ReachSettings, state: SourceState, now_ms: int) -> str:
    """How a source stands, in one line."""
    source, quota = state.source, quota_of(settings, state.source)
    said = [_answered_text(state, now_ms)]
    if len(state.failure) > 0:
        said.append(f"{age_text(now_ms - state.failed_ms)} ago it {state.failure}")
    if state.rests_until_ms > now_ms:
        said.append(f"not asked before {local_time(state.rests_until_ms)}")
    used = counted(state.used, *UNITS[source])
    said.append(f"{used} of {quota.units:,} used in {duration_text(quota.window_ms)}")
    name = source.named[0].upper() + source.named[1:]
    return f"{name}: {'; '.join(said)}."


def _answered_text(state: SourceState, now_ms: int) -> str:
    if state.answered_ms == 0:
        return "has not answered yet"
    found = "" if len(state.found) == 0 else f" ({state.found})"
    return f"answered {age_text(now_ms - state.answered_ms)} ago{found}"
