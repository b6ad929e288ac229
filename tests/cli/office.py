"""A real store with mail in every state, and the commands to examine it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click.testing

from secondpost.cli.main import secondpost
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.content import InTable
from secondpost.mail.delivery import KeptFor, State
from secondpost.mail.envelope import Arrival, Envelope, Lane, Peer
from secondpost.mail.outcome import Cause
from secondpost.mail.queue_id import QueueId, QueueIds, queue_id_text
from secondpost.store.ports import Settlement
from secondpost.store.sqlite import SqliteNewsletterStore, SqliteStore
from secondpost.store.sqlite.schema import Database
from secondpost.world.real.clock import RealClock
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.work import RealWork
from tests.new_store import lay_new

DOWN_SITE = "mx1.provider.example"
CONFIG = """\
version = 3
hostname = "mx2.example.net"
store = "{store}"
owner = ["me@elsewhere.example"]
[web]
url = "none"
[[backup]]
domain = "example.net"
recipients = ["any"]
[[backup]]
domain = "example.org"
recipients = ["any"]
"""


@dataclass(frozen=True)
class Office:
    """A store and the ids of its messages."""

    folder: Path
    primary: str  # waits for example.net, whose site is down
    both: str  # waits for example.net, for two recipients
    waiting: str  # waits for example.org, which is up
    own: str  # lane own, waiting
    quarantine: str  # kept on arrival
    refused: str  # kept after the primary refused it
    delivered: str

    @property
    def config(self) -> Path:
        return self.folder / "secondpost.toml"

    def run(self, *words: str, code: int = 0) -> click.testing.Result:
        runner = click.testing.CliRunner()
        result = runner.invoke(secondpost, ["--config", str(self.config), *words])
        assert result.exit_code == code, (words, result.output, result.exception)
        return result


@contextmanager
def served(kind: type[SqliteStore] | type[SqliteNewsletterStore], folder: Path) -> Iterator[None]:
    """Hold the store's lock like a running service."""
    work, failures = RealWork(1), list[BaseException]()
    disk = RealDisk(str(folder / "store"))
    store = kind.open(disk, work, RealClock(), role="deliver", failed=failures.append)
    try:
        yield
    finally:
        store.close()
        work.close()
    assert failures == []


def message(number: int, *recipients: str, lane: Lane = Lane.RELAY) -> Callable[[QueueId], Arrival]:
    prefix = b"Received: by mx2.example.net\r\n"
    data = f"Subject: number {number}\r\n\r\nFrom me, {number}.\r\n".encode()
    envelope = Envelope(
        Mailbox.parse(f"sender{number}@example.com"), tuple(Mailbox.parse(one) for one in recipients)
    )
    peer = Peer("192.0.2.25", "out.example.com", "ESMTPS", "TLSv1.3 TLS_AES_256_GCM_SHA384")

    def arrival(id: QueueId) -> Arrival:
        return Arrival(id, lane, envelope, peer, RealClock().now_ms(), InTable(data), prefix=prefix)

    return arrival


async def fill(folder: Path) -> list[str]:
    clock, work = RealClock(), RealWork()
    failures: list[BaseException] = []
    (folder / "store").mkdir(mode=0o700)
    lay_new(str(folder / "store"), Database.MAIL)
    store = SqliteStore.open(
        RealDisk(str(folder / "store")), work, clock, role="test", failed=failures.append
    )
    ids = QueueIds(store.worker)

    async def accept(make: Callable[[QueueId], Arrival], kept_for: KeptFor | None = None) -> str:
        id = ids.next(clock.now_ms())
        await store.accept(make(id), kept_for)
        return queue_id_text(id)

    made = [
        await accept(message(1, "ada@example.net")),
        await accept(message(2, "ada@example.net", "bob@example.net")),
        await accept(message(3, "carol@example.org")),
        await accept(message(4, "me@elsewhere.example", lane=Lane.OWN)),
        await accept(message(5, "nobody@example.net"), KeptFor.QUARANTINE),
    ]
    await store.hint_site(Lane.RELAY, Domain("example.net"), DOWN_SITE)
    await store.site_down(DOWN_SITE, Cause.CONNECT.word, "refused", clock.now_ms(), clock.now_ms() + 30_000)
    made.append(await accept(message(6, "dan@example.org")))
    made.append(await accept(message(7, "eve@example.org")))
    await settle_two(store, clock, made[-2], made[-1])
    store.close()
    work.close()
    assert failures == []
    return made


async def settle_two(store: SqliteStore, clock: RealClock, refused: str, delivered: str) -> None:
    await store.hint_site(Lane.RELAY, Domain("example.org"), "mx.example.org")
    lease = await store.lease(Lane.RELAY, "mx.example.org")
    assert lease is not None
    now = clock.now_ms()
    settlements = []
    for claimed in await store.claim(lease, now, 10):
        text = str(claimed.id).partition("/")[0]
        if text == refused:
            settlements.append(
                Settlement(
                    claimed.id,
                    State.KEPT,
                    now,
                    kept_for=KeptFor.REFUSED,
                    cause=Cause.MESSAGE.word,
                    host="mx.example.org",
                    reply="550 5.7.1 no",
                )
            )
        elif text == delivered:
            settlements.append(
                Settlement(claimed.id, State.DELIVERED, now, host="mx.example.org", reply="250 2.0.0 ok")
            )
        else:
            settlements.append(Settlement(claimed.id, State.WAITING, now, due_ms=now, attempted=False))
    await store.settle(lease, settlements)
    await store.give_back(lease)


def open_office(folder: Path) -> Office:
    (folder / "secondpost.toml").write_text(CONFIG.format(store=folder / "store"))
    return Office(folder, *asyncio.run(fill(folder)))
