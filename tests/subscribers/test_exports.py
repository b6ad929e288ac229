"""Every sample of an export, imported: readers who left, bounced or complained get no mail.

No reader is lost.
"""

import asyncio
import csv
import io
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from secondpost.mail.address import Mailbox
from secondpost.mail.moment import utc_text
from secondpost.mail.queue_id import QueueIds
from secondpost.mail.subscriber import Subscriber, SubscriberState, subscriber_key
from secondpost.store.sqlite import SqliteNewsletterStore
from secondpost.store.sqlite.schema import Database
from secondpost.subscribers.import_report import ImportReport
from secondpost.subscribers.importing import ListImport
from secondpost.subscribers.list_report import ListReport
from secondpost.subscribers.meanings import Plain
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.work import RealWork
from tests.clock import SetClock
from tests.new_store import lay_new
from tests.subscribers.export_samples import SAMPLES, ExportSample
from tests.subscribers.listed import owners_word, understood

WHOLE = [sample for sample in SAMPLES if len(sample.stops) == 0]
STOPPING = [sample for sample in SAMPLES if len(sample.stops) > 0]
CSV = [sample for sample in WHOLE if sample.path.suffix == ".csv" and sample.service is not None]
JSON = [sample for sample in WHOLE if sample.path.suffix == ".json"]
# The meaning of the samples' standings; `nothing` counts as active.
GETS_MAIL = frozenset({"active", "nothing"})
STATES = {"pending": SubscriberState.PENDING, "left": SubscriberState.LEFT}


def report_of(sample: ExportSample) -> ListReport:
    return understood(sample.path.read_bytes(), owners_word(whole=sample.whole), sample.path.name)


def keys(sample: ExportSample, *standings: str) -> set[str]:
    return {
        subscriber_key(Mailbox.parse(address)) for address, standing in sample.people if standing in standings
    }


async def brought_in(
    store: SqliteNewsletterStore, sample: ExportSample, confirmed: str | None = None, invites: bool = False
) -> ImportReport:
    lists = ListImport(store, SetClock(), QueueIds(store.worker), lambda: None, frozenset())
    return await lists.run(
        "weekly", sample.path.name, report_of(sample), confirmed, invites, lambda report: None
    )


def in_a_store(folder: Path, story: Callable[[SqliteNewsletterStore], Awaitable[None]]) -> None:
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
                await story(store)
        finally:
            store.close()
            work.close()
        assert failures == []

    asyncio.run(told())


async def mailed(store: SqliteNewsletterStore) -> set[str]:
    """The addresses that get an issue."""
    return {
        reader.key
        for reader in await store.readers("weekly", (SubscriberState.ACTIVE,), None, 1_000)
        if await store.suppression("weekly", reader.mailbox) is None
    }


@pytest.mark.parametrize("sample", WHOLE, ids=str)
def test_an_export_is_recognised_as_what_it_is(sample: ExportSample) -> None:
    report = report_of(sample)
    assert {part.service for part in report.parts} == {sample.service or ""}
    assert sorted({part.holds for part in report.parts} - {""}) == sorted(sample.forms)
    assert not report.stops


@pytest.mark.parametrize("sample", WHOLE, ids=str)
def test_each_is_here_what_they_were_there(sample: ExportSample, tmp_path: Path) -> None:
    async def story(store: SqliteNewsletterStore) -> None:
        await brought_in(store, sample, confirmed="moved here on 15 January 2027")
        assert await mailed(store) == keys(sample, *GETS_MAIL)
        for address, standing in sample.people:
            mailbox = Mailbox.parse(address)
            found, suppression = (
                await store.find("weekly", mailbox),
                await store.suppression("weekly", mailbox),
            )
            match standing:
                case "suppressed" if sample.service == "Secondpost":
                    assert found is not None
                    assert found.state is not SubscriberState.ACTIVE
                case "suppressed":
                    assert suppression is not None
                    assert found is None or found.state is not SubscriberState.ACTIVE
                case "unclear":
                    assert (found, suppression) == (None, None)
                case "pending" | "left":
                    assert found is not None
                    assert (found.state, suppression) == (STATES[standing], None)
                case _:
                    assert found is not None
                    assert suppression is None

    in_a_store(tmp_path, story)


