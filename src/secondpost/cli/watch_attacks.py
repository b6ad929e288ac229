"""secondpost watch attacks: who tried to break in, with what, and why it did nothing here."""

import asyncio
from collections.abc import Sequence

import click

from secondpost.cli.command import JSON, Group
from secondpost.cli.opening import at_desk
from secondpost.cli.parameters import AGE
from secondpost.cli.screen import say, say_json, say_wrapped
from secondpost.config.records import Config
from secondpost.mail.attack import AttackCount
from secondpost.mail.duration import DAY_MS, age_text, duration_text
from secondpost.mail.moment import utc_text
from secondpost.owner.attacks import (
    Tried,
    attacks_document,
    attacks_since,
    networks_of,
    new_since,
    tried,
)
from secondpost.owner.figures import counted
from secondpost.protocols.attacks.rule import AttackGrade, AttackPlace
from secondpost.protocols.attacks.rules import RULES
from secondpost.spool.desk import OwnersDesk

PLACES = {"scan": "secondpost.cli.watch_attacks_scan"}
SINCE_MS = 7 * DAY_MS
FOLLOW_SECONDS = 2.0  # the receive role stores its counts every 5
NETWORKS_SHOWN = 3
INDENT = "  "
PLACE_WORDS = {
    AttackPlace.FIRST: "As the first octets",
    AttackPlace.HELLO: "In EHLO or HELO",
    AttackPlace.SERVER_NAME: "As the server name in TLS",
    AttackPlace.ADDRESS: "In an address",
    AttackPlace.LINE: "As a command",
    AttackPlace.HEADER: "In a header field",
    AttackPlace.BODY: "In a message",
    AttackPlace.REPLY: "In a reply",
    AttackPlace.BEHAVIOUR: "In a session",
}
_CVES = {rule.id: rule.cves for rule in RULES}


@click.group(cls=Group, places=PLACES, invoke_without_command=True)
@click.option(
    "--since", type=AGE, default=SINCE_MS, metavar="AGE", help='How far back, such as "30 days" or 30d.'
)
@click.option("--all", "with_noise", is_flag=True, help="Also what scanners do to every server.")
@click.option("--follow", is_flag=True, help="Go on and print what comes, until Ctrl-C.")
@JSON
@click.pass_context
def attacks(context: click.Context, since: int, with_noise: bool, follow: bool, as_json: bool) -> None:
    """List who tried to break in, and why it did nothing here."""
    if context.invoked_subcommand is not None:
        return
    if follow and as_json:
        raise click.UsageError("--follow prints lines, and --json one document: choose one")

    async def read(desk: OwnersDesk, _config: Config) -> None:
        now_ms = desk.clock.now_ms()
        counts = await attacks_since(desk.desk, now_ms - since)
        found = tried(counts)
        if as_json:
            say_json(attacks_document(now_ms - since, found))
            return
        say_attacks(found, now_ms, since, with_noise=with_noise)
        if follow:
            await say_what_comes(desk, now_ms - since, counts)

    try:
        at_desk(read)
    except KeyboardInterrupt:
        if not follow:
            raise


def say_attacks(found: Sequence[Tried], now_ms: int, since: int, *, with_noise: bool) -> None:
    serious = [one for one in found if one.rule.grade is not AttackGrade.NOISE]
    noise = [one for one in found if one.rule.grade is AttackGrade.NOISE]
    say_wrapped(_summary(found, since))
    for one in (*serious, *noise) if with_noise else serious:
        say("")
        _say_tried(one, now_ms)
    if len(noise) > 0 and not with_noise:
        say("")
        some = ", ".join(f"{one.rule.id} {one.times:,}" for one in noise)
        say_wrapped(f"Noise, as every server sees it: {some}. `--all` shows more.")


def _summary(found: Sequence[Tried], since: int) -> str:
    while_text = duration_text(since).removeprefix("1 ")
    if len(found) == 0:
        return f"No attack in the last {while_text}."
    times = {grade: sum(one.times for one in found if one.rule.grade is grade) for grade in AttackGrade}
    exploits = counted(times[AttackGrade.EXPLOIT], "attempt", "attempts")
    probes = counted(times[AttackGrade.PROBE], "probe", "probes")
    networks = counted(networks_of(found), "network", "networks")
    return (
        f"In the last {while_text}: {exploits} to break in and {probes}, from {networks}. "
        "None could affect this server. What it accepted is passed on as it came, so keep the mail server "
        "behind it up to date."
    )


def _say_tried(one: Tried, now_ms: int) -> None:
    cves = f" ({', '.join(one.rule.cves)})" if len(one.rule.cves) > 0 else ""
    say(f"{one.rule.grade.value.upper()}: {one.rule.id}{cves}")
    _say_indented(one.rule.tries)
    ago = age_text(now_ms - one.last.last_ms)
    often = counted(one.times, "time", "times")
    _say_indented(f"{often}, last {ago} ago by {one.last.client}, from {_networks(one)}")
    if len(one.last.sample) > 0:
        say(f"  {PLACE_WORDS[AttackPlace(one.last.place)]}, such as")
        say(f"    {one.last.sample}")
    _say_indented(f"Not affected: {one.why_harmless}")
    for hole in one.holes:
        _say_indented(f"Affected elsewhere: {hole.software}: {hole.versions}")


def _networks(one: Tried) -> str:
    shown = [f"{count.network} ({count.times:,})" for count in one.networks[:NETWORKS_SHOWN]]
    more = len(one.networks) - len(shown)
    if more > 0:
        shown.append(counted(more, "more network", "more networks"))
    if one.others > 0:
        shown.append(f"others ({one.others:,})")
    return ", ".join(shown)


def _say_indented(text: str) -> None:
    say_wrapped(text, INDENT, INDENT)


async def say_what_comes(desk: OwnersDesk, since_ms: int, counts: Sequence[AttackCount]) -> None:
    """Print a line for what is added to the counts, until the owner ends it."""
    before = {count.key: count for count in counts}
    while True:
        await asyncio.sleep(FOLLOW_SECONDS)
        counts = await attacks_since(desk.desk, since_ms)
        for count in new_since(before, counts):
            say(_line(count))
        before = {count.key: count for count in counts}


def _line(count: AttackCount) -> str:
    cves = _CVES.get(count.rule, ())
    named = f"{count.rule} ({', '.join(cves)})" if len(cves) > 0 else count.rule
    often = "" if count.times == 1 else f" {count.times:,} times"
    return f"{utc_text(count.last_ms)} {count.client} {named}{often} {count.sample}".rstrip()
