"""secondpost queue hold, release, retry and drop: one command with four verbs."""

import sys
from collections import Counter
from dataclasses import dataclass, replace

import click

from secondpost.cli.choosing import Chosen, all_option
from secondpost.cli.command import JSON, Command, Ending, Exit
from secondpost.cli.confirming import is_confirmed
from secondpost.cli.lists import recipient_text
from secondpost.cli.opening import at_desk
from secondpost.cli.screen import on_terminal, say, say_json
from secondpost.config.records import Config
from secondpost.mail.delivery import State
from secondpost.mail.printable import printable
from secondpost.owner.documents import VerbDocument
from secondpost.owner.figures import counted
from secondpost.spool.desk import OwnersDesk, OwnerVerb, Standing, VerbDone, standing
from secondpost.store.owner_ports import Selection

DO_NOT_ASK = "Do not ask for confirmation."
YES = click.option("--yes", is_flag=True, help=DO_NOT_ASK)
ADD_YES = "add --yes to confirm"
WHY = "by command"


@dataclass(frozen=True, slots=True)
class Wording:
    """The help texts of a verb."""

    text: str
    all_: str  # of --all
    yes: str = DO_NOT_ASK


WORDINGS = {
    OwnerVerb.HOLD: Wording("Hold waiting deliveries until you release them.", "All waiting deliveries."),
    OwnerVerb.RELEASE: Wording("Release deliveries that you held.", "All deliveries that you held."),
    OwnerVerb.RETRY: Wording(
        "Try waiting and kept deliveries now.",
        "All waiting and kept deliveries.",
    ),
    OwnerVerb.DROP: Wording(
        "Remove deliveries for good: they are neither delivered nor reported.\n\n"
        "Asks for confirmation unless every delivery was named by id; without a terminal, --yes is needed.",
        "All held and kept deliveries; with --yes also waiting ones.",
        "Do not ask for confirmation; with --all, include waiting deliveries.",
    ),
}


def verb_command(verb: OwnerVerb, wording: Wording) -> click.Command:
    """The command of a verb, with all ways to select deliveries."""

    @all_option(wording.all_)
    @click.option("--yes", is_flag=True, help=wording.yes)
    @JSON
    def lead(which: Chosen, yes: bool, as_json: bool) -> None:
        async def work(desk: OwnersDesk, _config: Config) -> None:
            await VerbRun(desk, verb, which, yes, as_json).lead()

        at_desk(work)

    return click.command(verb.value, cls=Command, help=wording.text)(lead)


@dataclass(frozen=True, slots=True)
class Found:
    """The deliveries that a verb would move."""

    reach: Selection
    deliveries: int
    waiting: int
    behind: int  # of them, those whose site is down


