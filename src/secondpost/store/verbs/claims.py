"""Leases, claims and settlements, for the deliver role."""

from collections.abc import Awaitable, Callable, Sequence

from secondpost.mail.authentication import AuthenticationNote
from secondpost.mail.delivery import Claimed
from secondpost.mail.envelope import Lane
from secondpost.mail.queue_id import QueueId
from secondpost.store.ports import Lease, Settlement, SiteDue
from secondpost.store.verbs.engine import CHANGE_UNITS, Verb, Verbs
from secondpost.store.verbs.providers import count
from secondpost.store.verbs.rows import claimed_of, note_of, refusal_row, settlement_row
from secondpost.store.verbs.steps import Row, Steps, number, octets, rows, run
from secondpost.world.ports import FileUnreadable

SettlePayload = tuple[Lease, Sequence[Settlement]]
Allowed = Callable[
    [Sequence[Row], int], Steps[Sequence[Row]]
]  # Selects the due rows that may be claimed at that time.


class ClaimLost(Exception):
    """Raised to have each payload run alone: some rows were no longer claimed, and their number is
    needed per payload.
    """


def _settle(payloads: Sequence[SettlePayload]) -> Steps[list[int]]:
    new = [settlement_row(lease, one) for lease, settlements in payloads for one in settlements]
    written = yield from run("claims.settle", chosen=new)
    refused = [
        refusal_row(one) for _, settlements in payloads for one in settlements if one.returned is not None
    ]
    if len(refused) > 0:
        yield from run("readers.note_refusals", chosen=refused)
    if written < len(new):
        if len(payloads) > 1:
            raise ClaimLost
        return [written]
    yield from count(one for _, settlements in payloads for one in settlements)
    if len(payloads) == 1:
        return [written]
    return [len(settlements) for _, settlements in payloads]


# First in a group: a connection's last outcome must be written before its next mark.
SETTLE = Verb(_settle, goes_first=True, ends_mail=True)


class ClaimsVerbs(Verbs):
    async def sites_due(self, lanes: Sequence[Lane], until_ms: int, limit: int) -> list[SiteDue]:
        def look() -> Steps[list[SiteDue]]:
            found = []
            for lane in lanes:
                for site, due_ms in (yield from rows("claims.queues_due", lane.value, until_ms, limit)):
                    found.append(SiteDue(lane, str(site), number(due_ms)))
            found.sort(key=lambda due: due.due_ms)
            return found[:limit]

        return await self._engine.read(look())

    async def next_due_ms(self, lanes: Sequence[Lane]) -> int | None:
        def look() -> Steps[int | None]:
            found = []
            for lane in lanes:
                for (due_ms,) in (yield from rows("claims.next_due", lane.value)):
                    found.append(number(due_ms))
            return min(found, default=None)

        return await self._engine.read(look())

    def lease(self, lane: Lane, site: str, shard: int = 0) -> Awaitable[Lease | None]:
        worker = self._engine.worker_number
        if worker is None:
            raise RuntimeError("only a worker takes leases; this store was opened for a command")

        def take() -> Steps[Lease | None]:
            for (fence,) in (yield from rows("claims.take_lease", lane.value, site, shard, worker)):
                return Lease(lane, site, shard, number(fence))
            return None

        return self._engine.change(take)

    def give_back(self, lease: Lease) -> Awaitable[None]:
        now_ms = self._engine.clock.now_ms()

        def drop() -> Steps[None]:
            yield from run("claims.unclaim", lease.fence, now_ms)
            yield from run("claims.drop_lease", lease.fence)

        return self._engine.change(drop)

    def claim(self, lease: Lease, now_ms: int, limit: int) -> Awaitable[list[Claimed]]:
        return self._engine.change(lambda: claim(lease, now_ms, limit, _all_of_them), CHANGE_UNITS + limit)

    async def is_due(self, lease: Lease, now_ms: int) -> bool:
        """Whether a domain of the site is due."""
        return len(await self._engine.read(_domains_in_turn(lease, now_ms, 1))) > 0

    def settle(self, lease: Lease, settlements: Sequence[Settlement]) -> Awaitable[int]:
        return self._engine.write(SETTLE, (lease, settlements), 2 + len(settlements))

    async def content(self, claimed: Claimed) -> bytes:
        """Also reads a file, as a whole; prefer to read it in pieces from the Disk."""
        held = (await self.contents([claimed])).get(claimed.id.queue_id)
        if claimed.file is not None:
            prefix = b"" if held is None else held
            return prefix + await self._file(claimed.file, claimed.size - len(prefix))
        if held is None:
            raise LookupError(f"the content of {claimed.id} is gone")
        return held

    async def contents(self, claimed: Sequence[Claimed]) -> dict[QueueId, bytes]:
        wanted = [(row.id.queue_id,) for row in claimed]
        found = await self._engine.read(rows("claims.contents", chosen=wanted))
        return {QueueId(number(id)): octets(prefix) + octets(data) for id, prefix, data in found}

    async def authentication_notes(self, claimed: Sequence[Claimed]) -> dict[QueueId, AuthenticationNote]:
        wanted = [(row.id.queue_id,) for row in claimed]
        found = await self._engine.read(rows("claims.authentication_notes", chosen=wanted))
        return {QueueId(number(id)): note_of(columns) for id, *columns in found}

    async def _file(self, name: str, size: int) -> bytes:
        try:
            return await self._engine.read_file(name, 0, size)
        except FileNotFoundError:
            raise LookupError(f"the content file {name} is gone") from None
        except FileUnreadable as error:
            raise LookupError(str(error)) from error


