"""Logins to a smart host in a simulated internet; the password files are a dict."""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from secondpost.config.faults import Wrong
from secondpost.deliver.connection import Connection
from secondpost.deliver.entrances import Entrances
from secondpost.deliver.logins import (
    DEFERRED_SECONDS,
    REFUSED_SECONDS,
    REFUSED_SECONDS_MAX,
    LoginAttempt,
    Logins,
)
from secondpost.deliver.opening import Opener
from secondpost.deliver.probe import Visitor
from secondpost.deliver.unopened import Unopened
from secondpost.mail.address import Endpoint
from secondpost.mail.outcome import Cause
from secondpost.mail.plan import Hop, Login, Plan, TlsDemand
from secondpost.world.ports import ServerTls
from simulation.clock import Timeline, run
from simulation.dice import SimDice
from simulation.internet.net import SimInternet
from simulation.internet.talk import Talk
from simulation.work import SimWork

ADDRESSES = ("198.51.100.1", "198.51.100.2")
FILE = "/etc/secondpost/password"
LOGIN = Login("user", FILE)
WRONG, RIGHT = "wr\u00f6ng-pencil", "pencil"
PLAIN = "AUTH PLAIN " + b64encode(b"\0user\0pencil").decode()
# RFC 7677 §3
NONCE = "rOprNGfwEbeRWgbNEkqO"
SERVER_FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
SERVER_FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
CLIENT_FINAL = (
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)


class FixedDice(SimDice):
    """Draws the nonce of the RFC."""

    def token(self, octets: int) -> bytes:
        return b64decode(NONCE)


class SmartHost:
    """A smart host, and a Secondpost that opens connections to it."""

    def __init__(
        self,
        port: int = 587,
        tls: TlsDemand = TlsDemand.ENCRYPT,
        offers: str = "AUTH PLAIN LOGIN",
        starttls: bool = True,
        refusal: str = "535 5.7.8 Wrong",
        slowness: float = 0.0,
    ) -> None:
        self.timeline = Timeline(SimDice("smart host"))
        self.internet = SimInternet(self.timeline, SimDice("s"), SimDice("f"))
        self.internet.host("here", ("192.0.2.1",), "home")
        self.internet.host("there", ADDRESSES, "abroad").certificate = ("smtp.example",)
        self._net = self.internet.net_for("192.0.2.1")
        self._hop = Hop("smtp.example", ADDRESSES, port, tls, LOGIN)
        self._offers = offers
        self._starttls = starttls
        self._refusal = refusal
        self._slowness = slowness  # seconds before a refusal
        self.heard: list[str] = []  # lines of all connections, "TLS" between them
        self.files: dict[str, str] = {FILE: RIGHT}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def logins(self) -> list[str]:
        return [line for line in self.heard if line.startswith("AUTH")]

    def opening(self, story: Callable[["SmartHost", Opener], Awaitable[None]]) -> None:
        """Run a story with the opener."""

        async def in_it() -> None:
            for address in ADDRESSES:
                far = self.internet.net_for(address)
                await far.listen(partial(Talk, far, self._converse), Endpoint(address, self._hop.port))
            work = SimWork(self.internet.loop, SimDice("w"))
            logins = Logins(self._read, work, FixedDice("d"))
            await story(
                self,
                Opener(
                    self._net,
                    "here",
                    self._run,
                    Entrances(connections_max=20),
                    logins,
                    lambda site, offered: None,
                ),
            )

        run(in_it(), self.timeline, self.internet.loop)
        assert self.timeline.end() == []

    async def open(self, opener: Opener) -> Connection | Unopened:
        opened = await opener.open(Plan("smtp.example:587 as user", (self._hop,)), Visitor())
        if isinstance(opened, Connection):
            opened.quit()
        return opened

    async def refused(self, opener: Opener) -> Unopened:
        opened = await self.open(opener)
        assert isinstance(opened, Unopened)
        return opened

    def _read(self, path: str) -> str:
        if path not in self.files:
            raise Wrong(f'"{path}" cannot be read: No such file or directory')
        return self.files[path]

    def _run(self, work: object) -> None:
        assert asyncio.iscoroutine(work)
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- the other side
    async def _converse(self, talk: Talk) -> None:
        if self._hop.port == 465:
            await self._encrypt(talk)
        talk.say("220 smtp.example")
        while True:
            line = await talk.line()
            self.heard.append(line)
            word = line.split()[0]
            if word == "EHLO":
                talk.say(
                    "250-smtp.example", *(["250-STARTTLS"] if self._starttls else []), f"250 {self._offers}"
                )
            elif word == "STARTTLS":
                talk.say("220 go on")
                await self._encrypt(talk)
            elif line.startswith("AUTH SCRAM"):
                await self._scram(talk)
            elif word == "AUTH":
                await asyncio.sleep(0 if line == PLAIN else self._slowness)
                talk.say("235 2.7.0 Ok" if line == PLAIN else self._refusal)
            else:
                talk.say("221 bye")

    async def _encrypt(self, talk: Talk) -> None:
        await talk.start_tls(ServerTls())
        self.heard.append("TLS")

    async def _scram(self, talk: Talk) -> None:
        talk.say(f"334 {b64encode(SERVER_FIRST).decode()}")
        if await talk.line() != b64encode(CLIENT_FINAL).decode():
            talk.say(self._refusal)
            return
        talk.say(f"334 {b64encode(SERVER_FINAL).decode()}")
        assert await talk.line() == ""
        talk.say("235 2.7.0 Ok")


