"""secondpost alarms: what the owner should know of, and whether it would arrive."""

import asyncio
from collections.abc import Sequence

import click

from secondpost.cli.command import COUNTED, JSON, Command, Ending, Exit, Group
from secondpost.cli.opening import at_desk, become_owner, configuration, store_faults_shown
from secondpost.cli.screen import say, say_json
from secondpost.config.records import Config
from secondpost.mail.duration import age_text
from secondpost.mail.owner_notice import AlarmRecord
from secondpost.spool.desk import OwnersDesk

ENDED_SHOWN = 20


@click.group(cls=Group)
def alarms() -> None:
    """List alarms, and test the way by which they reach you."""


@alarms.command("list", cls=Command)
@click.option(
    "--limit", type=COUNTED, default=ENDED_SHOWN, show_default=True, help="Alarms that ended, at most."
)
@JSON
def list_alarms(limit: int, as_json: bool) -> None:
    """List the alarms that stand, and those that ended in the last 7 days."""
    from secondpost.owner.alarms import alarms_document, lately_ended, standing_alarms

    async def read(desk: OwnersDesk, config: Config) -> None:
        records, now_ms = await desk.desk.alarms(), desk.clock.now_ms()
        standing, ended = standing_alarms(records), lately_ended(records, now_ms, limit)
        if as_json:
            say_json(alarms_document(standing, ended))
            return
        if len(standing) == 0:
            say("No alarm stands.")
        say_alarms(standing, now_ms)
        for record in ended:
            say(f"OVER: {_ended_text(record, now_ms)}")

    at_desk(read)


@alarms.command("test", cls=Command)
def test_alarms() -> None:
    """Send yourself a test mail, and the webhook a test post, by the way that alarms take."""
    config = configuration()
    from secondpost.roles.alarm_test import send_test

    become_owner(config)
    with store_faults_shown(config):
        sent = asyncio.run(send_test(config))
    say(f"A test mail is on its way to {', '.join(map(str, sent.owners))}: `secondpost trace {sent.id}`.")
    if sent.is_posted:
        say("A test post is on its way to the webhook.")
    if not sent.service_runs:
        text = "nothing goes out until the service runs: start it with `secondpost serve`"
        raise Ending(text, Exit.UNREACHABLE)


def say_alarms(standing: Sequence[AlarmRecord], now_ms: int) -> None:
    """Print each alarm that stands, with its remedy."""
    from secondpost.compose.alarm_mail import alarm_title, remedy

    for record in standing:
        said = "" if len(record.detail) == 0 else f": {record.detail}"
        say(f"ALARM for {age_text(now_ms - record.since_ms)}: {alarm_title(record)}{said}")
        say(f"  {remedy(record.kind)}")


def _ended_text(record: AlarmRecord, now_ms: int) -> str:
    from secondpost.compose.alarm_mail import alarm_title, lasted_text

    ended_ms = now_ms if record.ended_ms is None else record.ended_ms
    how = "" if len(record.how) == 0 else f": {record.how}"
    ago = age_text(now_ms - ended_ms)
    return f"{alarm_title(record)}, ended {ago} ago after {lasted_text(record)}{how}"
