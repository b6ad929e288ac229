"""Mail to readers through the deliver role: with the real stores, to a mail server on loopback."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path

import pytest

from secondpost.config.records import Route, Send
from secondpost.deliver.refusals import IN_A_ROW_MAX
from secondpost.deliver.rhythm import DeliverRhythm
from secondpost.mail.address import Endpoint, Mailbox
from secondpost.mail.bounce_kind import BounceKind, Weighed
from secondpost.mail.delivery import Claimed, State
from secondpost.mail.duration import DAY_MS
from secondpost.mail.issue import Issue, Reckoning
from secondpost.mail.issue_content import Hole, IssueContent
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.mail.subscriber import SubscriberId
from secondpost.maillog import MailLog
from secondpost.protocols.mime.header_fields import FieldFault
from secondpost.roles.deliver import DeliverRole, NewsletterDelivery
from secondpost.roles.parts import HINTS, USUAL, Parts
from secondpost.store.newsletter_ports import ReaderDelivery
from secondpost.store.owner_ports import Selection
from simulation.looking import looked_at
from tests.stations.test_assembly import ASKING, issue
from tests.stations.test_inside import KEYS, SECONDS_MAX, Office
from tests.store.readers import WEEKLY

CONTENT = issue().encode()
ASKING_TEXT = f"Please confirm: {Hole.CONFIRM_URL.marker}"


async def nothing() -> None:
    return


class Server:
    """Accepts all mail.

    `greeted` is awaited before EHLO is answered: rows are claimed by then, but not marked.
    `taken` is awaited before a dot is answered; it may break the connection off (ConnectionError).
    `unanswered`: so many of the first dots get no reply; `refusal`: the reply to every recipient.
    """

    def __init__(self, greeted: Callable[[], Awaitable[None]] = nothing, unanswered: int = 0) -> None:
        self.greeted = greeted
        self.taken = nothing
        self.unanswered = unanswered
        self.refusal: bytes | None = None
        self.mails: list[tuple[str, bytes]] = []  # recipient and content, including those without a reply
        self.dots = 0
        self.port = 0
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._served, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._conversation(reader, writer)
        finally:
            writer.close()

    async def _conversation(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mx.readers.example ESMTP\r\n")
        recipient = ""
        while True:
            line = await reader.readuntil(b"\r\n")
            match line[:4].upper():
                case b"EHLO":
                    await self.greeted()
                case b"RCPT":
                    recipient = line.partition(b"<")[2].partition(b">")[0].decode()
                    if self.refusal is not None:
                        writer.write(self.refusal)
                        continue
                case b"DATA":
                    writer.write(b"354 go ahead\r\n")
                    self.mails.append((recipient, await reader.readuntil(b"\r\n.\r\n")))
                    self.dots += 1
                    if self.dots <= self.unanswered:
                        return
                    await self.taken()
            writer.write(b"250 2.0.0 ok\r\n")

    def recipients(self) -> list[str]:
        return sorted(recipient for recipient, _ in self.mails)

    def message_ids(self) -> list[str]:
        return [str(message_from_bytes(content)["Message-ID"]) for _, content in self.mails]


async def asking(claimed: Claimed) -> IssueContent:
    return issue(ASKING, ASKING_TEXT, ASKING_TEXT)


class Readership(Office):
    """Three readers, and an issue sent as soon as the deliver role runs."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.server = Server()
        self.confirmation: Callable[[Claimed], Awaitable[IssueContent]] = asking

    async def open(self) -> None:
        await self.server.open()
        route = Route(None, None, Endpoint("127.0.0.1", self.server.port))
        self.config = replace(self.config, routes=(route,), send=Send(unverified=True))
        self.ids = await self.publisher.readers("ada@a.example", "bob@b.example", "cid@c.example")

    async def frozen(self, content: bytes = CONTENT) -> Issue:
        made = await self.publisher.digest(content=content)
        await self.publisher.freeze(made.id)
        await self.publisher.send(made.id)
        return made

    def newest(self, reader: SubscriberId) -> ReaderDelivery:
        """The latest delivery to a reader."""
        return looked_at(self.readers.deliveries_of(reader, 1))[0]

    async def start(self) -> None:
        delivery = NewsletterDelivery(self.readers, KEYS, self._confirmation)
        alarms = StandingAlarms(MailLog(self.lines.append).alarm, self.world.clock.now_ms)
        self.role = DeliverRole(
            Parts(
                self.config,
                self.world,
                self.lines.append,
                self.failures.append,
                alarms,
                self.mail,
                rhythms=replace(USUAL, deliver=DeliverRhythm(expire_seconds=0.2)),
            ),
            delivery,
        )
        await self.role.start()

    async def _confirmation(self, claimed: Claimed) -> IssueContent:
        return await self.confirmation(claimed)

    async def until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            await self.wait_a_little()

    async def wait_a_little(self) -> None:
        self.net.hint(self.place.disk.path(HINTS))
        await asyncio.sleep(0.01)

    async def nothing_under_way(self, made: Issue) -> Reckoning:
        while (reckoning := await self.readers.reckoning(made.id)).under_way > 0:
            await self.wait_a_little()
        return reckoning

    async def all_tried_once(self, made: Issue) -> None:
        rows = await self.readers.deliveries(made.id, (), None, 10)
        while any(row.attempts != 1 for row in rows):
            await self.wait_a_little()
            rows = await self.readers.deliveries(made.id, (), None, 10)

    async def close(self) -> None:
        await super().close()
        self.server.close()


