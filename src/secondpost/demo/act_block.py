"""An ordinary morning, and act one: a border closes between the senders and the primary."""

from dataclasses import dataclass

from secondpost.demo.dialogue import SILENCE
from secondpost.demo.evidence import check
from secondpost.demo.senders import Journey
from secondpost.demo.stage import PRIMARY
from secondpost.demo.telling import Teller
from secondpost.demo.witness import ARRIVAL_SECONDS_MAX, Listing, Witness


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
        await teller.true("Each arrived once, byte for byte, with a Received line and results of SPF more.")
        seconds = max(self._seconds(journey, arrivals[journey.letter.number].at) for journey in from_east)
        check("East's letters arrive within seconds", True, seconds <= ARRIVAL_SECONDS_MAX)
        await teller.true(f"The slowest was there {seconds:.1f} s after it was written.")

    def _seconds(self, journey: Journey, at: float) -> float:
        """Seconds from writing to arrival."""
        return at - self.witness.posted[journey.letter.number]
