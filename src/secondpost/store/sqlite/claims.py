"""The deliver role's view: leases, claims and settlements."""

from collections.abc import Awaitable, Sequence

import apsw
import msgspec

from secondpost.mail.delivery import Claimed
from secondpost.mail.envelope import Lane
from secondpost.store.ports import Lease, Settlement, SiteDue
from secondpost.store.sqlite.base import Base, Opened, as_json
from secondpost.store.sqlite.group import CHANGE_UNITS, Kind
from secondpost.store.sqlite.queries import in_pieces, read_queries, with_rows
from secondpost.store.sqlite.rows import ClaimedRow, claimed_of, settlement_row
from secondpost.world.ports import FileUnreadable

_QUERIES = read_queries("claims")
_SETTLE = with_rows(_QUERIES["settle"], 13)
_ROWS = msgspec.json.Decoder(list[list[ClaimedRow]])
_IDS = msgspec.json.Decoder(list[int])

Settling = tuple[Lease, Sequence[Settlement]]


class _SomeFell(Exception):
    """Not all rows of several jobs were still claimed: each job has to be counted alone."""


class SqliteClaims(Base):
    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        # Before the marks of a group: a connection's last outcome is written with its next mark.
        self._settle = Kind(self._write_settlements, goes_first=True)

    def sites_due(self, lanes: Sequence[Lane], until_ms: int, limit: int) -> list[SiteDue]:
        found = [
            SiteDue(lane, str(site), int(due_ms))
            for lane in lanes
            for site, due_ms in self._read(_QUERIES["queues_due"], (lane.value, until_ms, limit))
            if isinstance(due_ms, int)
        ]
        found.sort(key=lambda due: due.due_ms)
        return found[:limit]

    def next_due_ms(self, lanes: Sequence[Lane]) -> int | None:
        found = [
            due_ms
            for lane in lanes
            for (due_ms,) in self._read(_QUERIES["next_due"], (lane.value,))
            if isinstance(due_ms, int)
        ]
        return min(found, default=None)

    def lease(self, lane: Lane, site: str, shard: int = 0) -> Awaitable[Lease | None]:
        worker = self._opened.worker
        if worker is None:
            raise RuntimeError("only a worker takes leases; this store was opened for a command")
        holder = worker.number

        def take(db: apsw.Connection) -> Lease | None:
            db.execute(_QUERIES["take_lease"], (lane.value, site, shard, holder))
            return Lease(lane, site, shard, db.last_insert_rowid()) if db.changes() == 1 else None

        return self._writer.change(take)

    def give_back(self, lease: Lease) -> Awaitable[None]:
        now_ms = self._opened.clock.now_ms()

        def drop(db: apsw.Connection) -> None:
            db.execute(_QUERIES["unclaim"], (lease.fence, now_ms))
            db.execute(_QUERIES["drop_lease"], (lease.fence,))

        return self._writer.change(drop)

    def claim(self, lease: Lease, now_ms: int, limit: int) -> Awaitable[list[Claimed]]:
        return self._writer.change(lambda db: self._claim(db, lease, now_ms, limit), CHANGE_UNITS + limit)

    def _claim(self, db: apsw.Connection, lease: Lease, now_ms: int, limit: int) -> list[Claimed]:
        """Each domain of the site whose turn has come gets the same share of the batch."""
        [(turns,)] = db.execute(
            _QUERIES["domains_in_turn"], (lease.lane.value, lease.site, now_ms, lease.fence, limit)
        ).fetchall()
        domains = _IDS.decode(str(turns))
        if len(domains) == 0:
            return []
        rows = self._allowed(db, _beside_each_other(_shared_out(db, domains, now_ms, limit)), now_ms)
        if len(rows) > 0:
            chosen = as_json([(row.message, row.number) for row in rows])
            db.execute(_QUERIES["mark_claimed"], (chosen, lease.fence))
        db.execute(_QUERIES["next_turns"], (turns, now_ms))
        return [claimed_of(row, lease.lane) for row in rows]

    def is_due(self, lease: Lease, now_ms: int) -> bool:
        """Whether the turn of one of the site's domains has come."""
        bindings = (lease.lane.value, lease.site, now_ms, lease.fence, 1)
        return self._read(_QUERIES["domains_in_turn"], bindings) != [("[]",)]

    def _allowed(self, db: apsw.Connection, rows: list[ClaimedRow], now_ms: int) -> list[ClaimedRow]:
        """Which of the due rows may go: all. Mail to readers is looked at once more."""
        return rows

    def settle(self, lease: Lease, settlements: Sequence[Settlement]) -> Awaitable[int]:
        return self._writer.write(self._settle, (lease, settlements), 2 + len(settlements))

    def _write_settlements(self, db: apsw.Connection, jobs: Sequence[Settling]) -> list[int]:
        rows = [settlement_row(lease, one) for lease, settlements in jobs for one in settlements]
        written = 0
        for text, bindings in in_pieces(_SETTLE, rows):
            db.execute(text, bindings)
            written += db.changes()
        self._note_leaving_files(db)
        if len(jobs) == 1:
            return [written]
        if written < len(rows):
            raise _SomeFell
        return [len(settlements) for _, settlements in jobs]

    def content(self, claimed: Claimed) -> bytes:
        """A file is read too, whole: prefer to read it in pieces from the Disk."""
        if claimed.file is not None:
            return self._file(claimed.file, claimed.size)
        for (data,) in self._read(_QUERIES["content"], (claimed.id.queue_id,)):
            assert isinstance(data, bytes)
            return data
        raise LookupError(f"the content of {claimed.id} is gone")

    def _file(self, name: str, size: int) -> bytes:
        try:
            return self._opened.disk.read(name, 0, size)
        except FileNotFoundError:
            raise LookupError(f"the content file {name} is gone") from None
        except FileUnreadable as error:
            raise LookupError(str(error)) from error


def _shared_out(
    db: apsw.Connection, domains: Sequence[int], now_ms: int, limit: int
) -> list[list[ClaimedRow]]:
    """Due rows of each domain; what some do not need of their share goes to those that have more."""
    share = limit // len(domains)
    found = _due(db, domains, now_ms, share)
    left = limit - sum(len(rows) for rows in found)
    have_more = [index for index, rows in enumerate(found) if len(rows) == share]
    if len(have_more) > 0 and left >= len(have_more):
        larger = share + left // len(have_more)
        again = _due(db, [domains[index] for index in have_more], now_ms, larger)
        for index, rows in zip(have_more, again, strict=True):
            found[index] = rows
    return found


def _due(db: apsw.Connection, domains: Sequence[int], now_ms: int, share: int) -> list[list[ClaimedRow]]:
    [(found,)] = db.execute(_QUERIES["due_of_domains"], (as_json(domains), now_ms, share)).fetchall()
    return _ROWS.decode(str(found))


def _beside_each_other(of_domains: Sequence[Sequence[ClaimedRow]]) -> list[ClaimedRow]:
    """Domain by domain in order, but a message's other recipients right behind its first."""
    of_message: dict[int, list[ClaimedRow]] = {}
    for rows in of_domains:
        for row in rows:
            of_message.setdefault(row.message, []).append(row)
    return [row for rows in of_message.values() for row in rows]
