"""The story: an ordinary morning, a block, a blackout. Nothing is told as true that was not checked."""

import asyncio
import signal
from collections.abc import Sequence
from dataclasses import dataclass

from secondpost.demo.dialogue import SILENCE, Never, NotNow
from secondpost.demo.evidence import FalseClaim, check
from secondpost.demo.letters import Letter
from secondpost.demo.senders import Journey, SendingServer, Try
from secondpost.demo.service import NotStarted
from secondpost.demo.stage import PRIMARY, SECOND, NoStage, stage
from secondpost.demo.telling import Teller
from secondpost.demo.witness import ARRIVAL_SECONDS_MAX, ListedDelivery, Listing, Witness

TRUE, UNTRUE, INTERRUPTED = 0, 1, 130  # exit codes; the last is what a shell expects after Ctrl-C

PICTURE = f"""
    West  post.west.example ──┬──────►  {PRIMARY}  the primary, MX 10
                              │                  ▲
    East  mail.east.example ──┤                  │ hands on
                              │                  │
                              └──────►  {SECOND}       Secondpost, MX 20
"""


@dataclass(frozen=True, slots=True)
class Step:
    station: str
    what: str


@dataclass(frozen=True, slots=True)
class Way:
    steps: list[Step]


@dataclass(frozen=True, slots=True)
class Traced:
    """What the demo reads of `trace --json`."""

    messages: list[Way]


@dataclass(frozen=True, slots=True)
class ReadMail:
    """What the demo reads of `held show --json`."""

    sender: str
    headers: dict[str, str]


def play(fast: bool) -> int:
    """The exit code. Whatever was put up is taken down again, however it ends."""
    teller = Teller(fast)
    try:
        return asyncio.run(_interruptible(teller))
    except (KeyboardInterrupt, asyncio.CancelledError):
        teller.wrong("Interrupted. Everything that was put up for the demo is gone.")
        return INTERRUPTED
    except (NoStage, NotStarted, NotNow, Never) as fault:
        teller.wrong(f"The demo cannot go on: {fault}")
        return UNTRUE