def claim(lease: Lease, now_ms: int, limit: int, allowed: Allowed) -> Steps[list[Claimed]]:
    """Claim due deliveries; every domain of the site that is due gets the same share of the batch."""
    domains = yield from _domains_in_turn(lease, now_ms, limit)
    if len(domains) == 0:
        return []
    due = yield from _shared_out(domains, now_ms, limit)
    going = yield from allowed(_beside_each_other(due), now_ms)
    if len(going) > 0:
        yield from run("claims.mark_claimed", lease.fence, chosen=[delivery_of(row) for row in going])
    yield from put_turns_right(domains, now_ms)
    return [claimed_of(row, lease.lane) for row in going]


def put_turns_right(domains: Sequence[int], now_ms: int = 0) -> Steps[None]:
    """Update the turns of domains after deliveries stopped waiting.

    A claim passes its time: a domain with more due deliveries then goes to the end of the queue.
    """
    yield from run("claims.next_turns", now_ms, chosen=[(domain,) for domain in domains])


def delivery_of(row: Row) -> Row:
    """Message and number of a row of `engine.due_of_domains`."""
    return row[1:3]


def _all_of_them(due: Sequence[Row], now_ms: int) -> Steps[Sequence[Row]]:
    yield from ()
    return due


def _domains_in_turn(lease: Lease, now_ms: int, limit: int) -> Steps[list[int]]:
    found = yield from rows(
        "claims.domains_in_turn", lease.lane.value, lease.site, now_ms, lease.fence, limit
    )
    return [number(id) for (id,) in found]


def _shared_out(domains: Sequence[int], now_ms: int, limit: int) -> Steps[list[list[Row]]]:
    """Due rows per domain; shares that some domains do not need go to those that have more."""
    share = limit // len(domains)
    found = yield from _due(domains, now_ms, share)
    left = limit - sum(len(due) for due in found)
    have_more = [place for place, due in enumerate(found) if len(due) == share]
    if len(have_more) > 0 and left >= len(have_more):
        larger = share + left // len(have_more)
        again = yield from _due([domains[place] for place in have_more], now_ms, larger)
        for place, due in zip(have_more, again, strict=True):
            found[place] = due
    return found


def _due(domains: Sequence[int], now_ms: int, share: int) -> Steps[list[list[Row]]]:
    of_domain: dict[int, list[Row]] = {domain: [] for domain in domains}
    turn = [(domain,) for domain in domains]
    for row in (yield from rows("engine.due_of_domains", now_ms, share, chosen=turn)):
        of_domain[number(row[0])].append(row)
    return list(of_domain.values())


def _beside_each_other(of_domains: Sequence[Sequence[Row]]) -> list[Row]:
    """The rows domain by domain, but with a message's other recipients right after its first."""
    of_message: dict[int, list[Row]] = {}
    for due in of_domains:
        for row in due:
            of_message.setdefault(number(row[1]), []).append(row)
    return [row for due in of_message.values() for row in due]