@pytest.mark.parametrize("sample", WHOLE, ids=str)
def test_nobody_is_mailed_without_the_owners_word_and_only_the_right_ones_are_asked(
    sample: ExportSample, tmp_path: Path
) -> None:
    async def story(store: SqliteNewsletterStore) -> None:
        report = await brought_in(store, sample, invites=True)
        asked = {
            reader.key
            for reader in await store.readers("weekly", (), None, 1_000)
            if len(await store.deliveries_of(reader.id, 10)) > 0
        }
        if sample.service == "Secondpost":  # states itself where readers agreed
            assert (await mailed(store), asked) == (keys(sample, "active"), keys(sample, "pending"))
        else:
            assert (await mailed(store), asked) == (set(), keys(sample, "active", "nothing", "pending"))
        assert report.asked == len(asked)

    in_a_store(tmp_path, story)


@pytest.mark.parametrize("sample", [sample for sample in WHOLE if len(sample.kept) > 0], ids=str)
def test_what_the_list_knows_is_kept(sample: ExportSample, tmp_path: Path) -> None:
    async def story(store: SqliteNewsletterStore) -> None:
        await brought_in(store, sample, confirmed="moved here")
        for address, name, value in sample.kept:
            found = await store.find("weekly", Mailbox.parse(address))
            if found is not None:  # suppressed addresses are kept as a hash only
                assert value in known_of(found, name)

    in_a_store(tmp_path, story)


def known_of(reader: Subscriber, name: str) -> list[str]:
    if name == "agreed_at":
        at_ms = 0 if reader.consent is None else reader.consent.at_ms
        return [utc_text(at_ms).replace("T", " ").removesuffix("Z")]
    return [value for kept, value in reader.attributes if kept.rpartition(".")[2] == name]


@pytest.mark.parametrize("sample", STOPPING, ids=str)
def test_a_column_that_is_not_understood_stops_the_import(sample: ExportSample, tmp_path: Path) -> None:
    report = report_of(sample)
    doubted = [column.name for part in report.parts for column in part.reports if len(column.doubts) > 0]
    assert doubted == list(sample.stops)

    async def story(store: SqliteNewsletterStore) -> None:
        with pytest.raises(ValueError, match="in doubt"):
            await brought_in(store, sample, confirmed="moved here")
        assert await store.readers("weekly", (), None, 10) == []

    in_a_store(tmp_path, story)
    kept = owners_word(dict.fromkeys(sample.stops, Plain.KEPT))
    assert not understood(sample.path.read_bytes(), kept).stops


@pytest.mark.parametrize("sample", CSV, ids=str)
def test_a_column_that_the_service_does_not_have_stops_the_import(sample: ExportSample) -> None:
    for part in report_of(sample).parts:
        if part.is_own or len(part.part.head) == 0:
            continue
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow([*part.part.head, "what came of it"])
        for record in part.part.records():
            assert isinstance(record, tuple)
            writer.writerow([*record[1], "" if record[0] > 3 else "Unsubscribed"])
        assert understood(text.getvalue()).stops


@pytest.mark.parametrize("sample", JSON, ids=str)
def test_a_name_that_the_service_does_not_have_stops_the_import(sample: ExportSample) -> None:
    def with_more(value: object) -> object:
        match value:
            case dict() if any("mail" in name.lower() and isinstance(value[name], str) for name in value):
                return {**value, "what came of it": "bounced"}
            case dict():
                return {name: with_more(below) for name, below in value.items()}
            case list():
                return [with_more(below) for below in value]
        return value

    assert understood(json.dumps(with_more(json.loads(sample.path.read_bytes())))).stops


def test_there_is_a_sample_of_every_service() -> None:
    assert len({sample.service for sample in SAMPLES}) >= 20
    assert len(STOPPING) >= 3
    assert len(JSON) >= 10
