"""The owner's view: lists, counts, a message's way, and the verbs that move deliveries."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from functools import partial

from secondpost.mail.address import Mailbox
from secondpost.mail.delivery import DeliveryId, KeptFor, State
from secondpost.mail.delivery_states import ENDED, DeliveryActor, delivery_sources_of, targets_of
from secondpost.mail.envelope import Lane
from secondpost.mail.queue_id import QueueId
from secondpost.store.owner_ports import Count, DeliveryEvent, DeliveryRow, MessageRow, Selection
from secondpost.store.ports import COMMAND
from secondpost.store.verbs.claims import put_turns_right
from secondpost.store.verbs.engine import BATCH_ROWS, Verbs
from secondpost.store.verbs.selecting import delivery_id, page
from secondpost.store.verbs.steps import Row, Steps, Value, maybe_octets, number, octets, rows, run

REDIRECTED_FROM = delivery_sources_of(State.WAITING, DeliveryActor.OWNER)

_PLACES_OF_STILL_THERE = 2

Write = Callable[[Sequence[Row]], Steps[object]]  # takes (message, number) rows


class DeskVerbs(Verbs):
    async def listed(self, selection: Selection, after: DeliveryId | None, limit: int) -> list[DeliveryRow]:
        return [_listed(row) for row in await self._engine.read(page(selection, (), after, limit))]

    async def message(self, queue_id: QueueId) -> MessageRow | None:
        for row in await self._engine.read(rows("desk.message", queue_id)):
            lane, sender, size, peer, helo, protocol, tls, arrived_ms, has_content, authentication = row
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
                str(authentication),
            )
        return None

    async def events(self, queue_id: QueueId) -> list[DeliveryEvent]:
        found = await self._engine.read(rows("desk.events", queue_id))
        return [
            DeliveryEvent(number(n), number(at_ms), str(what), str(detail))
            for n, at_ms, what, detail in found
        ]

    async def is_served(self) -> bool:
        return len(await self.served_by()) > 0

    async def served_by(self) -> frozenset[str]:
        """The roles of workers that live, without commands: a worker's lock ends with it, however it
        died.
        """
        living: set[str] = set()
        for role, lock in await self._engine.read(rows("desk.workers_but_of", COMMAND)):
            held = self._engine.hold(str(lock))
            if held is None:
                living |= set(str(role).split("+"))
            else:
                held.release()
        return frozenset(living)

    async def counts(self) -> list[Count]:
        return await self._engine.read(_counts())

    async def content_pieces(self, queue_id: QueueId, octets: int) -> AsyncIterator[bytes]:
        """Yield the content; each piece is a read of its own, so that a slow consumer blocks
        nothing.
        """
        places = await self._engine.read(rows("desk.content_place", queue_id))
        if len(places) == 0:
            raise LookupError("the content is gone")
        [(size, file, prefix)] = places
        top = maybe_octets(prefix)
        if len(top) > 0:
            yield top
        at, end = 0, number(size) - len(top)
        while at < end:
            room = min(octets, end - at)
            piece = await (
                self._from_table(queue_id, at, room) if file is None else self._from_file(str(file), at, room)
            )
            if len(piece) == 0:
                raise LookupError("the content ends too early")
            at += len(piece)
            yield piece

    async def _from_table(self, queue_id: QueueId, at: int, room: int) -> bytes:
        for (piece,) in await self._engine.read(rows("desk.content_piece", queue_id, at + 1, room)):
            return octets(piece)
        raise LookupError("the content is gone")

    async def _from_file(self, name: str, at: int, room: int) -> bytes:
        try:
            return await self._engine.read_file(name, at, room)
        except FileNotFoundError:
            raise LookupError("the content file is gone") from None

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
        if to not in targets_of(DeliveryActor.OWNER):
            raise ValueError(f"no delivery is led to {to} by hand")

        permitted = [state for state in came_from if state in delivery_sources_of(to, DeliveryActor.OWNER)]
        if len(permitted) == 0:
            return 0

        def write(chosen: Sequence[Row]) -> Steps[None]:
            yield from run("desk.move", to.value, now_ms, int(to in ENDED), chosen=chosen)
            yield from run("desk.tell", now_ms, what, detail, chosen=chosen)

        return await self._in_batches(selection, permitted, write, to)

    async def redirect(self, selection: Selection, to: Mailbox, now_ms: int, detail: str) -> int:
        def write(chosen: Sequence[Row]) -> Steps[None]:
            yield from run("desk.tell_redirect", str(to), now_ms, detail, chosen=chosen)
            yield from run("desk.add_domain", to.domain.name)
            yield from run("desk.redirect", to.written, now_ms, to.domain.name, chosen=chosen)

        return await self._in_batches(selection, REDIRECTED_FROM, write, None)

    async def _in_batches(
        self, selection: Selection, came_from: Sequence[State], write: Write, to: State | None
    ) -> int:
        """Move the selected deliveries in batches; `to` None means to another mailbox.

        Candidates are found by reads, which need no lock, and checked again under the lock, which
        is held briefly.
        """
        moved, after = 0, None
        while True:
            found = await self._engine.read(page(selection, came_from, after, BATCH_ROWS))
            if len(found) == 0:
                return moved
            batch = partial(_batch, [row[:2] for row in found], came_from, write, to)
            moved += await self._engine.change(batch, BATCH_ROWS, ends_mail=to in ENDED)
            after = delivery_id(found[-1])


def _batch(found: Sequence[Row], came_from: Sequence[State], write: Write, to: State | None) -> Steps[int]:
    needs_content, of_readers = to not in ENDED, to is not None
    places = ", ".join(f"?{_PLACES_OF_STILL_THERE + n}" for n in range(1, len(came_from) + 1))
    chosen = yield from rows(
        "desk.still_there",
        int(needs_content),
        int(of_readers),
        *(state.value for state in came_from),
        chosen=found,
        conditions=f"AND state IN ({places})",
    )
    if len(chosen) > 0:
        yield from write([row[:2] for row in chosen])
        yield from put_turns_right(sorted({number(domain) for _, _, domain in chosen}))
    return len(chosen)


def _counts() -> Steps[list[Count]]:
    busy = {row[0]: row[1:] for row in (yield from rows("desk.claimed_counts"))}
    aside = {(row[0], row[1]): number(row[2]) for row in (yield from rows("desk.aside_oldest"))}
    counts: list[Count] = []
    for row in (yield from rows("desk.counts")):
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
            under_way = tuple(number(value) for value in busy.get(id, (0, 0, 0)))
            counts += _apart(replace(count, oldest_ms=_oldest(first, again)), *under_way)
        else:
            counts.append(count)
    return counts


def _listed(row: Row) -> DeliveryRow:
    message, n, lane, state, kept_for, sender, recipient, first_recipient, site, down, size = row[:11]
    arrived_ms, due_ms, attempts, last_ms, cause, host, reply, maybe_duplicate = row[11:]
    return DeliveryRow(
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
    """Split waiting deliveries, which the tally counts with claimed ones, into the two."""
    idle = replace(waiting, deliveries=waiting.deliveries - deliveries, octets=waiting.octets - octets)
    busy = replace(waiting, state=State.CLAIMED, deliveries=deliveries, octets=octets, oldest_ms=oldest_ms)
    return [count for count in (idle, busy) if count.deliveries > 0]


def _oldest(first: Value, again: Value) -> int:
    return min((value for value in (first, again) if isinstance(value, int)), default=0)
