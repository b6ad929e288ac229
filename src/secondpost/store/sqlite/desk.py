"""The owner's view: lists, counts, one message's way, and the verbs that lead deliveries elsewhere."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import apsw
import msgspec

from secondpost.mail.address import Mailbox
from secondpost.mail.delivery import DeliveryId, KeptFor, State
from secondpost.mail.envelope import Lane
from secondpost.mail.queue_id import QueueId
from secondpost.store.owner_ports import Count, Listed, MessageRow, Selection, Told
from secondpost.store.ports import COMMAND
from secondpost.store.sqlite.base import BATCH_ROWS, Base, as_json
from secondpost.store.sqlite.queries import read_queries
from secondpost.store.sqlite.selecting import page_query
from secondpost.store.verbs.claims import put_turns_right
from secondpost.store.verbs.steps import Value, number

# spool/states stands above the store: these are the states of its table, and of the schema's own checks.
ENDED = (State.DELIVERED, State.REPORTED, State.DROPPED, State.SUPPRESSED, State.STOPPED)
NOT_BY_HAND = (State.KEPT, State.CLAIMED, State.COMMITTING, State.FROZEN, State.UNKNOWN)
REDIRECTED_FROM = (State.HELD, State.KEPT, State.WAITING)

_QUERIES = read_queries("desk")
_CHOSEN = msgspec.json.Decoder(list[tuple[int, int, int]])

Chosen = list[tuple[int, int, int]]  # message, number, domain


class SqliteDesk(Base):
    def listed(self, selection: Selection, after: DeliveryId | None, limit: int) -> list[Listed]:
        query, bindings = page_query(_QUERIES["listed"], selection, (), after, limit)
        return [_listed(row) for row in self._read(query, bindings)]

    def message(self, queue_id: QueueId) -> MessageRow | None:
        for row in self._read(_QUERIES["message"], (queue_id,)):
            lane, sender, size, peer, helo, protocol, tls, arrived_ms, has_content = row
            return MessageRow(
                queue_id,
                Lane(str(lane)),
                str(sender),
                number(size),
                str(peer),
                str(helo),
                str(protocol),
                str(tls),
                number(arrived_ms),
                has_content == 1,
            )
        return None

    def told(self, queue_id: QueueId) -> list[Told]:
        rows = self._read(_QUERIES["told"], (queue_id,))
        return [Told(number(n), number(at_ms), str(what), str(detail)) for n, at_ms, what, detail in rows]

    def is_served(self) -> bool:
        """The lock of a worker falls with it, however it died."""
        disk = self._opened.disk
        for (lock,) in self._read(_QUERIES["locks_but_of"], (COMMAND,)):
            held = disk.hold(str(lock))
            if held is None:
                return True
            held.release()
        return False

    def counts(self) -> list[Count]:
        claimed = {row[0]: row[1:] for row in self._read(_QUERIES["claimed_counts"])}
        aside = {(row[0], row[1]): number(row[2]) for row in self._read(_QUERIES["aside_oldest"])}
        counts: list[Count] = []
        for row in self._read(_QUERIES["counts"]):
            id, lane, name, site, down, state, deliveries, octets, first, again = row
            named, _, reason = str(state).partition(" ")
            count = Count(
                lane=Lane(str(lane)),
                domain=str(name),
                state=State(named),
                kept_for=KeptFor(reason) if len(reason) > 0 else None,
                site=str(site),
                site_down=down == 1,
                deliveries=number(deliveries),
                octets=number(octets),
                oldest_ms=aside.get((id, state), 0),
            )
            if count.state is State.WAITING:
                busy = tuple(number(value) for value in claimed.get(id, (0, 0, 0)))
                counts += _apart(replace(count, oldest_ms=_oldest(first, again)), *busy)
            else:
                counts.append(count)
        return counts

    def content_pieces(self, queue_id: QueueId, octets: int) -> Iterator[bytes]:
        places = self._read(_QUERIES["content_place"], (queue_id,))
        if len(places) == 0:
            raise LookupError("the content is gone")
        [(file, size)] = places
        if file is None:
            return self._pieces(number(size), octets, lambda at, room: self._blob(queue_id, at, room))
        name = str(file)
        return self._pieces(number(size), octets, lambda at, room: self._opened.disk.read(name, at, room))

    def _pieces(self, size: int, octets: int, read: Callable[[int, int], bytes]) -> Iterator[bytes]:
        """Each piece is a read of its own: whoever is slow to take them holds up nobody."""
        at = 0
        while at < size:
            try:
                piece = read(at, min(octets, size - at))
            except FileNotFoundError:
                raise LookupError("the content file is gone") from None
            if len(piece) == 0:
                raise LookupError("the content ends too early")
            at += len(piece)
            yield piece

    def _blob(self, queue_id: QueueId, at: int, room: int) -> bytes:
        def read() -> bytes:
            try:
                blob = self._opened.reader.blob_open("main", "content", "data", queue_id, False)
            except apsw.SQLError:
                raise LookupError("the content is gone") from None
            try:
                blob.seek(at)
                return blob.read(room)
            finally:
                blob.close()

        return self._reading(read)

    # ---- verbs

    async def move(
        self,
        selection: Selection,
        came_from: Sequence[State],
        to: State,
        now_ms: int,
        what: str,
        detail: str,
    ) -> int:
        if to in NOT_BY_HAND:
            raise ValueError(f"nobody leads deliveries to {to} by hand")

        def write(db: apsw.Connection, chosen: Chosen) -> None:
            db.execute(_QUERIES["move"], (as_json(chosen), to.value, now_ms))
            db.execute(_QUERIES["tell"], (as_json(chosen), now_ms, what, detail))
            if to in ENDED:
                self._note_leaving_files(db)

        return await self._in_batches(selection, came_from, write, to)

    async def redirect(self, selection: Selection, to: Mailbox, now_ms: int, detail: str) -> int:
        def write(db: apsw.Connection, chosen: Chosen) -> None:
            db.execute(_QUERIES["tell_redirect"], (as_json(chosen), str(to), now_ms, detail))
            db.execute(_QUERIES["add_domain"], (to.domain.name,))
            db.execute(_QUERIES["redirect"], (as_json(chosen), to.written, now_ms, to.domain.name))

        return await self._in_batches(selection, REDIRECTED_FROM, write, None)

    async def _in_batches(
        self,
        selection: Selection,
        came_from: Sequence[State],
        write: Callable[[apsw.Connection, Chosen], None],
        to: State | None,
    ) -> int:
        """Chosen by reads, which hold nobody up; looked at again under the lock, which is held for
        short. `to` None: to another mailbox.
        """
        needs_content, of_readers = to not in ENDED, to not in (None, State.REPORTED)
        states = as_json([state.value for state in came_from])

        def batch(db: apsw.Connection, ids: str) -> int:
            bindings = (ids, states, int(needs_content), int(of_readers))
            [(found,)] = db.execute(_QUERIES["still_there"], bindings).fetchall()
            chosen = _CHOSEN.decode(str(found))
            if len(chosen) > 0:
                write(db, chosen)
                self._drive(db, put_turns_right(sorted({domain for _, _, domain in chosen})))
            return len(chosen)

        moved, after = 0, None
        while True:
            query, bindings = page_query(_QUERIES["listed"], selection, came_from, after, BATCH_ROWS)
            page = self._read(query, bindings)
            if len(page) == 0:
                return moved
            ids = as_json([row[:2] for row in page])
            moved += await self._writer.change(partial(batch, ids=ids), BATCH_ROWS)
            after = DeliveryId(QueueId(number(page[-1][0])), number(page[-1][1]))


def _listed(row: tuple[Value, ...]) -> Listed:
    message, n, lane, state, kept_for, sender, recipient, first_recipient, site, down, size = row[:11]
    arrived_ms, due_ms, attempts, last_ms, cause, host, reply, maybe_duplicate = row[11:]
    return Listed(
        id=DeliveryId(QueueId(number(message)), number(n)),
        lane=Lane(str(lane)),
        state=State(str(state)),
        kept_for=None if kept_for is None else KeptFor(str(kept_for)),
        sender=str(sender),
        recipient=str(recipient),
        first_recipient=None if first_recipient is None else str(first_recipient),
        site=str(site),
        site_down=down == 1,
        size=number(size),
        arrived_ms=number(arrived_ms),
        due_ms=number(due_ms),
        attempts=number(attempts),
        last_ms=None if last_ms is None else number(last_ms),
        cause=str(cause),
        host=str(host),
        reply=str(reply),
        maybe_duplicate=maybe_duplicate == 1,
    )


def _apart(waiting: Count, deliveries: int, octets: int, oldest_ms: int) -> list[Count]:
    """What waits, and what of it is under way: the tally counts them together."""
    idle = replace(waiting, deliveries=waiting.deliveries - deliveries, octets=waiting.octets - octets)
    busy = replace(waiting, state=State.CLAIMED, deliveries=deliveries, octets=octets, oldest_ms=oldest_ms)
    return [count for count in (idle, busy) if count.deliveries > 0]


def _oldest(first: Value, again: Value) -> int:
    return min((value for value in (first, again) if isinstance(value, int)), default=0)
