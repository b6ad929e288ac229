"""Mail to ourselves through the deliver role: with both real stores and the role's real socket."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from secondpost.config.records import Config, Newsletter, Route, Web
from secondpost.mail.address import Domain, Endpoint, Mailbox
from secondpost.mail.content import InTable
from secondpost.mail.delivery import Claimed, State
from secondpost.mail.envelope import Arrival, Lane
from secondpost.mail.issue_content import IssueContent
from secondpost.mail.questions import Knowledge
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.mail.subscriber import SubscriberState
from secondpost.maillog import MailLog
from secondpost.protocols.tokens import KeyRing, Purpose, Ring, Token
from secondpost.protocols.verp import address_of, join_address
from secondpost.roles.deliver import DeliverRole, NewsletterDelivery
from secondpost.roles.parts import HINTS, QUESTIONS, Parts, World
from secondpost.signing.assembly import ReaderKeys
from secondpost.store.owner_ports import DeliveryRow, Selection
from secondpost.world.real.dice import RealDice
from secondpost.world.real.dns import RealResolver
from secondpost.world.real.net import RealNet
from secondpost.world.real.work import RealWork
from secondpost.world.room_disk import make_rooms
from secondpost.world.sockets.questions import RoleAsker
from tests.bounce.complaining import report_of
from tests.protocols.dkim_keys import keys
from tests.store.letters import Letters
from tests.store.place import SqlitePlace
from tests.store.readers import WEEKLY, Publisher

US = Domain("mx2.example.net")
ADDRESSES = KeyRing(Ring.ADDRESSES, {1: b"a" * 32})
KEYS = ReaderKeys(keys().signing, KeyRing(Ring.LINKS, {1: b"l" * 32}), ADDRESSES)
REPORT = (Path(__file__).parent.parent / "protocols" / "dsn" / "01-postfix-no-such-mailbox.msg").read_bytes()
SECONDS_MAX = 20.0
NOBODY_THERE = Endpoint("127.0.0.1", 9)  # no DNS query is made, and no mail leaves


async def no_confirmation(claimed: Claimed) -> IssueContent:
    raise LookupError("no confirmation is composed here")


class Office:
    """The deliver role with a newsletter, a reader of its first issue, and a way to put in mail."""

    def __init__(self, folder: Path) -> None:
        self.place = SqlitePlace(str(folder))
        make_rooms(self.place.disk)
        self.mail = self.place.open()
        self.readers = self.place.open_newsletter()
        self.letters = Letters(self.place, self.mail)
        self.publisher = Publisher(self.place, self.readers)
        self.lines: list[str] = []
        self.failures: list[BaseException] = []
        self.net, self.work, dice = RealNet(), RealWork(1), RealDice()
        names = RealResolver((NOBODY_THERE,), dice)
        self.world = World(self.place.clock, dice, self.net, names, self.work, self.place.disk)
        self.config = Config(
            path="secondpost.toml",
            hostname=US,
            store=str(folder),
            owner=(Mailbox.parse("me@elsewhere.example"),),
            bounces=US,
            web=Web(url=None),
            routes=(Route(None, None, NOBODY_THERE),),
            newsletters=(Newsletter(WEEKLY, "newsletter@example.net", ("https://www.example.net/feed",)),),
        )
        self.role: DeliverRole | None = None

    async def open(self) -> None:
        [self.reader] = await self.publisher.readers("reader@example.org")
        self.issue = await self.publisher.digest()
        await self.publisher.freeze(self.issue.id)
        await self.start()

    async def start(self) -> None:
        delivery = NewsletterDelivery(self.readers, KEYS, no_confirmation)
        alarms = StandingAlarms(MailLog(self.lines.append).alarm, self.world.clock.now_ms)
        self.role = DeliverRole(
            Parts(self.config, self.world, self.lines.append, self.failures.append, alarms, self.mail),
            delivery,
        )
        await self.role.start()

    async def close(self) -> None:
        if self.role is not None:
            await self.role.drain()
        await self.place.close()
        self.net.close()
        self.work.close()

    async def state(self) -> SubscriberState:
        """That of the reader."""
        reader = await self.readers.subscriber(self.reader)
        assert reader is not None
        return reader.state

    def address(self, purpose: Purpose, number: int = 1) -> str:
        return str(address_of(ADDRESSES, Token(purpose, self.reader, number), US))

    async def put(self, to: str, content: bytes) -> DeliveryRow:
        """Put in a mail; return its row once it has ended."""
        arrival = await self.letters.send(to, lane=Lane.OWN, content=InTable(content))
        assert self.role is not None
        return await self.ended(arrival)

    async def ended(self, arrival: Arrival) -> DeliveryRow:
        while True:
            [row] = await self.mail.listed(Selection(ids=(arrival.queue_id,)), None, 2)
            if row.state not in (State.WAITING, State.CLAIMED) or len(row.cause) > 0:
                return row
            self.net.hint(self.place.disk.path(HINTS))
            await asyncio.sleep(0.01)


def in_office(folder: Path, story: Callable[[Office], Awaitable[None]]) -> None:
    async def told() -> None:
        office = Office(folder)
        try:
            async with asyncio.timeout(SECONDS_MAX):
                await office.open()
                await story(office)
        finally:
            await office.close()
        assert office.failures == []

    asyncio.run(told())


def test_a_report_a_leaver_and_a_joiner_are_taken_and_delivered_to_no_host(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        report = await office.put(office.address(Purpose.BOUNCE), REPORT)
        assert (report.state, report.host) == (State.DELIVERED, "(inside)")
        assert report.reply == "250 2.0.0 counted against issue 1: dead 5.1.1"
        [bounce] = await office.readers.bounces_of(office.reader, 10)
        assert bounce.evidence == report.id.queue_id

        left = await office.put(office.address(Purpose.LEAVE_BY_MAIL).upper(), b"Subject: off\r\n\r\n")
        assert left.reply == "250 2.0.0 the reader left"
        assert await office.state() is SubscriberState.LEFT

        joined = await office.put(str(join_address(WEEKLY, US)), b"From: new@example.org\r\n\r\n")
        assert joined.reply == "250 2.0.0 asked to join weekly: confirm"
        new = await office.readers.find(WEEKLY, Mailbox.parse("new@example.org"))
        assert new is not None
        assert new.state is SubscriberState.PENDING

    in_office(tmp_path, story)


def test_a_report_to_abuse_counts_for_the_reader_whose_mail_it_contains(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        to = f"abuse@{US}"
        stranger = await office.put(
            to, report_of(b"List-Unsubscribe: <mailto:leave-aaaaaaaa@mx2.example.net>")
        )
        assert (stranger.state, stranger.host) == (State.DELIVERED, "(inside)")
        assert stranger.reply == "250 2.0.0 it has no mail of ours that names a reader: not counted"
        letter = await office.put(to, b"Subject: Your newsletter\r\n\r\nThank you!\r\n")
        assert letter.reply == "250 2.0.0 no report of a complaint: nothing to count"
        assert await office.state() is SubscriberState.ACTIVE

        sender = office.address(Purpose.BOUNCE).encode()
        complaint = await office.put(to, report_of(b"Return-Path: <" + sender + b">"))
        assert complaint.reply == "250 2.0.0 the reader complained (abuse): suppressed"
        assert await office.state() is SubscriberState.COMPLAINED

    in_office(tmp_path, story)


def test_a_forged_report_counts_against_nobody(tmp_path: Path) -> None:
    """Catalogue row 54: who knows the reader, the issue and its number has no valid token for them."""

    async def story(office: Office) -> None:
        ours = office.address(Purpose.BOUNCE)
        local = ours.partition("@")[0]
        another_key = KeyRing(Ring.ADDRESSES, {1: b"b" * 32})
        made_up = address_of(another_key, Token(Purpose.BOUNCE, office.reader, 1), US)
        leaving = office.address(Purpose.LEAVE_BY_MAIL).replace("leave-", "b-")
        for forged in (f"{local[:-1]}@{US}", f"{local}a@{US}", str(made_up), leaving):
            assert forged != ours
            row = await office.put(forged, REPORT)
            assert (row.state, row.reply) == (State.FAILED, "550 5.1.1 No such mailbox here")
        complaint = report_of(f"Return-Path: <{made_up}>".encode())
        assert "not counted" in (await office.put(f"abuse@{US}", complaint)).reply
        assert await office.state() is SubscriberState.ACTIVE
        assert await office.readers.bounces_of(office.reader, 10) == []

    in_office(tmp_path, story)


def test_an_automatic_answer_changes_nothing_and_is_never_answered(tmp_path: Path) -> None:
    """Catalogue row 41 (RFC 3834 §2): whatever address of ours an autoresponder writes to."""

    async def story(office: Office) -> None:
        away = (
            b"From: Reader <reader@example.org>\r\nAuto-Submitted: auto-replied\r\n"
            b"Subject: Out of office\r\n\r\nI am away. To unsubscribe, write 550 5.1.1 user unknown.\r\n"
        )
        before = await office.readers.waiting_domains()
        purposes = (Purpose.BOUNCE, Purpose.FEEDBACK, Purpose.CONFIRM_BY_MAIL)
        addresses = (*map(office.address, purposes), f"abuse@{US}", str(join_address(WEEKLY, US)))
        for to in addresses:
            row = await office.put(to, away)
            assert (row.state, row.host) == (State.DELIVERED, "(inside)")
        assert len(await office.mail.listed(Selection(), None, 100)) == len(addresses)
        assert await office.readers.waiting_domains() == before
        assert await office.readers.bounces_of(office.reader, 10) == []
        assert await office.state() is SubscriberState.ACTIVE

    in_office(tmp_path, story)


def test_who_is_not_there_is_told_to_nobody(tmp_path: Path) -> None:
    """The address was made with a key of ours when it was accepted; its reader does not exist."""

    async def story(office: Office) -> None:
        for to in ("leave-forged22@mx2.example.net", "somebody@mx2.example.net"):
            row = await office.put(to, b"Subject: x\r\n\r\n")
            assert (row.state, row.reply) == (State.FAILED, "550 5.1.1 No such mailbox here")
        assert len(await office.mail.sites_down()) == 0

    in_office(tmp_path, story)


def test_what_a_dead_process_did_and_did_not_write_down_is_not_done_again(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        assert office.role is not None
        await office.role.drain()
        arrival = await office.letters.send(
            office.address(Purpose.LEAVE_BY_MAIL), lane=Lane.OWN, content=InTable(b"Subject: off\r\n\r\n")
        )
        # The reader left by this very mail, and joined again, before the process recorded it.
        now_ms = office.place.clock.ms
        assert await office.readers.leave(office.reader, now_ms, "mail", arrival.queue_id)
        again = Mailbox.parse("reader@example.org")
        await office.readers.add(WEEKLY, again, office.publisher.consent(), now_ms, None)
        await office.publisher.sign_up("reader@example.org")
        before = await office.readers.subscriber(office.reader)
        await office.start()
        row = await office.ended(arrival)
        assert (row.state, row.reply) == (State.DELIVERED, "250 2.0.0 the reader had already left")
        assert await office.readers.subscriber(office.reader) == before

    in_office(tmp_path, story)


def test_the_receiver_learns_over_the_socket_which_addresses_are_ours(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        asker = RoleAsker(office.net, office.place.disk.path(QUESTIONS))
        ours = Mailbox.parse(office.address(Purpose.BOUNCE))
        assert await asker.knows(ours, "192.0.2.0/24") is Knowledge.KNOWN
        forged = Mailbox(f"leave-{ours.local.removeprefix('b-')}", US)
        assert await asker.knows(forged, "192.0.2.0/24") is Knowledge.UNKNOWN
        for local, knowledge in (("join-weekly", Knowledge.KNOWN), ("join-other", Knowledge.UNKNOWN)):
            assert await asker.knows(Mailbox(local, US), "192.0.2.0/24") is knowledge
        assert (
            await asker.knows(Mailbox.parse("somebody@example.org"), "192.0.2.0/24") is Knowledge.UNREACHABLE
        )
        asker.close()

    in_office(tmp_path, story)


def test_the_name_that_a_newsletter_had_is_joined_as_the_one_that_it_has(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        rename = "INSERT INTO former_name VALUES ('former', ?, 1, '', 1)"
        for now in (WEEKLY, "gone"):
            with closing(apsw.Connection(f"{tmp_path}/newsletter/newsletter.db")) as db:
                db.execute("DELETE FROM former_name")
                db.execute(rename, (now,))
            asker = RoleAsker(office.net, office.place.disk.path(QUESTIONS))
            known = await asker.knows(Mailbox("join-former", US), "192.0.2.0/24")
            asker.close()
            row = await office.put("join-former@mx2.example.net", b"From: new@example.org\r\n\r\n")
            if now == WEEKLY:
                assert known is Knowledge.KNOWN
                assert row.reply == "250 2.0.0 asked to join weekly: confirm"
            else:
                assert known is Knowledge.UNKNOWN
                assert row.reply.startswith("550 5.1.1")

    in_office(tmp_path, story)


def test_a_mail_that_we_stumble_over_waits_and_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(office: Office) -> None:
        assert office.role is not None
        await office.role.drain()
        stumbling = await office.letters.send(
            office.address(Purpose.BOUNCE), lane=Lane.OWN, content=InTable(REPORT)
        )
        monkeypatch.setattr(office.readers, "issue_by_number", stumble)
        await office.start()
        waits = await office.ended(stumbling)
        assert (waits.state, waits.cause) == (State.WAITING, "message")
        assert any("about=mail-not-understood" in line and "RecursionError" in line for line in office.lines)
        left = await office.put(office.address(Purpose.LEAVE_BY_MAIL), b"Subject: off\r\n\r\n")
        assert left.reply == "250 2.0.0 the reader left"

    in_office(tmp_path, story)


def stumble(newsletter: str, number: int) -> None:
    raise RecursionError("a mistake of ours")


def test_a_large_mail_is_read_to_its_bound_and_no_further(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        torn = REPORT.partition(b"--4C1A")[0] + b"x" * 80 + b"\r\n"
        row = await office.put(office.address(Purpose.BOUNCE), torn + b"y\r\n" * 40_000)
        assert row.reply == "250 2.0.0 not a report that can be read: not counted"

    in_office(tmp_path, story)
