"""Mail refused by primaries is dropped in time, and earlier if it takes too much room."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from secondpost.config.records import REFUSED_OCTETS_MAX, Backup, Config, Web
from secondpost.deliver.refused import RefusedMail
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.duration import DAY_MS
from secondpost.maillog import MailLog
from tests.store.place import SqlitePlace
from tests.store.test_refused import left, refuse

NET, ORG = Domain("example.net"), Domain("example.org")
CONFIG = Config(
    path="secondpost.toml",
    hostname=Domain("mx2.example.net"),
    store="/var/lib/secondpost",
    owner=(Mailbox.parse("me@elsewhere.example"),),
    bounces=Domain("mx2.example.net"),
    web=Web(url=None),
    backups=(Backup(NET),),
)


class Rounds:
    """A store and the rounds of its deliver role."""

    def __init__(self, folder: Path) -> None:
        self.place = SqlitePlace(str(folder))
        self.store = self.place.open()
        self.lines: list[str] = []
        self.free = 10**9

    async def one(self, backup: Backup | None) -> list[str]:
        """Run a round with these settings; return its log lines."""
        self.lines.clear()
        config = replace(CONFIG, backups=() if backup is None else (backup,))
        log = MailLog(self.lines.append)
        await RefusedMail(config, self.store, self.place.clock, log, lambda: self.free).end()
        return self.lines


def in_rounds(folder: Path, story: Callable[[Rounds], Awaitable[None]]) -> None:
    async def told() -> None:
        rounds = Rounds(folder)
        await story(rounds)
        await rounds.place.close()

    asyncio.run(told())


def test_a_change_of_the_time_counts_for_what_is_kept_already(tmp_path: Path) -> None:
    async def story(rounds: Rounds) -> None:
        [arrival] = await refuse(rounds.place, rounds.store, "guess@example.net")
        rounds.place.clock.ms += 7 * DAY_MS
        assert await rounds.one(Backup(NET)) == []
        rounds.place.clock.ms += 1
        assert await rounds.one(Backup(NET, keep_refused_ms=8 * DAY_MS)) == []
        assert await rounds.one(Backup(NET)) == [
            "dropped domain=example.net deliveries=1 octets=100 why=keep-refused"
        ]
        assert await left(rounds.store) == []
        assert (await rounds.store.events(arrival.queue_id))[-1].detail == (
            "kept for 1 week after the primary refused it"
        )

    in_rounds(tmp_path, story)


def test_a_domain_that_is_no_more_backed_up_has_the_usual_time(tmp_path: Path) -> None:
    async def story(rounds: Rounds) -> None:
        await refuse(rounds.place, rounds.store, "guess@example.org")
        rounds.place.clock.ms += 7 * DAY_MS
        assert await rounds.one(None) == []
        rounds.place.clock.ms += 1
        assert len(await rounds.one(None)) == 1

    in_rounds(tmp_path, story)


def test_more_than_a_tenth_of_the_quota_pushes_the_oldest_out(tmp_path: Path) -> None:
    async def story(rounds: Rounds) -> None:
        await refuse(rounds.place, rounds.store, *(f"guess{n}@example.net" for n in range(450)))
        await refuse(rounds.place, rounds.store, "guess@example.org")
        backup = Backup(NET, quota=100_000)
        assert await rounds.one(backup) == ["dropped domain=example.net deliveries=350 octets=35000 why=room"]
        assert await left(rounds.store) == [
            *(f"guess{n}@example.net" for n in range(350, 450)),
            "guess@example.org",
        ]
        assert await rounds.one(backup) == []

    in_rounds(tmp_path, story)


def test_it_gives_way_while_the_disk_is_short(tmp_path: Path) -> None:
    async def story(rounds: Rounds) -> None:
        await refuse(rounds.place, rounds.store, *(f"guess{n}@example.net" for n in range(8)))
        rounds.free = 0
        there = []
        for _ in range(4):
            there.append(len(await left(rounds.store)))
            assert await rounds.one(Backup(NET)) != []
        assert there == [8, 4, 2, 1]
        assert rounds.lines == ["dropped domain=example.net deliveries=1 octets=100 why=reserve"]
        assert await rounds.one(Backup(NET)) == []

    in_rounds(tmp_path, story)


def test_the_room_is_a_tenth_of_the_quota_or_a_gigabyte() -> None:
    assert Backup(NET).refused_octets_max == REFUSED_OCTETS_MAX
    assert Backup(ORG, quota=2_000_000).refused_octets_max == 200_000
