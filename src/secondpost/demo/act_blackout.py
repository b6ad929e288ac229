"""Act two: the primary is down for everyone; Secondpost holds the mail and delivers it later."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from secondpost.demo.evidence import check
from secondpost.demo.senders import Journey
from secondpost.demo.stage import PRIMARY, SECOND
from secondpost.demo.telling import Teller
from secondpost.demo.witness import ListedDelivery, Witness


@dataclass(frozen=True, slots=True)
class TracedStep:
    station: str
    what: str


@dataclass(frozen=True, slots=True)
class TracedWay:
    steps: list[TracedStep]


@dataclass(frozen=True, slots=True)
class TraceJson:
    """The part of `trace --json` that the demo reads."""

    messages: list[TracedWay]


@dataclass(frozen=True, slots=True)
class Blackout:
    teller: Teller
    witness: Witness

    async def play(self) -> None:
        teller, witness = self.teller, self.witness
        await teller.act("Act two: the provider goes dark")
        await teller.prose(
            """Then the lights go out in the provider's data centre: now nobody reaches it. Without a
            second post office letters wait at their senders, and some senders soon give up."""
        )
        await witness.stage.primary.switch_off()
        teller.happens("The provider", f"{PRIMARY} is gone", "red")
        journeys: list[Journey] = []
        for subject in ("Contract, please sign", "Is your mail down?", "Dinner on Friday"):
            for server in (witness.stage.west, witness.stage.east):
                journeys += await witness.post((server, subject))
        for journey in journeys:
            check("Secondpost takes what the primary cannot", SECOND, journey.taken_by)
        await teller.true("Secondpost took all six: no sender has anything left to wait for.")
        held = await self._holds(journeys)
        await self._loses_power(held)
        await self._drains(journeys, held[-1])

    async def _holds(self, journeys: Sequence[Journey]) -> list[ListedDelivery]:
        teller, witness = self.teller, self.witness
        with teller.meanwhile("Secondpost finds that the primary is down"):
            held = await witness.listed("held", len(journeys))
        sent = [(journey.letter.sender, journey.letter.recipient) for journey in journeys]
        check(
            "held is exactly what was sent, in its order", sent, [(one.sender, one.recipient) for one in held]
        )
        check("held because the primary is down", {"held (primary)"}, {one.standing for one in held})
        check("nothing arrived meanwhile", [], witness.in_mailbox(journeys))
        listed, raw = await asyncio.gather(
            witness.output("held", "list"),
            witness.output("held", "show", held[0].message, "--raw"),
        )
        await teller.screen("secondpost held list", _narrow(listed))
        await teller.true("Secondpost holds exactly these six, in the order in which they came.")
        letter = journeys[0].letter
        check("what is held is the letter itself", True, raw.encode().endswith(letter.data))
        await teller.true(f"Ada need not wait: `held show` lets her read “{letter.subject}” now.")
        return held

    async def _loses_power(self, held: list[ListedDelivery]) -> None:
        teller, witness = self.teller, self.witness
        await teller.prose("And as bad days go, somebody pulls the plug of Ada's own machine.")
        await witness.stage.service.kill()
        check("Secondpost is gone", False, await witness.stage.service.greets())
        teller.happens("Secondpost", "all its processes are killed (SIGKILL), and started again", "red")
        with teller.meanwhile("Secondpost starts"):
            await witness.stage.service.start()
        check("what was acknowledged is still there", held, await witness.listed("held", len(held)))
        await teller.true("All six are still there: what Secondpost answers 250 to is on the disk.")

    async def _drains(self, journeys: Sequence[Journey], last: ListedDelivery) -> None:
        teller, witness = self.teller, self.witness
        await teller.prose("The lights go on again. Nobody tells Secondpost: it looks by itself.")
        back = asyncio.get_running_loop().time()
        await witness.stage.primary.switch_on()
        teller.happens("The provider", f"{PRIMARY} is back", "green")
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
        await teller.true(
            "In the order in which they came; each once, below a Received line and what SPF says of it."
        )
        waiting, traced, way = await asyncio.gather(
            witness.listed("queue", 0),
            witness.document(TraceJson, "trace", last.message, "--json"),
            witness.output("trace", last.message),
        )
        check("nothing is held and nothing waits any more", [], waiting)
        await teller.true("Nothing is held any more, and nothing waits.")
        steps = traced.messages[0].steps
        ends = (steps[0].station, steps[-1].station, steps[-1].what)
        check("the trace leads from receive to deliver", ("receive", "deliver", "delivered"), ends)
        await teller.screen(f"secondpost trace {last.message}", way)
        await teller.true("And the way of every letter can be told, station by station.")


def _narrow(listing: str) -> str:
    """The listing without its last column, which is too wide for the demo."""
    lines = listing.splitlines()
    end = len(lines[0].partition("last answer")[0])
    return "\n".join(line[:end].rstrip() for line in lines)
