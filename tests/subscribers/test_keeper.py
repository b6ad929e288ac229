"""The keeper of people over a real store: lists come in and go out, and nobody comes back who has left."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.queue_id import QueueIds
from secondpost.mail.subscriber import Consent, SubscriberState
from secondpost.store.sqlite import SqliteNewsletterStore
from secondpost.store.subscriber_ports import BATCH_READERS_MAX, Reason
from secondpost.subscribers.exporting import exported
from secondpost.subscribers.importing import ImportReport, ListImport, suppress_list
from secondpost.subscribers.lists import NoList
from secondpost.world.real_disk import RealDisk
from secondpost.world.real_work import RealWork

OURS = Domain("mx2.example.net")
NOW_MS = 1_800_000_000_000


class Stopped:
    """A clock that stands still."""

    def now_ms(self) -> int:
        return NOW_MS


class Keeper:
    """A store with one newsletter, and what brings lists into it."""

    def __init__(self, store: SqliteNewsletterStore) -> None:
        self.store = store
        self.hints: list[int] = []
        self.progress: list[ImportReport] = []
        ids = QueueIds(store.worker)
        self.lists = ListImport(store, Stopped(), ids, lambda: self.hints.append(1), frozenset((OURS,)))

    async def bring(self, text: str, confirmed: str | None = None, invites: bool = False) -> ImportReport:
        lines = text.splitlines(keepends=True)
        return await self.lists.run("weekly", "readers.csv", lines, confirmed, invites, self.progress.append)

    def state(self, address: str) -> SubscriberState | None:
        found = self.store.find("weekly", Mailbox.parse(address))
        return None if found is None else found.state

    def export(self) -> str:
        return "".join(exported(self.store, "weekly", ()))


def with_keeper(folder: Path, story: Callable[[Keeper], Awaitable[None]]) -> None:
    async def told() -> None:
        work, failures = RealWork(1), list[BaseException]()
        store = SqliteNewsletterStore.open(
            RealDisk(str(folder)), work, Stopped(), role="test", failed=failures.append, busy_seconds=5.0
        )
        try:
            async with asyncio.timeout(30):
                await story(Keeper(store))
        finally:
            store.close()
            work.close()
        assert failures == []

    asyncio.run(told())


def test_a_list_is_pending_unless_somebody_says_where_they_agreed(tmp_path: Path) -> None:
    async def story(keeper: Keeper) -> None:
        report = await keeper.bring("email\na@reader.example\nnobody\na@READER.example\n")
        assert (report.added, report.known, report.bad_count, report.lines) == (1, 1, 1, 3)
        assert str(report.bad[0]).startswith("line 3: ")
        assert keeper.state("a@reader.example") is SubscriberState.PENDING
        assert keeper.hints == []
        await keeper.bring("b@reader.example\n", confirmed="at the fair, June 2026")
        added = keeper.store.find("weekly", Mailbox.parse("b@reader.example"))
        assert added is not None
        assert added.state is SubscriberState.ACTIVE
        assert added.consent is not None
        assert added.consent.where == "at the fair, June 2026"
        with pytest.raises(ValueError, match="where and when"):
            await keeper.bring("c@reader.example\n", confirmed=" ")
        assert keeper.state("c@reader.example") is None

    with_keeper(tmp_path, story)


def test_no_list_makes_a_reader_of_an_address_of_ours(tmp_path: Path) -> None:
    async def story(keeper: Keeper) -> None:
        text = "a@reader.example\njoin-weekly@MX2.example.net\nb@reader.example\n"
        report = await keeper.bring(text, confirmed="at the fair")
        assert (report.added, report.bad_count) == (2, 1)
        assert str(report.bad[0]) == "line 2: mx2.example.net is this server itself, where no reader is"
        assert keeper.state("join-weekly@mx2.example.net") is None

    with_keeper(tmp_path, story)


def test_those_invited_get_a_confirmation(tmp_path: Path) -> None:
    async def story(keeper: Keeper) -> None:
        await keeper.bring("a@reader.example\nb@reader.example\n", invites=True)
        assert keeper.hints == [1]
        for address in ("a@reader.example", "b@reader.example"):
            found = keeper.store.find("weekly", Mailbox.parse(address))
            assert found is not None
            assert len(keeper.store.deliveries_of(found.id, 10)) == 1

    with_keeper(tmp_path, story)


def test_nobody_comes_back_by_a_list(tmp_path: Path) -> None:
    async def story(keeper: Keeper) -> None:
        everybody = "\n".join(
            f"{name}@reader.example" for name in ("left", "erased", "suppressed", "spam", "new")
        )
        await keeper.bring(everybody.replace("\nnew@reader.example", ""), confirmed="once")
        for name in ("left", "erased", "spam"):
            found = keeper.store.find("weekly", Mailbox.parse(f"{name}@reader.example"))
            assert found is not None
            if name == "left":
                await keeper.store.leave(found.id, NOW_MS, "page")
            elif name == "erased":
                await keeper.store.erase(found.id, NOW_MS)
            else:
                await keeper.store.complain(found.id, NOW_MS, "report")
        await keeper.store.suppress(
            "weekly", [Mailbox.parse("suppressed@reader.example")], Reason.OWNER, NOW_MS, "by hand"
        )
        report = await keeper.bring(everybody, confirmed="again")
        assert (report.added, report.known + report.suppressed) == (1, 4)
        assert keeper.state("left@reader.example") is SubscriberState.LEFT
        assert keeper.state("erased@reader.example") is None
        assert keeper.state("spam@reader.example") is SubscriberState.COMPLAINED
        assert keeper.state("new@reader.example") is SubscriberState.ACTIVE

    with_keeper(tmp_path, story)


def test_whom_the_list_calls_gone_is_suppressed(tmp_path: Path) -> None:
    async def story(keeper: Keeper) -> None:
        report = await keeper.bring(
            "email,status\na@reader.example,enabled\nb@reader.example,unsubscribed\nc@reader.example,pending\n",
            confirmed="elsewhere",
        )
        assert (report.added, report.gone) == (2, 1)
        assert keeper.state("a@reader.example") is SubscriberState.ACTIVE
        assert keeper.state("b@reader.example") is None
        assert keeper.state("c@reader.example") is SubscriberState.PENDING
        suppression = keeper.store.suppression("weekly", Mailbox.parse("b@reader.example"))
        assert suppression is not None
        assert suppression.reason is Reason.IMPORTED

    with_keeper(tmp_path, story)


def test_a_reader_who_left_may_still_come_back_after_our_own_list_was_read_again(tmp_path: Path) -> None:
    async def story(keeper: Keeper) -> None:
        await keeper.bring("a@reader.example\n", confirmed="once")
        found = keeper.store.find("weekly", Mailbox.parse("a@reader.example"))
        assert found is not None
        await keeper.store.leave(found.id, NOW_MS, "page")
        assert (await keeper.bring(keeper.export(), confirmed="again")).gone == 1
        assert keeper.state("a@reader.example") is SubscriberState.LEFT
        assert keeper.store.suppression("weekly", found.mailbox) is None

    with_keeper(tmp_path, story)


def test_whoever_is_suppressed_is_so_in_what_goes_out(tmp_path: Path) -> None:
    async def story(keeper: Keeper) -> None:
        await keeper.bring("a@reader.example\nb@reader.example\n", confirmed="once")
        await keeper.store.suppress("", [Mailbox.parse("a@reader.example")], Reason.OWNER, NOW_MS, "by post")
        lines = keeper.export().splitlines(keepends=True)
        await keeper.lists.run("other", "export.csv", lines, "moved", False, keeper.progress.append)
        assert keeper.store.suppression("other", Mailbox.parse("b@reader.example")) is None
        assert keeper.store.find("other", Mailbox.parse("a@reader.example")) is None
        assert [line.split(",")[7] for line in lines] == ["suppressed", "yes", ""]

    with_keeper(tmp_path, story)


def test_a_list_of_those_who_are_to_get_nothing(tmp_path: Path) -> None:
    async def story(keeper: Keeper) -> None:
        text = "email\na@reader.example\nnonsense\nb@reader.example\na@reader.example\n"
        report = await suppress_list(keeper.store, Stopped(), "", "never.csv", text.splitlines(keepends=True))
        assert (report.lines, report.suppressed, len(report.bad)) == (4, 2, 1)
        assert (await keeper.bring("a@reader.example\n", confirmed="x")).suppressed == 1

    with_keeper(tmp_path, story)


def test_long_lists_come_in_batches_and_say_how_far_they_are(tmp_path: Path) -> None:
    async def story(keeper: Keeper) -> None:
        count = 2 * BATCH_READERS_MAX + 10
        text = "".join(f"reader{number}@reader.example\n" for number in range(count))
        report = await keeper.bring(text, confirmed="once")
        assert [told.lines for told in keeper.progress] == [BATCH_READERS_MAX, 2 * BATCH_READERS_MAX, count]
        assert report.added == count
        assert len(keeper.export().split("\r\n")) == count + 2
        again = await keeper.bring(text, confirmed="once")
        assert (again.added, again.known) == (0, count)

    with_keeper(tmp_path, story)


def test_what_goes_out_comes_in_again(tmp_path: Path) -> None:
    listed = (
        "email,city,formula\n"
        '=1+1@reader.example,Oslo,"=HYPERLINK(""https://evil.example/"")"\n'
        "plain@reader.example,,+47\n"
    )

    async def story(keeper: Keeper) -> None:
        await keeper.bring(listed, confirmed="=at the fair")
        await keeper.store.add(
            "weekly", Mailbox.parse("late@reader.example"), Consent("x", "owner", "", NOW_MS), NOW_MS, None
        )
        text = keeper.export()
        for line in text.splitlines():
            for cell in line.split(","):
                assert not cell.lstrip('"').startswith(("=", "+", "-", "@"))
        lines = text.splitlines(keepends=True)
        await keeper.lists.run("other", "export.csv", lines, "moved", False, keeper.progress.append)
        for address in ("=1+1@reader.example", "plain@reader.example", "late@reader.example"):
            before = keeper.store.find("weekly", Mailbox.parse(address))
            after = keeper.store.find("other", Mailbox.parse(address))
            assert before is not None
            assert after is not None
            assert after.attributes == before.attributes
            assert after.state is SubscriberState.ACTIVE

    with_keeper(tmp_path, story)


def test_what_is_no_list_brings_nobody(tmp_path: Path) -> None:
    async def story(keeper: Keeper) -> None:
        with pytest.raises(NoList):
            await keeper.bring("name,phone\nAnn,123\n", confirmed="x")
        assert sum(keeper.store.reader_counts("weekly").values()) == 0

    with_keeper(tmp_path, story)
