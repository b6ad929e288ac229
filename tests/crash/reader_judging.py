"""Reopens a crash state of newsletter.db, compares it with the promises, and continues from there.

After any cut the issue ends with every reader accounted for and none served twice.
"""

import asyncio
import shutil
from collections import Counter
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw

from secondpost.mail.address import Mailbox
from secondpost.mail.article_states import ArticleState
from secondpost.mail.content import CONTENT_FOLDER
from secondpost.mail.delivery import State
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import Issue, IssueState
from secondpost.mail.plan import UNSORTED
from secondpost.mail.store_rooms import StoreRoom
from secondpost.mail.subscriber import SubscriberId, SubscriberState
from secondpost.store.newsletter_ports import ReaderDelivery
from secondpost.store.ports import Settlement, StoreRefused
from secondpost.store.sqlite import SqliteNewsletterStore
from secondpost.store.sqlite.schema import Database
from secondpost.world.ports import DiskFailed
from simulation.dice import SimDice
from simulation.disk.crash import Depth, Model, crash_states, write_image
from simulation.disk.disk import RecordedDisk
from simulation.disk.operations import Image
from tests.clock import SetClock
from tests.crash.judging import YEAR_MS, ImageDisk, Verdict
from tests.crash.publishing import CONTENT, WEEKLY, Publishing, allowed, open_newsletter, prepare
from tests.crash.reader_scenarios import READER_SCENARIOS
from tests.crash.sabotage import Sabotage, nothing
from tests.crash.stage import clock_of_the_story

QUICK = Depth(tears=1, subsets=1, stride=5)
HAS_IT = (State.DELIVERED, State.UNKNOWN)


@cache
def prepared() -> Image:
    with TemporaryDirectory(dir="/dev/shm") as path:
        disk = RecordedDisk(Path(path) / "disk")
        asyncio.run(prepare(disk))
        return {
            str(file.relative_to(disk.path(""))): file.read_bytes()
            for file in Path(disk.path("")).rglob("*")
            if file.is_file() and not file.name.endswith("-shm")
        }


def play_readers(
    name: str,
    folder: Path,
    *,
    model: Model = Model.POSIX,
    depth: Depth = QUICK,
    sabotage: Sabotage = nothing,
    faults_max: int = 10,
) -> Verdict:
    write_image(prepared(), folder / "disk")

    async def played() -> Verdict:
        (folder / "disk" / StoreRoom.NEWSLETTER.folder / CONTENT_FOLDER).mkdir(exist_ok=True)
        disk = RecordedDisk(folder / "disk", model)
        with sabotage(disk):
            publishing = await Publishing.on(disk)
            await READER_SCENARIOS[name](publishing)
        log = list(disk.log)
        publishing.disk.kill()
        assert publishing.failures == []
        states, faults = 0, list[str]()
        for state in crash_states(log, disk.first, dice=SimDice("cuts"), model=model, depth=depth):
            states += 1
            image = folder / "image"
            write_image(state.image, image)
            found = await faults_of_image(image, publishing, state.upto)
            faults += [f"cut after {state.upto} of {len(log)} operations: {fault}" for fault in found]
            shutil.rmtree(image)
            if len(faults) >= faults_max:
                break
        return Verdict(states, tuple(faults))

    return asyncio.run(played())


async def faults_of_image(image: Path, publishing: Publishing, upto: int) -> list[str]:
    disk = ImageDisk(str(image))
    failures: list[BaseException] = []
    clock = clock_of_the_story()
    clock.ms += YEAR_MS
    try:
        store = open_newsletter(disk, failures.append, clock)
    except (apsw.Error, StoreRefused, DiskFailed) as error:
        return [f"everything is lost, the store does not open: {error!r}"]
    try:
        await store.sweep()
        await store.sweep_freezing()
        return [
            *_integrity(disk.path(Database.NEWSLETTER.path_name)),
            *await _what_was_promised(store, publishing, upto),
            *await _miscounted(store),
            *await _lives_on(store, publishing, upto, clock),
            *await _miscounted(store),
            *(f"the disk failed: {error!r}" for error in failures),
        ]
    except (apsw.Error, DiskFailed) as error:
        return [f"everything is lost, the store does not work: {error!r}"]
    finally:
        store.close()


def _integrity(path: str) -> list[str]:
    with closing(apsw.Connection(path)) as connection:
        found = [str(line) for (line,) in connection.execute("PRAGMA integrity_check")]
    return [] if found == ["ok"] else [f"integrity_check: {found}"]


async def _what_was_promised(store: SqliteNewsletterStore, publishing: Publishing, upto: int) -> list[str]:
    issue, faults = await _issue(store, publishing), list[str]()
    states = allowed(publishing.issue_steps, upto)
    if issue.state not in states:
        faults.append(f"the issue is {issue.state}, and may be {states}: a promise is lost")
    if await store.issue_content(issue.id) != CONTENT:
        faults.append("the content of the issue is lost")
    rows = {row.subscriber: row for row in await _rows(store, issue)}
    planned = () if issue.state is IssueState.OPEN else publishing.readers
    if set(rows) != set(planned):
        faults.append(f"planned for {sorted(rows)}, instead of {planned}: a reader is lost")
    for id, row in rows.items():
        may = allowed(publishing.steps[id], upto)
        if row.state not in may:
            faults.append(f"reader {id} is {row.state}, and may be {may}: a promise is lost")
    for accepted in publishing.accepted:
        if accepted.is_promised(upto) and rows[accepted.what].state not in HAS_IT:
            faults.append(f"reader {accepted.what} has it and is {rows[accepted.what].state}")
    for left in publishing.left:
        reader = await store.subscriber(left.what)
        if left.is_promised(upto) and (reader is None or reader.state is not SubscriberState.LEFT):
            faults.append(f"that reader {left.what} left is lost")
    if (is_paused := len(await store.provider_pauses()) > 0) not in allowed(publishing.paused, upto):
        faults.append(f"that the provider {'goes on' if is_paused else 'is paused'} is lost")
    return faults + await _half_sign_ups(store, publishing, upto)


