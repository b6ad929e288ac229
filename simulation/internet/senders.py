"""Other people's sending servers, with a queue as real ones have.

They try the MX hosts by preference, retry with growing pauses, and record each reply. Manners are
data: pipelining, TLS, letters per connection, and faults on their side.
"""

import asyncio
from dataclasses import dataclass, field

from secondpost.mail.address import Domain, Endpoint
from secondpost.mail.questions import Finding
from secondpost.world.ports import ClientTls, NetError
from simulation.dice import SimDice
from simulation.internet.dns import SimResolver
from simulation.internet.net import SimNet
from simulation.internet.talk import Gone, Said, Talk
from simulation.people.letters import Handing, Heard, LetterLedger, MarkedLetter

CONNECT_SECONDS = 30.0
DOT_SECONDS = 600.0
AGAIN_FIRST_SECONDS = 300.0
AGAIN_MAX_SECONDS = 900.0
TRIES_MAX = 400


@dataclass(frozen=True, slots=True)
class Manners:
    extended: bool = True  # EHLO; False: an old server that sends HELO
    pipelines: bool = False
    uses_tls: bool = True
    per_connection: int = 1
    ends_with_dot: bool = False  # dot, QUIT and FIN in one segment, as Exim does with its last message
    vanishes_chance: float = 0.0  # disconnects between the final dot and the reply
    breaks_chance: float = 0.0  # disconnects in the middle of DATA
    only_to: str | None = None  # an IP address: ignores the MX records and sends there


@dataclass(slots=True)
class Pending:
    letter: MarkedLetter
    recipients: list[str]  # not yet settled, all of one domain unless the sender ignores MX records
    tries: int = 0


