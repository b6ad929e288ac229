"""Other people's receiving servers: they keep what they accept, each with a character.

A character is data. It may change during a day, and applies from the next command on.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from secondpost.mail.address import Endpoint
from secondpost.world.ports import Listening, ServerTls
from simulation.dice import SimDice
from simulation.internet.net import SimNet
from simulation.internet.talk import Gone, Talk
from simulation.people.letters import marker_of

BODY_SECONDS = 600.0
SILENCE_SECONDS = 10_000.0
BODY_OCTETS_MAX = 50_000_000


class Drop(StrEnum):
    """Where a server drops the connection."""

    GREETING = "greeting"
    RCPT = "rcpt"
    DATA = "data"  # in the middle of the content
    DOT_UNTAKEN = "dot, nothing taken"
    DOT_TAKEN = "dot, taken all the same"


@dataclass(frozen=True, slots=True)
class Character:
    greylist_seconds: float = 0.0  # counted from the first time a (client, sender, recipient) comes
    tarpit_seconds: float = 0.0  # before every reply
    drop: Drop | None = None
    drop_chance: float = 0.0
    full_chance: float = 0.0  # 452 to a RCPT
    reputation_chance: float = 0.0  # 550 5.7.1 to a RCPT: all our mail is refused
    dot_refused_chance: float = 0.0  # 554 to the content
    dot_deferred_chance: float = 0.0  # 451 to the content
    lie_chance: float = 0.0  # a malformed reply, or a wrong code
    offers_tls: bool = True
    pipelining: bool = True
    shutdown_chance: float = 0.0  # 421 to MAIL
    mute: bool = False  # accepts connections and never replies

    @property
    def is_benign(self) -> bool:
        """Whether it accepts all mail for its existing recipients at once."""
        return (
            self.greylist_seconds == 0
            and self.tarpit_seconds == 0
            and not self.mute
            and self.drop is None
            and self.full_chance + self.dot_refused_chance + self.dot_deferred_chance == 0
            and self.lie_chance + self.shutdown_chance + self.reputation_chance == 0
        )


BENIGN = Character()
MUTE = Character(mute=True)
CHARACTERS = (
    Character(greylist_seconds=300.0),
    Character(tarpit_seconds=5.0),
    Character(tarpit_seconds=40.0),
    Character(drop=Drop.GREETING, drop_chance=0.5),
    Character(drop=Drop.RCPT, drop_chance=0.3),
    Character(drop=Drop.DATA, drop_chance=0.3),
    Character(drop=Drop.DOT_UNTAKEN, drop_chance=0.3),
    Character(drop=Drop.DOT_TAKEN, drop_chance=0.3),
    Character(full_chance=0.3),
    Character(dot_refused_chance=0.2),
    Character(dot_deferred_chance=0.3),
    Character(lie_chance=0.05),
    Character(offers_tls=False, pipelining=False),
    Character(shutdown_chance=0.3),
)
PLAIN_LIES = ("250", "554")
LIES = (*PLAIN_LIES, "999 what", "garbage", "354 go", "220 hello", "25", "250-never ends\r\n251 ", "\x00\x01")


class Conclusion(StrEnum):
    """What a client may conclude from a reply."""

    YES = "yes"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that this server has in its mailboxes."""

    marker: str | None
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    peer: str  # IP address
    mailed_seconds: float  # when its MAIL was received
    at_seconds: float
    replied: bool  # False: it was taken, but the client got no reply


@dataclass(frozen=True, slots=True)
class HeardRcpt:
    """A RCPT that was received, or a MAIL that was refused (recipient ""), whatever the reply."""

    peer: str
    sender: str
    recipient: str
    at_seconds: float


