"""Signing processes that a role has its supervisor start."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from socket import socket, socketpair

from secondpost.processes.makers import MAKERS_MAX, AskedMakers, MakerProgram, MakersOfRole
from secondpost.processes.tether import OF_THE_SUPERVISOR, Tether, Word, tether_pair

SECONDS_MAX = 10.0
PROGRAM = MakerProgram.SIGNER


class FakeMaker:
    """Lives until it is killed, or its test ends it."""

    number: int | None = 1

    def __init__(self, door: socket) -> None:
        self.door = door.dup()
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def kill(self) -> None:
        if not self.ended.done():
            self.ended.set_result("it ended with exit code -9")


@dataclass
class Both:
    """Both ends of a tether; `made` are the processes that were started."""

    made: list[FakeMaker] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.supervisors, theirs = tether_pair()
        self.roles = Tether(theirs, OF_THE_SUPERVISOR)
        self.makers = MakersOfRole(self.supervisors, {PROGRAM.value: self.start})
        self.asked = AskedMakers(self.roles)
        self.supervisors.listen(self.hear_role, lambda: None)
        self.roles.listen(lambda word, text, handed: self.asked.hear(text), lambda: None)

    def start(self, door: socket) -> FakeMaker:
        self.made.append(FakeMaker(door))
        return self.made[-1]

    def hear_role(self, word: Word, text: str, handed: socket | None) -> None:
        if word is Word.MAKE:
            self.makers.make(text, handed)
        else:
            self.makers.end(text)

    def close(self) -> None:
        self.supervisors.close()
        self.roles.close()
        for maker in self.made:
            maker.door.close()


def run(story: Callable[[Both], Awaitable[None]]) -> None:
    async def told() -> None:
        both = Both()
        async with asyncio.timeout(SECONDS_MAX):
            await story(both)
        both.close()

    asyncio.run(told())


def test_the_socket_of_an_order_is_the_one_that_was_handed_over_and_an_end_is_heard() -> None:
    async def story(both: Both) -> None:
        ours, theirs = socketpair()
        with ours:
            with theirs:
                maker = both.asked.start(PROGRAM, theirs)
            while len(both.made) == 0:
                await asyncio.sleep(0)
            both.made[0].door.send(b"signed")
            assert ours.recv(10) == b"signed"
            both.made[0].ended.set_result("it ended with exit code 3")
            assert await maker.ended == "it ended with exit code 3"

    run(story)


def test_one_that_does_not_answer_is_killed_by_its_number() -> None:
    async def story(both: Both) -> None:
        ours, theirs = socketpair()
        with ours, theirs:
            makers = [both.asked.start(PROGRAM, theirs) for _ in range(2)]
            makers[1].kill()
            assert await makers[1].ended == "it ended with exit code -9"
            assert [one.ended.done() for one in both.made] == [False, True]

    run(story)


def test_a_compromised_role_cannot_start_more_than_a_few() -> None:
    async def story(both: Both) -> None:
        answers: list[str] = []
        both.roles.listen(lambda word, text, handed: answers.append(text), lambda: None)
        ours, theirs = socketpair()
        with ours, theirs:
            for number in ("1", "1", "2", "3", "nonsense", "5", "6", "7", "", f"1 {PROGRAM.value}"):
                both.roles.say(Word.MAKE, number, theirs)
            both.roles.say(Word.MAKE, "8")  # and no socket
            for number in ("9", "", "none"):
                both.roles.say(Word.END, number)
            both.roles.say(Word.MAKE, "last", theirs)
            while len(answers) == 0 or not answers[-1].startswith("last "):
                await asyncio.sleep(0)
            assert len(both.made) == MAKERS_MAX
            both.makers.end_all()
            assert all(one.ended.done() for one in both.made)

    run(story)


def test_a_role_gets_none_but_its_own_programs() -> None:
    async def story(both: Both) -> None:
        ours, theirs = socketpair()
        with ours, theirs:
            maker = both.asked.start(MakerProgram.FEED_READER, theirs)
            assert await maker.ended == "it was not started: this role has no such program"
        assert len(both.made) == 0

    run(story)


def test_a_role_of_the_version_before_gets_its_first_program() -> None:
    async def story(both: Both) -> None:
        ours, theirs = socketpair()
        with ours, theirs:
            both.roles.say(Word.MAKE, "1", theirs)
            while len(both.made) == 0:
                await asyncio.sleep(0)

    run(story)