def among_readers(folder: Path, story: Callable[[Readership], Awaitable[None]]) -> None:
    async def told() -> None:
        readership = Readership(folder)
        try:
            async with asyncio.timeout(SECONDS_MAX):
                await readership.open()
                await story(readership)
        finally:
            await readership.close()
        assert readership.failures == []

    asyncio.run(told())


def test_a_staging_copy_mails_only_whom_it_may_and_accounts_for_the_others(tmp_path: Path) -> None:
    async def story(them: Readership) -> None:
        them.config = replace(
            them.config, send=Send(only_to=("*@b.example", "CID@c.example"), unverified=True)
        )
        made = await them.frozen()
        await them.start()
        assert await them.nothing_under_way(made) == Reckoning(3, delivered=2, suppressed=1)
        assert them.server.recipients() == ["bob@b.example", "cid@c.example"]
        [row] = await them.readers.deliveries(made.id, (State.SUPPRESSED,), None, 10)
        assert "only_to" in row.reply

    among_readers(tmp_path, story)


def test_who_leaves_after_the_claim_gets_nothing_and_the_others_theirs(tmp_path: Path) -> None:
    async def story(them: Readership) -> None:
        async def ada_leaves() -> None:
            await them.readers.leave(them.ids[0], them.place.clock.ms, "one-click")

        them.server.greeted = ada_leaves
        made = await them.frozen()
        await them.start()
        assert await them.nothing_under_way(made) == Reckoning(3, delivered=2, suppressed=1)
        assert them.server.recipients() == ["bob@b.example", "cid@c.example"]

    among_readers(tmp_path, story)


def test_an_issue_stopped_after_the_claim_goes_to_nobody(tmp_path: Path) -> None:
    async def story(them: Readership) -> None:
        made = await them.frozen()

        async def stopped() -> None:
            await them.readers.stop(made.id, them.place.clock.ms, "enough")

        them.server.greeted = stopped
        await them.start()
        assert await them.nothing_under_way(made) == Reckoning(3, stopped=3)
        assert them.server.mails == []

    among_readers(tmp_path, story)


def test_a_dot_without_an_answer_is_unknown_and_never_tried_again_by_itself(tmp_path: Path) -> None:
    async def story(them: Readership) -> None:
        them.server.unanswered = 1
        made = await them.frozen()
        await them.start()
        assert await them.nothing_under_way(made) == Reckoning(3, delivered=2, unknown=1)
        assert len(them.server.mails) == len(set(them.server.recipients())) == 3
        assert await them.readers.retry_unknown(made.id, None, them.place.clock.ms) == 1
        assert await them.nothing_under_way(made) == Reckoning(3, delivered=3)
        assert len(them.server.mails) == 4
        assert len(set(them.server.message_ids())) == 3

    among_readers(tmp_path, story)


def test_no_reader_is_to_blame_for_a_smart_host_that_is_away_for_days(tmp_path: Path) -> None:
    async def story(them: Readership) -> None:
        them.server.close()
        made = await them.frozen()
        await them.start()
        while len(await them.readers.sites_down()) == 0:
            await them.wait_a_little()
        while len(await them.readers.deliveries(made.id, (State.WAITING,), None, 10)) < 3:
            await them.wait_a_little()
        them.place.clock.ms += 4 * DAY_MS
        assert await them.nothing_under_way(made) == Reckoning(3, expired=3)
        for reader in them.ids:
            [bounce] = await them.readers.bounces_of(reader, 5)
            assert (bounce.kind, bounce.weighed) == (BounceKind.SENDER, Weighed.COUNTED)
            assert "127.0.0.1" in bounce.text
        days = await them.readers.provider_days(0)
        assert [day.sender_fault for day in days] == [0] * len(days), "it refused nothing"

    among_readers(tmp_path, story)


def test_no_reader_is_to_blame_for_an_issue_that_cannot_be_read_here_for_days(tmp_path: Path) -> None:
    async def story(them: Readership) -> None:
        made = await them.frozen(b"not the content of an issue")
        await them.start()
        await them.all_tried_once(made)
        them.place.clock.ms += 4 * DAY_MS
        assert await them.nothing_under_way(made) == Reckoning(3, expired=3)
        for reader in them.ids:
            [bounce] = await them.readers.bounces_of(reader, 5)
            assert (bounce.kind, bounce.weighed) == (BounceKind.SENDER, Weighed.COUNTED)
        [day, *_] = await them.readers.provider_days(0)
        assert day.sender_fault == 0, "no server refused us"
        assert them.server.mails == []

    among_readers(tmp_path, story)