def test_the_password_goes_over_starttls_only() -> None:
    async def story(host: SmartHost, opener: Opener) -> None:
        assert isinstance(await host.open(opener), Connection)
        await asyncio.sleep(1)
        assert host.heard == ["EHLO here", "STARTTLS", "TLS", "EHLO here", PLAIN, "QUIT"]

    SmartHost().opening(story)


def test_on_port_465_tls_comes_before_the_greeting() -> None:
    async def story(host: SmartHost, opener: Opener) -> None:
        assert isinstance(await host.open(opener), Connection)
        await asyncio.sleep(1)
        assert host.heard == ["TLS", "EHLO here", PLAIN, "QUIT"]

    SmartHost(port=465, starttls=False).opening(story)


def test_scram_is_computed_aside_and_the_server_proves_itself() -> None:
    async def story(host: SmartHost, opener: Opener) -> None:
        assert isinstance(await host.open(opener), Connection)
        host.files[FILE] = WRONG
        assert (await host.refused(opener)).cause is Cause.LOGIN

    SmartHost(offers="AUTH LOGIN PLAIN SCRAM-SHA-256").opening(story)


@pytest.mark.parametrize("tls", [TlsDemand.OPPORTUNISTIC, TlsDemand.ENCRYPT, TlsDemand.VERIFY])
def test_a_server_that_offers_a_login_without_tls_hears_none(tls: TlsDemand) -> None:
    async def story(host: SmartHost, opener: Opener) -> None:
        await host.refused(opener)
        assert host.logins == []

    SmartHost(tls=tls, starttls=False).opening(story)


def test_a_refused_password_is_tried_at_one_address_and_then_rests_ever_longer() -> None:
    async def story(host: SmartHost, opener: Opener) -> None:
        host.files[FILE] = WRONG
        rest = REFUSED_SECONDS
        for times in range(1, 6):
            refusal = await host.refused(opener)
            assert (refusal.cause, str(refusal.reply)) == (Cause.LOGIN, "535 5.7.8 Wrong")
            assert len(host.logins) == times, "one address is enough"
            await asyncio.sleep(rest - 60)
            assert await host.refused(opener) == refusal
            assert len(host.logins) == times, "nothing was sent"
            await asyncio.sleep(60)
            rest = min(2 * rest, REFUSED_SECONDS_MAX)

    SmartHost().opening(story)


def test_a_new_password_is_tried_at_once_and_an_accepted_one_begins_anew() -> None:
    async def story(host: SmartHost, opener: Opener) -> None:
        host.files[FILE] = WRONG
        await host.refused(opener)
        host.files[FILE] = RIGHT
        assert isinstance(await host.open(opener), Connection)
        host.files[FILE] = WRONG
        await host.refused(opener)
        assert len(host.logins) == 3

    SmartHost().opening(story)


def test_connections_opened_at_the_same_time_count_as_one_attempt() -> None:
    async def story(host: SmartHost, opener: Opener) -> None:
        host.files[FILE] = WRONG
        await asyncio.gather(*(host.refused(opener) for _ in range(10)))
        tried = len(host.logins)
        assert tried <= 4, "no more than may be opening at one address"
        await asyncio.sleep(REFUSED_SECONDS + 1)
        await host.refused(opener)
        assert len(host.logins) == tried + 1

    SmartHost().opening(story)


@pytest.mark.parametrize("refusal", ["454 4.7.0 Try later", "421 4.7.0 Too many failures"])
def test_a_refusal_of_the_moment_rests_for_a_minute(refusal: str) -> None:
    async def story(host: SmartHost, opener: Opener) -> None:
        host.files[FILE] = WRONG
        await host.refused(opener)
        await host.refused(opener)
        assert len(host.logins) == 1
        await asyncio.sleep(DEFERRED_SECONDS)
        await host.refused(opener)
        assert len(host.logins) == 2

    SmartHost(refusal=refusal).opening(story)


def test_a_server_that_is_slow_to_refuse_is_not_asked_at_the_pace_of_the_probes() -> None:
    async def story(host: SmartHost, opener: Opener) -> None:
        host.files[FILE] = WRONG
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(20):
                    await host.open(opener)
            assert isinstance(await host.open(opener), Unopened)
            await asyncio.sleep(DEFERRED_SECONDS - 1)
            assert isinstance(await host.open(opener), Unopened)
            await asyncio.sleep(REFUSED_SECONDS_MAX)
        assert len(host.logins) == 3

    SmartHost(slowness=30.0).opening(story)


def test_a_password_that_cannot_be_read_is_said_and_nothing_is_sent() -> None:
    async def story(host: SmartHost, opener: Opener) -> None:
        del host.files[FILE]
        refusal = await host.refused(opener)
        assert refusal.cause is Cause.LOGIN
        assert str(refusal.reply) == f'451 4.7.0 "{FILE}" cannot be read: No such file or directory'
        assert host.heard == []
        host.files[FILE] = RIGHT
        assert isinstance(await host.open(opener), Connection)

    SmartHost().opening(story)


def test_no_password_is_in_a_representation() -> None:
    async def story(host: SmartHost, opener: Opener) -> None:
        host.files[FILE] = WRONG
        refusal = await host.refused(opener)
        attempt = await opener.logins.attempt(
            Hop("other.example", ("192.0.2.9",), 587, TlsDemand.ENCRYPT, LOGIN)
        )
        assert isinstance(attempt, LoginAttempt)
        opener.logins.failed(
            Hop("other.example", ("192.0.2.9",), 587, TlsDemand.ENCRYPT, LOGIN), attempt, refusal
        )
        shown = repr((refusal, attempt, opener, vars(opener.logins)))
        assert "pencil" not in shown
        assert WRONG not in shown

    SmartHost().opening(story)