class SimSender:
    def __init__(
        self,
        name: str,
        net: SimNet,
        resolver: SimResolver,
        manners: Manners,
        ledger: LetterLedger,
        dice: SimDice,
    ) -> None:
        self.name = name
        self.unsettled = 0
        self._net = net
        self._resolver = resolver
        self._manners = manners
        self._ledger = ledger
        self._dice = dice
        self._due: dict[str, list[Pending]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def give(self, letter: MarkedLetter) -> None:
        """Put a letter into the queue."""
        self._ledger.letters[letter.marker] = letter
        groups: dict[str, list[str]] = {}
        for recipient in letter.recipients:
            domain = recipient.rpartition("@")[2] if self._manners.only_to is None else "*"
            groups.setdefault(domain, []).append(recipient)
        for domain, recipients in groups.items():
            self.unsettled += 1
            self._queue(domain, Pending(letter, recipients), self._dice.between(0.0, 1.0))

    def _queue(self, domain: str, pending: Pending, seconds: float) -> None:
        self._net.loop.call_later(seconds, self._ripe, domain, pending)

    def _ripe(self, domain: str, pending: Pending) -> None:
        waiting = self._due.setdefault(domain, [])
        waiting.append(pending)
        if len(waiting) == 1:
            self._net.loop.call_later(0.5, self._go, domain)

    def _go(self, domain: str) -> None:
        waiting = self._due.pop(domain, [])
        for start in range(0, len(waiting), self._manners.per_connection):
            batch = waiting[start : start + self._manners.per_connection]
            task = self._net.loop.create_task(self._attempt(domain, batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _attempt(self, domain: str, batch: list[Pending]) -> None:
        for address in await self._addresses(domain):
            open_ones = [pending for pending in batch if len(pending.recipients) > 0]
            if len(open_ones) == 0:
                break
            try:
                await Visit(self._net, self.name, address, self._manners, self._ledger, self._dice).bring(
                    open_ones
                )
            except (Gone, NetError):
                continue
        for pending in batch:
            pending.tries += 1
            if len(pending.recipients) == 0:
                self.unsettled -= 1
            elif pending.tries >= TRIES_MAX:
                self.unsettled -= 1
                self._ledger.undeliverable.append(pending.letter.marker)
            else:
                pause = min(AGAIN_FIRST_SECONDS * 2 ** (pending.tries - 1), AGAIN_MAX_SECONDS)
                self._queue(domain, pending, pause * self._dice.between(0.7, 1.3))

    async def _addresses(self, domain: str) -> list[str]:
        if self._manners.only_to is not None:
            return [self._manners.only_to]
        answer = await self._resolver.mx(Domain(domain))
        if answer.finding is not Finding.FOUND:
            return []
        found: list[str] = []
        for record in sorted(answer.records, key=lambda record: record.preference):
            found.extend((await self._resolver.addresses(record.host)).addresses)
        return found


@dataclass(slots=True)
class Visit:
    """One connection to one server."""

    net: SimNet
    name: str
    address: str
    manners: Manners
    ledger: LetterLedger
    dice: SimDice
    offers: frozenset[str] = field(default_factory=frozenset)
    has_quit: bool = False

    async def bring(self, batch: list[Pending]) -> None:
        talk = Talk(self.net)
        await self.net.connect(lambda: talk, Endpoint(self.address, 25), CONNECT_SECONDS)
        try:
            await self._greet(talk)
            for pending in batch:
                await self._transact(talk, pending, last=pending is batch[-1])
            if not self.has_quit:
                talk.say("QUIT")
            await talk.reply(30.0)
        finally:
            talk.transport.close()

    async def _greet(self, talk: Talk) -> None:
        _must(await talk.reply())
        await self._hello(talk)
        if self.manners.uses_tls and "STARTTLS" in self.offers:
            talk.say("STARTTLS")
            _must(await talk.reply())
            await talk.start_tls(ClientTls(self.address, verify=False))
            await self._hello(talk)

    async def _hello(self, talk: Talk) -> None:
        talk.say(f"{'EHLO' if self.manners.extended else 'HELO'} {self.name}")
        said = await talk.reply()
        _must(said)
        self.offers = frozenset(line.split(" ")[0].upper() for line in said.text.split("\n")[1:])

    async def _transact(self, talk: Talk, pending: Pending, *, last: bool) -> None:
        """Run one transaction and settle its recipients; raises Gone for a useless connection."""
        letter, recipients = pending.letter, list(pending.recipients)
        mail = f"MAIL FROM:<{letter.sender}>"
        mail += f" SIZE={len(letter.content)}" if "SIZE" in self.offers else ""
        mail += " BODY=8BITMIME" if "8BITMIME" in self.offers and letter.eight_bit else ""
        commands = [mail, *(f"RCPT TO:<{recipient}>" for recipient in recipients), "DATA"]
        if self.manners.pipelines and "PIPELINING" in self.offers:
            talk.say(*commands)
            mailed = await talk.reply()
            taken = [await talk.reply() for _ in recipients]
            data = await talk.reply()
        else:
            talk.say(commands[0])
            mailed = await talk.reply()
            taken = []
            data = Said(0, "")
            for command in commands[1:-1] if mailed.ok else ():
                talk.say(command)
                taken.append(await talk.reply())
            if any(said.ok for said in taken):
                talk.say("DATA")
                data = await talk.reply()
        accepted = self._settle_refused(pending, recipients, mailed, taken)
        if data.code == 354:
            self.has_quit = last and self.manners.ends_with_dot and len(accepted) > 0
            await self._content(talk, pending, accepted)
        elif len(accepted) == 0 or data.code != 0:
            talk.say("RSET")
            _must(await talk.reply())

    def _settle_refused(
        self, pending: Pending, recipients: list[str], mailed: Said, taken: list[Said]
    ) -> list[str]:
        """Drop recipients that were refused permanently; return those that were accepted."""
        if not mailed.ok:
            if mailed.permanent:
                for recipient in recipients:
                    self._record(pending, (recipient,), Heard.REFUSED, mailed)
                    pending.recipients.remove(recipient)
            return []
        for recipient, said in zip(recipients, taken, strict=True):
            if said.permanent:
                self._record(pending, (recipient,), Heard.REFUSED, said)
                pending.recipients.remove(recipient)
        return [recipient for recipient, said in zip(recipients, taken, strict=True) if said.ok]

    async def _content(self, talk: Talk, pending: Pending, accepted: list[str]) -> None:
        content = pending.letter.content
        if len(accepted) == 0:  # RFC 2920 §3.1: 354 although no recipient was accepted; a lone dot ends it
            talk.send(b".\r\n")
            await talk.reply(DOT_SECONDS)
            return
        if self.dice.chance(self.manners.breaks_chance):
            talk.send_message(content[: self.dice.whole(0, len(content) - 1)])
            await asyncio.sleep(self.dice.fraction())
            talk.hang_up()
            raise Gone("broke off")
        talk.send_message(content)
        talk.send(b".\r\nQUIT\r\n" if self.has_quit else b".\r\n")
        if self.has_quit:
            talk.end_sending()
        if self.dice.chance(self.manners.vanishes_chance):
            await asyncio.sleep(0.3 * self.dice.fraction())
            self._record(pending, tuple(accepted), Heard.UNANSWERED, Said(0, "vanished"))
            talk.hang_up()
            raise Gone("vanished")
        try:
            said = await talk.reply(DOT_SECONDS)
        except Gone:
            self._record(pending, tuple(accepted), Heard.UNANSWERED, Said(0, "gone"))
            raise
        if said.ok:
            self._record(pending, tuple(accepted), Heard.ACKNOWLEDGED, said)
        elif said.permanent:
            self._record(pending, tuple(accepted), Heard.REFUSED, said)
        if said.ok or said.permanent:
            for recipient in accepted:
                pending.recipients.remove(recipient)

    def _record(self, pending: Pending, recipients: tuple[str, ...], heard: Heard, said: Said) -> None:
        at = self.net.internet.timeline.now
        reply = f"{said.code} {said.text}"
        self.ledger.handings.append(
            Handing(pending.letter.marker, recipients, self.address, heard, at, reply)
        )


def _must(said: Said) -> None:
    if not said.ok:
        raise Gone(f"{said.code} {said.text}")
