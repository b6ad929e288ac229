"""The story: an ordinary morning and three acts. Every claim is checked before it is printed."""

import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from secondpost.demo.act_blackout import Blackout
from secondpost.demo.act_block import Block, Morning
from secondpost.demo.act_newsletter import NewsletterAct
from secondpost.demo.browser import NoAnswer
from secondpost.demo.configuration import NEWSLETTER
from secondpost.demo.dialogue import Never, NotNow
from secondpost.demo.evidence import FalseClaim, check
from secondpost.demo.letters import Letter
from secondpost.demo.senders import SendingServer, Try
from secondpost.demo.service import NotStarted
from secondpost.demo.stage import PRIMARY, SECOND, NoStage, Stage, left_of, stage
from secondpost.demo.telling import Teller
from secondpost.demo.witness import Witness

TRUE, UNTRUE, INTERRUPTED = 0, 1, 130  # exit codes; the last is a shell's for Ctrl-C
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

PICTURE = f"""
    West  post.west.example ──┬──────►  {PRIMARY}  the primary, MX 10
                              │                  ▲
    East  mail.east.example ──┤                  │ hands on
                              │                  │
                              └──────►  {SECOND}       Secondpost, MX 20
"""


class Act(Protocol):
    async def play(self) -> None:
        """Raises FalseClaim."""


Acts = Sequence[Callable[[Teller, Witness], Act]]
ALL: Acts = (Morning, Block, Blackout, NewsletterAct)


def play(fast: bool, acts: Acts = ALL) -> int:
    """Run the demo, clean up in any case, and return the exit code."""
    teller = Teller(fast)
    try:
        return asyncio.run(_interruptible(teller, acts))
    except (KeyboardInterrupt, asyncio.CancelledError):
        teller.wrong("Interrupted. Everything that was put up for the demo is gone.")
        return INTERRUPTED
    except FalseClaim as false:
        teller.wrong(f"This was claimed, and is not so: {false}")
        return UNTRUE
    except (NoStage, NotStarted, NotNow, Never, NoAnswer) as fault:
        teller.wrong(f"The demo cannot go on: {fault}")
        return UNTRUE


async def _interruptible(teller: Teller, acts: Acts) -> int:
    """Run until done; SIGTERM and a closed terminal end it in good order, like Ctrl-C.

    SIGINT needs a handler, since a shell ignores it for commands started with `&`, and asyncio
    keeps that.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    for number in ENDING:
        loop.add_signal_handler(number, task.cancel)
    return await _whole(teller, acts)


async def _whole(teller: Teller, acts: Acts) -> int:
    began = asyncio.get_running_loop().time()
    await _prologue(teller)

    def tried(server: SendingServer, letter: Letter, one: Try) -> None:
        style = "red" if not one.taken else "green" if one.host == PRIMARY else "yellow"
        sign = "→" if one.taken else "✗"
        who = f"{server.network.name}, letter {letter.number}"
        teller.happens(who, f"{sign} {one.host}: {one.said}", style)

    async with stage(tried) as on_stage:
        teller.happens("Secondpost", f"is up, and greets as {SECOND}")
        try:
            witness = Witness(on_stage)
            for act in acts:
                await act(teller, witness).play()
        except FalseClaim:
            teller.log(on_stage.service.end_of_log())
            raise
        await _epilogue(teller, asyncio.get_running_loop().time() - began)
        if sys.stdout.isatty():
            await _pages_stay_open(teller, on_stage)
    check("the stage is empty again", [], left_of(on_stage))
    await teller.prose(
        """The stage is empty again: no process, no port, no file is left. README.md tells how to run
        your own."""
    )
    return TRUE


async def _prologue(teller: Teller) -> None:
    await teller.act("Secondpost: the second post office of your domain")
    await teller.prose(
        f"""Ada has a domain, example.net, and a mail provider. Friends write to her from two networks,
        West and East. DNS names two mail servers for her domain: her provider's, {PRIMARY}, and
        behind it, as second choice, a small machine of her own, {SECOND}. That one runs
        Secondpost, the real one. All the rest is played, on loopback, with real sockets."""
    )
    teller.picture(PICTURE)


async def _epilogue(teller: Teller, seconds: float) -> None:
    await teller.act("That is what it is for")
    await teller.prose(
        f"""{teller.claims} claims, each checked against the mailboxes, the public pages and the real
        commands, in {seconds:.0f} seconds."""
    )


async def _pages_stay_open(teller: Teller, on_stage: Stage) -> None:
    """Wait for Ctrl-C, SIGTERM or a closed terminal, which now end the demo successfully."""
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    for number in ENDING:
        loop.add_signal_handler(number, stopping.set)
    await teller.prose(f"The public pages are at {on_stage.pages}/{NEWSLETTER}/ until Ctrl-C.")
    await stopping.wait()
