"""A day in which the store is set back to an earlier copy, on another machine, while an issue and the
town's mail are under way.
"""

import shutil
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from secondpost.mail.delivery import State
from secondpost.owner.copies import AcceptedCopy, CopyAcceptance
from secondpost.store.copy_ports import CopyVerdict
from secondpost.store.newsletter_store_ports import NewsletterStore
from secondpost.store.ports import COMMAND
from secondpost.store.sqlite import SqliteStore
from secondpost.store.sqlite.newsletter import SqliteNewsletterStore
from simulation.clock import fence
from simulation.day import Day
from simulation.disk.disk import MACHINE, RecordedDisk
from simulation.machine import Process
from simulation.people.letters import Heard
from simulation.reader_evidence import ReaderEvidence
from simulation.reader_invariants import every_reader_is_accounted_for, nobody_gets_an_issue_twice
from simulation.scenario import OUR_ADDRESS
from simulation.service import as_built
from simulation.trace import Trace
from simulation.work import in_thread

HOUR = 3600.0
SEED = 2  # an issue to more than a hundred mailboxes
COPIED_AT_MAILS = 40  # of all mails to readers, when the copy is made
ELSEWHERE = "another machine"


class RestoredDay(Day):
    """The only faults are that the primaries are down, and that the store is set back.

    `machine` is the name of the one that it is restored on.
    """

    def __init__(self, folder: Path, machine: str) -> None:
        super().__init__(SEED, folder / "store", Trace(), as_built)
        self.restored_on = machine
        self.image = folder / "image"
        self.copied_at = 0.0
        self.accepted: list[AcceptedCopy] = []

    @property
    def mails(self) -> int:
        return sum(len(inbox.taken) for inbox in self.newsroom.inboxes)

    def pass_by(self) -> None:
        self.newsroom.open(self.machine, self.service)
        self.service.start_all()
        for number, letter in enumerate(self.scenario.letters):
            self.internet.loop.call_at(letter.at_seconds, self._post, f"m{number}", letter)
        self._until(1.0)
        for primary in self.primaries:  # until the copy is accepted: it holds their mail
            primary.shut()
        assert self.timeline.run_until(lambda: self.mails >= COPIED_AT_MAILS, 48 * HOUR)
        self._copy()
        self._until(self.timeline.now + 2 * HOUR)
        self._restore()
        self._until(self.timeline.now + HOUR)
        self._types(self._accept)
        self._wait_for(lambda: len(self.accepted) > 0, 2 * HOUR)
        for primary in self.primaries:
            self.internet.loop.create_task(primary.open())
        self._wait_for(lambda: self._unsettled() == 0, 24 * HOUR)
        self._until(max(self.timeline.now, self.scenario.letters[-1].at_seconds) + HOUR)
        self._wait_for(self._is_drained, 6 * HOUR)

    def _copy(self) -> None:
        """As from a backup of the files: every database with its log, between two writes."""
        root = Path(self.machine.disk.path(""))
        shutil.copytree(root, self.image, ignore=shutil.ignore_patterns("*-shm"))
        self.copied_at = self.timeline.now

    def _restore(self) -> None:
        self.service.power_cut()
        root = Path(self.machine.disk.path(""))
        shutil.rmtree(root)
        shutil.copytree(self.image, root)
        self.machine.disk = RecordedDisk(root, whole_log=False)
        self.machine.disk.machine = self.restored_on
        self.service.power_on()

    def _types(self, command: Callable[[Process], Awaitable[None]]) -> None:
        process = self.machine.process("accepting")

        async def run() -> None:
            await command(process)
            self.internet.loop.call_soon(process.kill)

        process.start(run())

    async def _accept(self, process: Process) -> None:
        def opened(kind: type[SqliteStore]) -> SqliteStore:
            return in_thread(
                process.loop.timeline,
                lambda: kind.open(
                    process.disk, process.work, self.machine.clock, role=COMMAND, failed=self._failed
                ),
            )

        mail, news = opened(SqliteStore), opened(SqliteNewsletterStore)
        assert isinstance(news, SqliteNewsletterStore)
        accepting = CopyAcceptance(mail, news, self.machine.clock, frozenset(), partial(self._fed, news))
        await accepting.stands()
        self.accepted.append(await accepting.accept(CopyVerdict.AGAIN, None))
        mail.close()
        news.close()

    async def _fed(self, news: NewsletterStore) -> None:
        """The service reads the feeds by itself."""

    def _failed(self, fault: BaseException) -> None:
        self._note(repr(fault))


def lived(folder: Path, machine: str) -> tuple[RestoredDay, ReaderEvidence]:
    day = RestoredDay(folder, machine)
    with fence(day.timeline):
        day.pass_by()
        _, readers = day.testify()
    return day, readers


def test_a_restored_copy_sends_no_issue_twice_and_all_mail_that_it_held(tmp_path: Path) -> None:
    day, readers = lived(tmp_path, ELSEWHERE)
    assert list(nobody_gets_an_issue_twice(readers)) == []
    assert list(every_reader_is_accounted_for(readers)) == []
    assert day.accepted[0].unknown > 20, "the issue was under way when the copy was made"
    arrived = {one.marker for one in day.evidence.relayed}
    kept = {one.marker for one in day.evidence.stored if one.state is State.KEPT}
    before = {
        each.marker
        for each in day.ledger.handings
        if each.heard is Heard.ACKNOWLEDGED and each.to == OUR_ADDRESS and each.at_seconds < day.copied_at
    }
    assert day.accepted[0].sent_on >= len(before) > 10
    assert before - arrived - kept == set(), "what was acknowledged before the copy arrives"


def test_a_copy_whose_witness_fits_is_not_noticed_and_the_day_shows_it(tmp_path: Path) -> None:
    """As on a machine whose whole disk was set back. Also: what the day above would find."""
    day, readers = lived(tmp_path, MACHINE)
    assert day.accepted[0] == AcceptedCopy(0, 0, 0, 0, 0)
    assert len(list(nobody_gets_an_issue_twice(readers))) > 20
