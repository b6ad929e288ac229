"""Incoming messages count: those that fit one by one must fit together."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from pathlib import Path

import pytest

from secondpost.config.records import AnyRecipient, Backup, LearnedRecipients
from secondpost.mail.delivery import KeptFor
from secondpost.mail.envelope import Arrival
from secondpost.policy.room import spoken_for
from secondpost.receive.under_way import LOOK_OCTETS, Part, UnderWay
from secondpost.store.ports import StoreFull, StoreUnavailable
from tests.stations.test_receive import BODY, DOMAIN, ENVELOPE, Client, ListedIntake, Office, in_office

QUOTA = 1_000_000
LINE = b"x" * 998 + b"\r\n"
MIDDLING = b"Subject: middling\r\n\r\n" + LINE * 80  # stored in the table
LARGE = b"Subject: large\r\n\r\n" + LINE * 400  # stored in a file
AT_ONCE = 60


class SlowIntake(ListedIntake):
    """Commits when `commit` is called: until then nothing is stored."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[tuple[asyncio.Future[None], Arrival]] = []

    def accept(self, arrival: Arrival, kept_for: KeptFor | None = None) -> Awaitable[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append((done, arrival))
        return done

    def commit(self) -> None:
        waiting, self.waiting = self.waiting, []
        for done, arrival in waiting:
            if self.error is None:
                self.stored += arrival.content.size
                self.taken.append((arrival, None))
                done.set_result(None)
            else:
                done.set_exception(self.error)


BACKUP = Backup(DOMAIN, recipients=(AnyRecipient(),), quota=QUOTA)


def envelope(size: int | None) -> bytes:
    declared = b"" if size is None else f" SIZE={size}".encode()
    return ENVELOPE.replace(b"<a@elsewhere.example>", b"<a@elsewhere.example>" + declared)


def is_nothing_under_way(office: Office) -> bool:
    places = (office.under_way.disk, office.under_way.of(DOMAIN), office.under_way.unverified(DOMAIN))
    return all((place.certain, place.expected) == (0, 0) for place in places)


# ---------------------------------------------------------------- messages together


@pytest.mark.parametrize("declared", [True, False], ids=["SIZE", "no SIZE"])
@pytest.mark.parametrize("body", [MIDDLING, LARGE], ids=["in the table", "in a file"])
def test_sixty_messages_at_once_store_no_more_than_the_quota(
    tmp_path: Path, body: bytes, declared: bool
) -> None:
    intake = SlowIntake()

    async def story(office: Office) -> None:
        clients = [office.call(f"192.0.{number}.1") for number in range(AT_ONCE)]
        for client in clients:
            client.protocol.data_received(envelope(len(body) if declared else None) + b"DATA\r\n")
            await client.settle()
        taken = [client for client in clients if b"\r\n354 " in client.wire.out]
        for client in taken:
            client.wire.out = b""
            client.protocol.data_received(body + b".\r\n")
        while any(len(client.wire.out) == 0 for client in taken):
            await asyncio.sleep(0.001)
            intake.commit()
        assert {client.wire.out[:9] for client in taken} <= {b"250 2.0.0", b"452 4.2.2"}
        assert is_nothing_under_way(office)

    office = in_office(tmp_path, story, backup=BACKUP, intake=intake)
    assert len(office.failures) == 0
    assert intake.stored <= QUOTA
    assert len(intake.taken) == QUOTA // (len(body) + 200)


def test_who_only_declares_or_never_ends_does_not_close_the_domain_to_others(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        for number in range(20):
            idle = office.call(f"192.0.{number}.1")
            await idle.say(envelope(QUOTA - 1))
            dripping = office.call(f"198.51.100.{number}")
            await dripping.say(envelope(None) + b"DATA\r\n")
            await dripping.say(MIDDLING)
        honest = office.call("203.0.113.1")
        await honest.say(envelope(len(BODY)) + b"DATA\r\n")
        (reply,) = await honest.say(BODY + b".\r\n")
        assert reply.startswith("250 ")

    in_office(tmp_path, story, backup=BACKUP)


def test_what_was_declared_is_spoken_for_on_the_disk_and_in_the_domain(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        first, second = office.call("192.0.2.1"), office.call("192.0.2.2")
        assert (await first.say(envelope(800_000)))[-1].startswith("250 ")
        assert (await second.say(envelope(800_000)))[-1].startswith("452 4.2.2")
        office.free = 1_000_000
        third = office.call("192.0.2.3")
        assert (await third.say(envelope(800_000)))[-2].startswith("452 4.3.1")
        first.hang_up()
        second.hang_up()
        assert (await third.say(envelope(800_000)))[-1].startswith("250 ")

    in_office(tmp_path, story, backup=BACKUP)


def test_bodies_in_memory_do_not_fill_the_reserve_together(tmp_path: Path) -> None:
    """Each is smaller than the size at which a conversation checks by itself."""

    async def story(office: Office) -> None:
        office.free = LOOK_OCTETS
        refused = 0
        clients = [office.call(f"192.0.{number}.1") for number in range(AT_ONCE)]
        for client in clients:
            await client.say(envelope(None) + b"DATA\r\n")
            client.protocol.data_received(MIDDLING)
        for client in clients:
            (reply,) = await client.say(b".\r\n")
            refused += reply.startswith("452 4.3.1")
        assert refused > 0

    in_office(tmp_path, story, backup=replace(BACKUP, quota=None))


def test_unverified_recipients_have_their_share_together(tmp_path: Path) -> None:
    intake = SlowIntake()

    async def story(office: Office) -> None:
        clients = [office.call(f"192.0.{number}.1") for number in range(20)]
        for client in clients:
            await client.say(envelope(None) + b"DATA\r\n")
        for client in clients:
            client.wire.out = b""
            client.protocol.data_received(MIDDLING + b".\r\n")
        await clients[-1].settle()
        intake.commit()
        await clients[-1].settle()
        assert is_nothing_under_way(office)

    in_office(tmp_path, story, backup=replace(BACKUP, recipients=(LearnedRecipients(),)), intake=intake)
    assert 0 < intake.stored <= QUOTA / 4


# ---------------------------------------------------------------- all ways in which a message ends


async def taken(office: Office, client: Client) -> None:
    await client.say(envelope(500) + b"DATA\r\n")
    assert (await client.say(BODY + b".\r\n"))[0].startswith("250 ")


async def taken_as_a_file(office: Office, client: Client) -> None:
    await client.say(envelope(500) + b"DATA\r\n")
    client.protocol.data_received(LARGE)
    assert (await client.say(b".\r\n"))[0].startswith("250 ")


async def not_taken_by_the_store(office: Office, client: Client) -> None:
    for error in (StoreFull("full"), StoreUnavailable("locked")):
        office.intake.error = error
        await client.say(envelope(500) + b"DATA\r\n")
        client.protocol.data_received(LARGE)
        assert (await client.say(b".\r\n"))[0].startswith("45")


async def reset_after_mail(office: Office, client: Client) -> None:
    await client.say(b"EHLO x\r\nMAIL FROM:<> SIZE=5000\r\nRSET\r\n")


async def reset_after_rcpt(office: Office, client: Client) -> None:
    await client.say(envelope(5000) + b"RSET\r\n")


async def greeted_again(office: Office, client: Client) -> None:
    await client.say(envelope(5000) + b"EHLO client.example\r\n")


async def quit_in_the_middle(office: Office, client: Client) -> None:
    await client.say(envelope(5000) + b"QUIT\r\n")
    client.hang_up()


async def gone_after_mail(office: Office, client: Client) -> None:
    await client.say(b"EHLO x\r\nMAIL FROM:<> SIZE=5000\r\n")
    client.hang_up()


async def gone_after_rcpt(office: Office, client: Client) -> None:
    await client.say(envelope(5000))
    client.hang_up()


async def gone_while_a_recipient_is_asked_about(office: Office, client: Client) -> None:
    await client.say(b"EHLO x\r\nMAIL FROM:<> SIZE=5000\r\n")
    client.protocol.data_received(b"RCPT TO:<anna@example.net>\r\n")
    client.hang_up()


async def gone_in_the_body(office: Office, client: Client) -> None:
    await client.say(envelope(5000) + b"DATA\r\n")
    await client.say(MIDDLING)
    client.hang_up()


async def gone_in_a_large_body(office: Office, client: Client) -> None:
    await client.say(envelope(None) + b"DATA\r\n")
    client.protocol.data_received(LARGE)
    client.hang_up()


async def gone_before_the_dot_is_answered(office: Office, client: Client) -> None:
    await client.say(envelope(None) + b"DATA\r\n")
    client.protocol.data_received(LARGE + b".\r\n")
    client.hang_up()


async def refused_at_mail(office: Office, client: Client) -> None:
    office.free = 100
    await client.say(b"EHLO x\r\nMAIL FROM:<> SIZE=5000\r\n")
    office.free = 10**12
    await client.say(b"MAIL FROM:<> SIZE=5000\r\nRSET\r\n")


async def refused_at_rcpt(office: Office, client: Client) -> None:
    await client.say(b"EHLO x\r\nMAIL FROM:<> SIZE=5000\r\nRCPT TO:<a@elsewhere.example>\r\nRSET\r\n")


async def refused_in_the_body(office: Office, client: Client) -> None:
    await client.say(envelope(5000) + b"DATA\r\n")
    office.free = 0
    client.protocol.data_received(LINE * (LOOK_OCTETS // len(LINE) + 100))
    assert is_nothing_under_way(office)
    assert (await client.say(b".\r\n"))[0].startswith("452 4.3.1")


async def refused_at_the_dot(office: Office, client: Client) -> None:
    for body in (b"Received: x\r\n" * 100 + BODY, LINE * 2001):
        await client.say(envelope(None) + b"DATA\r\n")
        client.protocol.data_received(body)
        assert (await client.say(b".\r\n"))[0][:1] in "45"


async def hung_up_on(office: Office, client: Client) -> None:
    await client.say(envelope(5000) + b"NONSENSE\r\n" * 30)
    assert client.wire.closed
    client.hang_up()


async def seen_out(office: Office, client: Client) -> None:
    await client.say(envelope(5000))
    draining = asyncio.ensure_future(office.listener.drain())
    await client.settle()
    assert client.wire.closed
    client.hang_up()
    await draining


ENDS: tuple[Callable[[Office, Client], Coroutine[None, None, None]], ...] = (
    taken,
    taken_as_a_file,
    not_taken_by_the_store,
    reset_after_mail,
    reset_after_rcpt,
    greeted_again,
    quit_in_the_middle,
    gone_after_mail,
    gone_after_rcpt,
    gone_while_a_recipient_is_asked_about,
    gone_in_the_body,
    gone_in_a_large_body,
    gone_before_the_dot_is_answered,
    refused_at_mail,
    refused_at_rcpt,
    refused_in_the_body,
    refused_at_the_dot,
    hung_up_on,
    seen_out,
)


@pytest.mark.parametrize("learns", [False, True], ids=["any", "learn"])
@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_nothing_counts_when_a_message_has_ended(
    tmp_path: Path, end: Callable[[Office, Client], Coroutine[None, None, None]], learns: bool
) -> None:
    recipients = (LearnedRecipients(),) if learns else (AnyRecipient(),)

    async def story(office: Office) -> None:
        client = office.call()
        await end(office, client)
        while len(office.tasks) > 0:
            await asyncio.wait(office.tasks)
        await client.settle()
        assert is_nothing_under_way(office)

    in_office(
        tmp_path, story, backup=replace(BACKUP, recipients=recipients, quota=10 * QUOTA, max_size=2 * QUOTA)
    )


def test_a_message_counts_once_in_a_place_with_what_has_come_or_was_declared() -> None:
    under_way = UnderWay()
    place, disk = under_way.of(DOMAIN), under_way.disk
    part, other = Part(under_way, 1000), Part(under_way, 500)
    part.begin()
    other.begin()
    for _ in range(2):
        part.count_in(place)
    other.count_in(place)
    assert place.expected == disk.expected == 1500
    assert place.spoken_for(10_000) == 1500
    part.grow(600, 400)
    assert (place.expected, disk.expected, disk.certain) == (1500, 900, 200)
    part.grow(1200, 1200)
    assert (place.expected, disk.expected, disk.certain) == (1700, 500, 0)
    part.become_whole(1300, 1200)
    assert (place.certain, place.expected, disk.certain) == (1300, 500, 100)
    for _ in range(2):
        part.end()
    assert (place.certain, place.expected, disk.certain) == (0, 500, 0)


def test_what_is_only_expected_takes_a_part_of_a_room_at_most() -> None:
    assert spoken_for(0, 10, 1000) == 10
    assert spoken_for(0, 10_000, 1000) == 250
    assert spoken_for(700, 10_000, 1000) == 950
    assert spoken_for(700, 10_000, -5) == 700