def test_a_confirmation_without_an_answer_goes_again_and_is_the_same_mail(tmp_path: Path) -> None:
    async def story(them: Readership) -> None:
        them.server.unanswered = 1
        await them.publisher.sign_up("dot@d.example")
        reader = await them.readers.find(WEEKLY, Mailbox.parse("dot@d.example"))
        assert reader is not None
        await them.start()
        await them.until(lambda: them.newest(reader.id).attempts == 1)
        [row] = await them.readers.deliveries_of(reader.id, 2)
        assert row.state is State.WAITING
        everything, now_ms = Selection(deliveries=(row.id,)), them.place.clock.ms
        await them.readers.move(everything, (State.WAITING,), State.WAITING, now_ms, "retried", "")
        await them.until(lambda: them.newest(reader.id).state is State.DELIVERED)
        assert them.server.recipients() == ["dot@d.example"] * 2
        assert len(set(them.server.message_ids())) == 1

    among_readers(tmp_path, story)


def test_a_content_that_cannot_be_read_holds_up_no_other_mail(tmp_path: Path) -> None:
    """As after a downgrade: the mail waits, the owner gets an alarm, and the role goes on."""

    async def story(them: Readership) -> None:
        made = await them.frozen(b'{"version": 1000}')
        await them.publisher.sign_up("dot@d.example")
        await them.start()
        await them.until(lambda: them.server.recipients() == ["dot@d.example"])
        await them.all_tried_once(made)
        assert await them.readers.reckoning(made.id) == Reckoning(3, under_way=3)
        assert any("alarm about=content-unreadable" in line for line in them.lines)

    among_readers(tmp_path, story)


@pytest.mark.parametrize("fault", [LookupError("no newsletter"), FieldFault("no header can hold it")])
def test_a_confirmation_that_cannot_be_composed_holds_up_no_other_mail(
    fault: Exception, tmp_path: Path
) -> None:
    """Its newsletter was removed from the configuration, or has an invalid title."""

    async def story(them: Readership) -> None:
        async def composed(claimed: Claimed) -> IssueContent:
            raise fault

        them.confirmation = composed
        await them.publisher.sign_up("dot@d.example")
        made = await them.frozen()
        await them.start()
        assert await them.nothing_under_way(made) == Reckoning(3, delivered=3)
        await them.until(lambda: any(str(fault) in line for line in them.lines))

    among_readers(tmp_path, story)


# ---- strangers cannot cause alarms: any address can be typed into the form


def alarms(them: Readership) -> list[str]:
    return [line for line in them.lines if line.startswith("alarm")]


def test_a_reader_at_an_address_of_ours_gets_nothing_and_rings_no_alarm(tmp_path: Path) -> None:
    """As for one who signed up before the domain was named `bounces`."""

    async def story(them: Readership) -> None:
        mailbox, now_ms = Mailbox.parse("join-weekly@mx2.example.net"), them.place.clock.ms
        reader = await them.readers.add(WEEKLY, mailbox, None, now_ms, them.publisher.id())
        assert reader is not None
        await them.start()
        await them.until(lambda: them.newest(reader.id).state is State.FAILED)
        assert them.newest(reader.id).reply == "550 5.1.1 No such mailbox here"
        assert alarms(them) == []

    among_readers(tmp_path, story)


def test_a_domain_that_cannot_be_found_rings_an_alarm_only_if_it_is_the_owners(tmp_path: Path) -> None:
    async def story(them: Readership) -> None:
        them.config = replace(them.config, routes=())  # no name server answers
        await them.publisher.sign_up("dot@d.example")
        await them.publisher.sign_up("me@elsewhere.example")
        await them.start()
        await them.until(lambda: sum("site-down" in line for line in them.lines) == 2)
        [alarm] = alarms(them)
        assert alarm.startswith('alarm about=no-route detail="mx:elsewhere.example: ')

    among_readers(tmp_path, story)


def test_a_domain_that_refuses_what_strangers_asked_for_is_paused_without_an_alarm(tmp_path: Path) -> None:
    async def story(them: Readership) -> None:
        them.server.refusal = b"550 5.7.1 we do not like you\r\n"
        for name in ("dot", "eve", "fay", "gil"):
            await them.publisher.sign_up(f"{name}@d.example")
        await them.start()
        await them.until(lambda: sum("deferred" in line for line in them.lines) >= IN_A_ROW_MAX)
        assert alarms(them) == []
        made = await them.frozen()
        await them.all_tried_once(made)
        assert alarms(them) == []  # each of another domain

    among_readers(tmp_path, story)