class ReceivingServer:
    def __init__(self, name: str, address: str, net: SimNet, domains: frozenset[str], dice: SimDice) -> None:
        self.name = name
        self.address = address
        self.net = net
        self.domains = domains
        self.character = BENIGN
        self.taken: list[Taken] = []
        self.offered: list[HeardRcpt] = []
        self.unknown: frozenset[str] = frozenset()  # local parts that do not exist here: 550
        self.refused: set[tuple[str, str]] = set()  # (sender, recipient) that we may have answered with 5xx
        self.refused_senders: set[str] = set()
        self.read: Callable[[Taken], None] = lambda taken: None  # called per message
        self._dice = dice
        self._grey: dict[tuple[str, str, str], float] = {}
        self._door: Listening | None = None

    async def open(self) -> None:
        if self._door is None:
            self._door = await self.net.listen(
                lambda: Talk(self.net, self._answer), Endpoint(self.address, 25)
            )

    def shut(self) -> None:
        """Stop the service: connections are closed, new ones refused."""
        self.net.die(silently=False)
        self._door = None

    async def _answer(self, talk: Talk) -> None:
        peer = talk.transport.get_extra_info("peername")[0]
        await PrimarySession(self, talk, peer).serve()

    def now(self) -> float:
        return self.net.internet.timeline.now

    def strikes(self, drop: Drop) -> bool:
        return self.character.drop is drop and self._dice.chance(self.character.drop_chance)

    def chance(self, probability: float) -> bool:
        return probability > 0 and self._dice.chance(probability)

    def lie(self) -> str:
        return self._dice.one_of(LIES)

    def is_grey(self, peer: str, sender: str, recipient: str) -> bool:
        first = self._grey.setdefault((peer, sender, recipient), self.now())
        return self.now() - first < self.character.greylist_seconds