async def _half_sign_ups(store: SqliteNewsletterStore, publishing: Publishing, upto: int) -> list[str]:
    faults = []
    for coming in publishing.signed_up:
        reader = await store.find(WEEKLY, Mailbox.parse(coming.what))
        if reader is None and coming.is_promised(upto):
            faults.append(f"the sign-up of {coming.what} is lost")
        if reader is not None and len(await store.deliveries_of(reader.id, 10)) != 1:
            faults.append(f"{coming.what} is pending without a confirmation")
    return faults


async def _miscounted(store: SqliteNewsletterStore) -> list[str]:
    """Counts kept by triggers that differ from a recount."""
    faults = []
    for issue in await store.issues(WEEKLY, None, 10):
        there = Counter(row.state for row in await _rows(store, issue))
        told = await store.reckoning(issue.id)
        ends = told.delivered + told.failed + told.unknown + told.suppressed + told.stopped
        if ends + told.under_way != there.total() or told.unknown != there[State.UNKNOWN]:
            faults.append(f"counted {told} where {there} are")
    readers = Counter(reader.state for reader in await store.readers(WEEKLY, (), None, 100))
    if {state: many for state, many in (await store.reader_counts(WEEKLY)).items() if many > 0} != readers:
        faults.append(f"counted {await store.reader_counts(WEEKLY)} where {readers} are")
    return faults


async def _lives_on(
    store: SqliteNewsletterStore, publishing: Publishing, upto: int, clock: SetClock
) -> list[str]:
    """Finish the issue as the next processes after the crash do."""
    served = Counter(accepted.what for accepted in publishing.accepted if accepted.begun <= upto)
    issue = await _issue(store, publishing)
    if issue.state is IssueState.OPEN:
        leader = await store.lead("publish")
        if leader is None:
            return ["the dead still lead"]
        issue = await store.begin_freeze(issue.id, leader)
        while not (await store.freeze_batch(issue.id, leader, 20)).is_last:
            pass
        issue = await store.freeze_done(issue.id, leader, clock.now_ms())
    await store.start(issue.id, clock.now_ms())
    if issue.state is IssueState.HELD:
        await store.resume(issue.id, clock.now_ms())
    while await store.release_batch(issue.id, clock.now_ms(), 20) > 0:
        pass
    while await store.send_batch(issue.id, clock.now_ms(), 20) > 0:
        pass
    served += await _deliver(store, clock)
    await store.finish(issue.id, clock.now_ms())
    return await _ending(store, publishing, upto, served)


async def _deliver(store: SqliteNewsletterStore, clock: SetClock) -> Counter[SubscriberId]:
    """Deliver everything that can be claimed; return the copies per reader."""
    served: Counter[SubscriberId] = Counter()
    lease = await store.lease(Lane.ISSUES, UNSORTED)
    assert lease is not None, "the site is still leased by the dead"
    while len(claimed := await store.claim(lease, clock.now_ms(), 20)) > 0:
        hold = await store.commit_marks(lease, [one.id for one in claimed])
        served.update(one.subscriber for one in claimed if one.id in hold and one.subscriber is not None)
        await store.settle(lease, [Settlement(id, State.DELIVERED, clock.now_ms()) for id in hold])
    return served


async def _ending(
    store: SqliteNewsletterStore, publishing: Publishing, upto: int, served: Counter[SubscriberId]
) -> list[str]:
    issue, faults = await _issue(store, publishing), list[str]()
    if issue.state not in (IssueState.DONE, IssueState.STOPPED):
        faults.append(f"the issue cannot be brought to its end: {issue.state}")
    reckoning = await store.reckoning(issue.id)
    rows = await _rows(store, issue)
    if not reckoning.adds_up or not len(rows) == issue.planned == reckoning.planned:
        faults.append(f"it does not add up: {reckoning} of {issue.planned}, and there are {len(rows)} rows")
    if len(twice := [id for id, times in served.items() if times > 1]) > 0:
        faults.append(f"{twice} got the issue twice")
    gone = {left.what for left in publishing.left if left.is_promised(upto)}
    had = {accepted.what for accepted in publishing.accepted}
    after = {row.subscriber for row in rows if row.state is State.DELIVERED} - had
    if len(after & gone) > 0:
        faults.append(f"{after & gone} got the issue after they left")
    back = len(await store.entries(WEEKLY, ArticleState.WAITING, 10)) > 0
    if back and len(served) > 0:
        faults.append("articles that readers have wait for another issue")
    return faults


async def _issue(store: SqliteNewsletterStore, publishing: Publishing) -> Issue:
    issue = await store.issue(publishing.issue)
    assert issue is not None
    return issue


async def _rows(store: SqliteNewsletterStore, issue: Issue) -> list[ReaderDelivery]:
    return await store.deliveries(issue.id, (), None, 100)