@dataclass(frozen=True, slots=True)
class VerbRun:
    desk: OwnersDesk
    verb: OwnerVerb
    which: Chosen
    yes: bool
    as_json: bool

    async def lead(self) -> None:
        selection = await self.which.selection(self.desk)
        found = await self._find(self.desk.within_reach(self.verb, selection))
        if found.deliveries == 0:
            raise Ending(await self._why_none(selection), Exit.NO)
        left = 0
        if self.verb is OwnerVerb.DROP and self.which.is_all and not self.yes:
            found, left = await self._without_waiting(found), found.waiting
        self._ask(found, left)
        if self.verb is OwnerVerb.DROP and not self.as_json:
            async for listed in self.desk.found(found.reach):
                click.echo(
                    f"{listed.id}  <{printable(listed.sender)}> to {printable(recipient_text(listed))}"
                )
        done = await self._do(found.reach)
        if self.as_json:
            say_json(VerbDocument(self.verb.value, done.deliveries))
        else:
            await self._say(done, selection, found, left)

    async def _find(self, reach: Selection) -> Found:
        """Count the deliveries, and narrow the selection to the states found: the owner was not
        asked about others that arrive meanwhile.
        """
        states, behind = Counter[State](), 0
        async for listed in self.desk.found(reach):
            if standing(listed) is Standing.HELD_COPY:
                continue  # `snapshot accept` decides about it
            states[listed.state] += 1
            behind += listed.site_down
        reach = replace(reach, states=tuple(states)) if len(states) > 0 else reach
        return Found(reach, states.total(), states[State.WAITING], behind)

    async def _without_waiting(self, found: Found) -> Found:
        states = tuple(state for state in found.reach.states if state is not State.WAITING)
        if len(states) == 0:
            wait = counted(found.waiting, "delivery waits", "deliveries wait")
            raise Ending(f"nothing to drop: {wait}, and --all drops waiting ones only with --yes", Exit.NO)
        return await self._find(replace(found.reach, states=states))

    def _ask(self, found: Found, left: int) -> None:
        must_ask = self.which.is_all or (self.verb is OwnerVerb.DROP and not self.which.is_by_id)
        if self.yes or not must_ask:
            return
        what = f"{self.verb.capitalize()} {counted(found.deliveries, 'delivery', 'deliveries')}"
        if left > 0:
            states = " ".join(f"--state {state}" for state in found.reach.states)
            instead = f"`{states} --yes` drops these; add --yes to drop also the {left:,} that wait"
            ask(f"{what} that {_are(found.deliveries)} held or kept?", instead)
        elif self.verb is OwnerVerb.DROP and found.waiting > 0:
            wait = counted(found.waiting, "waits", "wait")
            ask(f"{what} {self.which.words}, of which {wait} to be delivered?")
        else:
            ask(f"{what} {self.which.words}?")

    async def _do(self, reach: Selection) -> VerbDone:
        match self.verb:
            case OwnerVerb.HOLD:
                return await self.desk.hold(reach, WHY)
            case OwnerVerb.RELEASE:
                return await self.desk.release(reach, WHY)
            case OwnerVerb.RETRY:
                return await self.desk.retry(reach, WHY)
            case OwnerVerb.DROP:
                return await self.desk.drop(reach, WHY)
            case OwnerVerb.REDIRECT:
                raise TypeError("redirect needs an address: held redirect")

    async def _say(self, done: VerbDone, selection: Selection, found: Found, left: int) -> None:
        say(f"{self.verb.past.capitalize()}: {counted(done.deliveries, 'delivery', 'deliveries')}.")
        if left > 0:
            waiting = counted(left, "waiting delivery was", "waiting deliveries were")
            say(f"{waiting} left: add --yes to drop all.")
        busy = await self.desk.count(replace(selection, states=(State.CLAIMED,)))
        if busy > 0:
            say(f"{counted(busy, 'delivery is', 'deliveries are')} under way, and not changed.")
        if self.verb in (OwnerVerb.RETRY, OwnerVerb.RELEASE) and found.behind > 0:
            wait, go = ("waits", "goes") if found.behind == 1 else ("wait", "go")
            say(f"{found.behind:,} {wait} for a site that is down, and {go} as soon as it answers.")

    async def _why_none(self, selection: Selection) -> str:
        """The selected deliveries that the verb cannot move, by standing; or that none matches."""
        verb = self.verb
        standings = Counter([standing(listed).value async for listed in self.desk.found(selection)])
        if len(standings) == 0:
            readers = "; for mail to readers, use `issue stop` or `subscribers remove`"
            there = f"`secondpost queue list` shows what there is{readers if self.which.is_by_id else ''}"
            return f"nothing to {verb}: no delivery matches; {there}"
        found = ", ".join(f"{count} {word}" for word, count in sorted(standings.items()))
        takes = " or ".join(state.value for state in verb.takes)
        return f"nothing to {verb}: the matching mail is {found}; {verb} takes only what is {takes}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def ask(question: str, instead: str = ADD_YES) -> None:
    """Ask on the terminal, and return only after a yes.

    Without a terminal, raises an Ending that names the option to give.
    """
    if not (on_terminal() and sys.stdin.isatty()):
        raise Ending(f"{question} There is no terminal to ask on: {instead}", Exit.USAGE)
    if not is_confirmed(question):
        raise Ending("nothing was changed", Exit.NO)