async def _interruptible(teller: Teller) -> int:
    """SIGTERM and a closed terminal end it as Ctrl-C does: in good order."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    return await _whole(teller)


async def _whole(teller: Teller) -> int:
    began = asyncio.get_running_loop().time()
    await _prologue(teller)

    def tried(server: SendingServer, letter: Letter, one: Try) -> None:
        style = "red" if not one.taken else "green" if one.host == PRIMARY else "yellow"
        sign = "→" if one.taken else "✗"
        who = f"{server.network.name}, letter {letter.number}"
        teller.happened(who, f"{sign} {one.host}: {one.said}", style)

    async with stage(tried) as on_stage:
        await teller.happens("Secondpost", f"is up, and greets as {SECOND}")
        story = Story(teller, Witness(on_stage))
        try:
            await story.ordinary_morning()
            await story.block()
            await story.blackout()
        except FalseClaim as false:
            teller.wrong(f"This was claimed, and is not so: {false}")
            teller.log(on_stage.service.end_of_log())
            return UNTRUE
    await _epilogue(teller, asyncio.get_running_loop().time() - began)
    return TRUE


async def _prologue(teller: Teller) -> None:
    await teller.act("Secondpost: the second post office of your domain")
    await teller.prose(
        f"""Ada has a domain, example.net, and a mail provider. Friends write to her from two networks,
        West and East. DNS names two mail servers for her domain: her provider's, {PRIMARY}, and
        behind it, as second choice, a small machine of her own, {SECOND}. That one runs
        Secondpost, the real one. All the rest is played, on loopback, with real sockets: a DNS server,
        two networks, two sending servers and the provider."""
    )
    teller.picture(PICTURE)


async def _epilogue(teller: Teller, seconds: float) -> None:
    await teller.act("That is what it is for")
    await teller.prose(
        f"""{teller.claims} claims, each checked against the primary's mailbox and the real commands,
        in {seconds:.0f} seconds. The stage is empty again: no process, no port, no file is left.
        README.md tells how to run your own."""
    )


@dataclass(frozen=True, slots=True)
class Story:
    teller: Teller
    witness: Witness

    async def ordinary_morning(self) -> None:
        teller, witness, west, east = self.teller, self.witness, *self._servers()
        await teller.act("An ordinary morning")
        journeys = await witness.post((west, "Lunch?"), (east, "The book you lent me"))
        arrivals = await witness.arrived(journeys)
        for journey in journeys:
            check("the primary takes ordinary mail", PRIMARY, journey.taken_by)
            witness.check_direct(journey, arrivals)
        await teller.true("Both letters lie in the primary's mailbox, byte for byte as they were written.")
        every_state = ("--state", "waiting", "--state", "delivered", "--state", "kept")
        seen = await witness.document(Listing, "queue", "list", *every_state, "--json")
        check("Secondpost has seen nothing yet", [], seen.deliveries)
        await teller.true("Secondpost was not needed, and has seen none of it.")

    async def block(self) -> None:
        teller, witness, west, east = self.teller, self.witness, *self._servers()
        border = witness.stage.east_to_primary
        await teller.act("Act one: a border closes")
        await teller.prose(
            """A regulator in East decides that nobody there may reach Ada's provider any more. There is
            no refusal and no error, only silence, as it is usually done. Friends write on."""
        )
        border.close_border()
        await teller.happens("East", f"no longer lets anybody through to {PRIMARY}", "red")
        subjects = ("Are you well?", "Photos from the coast", "Re: The book you lent me")
        journeys = await witness.post(*((server, s) for s in subjects for server in (west, east)))
        arrivals = await witness.arrived(journeys)
        from_west, from_east = journeys[0::2], journeys[1::2]
        for journey in from_west:
            check("West's mail goes direct", PRIMARY, journey.taken_by)
            witness.check_direct(journey, arrivals)
        for journey in from_east:
            first = (journey.tries[0].host, journey.tries[0].said)
            check("East's mail tries the primary first, and hears nothing", (PRIMARY, SILENCE), first)
            witness.check_through_us(journey, arrivals)
        check("East's border swallowed every try", len(from_east), border.swallowed)
        await teller.true("West still writes to the provider directly: nothing was added to its letters.")
        await teller.true("East's met silence, fell back to Secondpost, and it handed them on at once.")
        await teller.true("Each arrived once, byte for byte, with exactly one Received line more.")
        seconds = max(self._seconds(journey, arrivals[journey.letter.number].at) for journey in from_east)
        check("East's letters arrive within seconds", True, seconds <= ARRIVAL_SECONDS_MAX)
        await teller.true(f"The slowest was there {seconds:.1f} s after it was written.")

    async def blackout(self) -> None:
        teller, witness, west, east = self.teller, self.witness, *self._servers()
        await teller.act("Act two: the provider goes dark")
        await teller.prose(
            """Then the lights go out in the provider's data centre. Now nobody reaches it, from anywhere.
            Without a second post office letters wait at their senders, and some senders give up within
            a day."""
        )
        await witness.stage.primary.switch_off()
        await teller.happens("The provider", f"{PRIMARY} is gone", "red")
        journeys: list[Journey] = []
        for subject in ("Contract, please sign", "Is your mail down?", "Dinner on Friday"):
            for server in (west, east):
                journeys += await witness.post((server, subject))
        for journey in journeys:
            check("Secondpost takes what the primary cannot", SECOND, journey.taken_by)
        await teller.true("Secondpost took all six: no sender has anything left to wait for.")
        held = await self._holds(journeys)
        await self._reads(held[0], journeys[0].letter)
        await self._loses_power(held)
        await self._drains(journeys, held[-1])

    async def _holds(self, journeys: Sequence[Journey]) -> list[ListedDelivery]:
        teller, witness = self.teller, self.witness
        with teller.meanwhile("Secondpost finds that the primary is down"):
            held = await witness.held(len(journeys))
        sent = [(journey.letter.sender, journey.letter.recipient) for journey in journeys]
        check(
            "held is exactly what was sent, in its order", sent, [(one.sender, one.recipient) for one in held]
        )
        check("held because the primary is down", {"held (primary)"}, {one.standing for one in held})
        check("nothing arrived meanwhile", [], witness.in_mailbox(journeys))
        await teller.screen("secondpost held list", _narrow(await witness.output("held", "list")))
        await teller.true("Secondpost holds exactly these six, in the order in which they came.")
        return held

    async def _reads(self, held: ListedDelivery, letter: Letter) -> None:
        mail = await self.witness.document(ReadMail, "held", "show", held.message, "--json")
        check("Ada reads held mail", (letter.sender, letter.subject), (mail.sender, mail.headers["Subject"]))
        raw = await self.witness.output("held", "show", held.message, "--raw")
        check("what is held is the letter itself", True, raw.encode().endswith(letter.data))
        await self.teller.true(f"Ada need not wait: `held show` lets her read “{letter.subject}” now.")

    async def _loses_power(self, held: list[ListedDelivery]) -> None:
        teller, witness = self.teller, self.witness
        await teller.prose("And as bad days go, somebody pulls the plug of Ada's own machine.")
        await witness.stage.service.kill()
        check("Secondpost is gone", False, await witness.stage.service.greets())
        await teller.happens("Secondpost", "all its processes are killed (SIGKILL), and started again", "red")
        with teller.meanwhile("Secondpost starts"):
            await witness.stage.service.start()
        check("what was acknowledged is still there", held, await witness.held(len(held)))
        await teller.true("All six are still there: what Secondpost answers 250 to is on the disk.")

    async def _drains(self, journeys: Sequence[Journey], last: ListedDelivery) -> None:
        teller, witness = self.teller, self.witness
        await teller.prose("The lights go on again. Nobody tells Secondpost: it looks by itself.")
        back = asyncio.get_running_loop().time()
        await witness.stage.primary.switch_on()
        await teller.happens("The provider", f"{PRIMARY} is back", "green")
        with teller.meanwhile("Secondpost hands over what it held"):
            arrivals = await witness.arrived(journeys)
        for journey in journeys:
            witness.check_through_us(journey, arrivals)
        times = sorted(arrived.at - back for arrived in arrivals.values())
        await teller.true(
            f"The first letter was there after {times[0]:.1f} s, all six after {times[-1]:.1f} s."
        )
        by_arrival = sorted(arrivals, key=lambda number: arrivals[number].at)
        check("they come in the order they were sent", [one.letter.number for one in journeys], by_arrival)
        await teller.true("In the order in which they came; each once, and with one Received line more.")
        check("nothing is held any more", [], await witness.held(0))
        waiting = await witness.document(Listing, "queue", "list", "--json")
        check("nothing waits any more", [], waiting.deliveries)
        await teller.true("Nothing is held any more, and nothing waits.")
        way = (await witness.document(Traced, "trace", last.message, "--json")).messages[0]
        ends = (way.steps[0].station, way.steps[-1].station, way.steps[-1].what)
        check("the trace leads from receive to deliver", ("receive", "deliver", "delivered"), ends)
        await teller.screen(f"secondpost trace {last.message}", await witness.output("trace", last.message))
        await teller.true("And the way of every letter can be told, station by station.")

    def _servers(self) -> tuple[SendingServer, SendingServer]:
        return self.witness.stage.west, self.witness.stage.east

    def _seconds(self, journey: Journey, at: float) -> float:
        """From writing to arrival."""
        return at - self.witness.posted[journey.letter.number]


def _narrow(listing: str) -> str:
    """Without the last column, for which a story has no room."""
    lines = listing.splitlines()
    end = len(lines[0].partition("last answer")[0])
    return "\n".join(line[:end].rstrip() for line in lines)
