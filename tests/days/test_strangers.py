"""Strangers ring only the alarms that are marked as theirs, and never many: senders, readers' servers
and the authors of feeds choose neither the kind nor the subject.
"""

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from secondpost.config.records import LearnedRecipients
from secondpost.deliver.context import DeliveryContext
from secondpost.deliver.pauses import Pauses
from secondpost.deliver.recipient_probe import RecipientProbe
from secondpost.mail.address import NULL_PATH, Domain, Endpoint, Mailbox
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.article import FeedRead, FeedUnreadable
from secondpost.mail.delivery import Claimed, DeliveryId
from secondpost.mail.duration import DAY_MS
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import IssueId
from secondpost.mail.queue_id import QueueId
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.mail.subscriber import SubscriberId
from secondpost.newsletter.rhythm import CLOSE_MS
from secondpost.receive.attacks import Attack
from secondpost.roles.parts import Parts
from tests.alarms import logged_alarms, that_stand
from tests.clock import SetClock
from tests.days.town import DOMAIN, MINUTE, OUR_ADDRESS, Town
from tests.newsletter.blog import URL, WEEKLY, Bench, article, articles

KIND_OF_WORD = {kind.word: kind for kind in AlarmKind}


@dataclass
class Standing:
    """All alarms that stood in a town's roles whenever it was looked."""

    alarms: list[StandingAlarms] = field(default_factory=list)
    seen: set[tuple[AlarmKind, str]] = field(default_factory=set)

    def wiring(self, role: str, parts: Parts) -> Parts:
        self.alarms.append(parts.alarms)
        return parts

    def look(self) -> None:
        self.seen |= {(one.kind, one.subject) for each in self.alarms for one in each.standing()}


class Shouting(asyncio.Protocol):
    """Says lines to a server without listening."""

    def __init__(self, *lines: str) -> None:
        self._lines = lines

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write("".join(f"{line}\r\n" for line in self._lines).encode())


def shout(town: Town, address: str, *lines: str) -> None:
    net = town.internet.net_for(address)
    door = Endpoint(OUR_ADDRESS, 25)
    town.internet.loop.create_task(net.connect(lambda: Shouting(*lines), door, 10.0))


def test_hostile_senders(town: Town) -> None:
    standing = Standing()
    primary = town.primary("mx.provider.example", "198.51.100.40", DOMAIN)
    primary.mailboxes = {"me"}
    primary.open()
    town.start(DOMAIN, recipients=LearnedRecipients(), wiring=standing.wiring)
    addresses = [f"203.0.{n}.7" for n in range(40)]
    for address in addresses:
        town.internet.host(f"bot{address}.example", (address,), "home")
    for turn in range(30):
        for n, address in enumerate(addresses):
            guess = f"u{turn}-{n}"
            shout(
                town,
                address,
                "EHLO bot.example",
                f"MAIL FROM:<{guess}@{guess}.example>",
                f"RCPT TO:<{guess}@{DOMAIN}>",
                f"RCPT TO:<{guess}@elsewhere-{guess}.example>",
                "RCPT TO:<postmaster>",
                f"XYZZY {guess}",
                "",
                "RSET extra words",
                "DATA",
                "QUIT",
            )
        town.pass_by(20.0)
        standing.look()
    town.pass_by(10 * MINUTE)
    standing.look()
    rung = {KIND_OF_WORD[line.values()["about"]] for line in town.log.of("alarm")}
    assert AlarmKind.ATTACKED in rung, "or this is no attack"
    assert [kind.word for kind in rung if not kind.by_strangers] == []
    assert standing.seen == {(AlarmKind.ATTACKED, "")}
    assert sum(line.values()["about"] == "attacked" for line in town.log.of("alarm")) == 1
    assert 30 * len(addresses) > Attack.GUESSES.burst


def refused(domain: str, *, confirmation: bool = False) -> Claimed:
    """An issue's mail, or a confirmation, at a domain of a reader's choice."""
    return Claimed(
        id=DeliveryId(QueueId(1), 1),
        lane=Lane.OWN if confirmation else Lane.ISSUES,
        origin=Lane.OWN if confirmation else Lane.ISSUES,
        sender=NULL_PATH,
        recipient=Mailbox("reader", Domain(domain)),
        size=100,
        file=None,
        eight_bit=False,
        arrived_ms=0,
        attempts=0,
        first_attempt_ms=None,
        maybe_duplicate=False,
        issue=None if confirmation else IssueId(1),
        subscriber=SubscriberId(1),
    )


def test_readers_whose_servers_refuse_us_are_one_alarm() -> None:
    async def story() -> None:
        lines: list[str] = []
        clock = SetClock()
        alarms = logged_alarms(lines, clock.now_ms)

        async def pause(lane: Lane, domain: Domain, until_ms: int) -> None:
            """The store's, which this test does not need."""

        context = SimpleNamespace(clock=clock, alarms=alarms, sites=SimpleNamespace(pause=pause))
        pauses = Pauses(cast(DeliveryContext, context), cast(RecipientProbe, None))
        for n in range(200):
            await pauses.pause(refused(f"d{n}.example"))
            await pauses.pause(refused(f"c{n}.example", confirmation=True))
        assert [(alarm.kind, alarm.subject) for alarm in alarms.standing()] == [
            (AlarmKind.DOMAIN_PAUSED, Lane.ISSUES.value)
        ]
        assert AlarmKind.DOMAIN_PAUSED.by_strangers
        assert len(lines) == 1
        for n in range(199):
            pauses.over(Lane.ISSUES, Domain(f"d{n}.example"))
        assert that_stand(alarms, AlarmKind.DOMAIN_PAUSED) == [Lane.ISSUES.value]
        pauses.look([])
        assert alarms.standing() == ()

    asyncio.run(story())


@pytest.mark.parametrize("approve", [False, True])
def test_hostile_feeds(tmp_path: Path, approve: bool) -> None:
    with asyncio.Runner() as runner:
        bench = Bench(tmp_path, runner)
        blog = bench.blog(replace(WEEKLY, approve=approve))
        blog.is_template_broken = True  # as if the articles broke it
        seen: set[tuple[AlarmKind, str]] = set()

        async def story() -> None:
            leader = await blog.leader()
            for turn in range(60):
                far = article(1_000 + turn, published_ms=blog.clock.ms + (100 + turn) * DAY_MS)
                found: list[FeedRead | FeedUnreadable] = [
                    FeedUnreadable(f"{turn} <reasons>"),
                    FeedUnreadable(f"{turn} other reasons"),
                    FeedRead(f"Title {turn}", f"urn:{turn}", (far, article(turn), article(turn + 1))),
                    articles(*range(turn * 10, turn * 10 + 9)),
                ]
                for each in found:
                    blog.found[URL] = each
                    blog.clock.ms += CLOSE_MS
                    await blog.turn()
                    await blog.publisher.go_on([blog.newsletter], leader)
                    seen.update((alarm.kind, alarm.subject) for alarm in blog.standing.standing())

        bench.run(story())
        bench.close()
    kinds = {kind for kind, _ in seen}
    assert AlarmKind.FEED_IN_DOUBT in kinds
    # An issue that waits for approval rings once, until the owner acts.
    assert [kind.word for kind in kinds - {AlarmKind.ISSUE_WAITS} if not kind.by_strangers] == []
    assert {subject for _, subject in seen} <= {"weekly", f"weekly: {URL}"}
