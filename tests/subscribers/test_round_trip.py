"""Our own export, imported into a new store, gives the same list row by row."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondpost.mail.address import Mailbox
from secondpost.mail.duration import DAY_MS
from secondpost.mail.moment import utc_text
from secondpost.mail.queue_id import QueueIds
from secondpost.mail.subscriber import Consent, SubscriberState
from secondpost.mail.subscriber_states import Reason
from secondpost.store.sqlite import SqliteNewsletterStore
from secondpost.store.sqlite.schema import Database
from secondpost.store.subscriber_ports import Imported, SignedUp, SignUpLimits, Suppression
from secondpost.store.verbs.suppressed import hash_keys
from secondpost.subscribers.exporting import exported
from secondpost.subscribers.import_report import ImportReport
from secondpost.subscribers.importing import ListImport
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.work import RealWork
from tests.clock import START_MS as NOW_MS
from tests.clock import SetClock
from tests.new_store import lay_new
from tests.store.place import database_of, engine_of
from tests.subscribers.listed import understood

ONE_ACTIVE = (
    "email,state,since,created,agreed_where,agreed_how,agreed_text,agreed_at\r\n"
    "ann@reader.example,active,2026-01-01T00:00:00Z,2026-01-01T00:00:00Z,page,form,,2026-01-01T00:00:00Z\r\n"
)
ERASED, STRANGER = Mailbox.parse("erased@reader.example"), Mailbox.parse("stranger@reader.example")


async def in_a_store(folder: str, story: Callable[[SqliteNewsletterStore], Awaitable[None]]) -> None:
    work, failures = RealWork(1), list[BaseException]()
    lay_new(folder, Database.NEWSLETTER)
    store = SqliteNewsletterStore.open(
        RealDisk(folder), work, SetClock(), role="test", failed=failures.append, busy_seconds=5.0
    )
    try:
        async with asyncio.timeout(30):
            await story(store)
    finally:
        store.close()
        work.close()
    assert failures == []


async def export_of(store: SqliteNewsletterStore) -> str:
    return "".join([line async for line in exported(store, "weekly", ())])


async def brought_in(store: SqliteNewsletterStore, text: str) -> ImportReport:
    ids = QueueIds(store.worker)
    lists = ListImport(store, SetClock(), ids, lambda: None, frozenset())
    return await lists.run("weekly", "export.csv", understood(text), None, False, lambda report: None)


@dataclass
class Machines:
    """Two stores, one after the other."""

    folder: Path

    def run(
        self,
        old: Callable[[SqliteNewsletterStore], Awaitable[None]],
        new: Callable[[SqliteNewsletterStore], Awaitable[None]],
    ) -> str:
        """Export from the old store, import into the new one, and report."""
        told: list[str] = []

        async def before(store: SqliteNewsletterStore) -> None:
            await old(store)
            told.append(await export_of(store))

        async def after(store: SqliteNewsletterStore) -> None:
            await brought_in(store, told[0])
            await new(store)

        for name, story in (("old", before), ("new", after)):
            (self.folder / name).mkdir(mode=0o700, exist_ok=True)
            asyncio.run(in_a_store(str(self.folder / name), story))
        return told[0]


@pytest.fixture
def machines(tmp_path: Path) -> Machines:
    return Machines(tmp_path)


async def nothing(store: SqliteNewsletterStore) -> None:
    return None


# Any text except surrogates and NUL, which a database does not keep.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
MOMENTS = st.integers(1, NOW_MS // 1000).map(lambda seconds: seconds * 1000)
REASONS = st.sampled_from(list(Reason))
SUPPRESSIONS = st.dictionaries(
    st.sampled_from(["", "weekly"]),
    st.tuples(REASONS.filter(lambda reason: reason is not Reason.ERASED), MOMENTS, TEXTS),
)
LOCALS = st.from_regex(r"[A-Za-z0-9=+_-][A-Za-z0-9=+._-]{0,8}[a-z0-9]", fullmatch=True).filter(
    lambda local: ".." not in local
)
CONSENTS = st.builds(Consent, TEXTS, TEXTS, TEXTS, MOMENTS, st.sampled_from(["", "192.0.2.0/24"]))
ATTRIBUTES = st.dictionaries(TEXTS.filter(lambda t: t != ""), TEXTS.filter(lambda t: t != ""), max_size=3)


@st.composite
def lines(draw: st.DrawFn) -> list[Imported]:
    found = []
    for number, local in enumerate(draw(st.lists(LOCALS, max_size=12))):
        state = draw(st.sampled_from(list(SubscriberState)))
        consent = draw(CONSENTS if state is SubscriberState.ACTIVE else st.none() | CONSENTS)
        told = draw(SUPPRESSIONS)
        found.append(
            Imported(
                Mailbox.parse(f"{local}@r{number}.example"),
                tuple(draw(ATTRIBUTES).items()),
                state,
                consent,
                draw(MOMENTS),
                draw(MOMENTS),
                tuple(Suppression(where, *rest) for where, rest in told.items()),
            )
        )
    return found


STRANGERS = st.dictionaries(
    st.integers(0, 20), st.tuples(st.sampled_from(["", "weekly"]), REASONS, MOMENTS, TEXTS), max_size=6
)


@settings(max_examples=25)
@given(lines(), STRANGERS)
def test_any_list_is_the_same_on_a_new_machine(
    listed: list[Imported], strangers: dict[int, tuple[str, Reason, int, str]]
) -> None:
    async def old(store: SqliteNewsletterStore) -> None:
        await store.import_batch("weekly", listed, SubscriberState.PENDING, None, NOW_MS)
        for number, (newsletter, reason, at_ms, evidence) in strangers.items():
            mailbox = Mailbox.parse(f"stranger{number}@reader.example")
            await store.suppress(newsletter, [mailbox], reason, at_ms, evidence)

    async def new(store: SqliteNewsletterStore) -> None:
        told.append(await export_of(store))
        counts = await store.reader_counts("weekly")
        assert counts[SubscriberState.ACTIVE] == sum(one.state is SubscriberState.ACTIVE for one in listed)

    told: list[str] = []
    with TemporaryDirectory() as folder:
        before = Machines(Path(folder)).run(old, new)
    assert told[0] == before
    assert before.count("\r\n") >= 1 + len(listed) + len(strangers)


async def all_kinds(store: SqliteNewsletterStore) -> None:
    """A reader in each state, one who was erased, and one who never was a reader."""
    agreed = Consent("https://news.example/", "form", "I want it", NOW_MS - DAY_MS, "192.0.2.0/24")
    for name in ("active", "left", "suspended", "complained", "erased"):
        await store.add("weekly", Mailbox.parse(f"{name}@reader.example"), agreed, NOW_MS - DAY_MS, None)
    await store.add("weekly", Mailbox.parse("pending@reader.example"), None, NOW_MS, None)
    for name in ("left", "suspended", "complained", "erased"):
        found = await store.find("weekly", Mailbox.parse(f"{name}@reader.example"))
        assert found is not None
        match name:
            case "left":
                await store.leave(found.id, NOW_MS, "page")
            case "suspended":
                await store.suspend(found.id, NOW_MS, "5.1.1")
            case "complained":
                await store.complain(found.id, NOW_MS, "report")
            case _:
                await store.erase(found.id, NOW_MS)
    await store.suppress("", [STRANGER], Reason.OWNER, NOW_MS, "by post")
    await store.suppress("weekly", [STRANGER], Reason.BOUNCED, NOW_MS, "list.csv: bounced")


def test_all_states_and_everybody_who_is_suppressed_are_the_same_on_a_new_machine(machines: Machines) -> None:
    async def new(store: SqliteNewsletterStore) -> None:
        assert await export_of(store) == (machines.folder / "told.csv").read_bytes().decode()
        counts = await store.reader_counts("weekly")
        assert counts == dict.fromkeys(SubscriberState, 1)
        active = await store.find("weekly", Mailbox.parse("active@reader.example"))
        assert active is not None
        assert active.consent == Consent(
            "https://news.example/", "form", "I want it", NOW_MS - DAY_MS, "192.0.2.0/24"
        )
        assert [told.reason for told in await store.suppressions("weekly", STRANGER)] == [
            Reason.OWNER,
            Reason.BOUNCED,
        ]
        assert (await store.suppressed_count("weekly"), await store.suppressed_count("")) == (3, 1)

    first = machines.run(all_kinds, nothing)
    (machines.folder / "told.csv").write_bytes(first.encode())
    asyncio.run(in_a_store(str(machines.folder / "new"), new))


def test_who_is_known_by_a_hash_of_another_store_is_recognised(
    machines: Machines,
) -> None:
    async def new(store: SqliteNewsletterStore) -> None:
        ids = QueueIds(store.worker)
        agreed = Consent("https://news.example/", "form", "yes", NOW_MS, "192.0.2.0/24")
        signed_up = await store.sign_up("weekly", STRANGER, agreed, ids.next(NOW_MS), SignUpLimits())
        assert signed_up is SignedUp.SUPPRESSED
        assert await store.add("weekly", STRANGER, agreed, NOW_MS, None) is None
        assert not await store.send_copy("weekly", STRANGER, ids.next(NOW_MS), b"x", NOW_MS)
        count = await store.import_batch(
            "weekly", [Imported(ERASED), Imported(STRANGER)], SubscriberState.ACTIVE, agreed, NOW_MS
        )
        assert (count.added, count.suppressed) == (0, 2)
        assert await store.unsuppress("weekly", STRANGER)
        assert await store.unsuppress("", STRANGER)
        assert await store.add("weekly", STRANGER, agreed, NOW_MS, None) is not None

    machines.run(all_kinds, new)


def test_lifting_finds_an_address_that_only_another_store_had_hashed(machines: Machines) -> None:
    async def new(store: SqliteNewsletterStore) -> None:
        told = await store.suppression("weekly", ERASED)
        assert told is not None
        assert told.reason is Reason.ERASED
        assert await store.unsuppress("weekly", ERASED)
        assert await store.suppression("weekly", ERASED) is None

    machines.run(all_kinds, new)


def test_a_reader_of_the_new_machine_is_found_among_the_hashes(tmp_path: Path) -> None:
    """A store that has readers and its own key."""

    async def old(store: SqliteNewsletterStore) -> None:
        await all_kinds(store)
        (tmp_path / "told.csv").write_bytes((await export_of(store)).encode())

    async def new(store: SqliteNewsletterStore) -> None:
        agreed = Consent("https://news.example/", "form", "yes", NOW_MS)
        stranger = await store.add("weekly", STRANGER, agreed, NOW_MS, None)
        assert stranger is not None
        report = await brought_in(store, (tmp_path / "told.csv").read_bytes().decode())
        assert (report.added, report.left, report.hashes) == (4, 1, 2)
        told = await store.suppressions("weekly", STRANGER)
        assert [each.reason for each in told] == [Reason.OWNER, Reason.BOUNCED]
        line = next(line for line in (await export_of(store)).splitlines() if line.startswith("stranger@"))
        assert f"bounced,{utc_text(NOW_MS)},list.csv: bounced,owner,{utc_text(NOW_MS)},by post" in line
        own = (await engine_of(store).read(hash_keys())).hash_of(STRANGER)
        rows = (
            database_of(store).execute("SELECT count(*) FROM suppression WHERE hash = ?1", (own,)).fetchall()
        )
        assert rows == [(2,)]

    for name, story in (("old", old), ("new", new)):
        (tmp_path / name).mkdir(mode=0o700)
        asyncio.run(in_a_store(str(tmp_path / name), story))


def test_bringing_our_own_export_in_again_changes_nothing(tmp_path: Path) -> None:
    async def story(store: SqliteNewsletterStore) -> None:
        await all_kinds(store)
        before = await export_of(store)
        report = await brought_in(store, before)
        assert (report.added, report.known, report.hashes) == (0, 5, 2)
        assert await export_of(store) == before
        assert database_of(store).execute("SELECT count(*) FROM secret").fetchall() == [(1,)]

    asyncio.run(in_a_store(str(tmp_path), story))


def test_who_was_erased_here_does_not_come_back_by_an_older_export(tmp_path: Path) -> None:
    async def story(store: SqliteNewsletterStore) -> None:
        await all_kinds(store)
        older = await export_of(store)
        for name in ("active", "complained"):
            found = await store.find("weekly", Mailbox.parse(f"{name}@reader.example"))
            assert found is not None
            assert await store.erase(found.id, NOW_MS)
        await store.unsuppress("weekly", Mailbox.parse("complained@reader.example"))
        await store.suppress("", [Mailbox.parse("complained@reader.example")], Reason.ERASED, NOW_MS, "")
        report = await brought_in(store, older)
        assert (report.added, report.suppressed) == (0, 2)
        assert await store.find("weekly", Mailbox.parse("active@reader.example")) is None
        assert await store.find("weekly", Mailbox.parse("complained@reader.example")) is None

    asyncio.run(in_a_store(str(tmp_path), story))


def test_an_older_export_has_fewer_columns_and_is_still_ours(tmp_path: Path) -> None:
    text = (
        "email,state,since,created,agreed_where,agreed_how,agreed_at,suppressed,attributes\r\n"
        "a@reader.example,active,2025-06-01T12:00:00Z,2024-02-02T10:54:27Z,page,form,"
        '2024-02-02T10:56:00Z,,"{""x"": ""y""}"\r\n'
        "b@reader.example,suspended,2025-06-01T12:00:00Z,2024-02-02T10:54:27Z,,,,yes,\r\n"
    )

    async def story(store: SqliteNewsletterStore) -> None:
        assert (await brought_in(store, text)).added == 2
        first, second = await store.readers("weekly", (), None, 10)
        assert (first.state, first.attributes) == (SubscriberState.ACTIVE, (("x", "y"),))
        assert first.consent is not None
        assert (first.consent.where, first.consent.how) == ("page", "form")
        told = await store.suppression("weekly", second.mailbox)
        assert told is not None
        assert (second.state, told.reason) == (SubscriberState.SUSPENDED, Reason.IMPORTED)

    asyncio.run(in_a_store(str(tmp_path), story))


def test_a_hash_or_key_that_cannot_be_ours_is_a_bad_line(tmp_path: Path) -> None:
    async def story(store: SqliteNewsletterStore) -> None:
        await all_kinds(store)
        lines = (await export_of(store)).splitlines(keepends=True)
        hashed = lines[-1].split(",")
        hash, key = hashed[-3], hashed[-2]
        torn = [
            lines[-1].replace(key, key * 3),
            lines[-1].replace(key, ""),
            lines[-1].replace(hash, hash[2:]),
            lines[-1].replace(hash, "none"),
        ]
        report = await brought_in(store, "".join([lines[0], *torn]))
        assert (report.hashes, report.bad_count) == (0, 4)
        assert database_of(store).execute("SELECT count(*) FROM secret").fetchall() == [(1,)]

    asyncio.run(in_a_store(str(tmp_path), story))


def test_of_two_lines_of_an_export_about_one_reader_the_one_that_brings_no_mail_holds(tmp_path: Path) -> None:
    async def story(store: SqliteNewsletterStore) -> None:
        head, active = ONE_ACTIVE.splitlines(keepends=True)
        for number, state in enumerate(("left", "suspended", "complained", "pending")):
            again = active.replace("active", state).replace("ann@", f"ann{number}@")
            first = active.replace("ann@", f"ann{number}@")
            await brought_in(store, "".join([head, first, again]))
        assert (await store.reader_counts("weekly"))[SubscriberState.ACTIVE] == 0

    asyncio.run(in_a_store(str(tmp_path), story))


def test_a_moment_of_an_export_that_is_still_to_come_is_not_believed(tmp_path: Path) -> None:
    async def story(store: SqliteNewsletterStore) -> None:
        since_and_created = "2026-01-01T00:00:00Z,2026-01-01T00:00:00Z,"
        await brought_in(
            store, ONE_ACTIVE.replace(since_and_created, since_and_created.replace("2026", "2999"))
        )
        reader = await store.find("weekly", Mailbox.parse("ann@reader.example"))
        assert reader is not None
        assert (reader.since_ms, reader.created_ms) == (NOW_MS, NOW_MS)

    asyncio.run(in_a_store(str(tmp_path), story))
