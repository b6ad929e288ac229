"""The keeper over a real store: lists are imported and exported, and readers who left stay so."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.queue_id import QueueIds
from secondpost.mail.subscriber import Consent, SubscriberState
from secondpost.mail.subscriber_states import Reason
from secondpost.store.sqlite import SqliteNewsletterStore
from secondpost.store.sqlite.schema import Database
from secondpost.store.subscriber_ports import BATCH_READERS_MAX, SignUpLimits
from secondpost.subscribers.exporting import exported
from secondpost.subscribers.import_report import ImportReport
from secondpost.subscribers.importing import ListImport
from secondpost.subscribers.list_columns import OwnersWord
from secondpost.subscribers.list_rows import NoList, RowVerdict
from secondpost.subscribers.meanings import ReaderStanding
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.work import RealWork
from tests.clock import START_MS as NOW_MS
from tests.clock import SetClock
from tests.new_store import lay_new
from tests.store.place import database_of
from tests.subscribers.listed import NO_WORD, owners_word, understood

OURS = Domain("mx2.example.net")
JAN_5_2024_MS = 1_704_412_800_000
FEB_5_2024_MS = 1_707_091_200_000


class Keeper:
    """A store with one newsletter, and the import of lists."""

    def __init__(self, store: SqliteNewsletterStore) -> None:
        self.store = store
        self.hints: list[int] = []
        self.progress: list[ImportReport] = []
        ids = QueueIds(store.worker)
        self.lists = ListImport(store, SetClock(), ids, lambda: self.hints.append(1), frozenset((OURS,)))

    async def bring(
        self,
        text: str,
        confirmed: str | None = None,
        invites: bool = False,
        newsletter: str = "weekly",
        word: OwnersWord = NO_WORD,
    ) -> ImportReport:
        report = understood(text, word)
        return await self.lists.run(
            newsletter, "readers.csv", report, confirmed, invites, self.progress.append
        )

    async def state(self, address: str) -> SubscriberState | None:
        found = await self.store.find("weekly", Mailbox.parse(address))
        return None if found is None else found.state

    async def export(self) -> str:
        return "".join([line async for line in exported(self.store, "weekly", ())])


def with_keeper(folder: Path, story: Callable[[Keeper], Awaitable[None]]) -> None:
    async def told() -> None:
        work, failures = RealWork(1), list[BaseException]()
        lay_new(str(folder), Database.NEWSLETTER)
        store = SqliteNewsletterStore.open(
            RealDisk(str(folder)),
            work,
            SetClock(),
            role="test",
            failed=failures.append,
            busy_seconds=5.0,
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
        assert await keeper.state("a@reader.example") is SubscriberState.PENDING
        assert keeper.hints == []
        await keeper.bring("b@reader.example\n", confirmed="at the fair, June 2026")
        added = await keeper.store.find("weekly", Mailbox.parse("b@reader.example"))
        assert added is not None
        assert added.state is SubscriberState.ACTIVE
        assert added.consent is not None
        assert added.consent.where == "at the fair, June 2026"
        with pytest.raises(ValueError, match="where and when"):
            await keeper.bring("c@reader.example\n", confirmed=" ")
        assert await keeper.state("c@reader.example") is None

    with_keeper(tmp_path, story)


def test_no_list_makes_a_reader_of_an_address_of_ours(tmp_path: Path) -> None:
    async def story(keeper: Keeper) -> None:
        text = "a@reader.example\njoin-weekly@MX2.example.net\nb@reader.example\n"
        report = await keeper.bring(text, confirmed="at the fair")
        assert (report.added, report.bad_count) == (2, 1)
        assert str(report.bad[0]) == "line 2: mx2.example.net is this server itself, which has no readers"
        assert await keeper.state("join-weekly@mx2.example.net") is None

    with_keeper(tmp_path, story)


def test_those_invited_get_a_confirmation(tmp_path: Path) -> None:
    async def story(keeper: Keeper) -> None:
        await keeper.bring("a@reader.example\nb@reader.example\n", invites=True)
        assert keeper.hints == [1]
        for address in ("a@reader.example", "b@reader.example"):
            found = await keeper.store.find("weekly", Mailbox.parse(address))
            assert found is not None
            assert len(await keeper.store.deliveries_of(found.id, 10)) == 1

    with_keeper(tmp_path, story)


def test_nobody_comes_back_by_a_list(tmp_path: Path) -> None:
    async def story(keeper: Keeper) -> None:
        everybody = "\n".join(
            f"{name}@reader.example" for name in ("left", "erased", "suppressed", "spam", "new")
        )
        await keeper.bring(everybody.replace("\nnew@reader.example", ""), confirmed="once")
        for name in ("left", "erased", "spam"):
            found = await keeper.store.find("weekly", Mailbox.parse(f"{name}@reader.example"))
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
        assert await keeper.state("left@reader.example") is SubscriberState.LEFT
        assert await keeper.state("erased@reader.example") is None
        assert await keeper.state("spam@reader.example") is SubscriberState.COMPLAINED
        assert await keeper.state("new@reader.example") is SubscriberState.ACTIVE

    with_keeper(tmp_path, story)


def test_who_left_elsewhere_has_left_and_who_bounced_or_complained_is_suppressed(tmp_path: Path) -> None:
    text = (
        "email,status,unsubscribed at,created at\na@reader.example,enabled,,2024-01-05\n"
        "b@reader.example,unsubscribed,2024-02-05,2024-01-05\nc@reader.example,pending,,\n"
        "d@reader.example,bounced,,\ne@reader.example,complained,,\nf@reader.example,Lapsed,,\n"
    )

    async def story(keeper: Keeper) -> None:
        report = await keeper.bring(text, confirmed="elsewhere")
        assert (report.added, report.left, report.gone, report.unclear, report.lines) == (2, 1, 2, 1, 6)
        assert [await keeper.state(f"{name}@reader.example") for name in "abcdef"] == [
            SubscriberState.ACTIVE,
            SubscriberState.LEFT,
            SubscriberState.PENDING,
            None,
            None,
            None,
        ]
        for name, reason in (("d", Reason.BOUNCED), ("e", Reason.COMPLAINED)):
            told = await keeper.store.suppression("weekly", Mailbox.parse(f"{name}@reader.example"))
            assert told is not None
            assert (told.reason, told.evidence) == (reason, f"readers.csv: status: {reason}")
        for name in "bf":
            assert await keeper.store.suppression("weekly", Mailbox.parse(f"{name}@reader.example")) is None
        left = await keeper.store.find("weekly", Mailbox.parse("b@reader.example"))
        assert left is not None
        assert (left.since_ms, left.created_ms, left.consent) == (FEB_5_2024_MS, JAN_5_2024_MS, None)
        events = await keeper.store.events_of(left.id)
        assert [(event.what, event.detail, event.at_ms) for event in events] == [
            ("imported", "left elsewhere", NOW_MS)
        ]

    with_keeper(tmp_path, story)


def test_a_reader_who_bounced_or_complained_elsewhere_is_none_any_more(tmp_path: Path) -> None:
    async def story(keeper: Keeper) -> None:
        await keeper.bring("a@reader.example\nb@reader.example\n", confirmed="once")
        await keeper.bring("c@reader.example\n", invites=True)
        text = "email,status\na@reader.example,bounced\nc@reader.example,complained\nd@reader.example,spam\n"
        report = await keeper.bring(text, confirmed="again")
        assert (report.gone, report.left, report.known, report.lines) == (3, 0, 0, 3)
        counts = await keeper.store.reader_counts("weekly")
        assert (counts[SubscriberState.ACTIVE], counts[SubscriberState.LEFT]) == (1, 2)
        assert await keeper.state("d@reader.example") is None
        assert await keeper.store.suppressed_count("weekly") == 3

    with_keeper(tmp_path, story)


def test_what_is_not_known_never_leads_to_mail(tmp_path: Path) -> None:
    text = "email,status\na@reader.example,Lapsed\nb@reader.example,unsubscribed\nc@reader.example,enabled\n"

    async def story(keeper: Keeper) -> None:
        report = await keeper.bring(text, invites=True)
        assert (report.asked, report.unclear, report.left) == (1, 1, 1)
        await keeper.bring(text, confirmed="elsewhere")
        assert await keeper.state("a@reader.example") is None
        assert await keeper.state("b@reader.example") is SubscriberState.LEFT
        assert await keeper.state("c@reader.example") is SubscriberState.ACTIVE
        word = owners_word(words={"Lapsed": RowVerdict.ACTIVE})
        await keeper.bring(text, confirmed="elsewhere", word=word)
        assert await keeper.state("a@reader.example") is SubscriberState.ACTIVE

    with_keeper(tmp_path, story)


def test_a_word_in_doubt_stops_the_import_before_anything_is_written(tmp_path: Path) -> None:
    text = "email,tags\na@reader.example,vip\nb@reader.example,unsubscribed\n"

    async def story(keeper: Keeper) -> None:
        with pytest.raises(ValueError, match="in doubt"):
            await keeper.bring(text, confirmed="elsewhere")
        assert sum((await keeper.store.reader_counts("weekly")).values()) == 0
        await keeper.bring(
            text, confirmed="elsewhere", word=owners_word(words={"unsubscribed": RowVerdict.LEFT})
        )
        assert await keeper.state("a@reader.example") is SubscriberState.ACTIVE
        assert await keeper.state("b@reader.example") is SubscriberState.LEFT

    with_keeper(tmp_path, story)


def test_a_list_takes_away_and_does_not_give(tmp_path: Path) -> None:
    def list_of(state: str, date: str = "") -> str:
        return "email,status,unsubscribed at\n" + "".join(
            f"{name}@reader.example,{state},{date}\n" for name in ("ann", "bob")
        )

    async def story(keeper: Keeper) -> None:
        await keeper.bring(list_of("subscribed"), confirmed="once")
        ann = await keeper.store.find("weekly", Mailbox.parse("ann@reader.example"))
        assert ann is not None
        report = await keeper.bring(list_of("unsubscribed"), confirmed="again")
        assert (report.left, report.known) == (2, 0)
        assert (await keeper.store.reader_counts("weekly"))[SubscriberState.LEFT] == 2
        again = await keeper.bring(list_of("subscribed"), confirmed="again")
        assert (again.added, again.confirmed, again.known) == (0, 0, 2)
        assert (await keeper.bring(list_of("unsubscribed"))).known == 2
        assert [event.what for event in await keeper.store.events_of(ann.id)] == ["imported", "imported"]

    with_keeper(tmp_path, story)


@pytest.mark.parametrize(
    ("date", "state"),
    [
        ("2024-02-05", SubscriberState.ACTIVE),  # before the consent
        ("2027-01-14", SubscriberState.LEFT),  # after it
        ("", SubscriberState.LEFT),
    ],
)
def test_of_an_agreement_here_and_leaving_there_the_later_holds(
    tmp_path: Path, date: str, state: SubscriberState
) -> None:
    agreed_ms = NOW_MS - 30 * 24 * 3_600_000  # 2026-12-16

    async def story(keeper: Keeper) -> None:
        mailbox = Mailbox.parse("ann@reader.example")
        agreed = Consent("https://news.example/", "form", "yes", agreed_ms)
        await keeper.store.add("weekly", mailbox, agreed, agreed_ms, None)
        text = f"email,status,unsubscribed at\nann@reader.example,unsubscribed,{date}\n"
        report = await keeper.bring(text)
        assert await keeper.state("ann@reader.example") is state
        assert (report.left, report.known) == ((1, 0) if state is SubscriberState.LEFT else (0, 1))

    with_keeper(tmp_path, story)


def test_who_came_back_stays_when_the_same_list_is_brought_in_again(tmp_path: Path) -> None:
    text = "email,status\nann@reader.example,unsubscribed\n"

    async def story(keeper: Keeper) -> None:
        await keeper.bring(text)
        mailbox = Mailbox.parse("ann@reader.example")
        agreed = Consent("https://news.example/", "form", "yes", NOW_MS)
        ids = QueueIds(keeper.store.worker)
        await keeper.store.sign_up("weekly", mailbox, agreed, ids.next(NOW_MS), SignUpLimits())
        assert await keeper.state("ann@reader.example") is SubscriberState.PENDING
        assert (await keeper.bring(text)).known == 1
        assert await keeper.state("ann@reader.example") is SubscriberState.PENDING
        ann = await keeper.store.find("weekly", mailbox)
        assert ann is not None
        assert await keeper.store.confirm(ann.id, agreed)
        assert (await keeper.bring(text)).known == 1
        assert await keeper.state("ann@reader.example") is SubscriberState.ACTIVE

    with_keeper(tmp_path, story)


def test_consent_of_the_list_is_kept_and_nothing_of_a_line_that_changes_nothing(tmp_path: Path) -> None:
    text = (
        "email,confirmed at,ip,created at\na@reader.example,2024-01-05,192.0.2.7,2024-01-05\n"
        "b@reader.example,2024-01-05,192.0.2.7,2024-01-05\nc@reader.example,,,\n"
    )

    async def story(keeper: Keeper) -> None:
        for _ in range(2):
            await keeper.bring(text, confirmed="at the fair")
            found = await keeper.store.readers("weekly", (), None, 10)
            assert [reader.consent for reader in found] == [
                Consent("at the fair", "import", "readers.csv", JAN_5_2024_MS, "192.0.2.0/24"),
                Consent("at the fair", "import", "readers.csv", JAN_5_2024_MS, "192.0.2.0/24"),
                Consent("at the fair", "import", "readers.csv", NOW_MS),
            ]
            assert [reader.created_ms for reader in found] == [JAN_5_2024_MS, JAN_5_2024_MS, NOW_MS]
            rows = database_of(keeper.store).execute("SELECT count(*) FROM consent").fetchall()
            assert rows == [(3,)]  # with a network it would identify a single reader

    with_keeper(tmp_path, story)


def test_a_reader_who_left_may_still_come_back_after_our_own_list_was_read_again(tmp_path: Path) -> None:
    async def story(keeper: Keeper) -> None:
        await keeper.bring("a@reader.example\n", confirmed="once")
        found = await keeper.store.find("weekly", Mailbox.parse("a@reader.example"))
        assert found is not None
        await keeper.store.leave(found.id, NOW_MS, "page")
        assert (await keeper.bring(await keeper.export())).known == 1
        assert await keeper.state("a@reader.example") is SubscriberState.LEFT
        assert await keeper.store.suppression("weekly", found.mailbox) is None

    with_keeper(tmp_path, story)


def test_whoever_is_suppressed_is_so_in_what_goes_out(tmp_path: Path) -> None:
    async def story(keeper: Keeper) -> None:
        await keeper.bring("a@reader.example\nb@reader.example\n", confirmed="once")
        await keeper.store.suppress("", [Mailbox.parse("a@reader.example")], Reason.OWNER, NOW_MS, "by post")
        await keeper.bring(await keeper.export(), newsletter="other")
        assert await keeper.store.suppression("other", Mailbox.parse("b@reader.example")) is None
        again = await keeper.store.find("other", Mailbox.parse("a@reader.example"))
        assert again is not None
        lines = (await keeper.export()).splitlines()
        assert [line.split(",")[12] for line in lines] == ["everywhere", "owner", ""]

    with_keeper(tmp_path, story)


def test_a_list_of_those_who_are_to_get_nothing(tmp_path: Path) -> None:
    async def story(keeper: Keeper) -> None:
        text = "email\na@reader.example\nnonsense\nb@reader.example\na@reader.example\n"
        report = await keeper.bring(text, word=owners_word(whole=ReaderStanding.SUPPRESSED))
        assert (report.lines, report.gone, report.known, report.bad_count) == (4, 2, 1, 1)
        assert (await keeper.bring("a@reader.example\n", confirmed="x")).suppressed == 1

    with_keeper(tmp_path, story)


def test_long_lists_come_in_batches_and_say_how_far_they_are(tmp_path: Path) -> None:
    async def story(keeper: Keeper) -> None:
        count = 2 * BATCH_READERS_MAX + 10
        text = "".join(f"reader{number}@reader.example\n" for number in range(count))
        report = await keeper.bring(text, confirmed="once")
        assert [told.lines for told in keeper.progress] == [BATCH_READERS_MAX, 2 * BATCH_READERS_MAX, count]
        assert report.added == count
        assert len((await keeper.export()).split("\r\n")) == count + 2
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
            "weekly",
            Mailbox.parse("late@reader.example"),
            Consent("x", "owner", "", NOW_MS),
            NOW_MS,
            None,
        )
        text = await keeper.export()
        for line in text.splitlines():
            for cell in line.split(","):
                assert not cell.lstrip('"').startswith(("=", "+", "-", "@"))
        await keeper.bring(text, newsletter="other")
        for address in ("=1+1@reader.example", "plain@reader.example", "late@reader.example"):
            before = await keeper.store.find("weekly", Mailbox.parse(address))
            after = await keeper.store.find("other", Mailbox.parse(address))
            assert before is not None
            assert after is not None
            assert after.attributes == before.attributes
            assert after.state is SubscriberState.ACTIVE

    with_keeper(tmp_path, story)


def test_what_is_no_list_brings_nobody(tmp_path: Path) -> None:
    async def story(keeper: Keeper) -> None:
        with pytest.raises(NoList):
            await keeper.bring("name,phone\nAnn,123\n", confirmed="x")
        assert sum((await keeper.store.reader_counts("weekly")).values()) == 0

    with_keeper(tmp_path, story)
