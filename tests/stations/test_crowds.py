"""Crowds of clients beside good mail: how long it waits, and the memory used. Virtual time."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

import pytest

from secondpost.config.records import AnyRecipient, Backup, LearnedRecipients, Receive, Unknown
from secondpost.mail.address import Endpoint, Mailbox
from secondpost.mail.questions import Knowledge
from secondpost.store.ports import ProvenPrefix
from secondpost.world.ports import NetError
from simulation.clock import EPOCH_MS, SimClock, Timeline, run
from simulation.dice import SimDice
from simulation.internet.net import SimInternet, SimNet
from simulation.internet.talk import Gone, Said, Talk
from tests.stations.test_receive import BODY, DOMAIN, ListedIntake, Office

SERVER, SERVER6 = "203.0.113.25", "2001:db8:ffff::25"
TIMEOUT_SECONDS = 300.0
AGAIN_SECONDS = 1.0  # until a refused good sender retries
WAIT_SECONDS_MAX = 10.0  # of good mail
MEDIAN_SECONDS_MAX = 1.0
LISTED = tuple(Mailbox.parse(f"good{n}@example.net") for n in range(10))
LISTING = Backup(DOMAIN, recipients=LISTED)


class Street:
    """The receive station in a simulated network; each client is a host."""

    def __init__(self, office: Office) -> None:
        self.timeline = Timeline(SimDice("crowd"))
        self.internet = SimInternet(self.timeline, SimDice("scheduling"), SimDice("faults"))
        self.internet.weather.loss_chance = 0.0
        self.internet.host("mx2", (SERVER, SERVER6), "here")
        net = self.internet.net_for(SERVER)
        self.office = replace(office, net=net, clock=SimClock(self.timeline))
        self.tasks: list[asyncio.Task[None]] = []

    @property
    def now(self) -> float:
        return self.timeline.now

    def net(self, address: str) -> SimNet:
        if address not in self.internet.hosts:
            self.internet.host(address, (address,), "abroad")
        return self.internet.net_for(address)

    async def call(self, address: str) -> tuple[Talk, Said]:
        """Connect and return the greeting. Raises Gone and NetError."""
        net = self.net(address)
        talk = Talk(net)
        await net.connect(lambda: talk, Endpoint(SERVER6 if ":" in address else SERVER, 25), 30.0)
        return talk, await talk.reply()

    def comes(self, visit: Coroutine[object, object, None]) -> None:
        """Start a client that runs until the end of the test."""
        self.tasks.append(asyncio.get_running_loop().create_task(visit))


def in_street(
    folder: Path,
    story: Callable[[Street], Awaitable[None]],
    *,
    backup: Backup = LISTING,
    receive: Receive | None = None,
    office: type[Office] = Office,
    intake: ListedIntake | None = None,
) -> Street:
    street = Street(
        office(
            folder,
            backup=backup,
            receive=Receive() if receive is None else receive,
            intake=ListedIntake() if intake is None else intake,
        )
    )

    async def told() -> None:
        await street.office.open()
        await story(street)
        for task in street.tasks:
            if task.done():
                task.result()
            task.cancel()

    run(told(), street.timeline, street.internet.loop)
    return street


@dataclass
class GoodMail:
    """The seconds that good mail took from the first try on."""

    seconds: list[float] = field(default_factory=list)
    refused: int = 0

    async def bring(self, street: Street, address: str) -> None:
        begun = street.now
        while not await self._taken(street, address):
            self.refused += 1
            await asyncio.sleep(AGAIN_SECONDS)
        self.seconds.append(street.now - begun)

    async def _taken(self, street: Street, address: str) -> bool:
        try:
            talk, said = await street.call(address)
            try:
                for line in (
                    "EHLO good.example",
                    "MAIL FROM:<a@good.example>",
                    f"RCPT TO:<{LISTED[0]}>",
                    "DATA",
                ):
                    if not said.ok:
                        return False
                    talk.say(line)
                    said = await talk.reply()
                if said.code == 354:
                    talk.send(BODY + b".\r\n")
                    said = await talk.reply()
                return said.code == 250
            finally:
                talk.transport.close()
        except (Gone, NetError):
            return False

    async def stream(self, street: Street, addresses: list[str], every_seconds: float, count: int) -> None:
        """Send one after the other, each on its own connection; returns when all are accepted."""
        coming = []
        for n in range(count):
            coming.append(asyncio.ensure_future(self.bring(street, addresses[n % len(addresses)])))
            await asyncio.sleep(every_seconds)
        await asyncio.gather(*coming)

    def has_gone_well(self) -> bool:
        return median(self.seconds) < MEDIAN_SECONDS_MAX and max(self.seconds) < WAIT_SECONDS_MAX


@dataclass
class Idlers:
    """Clients that send nothing, and how long each stayed."""

    stayed: list[float] = field(default_factory=list)
    here: int = 0
    most: int = 0

    async def stand(self, street: Street, address: str, *, comes_again: bool = False) -> None:
        while True:
            try:
                talk, said = await street.call(address)
                if said.code == 220:
                    await self._stay(street, talk)
            except (Gone, NetError):
                pass
            if not comes_again:
                return
            await asyncio.sleep(AGAIN_SECONDS)

    async def _stay(self, street: Street, talk: Talk) -> None:
        begun = street.now
        self.here += 1
        self.most = max(self.most, self.here)
        try:
            await talk.reply(10 * TIMEOUT_SECONDS)
        finally:
            self.here -= 1
            self.stayed.append(street.now - begun)


def words(street: Street) -> Counter[str]:
    """How often each word was logged."""
    return Counter(line.split()[0] for line in street.office.lines)


def lines_of(street: Street, prefix: str) -> list[str]:
    return [line for line in street.office.lines if f"peer={prefix}" in line]


STRANGERS = [f"192.0.{n}.7" for n in range(20)]


def test_a_thousand_connections_from_one_link_cost_nobody_else_a_place(tmp_path: Path) -> None:
    mail, idlers = GoodMail(), Idlers()

    async def story(street: Street) -> None:
        for n in range(1000):
            street.comes(idlers.stand(street, f"2001:db8:bad:1::{n + 1:x}"))
        await mail.stream(street, STRANGERS, 0.5, 200)
        assert idlers.here == 50
        await asyncio.sleep(TIMEOUT_SECONDS - street.now + 10)
        assert idlers.here == 0

    street = in_street(tmp_path, story)
    assert mail.has_gone_well()
    assert mail.refused == 0
    assert max(idlers.stayed) < TIMEOUT_SECONDS + 10
    assert (
        len(lines_of(street, "2001:db8:bad:1:")) <= 2 * 60 + 3
    )  # it came in one minute, and timed out in another
    assert "not-logged peer=2001:db8:bad:1::/64 line=refused-connection times=940" in street.office.lines


def test_strangers_from_everywhere_have_to_hurry_and_proven_senders_get_in(tmp_path: Path) -> None:
    proven, strange, idlers = GoodMail(), GoodMail(), Idlers()
    senders = [f"198.51.{n}.7" for n in range(20)]
    intake = ListedIntake()
    intake.proven = [ProvenPrefix(f"198.51.{n}.0/24", EPOCH_MS) for n in range(20)]  # from an earlier run

    async def story(street: Street) -> None:
        for n in range(300):
            street.comes(idlers.stand(street, f"10.{n >> 8}.{n & 255}.9", comes_again=True))
        both = (proven.stream(street, senders, 0.5, 50), strange.stream(street, STRANGERS, 0.5, 50))
        await asyncio.gather(*both)

    in_street(tmp_path, story, intake=intake, receive=Receive(connections=100))
    assert proven.has_gone_well()
    assert max(idlers.stayed) < 20
    assert len(strange.seconds) == 50, "others wait their turn, and get it"


async def guess(street: Street, address: str, guesses: int) -> list[int]:
    """The reply codes of this many unknown recipients, pipelined in one group."""
    codes = []
    talk, _ = await street.call(address)
    talk.say(
        "EHLO guess.example", "MAIL FROM:<>", *(f"RCPT TO:<guess{n}@example.net>" for n in range(guesses))
    )
    try:
        while True:
            codes.append((await talk.reply()).code)
    except Gone:
        return codes[2:]


def test_three_thousand_guesses_in_one_session_end_at_the_twentieth(tmp_path: Path) -> None:
    mail = GoodMail()
    heard: list[list[int]] = []

    async def guesses(street: Street) -> None:
        for _ in range(60):
            heard.append(await guess(street, "192.0.2.66", 3000))

    async def story(street: Street) -> None:
        for _ in range(10):
            street.comes(guesses(street))
        await mail.stream(street, STRANGERS, 0.2, 150)

    street = in_street(tmp_path, story)
    assert all(codes == [550] * 20 + [421] for codes in heard)
    assert len(heard) > 100
    assert mail.has_gone_well()
    assert mail.refused == 0
    assert len(lines_of(street, "192.0.2.66")) == 60


@pytest.mark.parametrize(("strangers", "each"), [(0, 100), (1000, 40)])
def test_two_large_providers_bring_good_mail_and_spam_and_none_of_the_good_is_refused(
    tmp_path: Path, strangers: int, each: int
) -> None:
    """`each` good senders from both networks at once, and half as many that only guess."""
    mail, idlers = GoodMail(), Idlers()
    networks = ("198.51.100", "198.51.101")

    async def spam(street: Street, address: str) -> None:
        while True:
            await guess(street, address, 30)

    async def story(street: Street) -> None:
        for network in networks:
            await mail.bring(street, f"{network}.9")
        for n in range(strangers):
            street.comes(idlers.stand(street, f"10.0.{n // 50}.9", comes_again=True))
        coming = []
        for n in range(each):
            for network in networks:
                coming.append(asyncio.ensure_future(mail.bring(street, f"{network}.{n % 10}")))
                if n % 2 == 0:
                    street.comes(spam(street, f"{network}.{n % 10}"))
        await asyncio.gather(*coming)

    in_street(tmp_path, story)
    assert len(mail.seconds) == 2 + 2 * each
    assert mail.refused == 0
    assert mail.has_gone_well()


async def forward(street: Street, recipients: list[str]) -> list[str]:
    """What a forwarder sends until every recipient is settled, with the reply codes."""
    settled: list[str] = []
    while len(recipients) > 0:
        talk, _ = await street.call("192.0.2.50")
        talk.say("EHLO list.example", "MAIL FROM:<>", *(f"RCPT TO:<{each}>" for each in recipients), "DATA")
        later = []
        try:
            await talk.reply()
            await talk.reply()
            taken: list[str] = []
            for n, each in enumerate(recipients):
                try:
                    code = (await talk.reply()).code
                except Gone:
                    code = 421
                if code == 421:
                    later = recipients[n:]
                    break
                (settled if code == 550 else taken).append(f"{code} {each}")
            else:
                assert (await talk.reply()).code == 354
                talk.send(BODY + b".\r\n")
                assert (await talk.reply()).code == 250
                settled += taken
        finally:
            talk.transport.close()
        recipients = later
    return settled


@pytest.mark.parametrize("bad_first", [False, True], ids=["among", "first"])
def test_a_forwarders_message_with_thirty_bad_recipients_reaches_the_ten_good_ones(
    tmp_path: Path, bad_first: bool
) -> None:
    good, bad = [str(each) for each in LISTED], [f"gone{n}@example.net" for n in range(30)]
    among = [each for n in range(10) for each in (*bad[3 * n : 3 * n + 3], good[n])]

    async def story(street: Street) -> None:
        settled = await forward(street, [*bad, *good] if bad_first else among)
        assert sorted(settled) == sorted([f"550 {each}" for each in bad] + [f"250 {each}" for each in good])

    street = in_street(tmp_path, story)
    [(arrival, _)] = street.office.intake.taken
    assert arrival.envelope.recipients == LISTED


# ---------------------------------------------------------------- places run short

CROWDED = Receive(connections=20)  # from the fourteenth connection on all get shorter time-outs


async def crowd(street: Street, idlers: Idlers, networks: range) -> None:
    for n in networks:
        street.comes(idlers.stand(street, f"10.0.{n}.9"))
    await asyncio.sleep(1)


def test_those_who_stand_already_have_to_hurry_too(tmp_path: Path) -> None:
    idlers = Idlers()

    async def story(street: Street) -> None:
        await crowd(street, idlers, range(13))
        await asyncio.sleep(60)
        assert idlers.here == 13
        await crowd(street, idlers, range(13, 14))
        await asyncio.sleep(20)
        assert idlers.here == 1, "those who stood longest are gone, and there is no pressure any more"
        assert max(idlers.stayed) < 63
        talk, _ = await street.call("192.0.2.1")
        await asyncio.sleep(TIMEOUT_SECONDS - 10)
        talk.say("EHLO slow.example")
        assert (await talk.reply()).ok, "all have their time again"

    street = in_street(tmp_path, story, receive=CROWDED)
    assert words(street)["lost-connection"] == 14


async def body_at(street: Street, address: str, octets: int, every_seconds: float, pieces: int) -> bool:
    """Whether a message sent at that pace is accepted."""
    talk, _ = await street.call(address)
    talk.say("EHLO slow.example", "MAIL FROM:<>", f"RCPT TO:<{LISTED[0]}>", "DATA")
    for _ in range(4):
        await talk.reply()
    try:
        for _ in range(pieces):
            talk.send(b"x" * (octets - 2) + b"\r\n")
            await asyncio.sleep(every_seconds)
        talk.send(b".\r\n")
        return (await talk.reply()).code == 250
    except Gone:
        return False


@pytest.mark.parametrize(
    ("octets", "every_seconds", "pieces", "taken"),
    [(600, 1.0, 200, True), (12_000, 20.0, 10, True), (10, 9.0, 20, False), (30_000, 40.0, 5, False)],
    ids=["slow line", "slow line with pauses", "drips", "long pauses"],
)
def test_a_slow_body_goes_on_and_one_that_drips_does_not(
    tmp_path: Path, octets: int, every_seconds: float, pieces: int, taken: bool
) -> None:
    idlers = Idlers()

    async def story(street: Street) -> None:
        for n in range(14):
            street.comes(idlers.stand(street, f"10.0.{n}.9", comes_again=True))
        await asyncio.sleep(1)
        assert await body_at(street, "192.0.2.1", octets, every_seconds, pieces) is taken

    in_street(tmp_path, story, receive=CROWDED)


def test_commands_that_lead_nowhere_hold_no_place_for_ever(tmp_path: Path) -> None:
    idlers = Idlers()

    async def turn_round(street: Street) -> float:
        talk, _ = await street.call("192.0.2.1")
        begun = street.now
        try:
            talk.say("EHLO round.example")
            await talk.reply()
            while True:
                talk.say("MAIL FROM:<>", "RSET")
                await talk.reply()
                await talk.reply()
                await asyncio.sleep(5)
        except Gone:
            return street.now - begun

    async def story(street: Street) -> None:
        for n in range(14):
            street.comes(idlers.stand(street, f"10.0.{n}.9", comes_again=True))
        await asyncio.sleep(1)
        assert await turn_round(street) < 131

    in_street(tmp_path, story, receive=CROWDED)


@dataclass
class SlowOffice(Office):
    """A primary that answers slowly."""

    async def _ask(self, mailbox: Mailbox, network: str) -> Knowledge:
        await asyncio.sleep(25)
        return Knowledge.KNOWN


def test_our_own_waiting_is_not_the_callers(tmp_path: Path) -> None:
    idlers = Idlers()

    async def story(street: Street) -> None:
        for n in range(14):
            street.comes(idlers.stand(street, f"10.0.{n}.9", comes_again=True))
        await asyncio.sleep(1)
        talk, _ = await street.call("192.0.2.1")
        talk.say("EHLO client.example", "MAIL FROM:<>", "RCPT TO:<anna@example.net>")
        assert [(await talk.reply()).code for _ in range(3)] == [250, 250, 250]
        await asyncio.sleep(8)
        talk.say("NOOP")
        assert (await talk.reply()).ok

    learning = Backup(DOMAIN, recipients=(LearnedRecipients(),))
    in_street(tmp_path, story, office=SlowOffice, backup=learning, receive=CROWDED)


def test_those_who_brought_nothing_hurry_first(tmp_path: Path) -> None:
    idlers, again, good = Idlers(), Idlers(), GoodMail()

    async def story(street: Street) -> None:
        await good.bring(street, "192.0.2.1")
        talk, _ = await street.call("192.0.2.2")
        talk.hang_up()
        await crowd(street, idlers, range(11))  # some pressure
        street.comes(again.stand(street, "192.0.2.2"))
        mannered, _ = await street.call("192.0.2.1")
        await asyncio.sleep(20)
        assert again.here == 0
        mannered.say("EHLO good.example")
        assert (await mannered.reply()).ok

    in_street(tmp_path, story, receive=CROWDED)


# ---------------------------------------------------------------- proven networks


@pytest.mark.parametrize(
    ("backup", "proven"),
    [
        (Backup(DOMAIN, recipients=(AnyRecipient(),)), ["192.0.2.0/24"]),
        (Backup(DOMAIN, recipients=(LearnedRecipients(),), unknown=Unknown.HOLD), []),
    ],
    ids=["for people who are here", "for nobody knows whom"],
)
def test_a_taken_message_proves_its_network_and_is_written_down(
    tmp_path: Path, backup: Backup, proven: list[str]
) -> None:
    mail = GoodMail()

    async def story(street: Street) -> None:
        for _ in range(3):
            await mail.bring(street, "192.0.2.9")
        await asyncio.sleep(1)

    street = in_street(tmp_path, story, backup=backup)
    assert len(street.office.intake.taken) == 3
    assert [one.prefix for one in street.office.intake.proven] == proven
