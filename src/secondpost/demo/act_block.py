"""An ordinary morning, and act one: a border closes between the senders and the primary."""

import asyncio
from dataclasses import dataclass

from secondpost.demo.dialogue import SILENCE
from secondpost.demo.evidence import FalseClaim, check
from secondpost.demo.senders import Journey
from secondpost.demo.stage import PRIMARY
from secondpost.demo.telling import Teller
from secondpost.demo.witness import ARRIVAL_SECONDS_MAX, Listing, Witness

EAST_NUMBER = "AS64502"
EAST_NETWORK = f"{EAST_NUMBER} EAST-TELECOM (XE)"
DAYS_HOURS = 96  # that Secondpost must have watched
ROUNDS, LETTERS, ROUND_SECONDS = 4, 4, 0.2


@dataclass(frozen=True, slots=True)
class WatchedHours:
    """The part of `watch arrivals --json` that the demo reads."""

    hours: int


@dataclass(frozen=True, slots=True)
class ListedAlarm:
    """The part of `alarms list --json` that the demo reads."""

    kind: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class AlarmList:
    standing: list[ListedAlarm]
    ended: list[ListedAlarm]


@dataclass(frozen=True, slots=True)
class Morning:
    teller: Teller
    witness: Witness

    async def play(self) -> None:
        teller, witness, stage = self.teller, self.witness, self.witness.stage
        await teller.act("An ordinary morning")
        journeys = await witness.post((stage.west, "Lunch?"), (stage.east, "The book you lent me"))
        arrivals = await witness.arrived(journeys)
        for journey in journeys:
            check("the primary takes ordinary mail", PRIMARY, journey.taken_by)
            witness.check_direct(journey, arrivals)
        await teller.true("Both letters lie in the primary's mailbox, byte for byte as they were written.")
        every_state = ("--state", "waiting", "--state", "delivered", "--state", "kept")
        seen = await witness.document(Listing, "queue", "list", *every_state, "--json")
        check("Secondpost has seen nothing yet", [], seen.deliveries)
        await teller.true("Secondpost was not needed, and has seen none of it.")


@dataclass(frozen=True, slots=True)
class Block:
    teller: Teller
    witness: Witness

    async def play(self) -> None:
        teller, witness, stage = self.teller, self.witness, self.witness.stage
        await teller.act("Act one: a border closes")
        await teller.prose(
            """A regulator in East decides that nobody there may reach Ada's provider any more. There is
            no refusal and no error, only silence, as it is usually done. Friends write on."""
        )
        await self._days_pass()
        stage.east_to_primary.close_border()
        teller.happens("East", f"no longer lets anybody through to {PRIMARY}", "red")
        subjects = ("Are you well?", "Photos from the coast", "Re: The book you lent me")
        journeys = await witness.post(*((server, s) for s in subjects for server in (stage.west, stage.east)))
        arrivals = await witness.arrived(journeys)
        from_west, from_east = journeys[0::2], journeys[1::2]
        for journey in from_west:
            check("West's mail goes direct", PRIMARY, journey.taken_by)
            witness.check_direct(journey, arrivals)
        for journey in from_east:
            first = (journey.tries[0].host, journey.tries[0].said)
            check("East's mail tries the primary first, and hears nothing", (PRIMARY, SILENCE), first)
            witness.check_through_us(journey, arrivals)
        check("East's border swallowed every try", len(from_east), stage.east_to_primary.swallowed)
        await teller.true("West still writes to the provider directly: nothing was added to its letters.")
        await teller.true("East's met silence, fell back to Secondpost, and it handed them on at once.")
        await teller.true("Each arrived once, byte for byte, below a Received line and what SPF says of it.")
        seconds = max(self._seconds(journey, arrivals[journey.letter.number].at) for journey in from_east)
        check("East's letters arrive within seconds", True, seconds <= ARRIVAL_SECONDS_MAX)
        await teller.true(f"The slowest was there {seconds:.1f} s after it was written.")
        await teller.prose(
            """East's friends write on. Ada knows nothing of it yet, but Secondpost counts where good mail
            comes from, hour by hour. Its hours are short here."""
        )
        detail = await self._alarm()
        teller.happens("Secondpost", "rings the alarm primary-blocked:", "yellow")
        await teller.prose(detail)
        check("the alarm names network and country", True, EAST_NETWORK in detail)
        await teller.true("Without a word from anyone, the alarm names the network and its country.")

    async def _days_pass(self) -> None:
        """Wait until Secondpost knows what usually comes; its hours pass quickly here."""
        deadline = asyncio.get_running_loop().time() + ARRIVAL_SECONDS_MAX
        while (await self.witness.document(WatchedHours, "watch", "arrivals", "--json")).hours < DAYS_HOURS:
            if asyncio.get_running_loop().time() > deadline:
                raise FalseClaim("Secondpost sees that the primary is up", f"{DAYS_HOURS} hours", "fewer")

    async def _alarm(self) -> str:
        """What the alarm of a blocked primary says. Friends in East write on for it."""
        witness = self.witness
        for _ in range(ROUNDS):
            journeys = await witness.post(*((witness.stage.east, "Still there?") for _ in range(LETTERS)))
            await witness.arrived(journeys)
            await asyncio.sleep(ROUND_SECONDS)
        deadline = asyncio.get_running_loop().time() + ARRIVAL_SECONDS_MAX
        while True:
            listed = await witness.document(AlarmList, "alarms", "list", "--json")
            for alarm in (*listed.standing, *listed.ended):
                if alarm.kind == "primary-blocked":
                    check("the alarm is about East", f"example.net from {EAST_NUMBER}", alarm.subject)
                    return alarm.detail
            if asyncio.get_running_loop().time() > deadline:
                raise FalseClaim("an alarm says that East is blocked", "primary-blocked", listed.standing)

    def _seconds(self, journey: Journey, at: float) -> float:
        """Seconds from writing to arrival."""
        return at - self.witness.posted[journey.letter.number]
