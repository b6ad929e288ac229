"""The deliver role's view of mail to readers: looked at once more as it is claimed, and before the dot."""

from collections.abc import Awaitable, Sequence

import apsw
import msgspec

from secondpost.mail.delivery import Claimed, DeliveryId
from secondpost.store.ports import Lease
from secondpost.store.sqlite.base import Opened, as_json
from secondpost.store.sqlite.claims import SqliteClaims
from secondpost.store.sqlite.group import CHANGE_UNITS, Kind
from secondpost.store.sqlite.queries import in_pieces, read_queries, with_rows
from secondpost.store.sqlite.rows import ClaimedRow

_QUERIES = read_queries("reader_mail")
_COMMIT_MARKS = with_rows(_QUERIES["commit_marks"], 3)
_WITHHELD = msgspec.json.Decoder(list[tuple[int, int, str]])  # message, number, state
_CHOSEN = msgspec.json.Decoder(list[tuple[int, int]])

Marking = tuple[Lease, Sequence[DeliveryId]]


class SqliteReaderMail(SqliteClaims):
    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        self._commit = Kind(self._write_marks)

    async def claim(self, lease: Lease, now_ms: int, limit: int) -> list[Claimed]:
        """Where all that was due had to be withheld there may be more behind it."""
        while True:
            claimed = await self._writer.change(
                lambda db: self._claim(db, lease, now_ms, limit), CHANGE_UNITS + 2 * limit
            )
            if len(claimed) > 0 or not self.is_due(lease, now_ms):
                return claimed

    def _allowed(self, db: apsw.Connection, rows: list[ClaimedRow], now_ms: int) -> list[ClaimedRow]:
        withheld = _withhold(db, [(row.message, row.number) for row in rows], now_ms)
        return [row for row in rows if (row.message, row.number) not in withheld]

    def commit_marks(self, lease: Lease, ids: Sequence[DeliveryId]) -> Awaitable[frozenset[DeliveryId]]:
        return self._writer.write(self._commit, (lease, ids), 2 + len(ids))

    def _write_marks(self, db: apsw.Connection, jobs: Sequence[Marking]) -> list[frozenset[DeliveryId]]:
        rows = [(id.queue_id, id.number, lease.fence) for lease, ids in jobs for id in ids]
        written = 0
        for text, bindings in in_pieces(_COMMIT_MARKS, rows):
            db.execute(text, bindings)
            written += db.changes()
        if written == len(rows):
            return [frozenset(ids) for _, ids in jobs]
        now_ms = self._opened.clock.now_ms()
        return [_those_that_hold(db, lease, ids, now_ms) for lease, ids in jobs]


def _withhold(db: apsw.Connection, chosen: Sequence[tuple[int, int]], now_ms: int) -> set[tuple[int, int]]:
    """Those of the chosen that may not go have ended after it."""
    if len(chosen) == 0:
        return set()
    [(found,)] = db.execute(_QUERIES["may_not_go"], (as_json(chosen),)).fetchall()
    withheld = _WITHHELD.decode(str(found))
    if len(withheld) > 0:
        db.execute(_QUERIES["withhold"], (as_json(withheld), now_ms))
    return {(message, number) for message, number, _ in withheld}


def _those_that_hold(
    db: apsw.Connection, lease: Lease, ids: Sequence[DeliveryId], now_ms: int
) -> frozenset[DeliveryId]:
    chosen = as_json([(id.queue_id, id.number) for id in ids])
    [(found,)] = db.execute(_QUERIES["still_claimed"], (chosen, lease.fence)).fetchall()
    _withhold(db, _CHOSEN.decode(str(found)), now_ms)
    [(found,)] = db.execute(_QUERIES["are_committing"], (chosen, lease.fence)).fetchall()
    hold = set(_CHOSEN.decode(str(found)))
    return frozenset(id for id in ids if (id.queue_id, id.number) in hold)