@dataclass(slots=True)
class PrimarySession:
    """One client's session."""

    server: ReceivingServer
    talk: Talk
    peer: str
    sender: str | None = None
    named: str = ""  # the path of the last MAIL, accepted or not
    mailed_seconds: float = 0.0
    recipients: list[str] = field(default_factory=list)
    malformed: bool = False  # sent a malformed reply: accepts nothing more in this session

    async def serve(self) -> None:
        if self.server.strikes(Drop.GREETING):
            self.talk.hang_up()
            return
        await self._say_nothing_when_mute()
        await self._reply(f"220 {self.server.name} ESMTP")
        while True:
            line = await self.talk.line()
            await self._say_nothing_when_mute()
            verb, _, rest = line.partition(" ")
            match verb.upper():
                case "EHLO" | "HELO":
                    self._reset()
                    await self._reply(*self._greeting(verb.upper()))
                case "STARTTLS":
                    await self._reply("220 2.0.0 go on")
                    await self.talk.start_tls(ServerTls())
                    self._reset()
                case "MAIL":
                    await self._mail(rest)
                case "RCPT":
                    await self._rcpt(rest)
                case "DATA":
                    await self._data()
                case "RSET":
                    self._reset()
                    await self._reply("250 2.0.0 ok")
                case "NOOP":
                    await self._reply("250 2.0.0 ok")
                case "QUIT":
                    await self._reply("221 2.0.0 bye")
                    return
                case _:
                    self.server.refused_senders.add(self.named)
                    await self._reply("500 5.5.1 what?")

    def _greeting(self, verb: str) -> tuple[str, ...]:
        if verb == "HELO":
            return (f"250 {self.server.name}",)
        character = self.server.character
        tls = character.offers_tls and self.server.net.offers_tls and not self.talk.encrypted
        words = ["8BITMIME", "ENHANCEDSTATUSCODES", f"SIZE {BODY_OCTETS_MAX}"]
        words += ["PIPELINING"] if character.pipelining else []
        words += ["STARTTLS"] if tls else []
        lines = [self.server.name, *words]
        return (*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}")

    async def _mail(self, rest: str) -> None:
        if self.server.chance(self.server.character.shutdown_chance):
            await self._reply("421 4.3.2 shutting down")
            raise Gone("shut down")
        self._reset()
        self.mailed_seconds = self.server.now()
        self.named = _path(rest)
        if await self._reply("250 2.1.0 ok") == Conclusion.YES:
            self.sender = self.named
        else:
            self.server.refused_senders.add(self.named)
            self.server.offered.append(HeardRcpt(self.peer, self.named, "", self.server.now()))

    async def _rcpt(self, rest: str) -> None:
        recipient = _path(rest)
        server = self.server
        if self.sender is None:
            server.refused.add((self.named, recipient))
            await self._reply("503 5.5.1 MAIL first")
            return
        server.offered.append(HeardRcpt(self.peer, self.sender, recipient, server.now()))
        if server.strikes(Drop.RCPT):
            self.talk.hang_up()
            raise Gone("dropped")
        local, _, domain = recipient.rpartition("@")
        if domain not in server.domains:
            server.refused.add((self.sender, recipient))
            await self._reply("550 5.7.1 we do not relay")
        elif local in server.unknown:
            server.refused.add((self.sender, recipient))
            await self._reply("550 5.1.1 no such user")
        elif server.is_grey(self.peer, self.sender, recipient):
            await self._reply("450 4.7.1 come again later")
        elif server.chance(server.character.full_chance):
            await self._reply("452 4.2.2 mailbox full")
        elif server.chance(server.character.reputation_chance):
            server.refused.add((self.sender, recipient))
            await self._reply("550 5.7.1 your network has a bad name")
        else:
            # The reply counts, even a wrong one: only what the client heard can be required of it.
            believed = await self._reply("250 2.1.5 ok")
            if believed == Conclusion.YES:
                self.recipients.append(recipient)
            else:
                server.refused.add((self.sender, recipient))  # maybe: the reply may be malformed

    async def _data(self) -> None:
        server = self.server
        if len(self.recipients) == 0 or self.sender is None or self.malformed:
            server.refused_senders.add(self.named)
            await self._reply("503 5.5.1 RCPT first")
            return
        await self._reply("354 go", may_lie=False)
        if server.strikes(Drop.DATA):
            await self.talk.line()
            self.talk.hang_up()
            raise Gone("dropped")
        content = await self.talk.message(BODY_SECONDS, BODY_OCTETS_MAX)
        await self._say_nothing_when_mute()
        if server.strikes(Drop.DOT_UNTAKEN):
            self.talk.hang_up()
            raise Gone("dropped")
        if server.chance(server.character.dot_refused_chance):
            self._refused()
            await self._reply("554 5.6.0 we do not like it", may_lie=False)
        elif server.chance(server.character.dot_deferred_chance):
            await self._reply("451 4.3.0 not now", may_lie=False)
        elif server.strikes(Drop.DOT_TAKEN) or server.chance(server.character.lie_chance):
            self._take(content, replied=False)
            if server.character.drop is Drop.DOT_TAKEN:
                self.talk.hang_up()
                raise Gone("dropped")
            self._refused()
            self.talk.say(server.lie())
        else:
            self._take(content, replied=True)
            await self._reply("250 2.0.0 taken", may_lie=False)
        self._reset()

    async def _say_nothing_when_mute(self) -> None:
        """While the server is mute, read and do not reply; the client gives up at some time."""
        while self.server.character.mute:
            await self.talk.line(SILENCE_SECONDS)

    def _take(self, content: bytes, *, replied: bool) -> None:
        assert self.sender is not None
        taken = Taken(
            marker_of(content),
            self.sender,
            tuple(self.recipients),
            content,
            self.peer,
            self.mailed_seconds,
            self.server.now(),
            replied,
        )
        self.server.taken.append(taken)
        self.server.read(taken)

    def _refused(self) -> None:
        assert self.sender is not None
        self.server.refused.update((self.sender, recipient) for recipient in self.recipients)

    def _reset(self) -> None:
        self.sender = None
        self.recipients.clear()

    async def _reply(self, *lines: str, may_lie: bool = True) -> Conclusion:
        character = self.server.character
        if character.tarpit_seconds > 0:
            await asyncio.sleep(character.tarpit_seconds)
        if may_lie and self.server.chance(character.lie_chance):
            lie = self.server.lie()
            self.malformed = self.malformed or lie not in PLAIN_LIES
            self.talk.say(lie)
            return Conclusion.YES if lie == "250" else Conclusion.NO
        self.talk.say(*lines)
        return Conclusion.YES if lines[0].startswith("250") else Conclusion.NO


def _path(rest: str) -> str:
    """The path between the brackets of FROM:<…> or TO:<…>."""
    return rest.partition("<")[2].partition(">")[0]
