"""Where mail comes from: counts by hour, network and author, with bounds that no caller can exceed."""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial

from secondpost.mail.address import Domain
from secondpost.mail.arrivals import OTHERS, BlockedNetwork, CameFrom, HourCount, NetworkOrigin, PrimaryHour
from secondpost.mail.duration import HOUR_MS
from secondpost.mail.queue_id import QueueId
from secondpost.store.verbs.engine import BATCH_ROWS, CHANGE_UNITS, Verbs
from secondpost.store.verbs.steps import Row, Steps, maybe_number, number, rows, run

PENDING_MAX = 20_000  # messages; during a long outage more are counted as other mail at once
NETWORKS_PER_HOUR_MAX = 100  # with rows of their own, of a domain
AUTHORS_PER_HOUR_MAX = 200  # rows of good or fresh mail, of a domain
AUTHORS_MAX = 20_000  # that are remembered
TAKEN_WITHIN_MS = HOUR_MS  # mail that the primary takes later came while it was not up for us

Hour = tuple[str, int]  # backup domain, and when it began


class Worth(IntEnum):
    """What accepted mail says of its network (HourCount): the place of its count in a row."""

    GOOD = 0
    FRESH = 1
    OTHER = 2


@dataclass(frozen=True, slots=True)
class Counted:
    """What is added to one hour's row."""

    domain: str
    hour_ms: int
    network: str
    author: str  # OTHERS of other mail
    worth: Worth


@dataclass(frozen=True, slots=True)
class Decided:
    """A message of which it is known what became of it."""

    came: CameFrom
    taken_ms: int | None  # by the primary


@dataclass(slots=True)
class HourRows:
    """The networks and authors that have a row of their own in an hour."""

    networks: set[str] = field(default_factory=set)
    authors: set[tuple[str, str]] = field(default_factory=set)  # with their network

    def add(self, network: str, author: str) -> None:
        if author == OTHERS:
            self.networks.add(network)
        else:
            self.authors.add((network, author))

    def place(self, network: str, author: str) -> tuple[str, str]:
        """Network and author of the row to count in, as far as there is room."""
        has_room = (network, author) in self.authors or len(self.authors) < AUTHORS_PER_HOUR_MAX
        if author != OTHERS and has_room:
            self.authors.add((network, author))
            return network, author
        if network in self.networks or len(self.networks) < NETWORKS_PER_HOUR_MAX:
            self.networks.add(network)
            return network, OTHERS
        return OTHERS, OTHERS


class ArrivalsVerbs(Verbs):
    def note_arrivals(self, arrivals: Sequence[CameFrom]) -> Awaitable[None]:
        def write() -> Steps[None]:
            [(pending,)] = yield from rows("arrivals.pending_count")
            authored = [came for came in arrivals if came.author != OTHERS]
            waiting = authored[: max(0, PENDING_MAX - number(pending))]
            yield from run("arrivals.add_pending", chosen=[_pending_row(came) for came in waiting])
            others = [came for came in arrivals if came.author == OTHERS] + authored[len(waiting) :]
            yield from _add(Counter(_counted(came, Worth.OTHER) for came in others))

        return self._engine.change(write, CHANGE_UNITS + len(arrivals))

    async def settle_arrivals(self) -> int:
        settled = 0
        while len(found := await self._engine.read(rows("arrivals.decided", BATCH_ROWS))) > 0:
            await self._engine.change(partial(_settle, [_decided(row) for row in found]), BATCH_ROWS)
            settled += len(found)
        return settled

    def note_primaries(self, hours: Sequence[PrimaryHour]) -> Awaitable[None]:
        def write() -> Steps[None]:
            chosen = [(hour.domain.name, hour.hour_ms, int(hour.is_up)) for hour in hours]
            yield from run("arrivals.note_primaries", chosen=chosen)

        return self._engine.change(write)

    async def hour_counts(self, since_ms: int) -> list[HourCount]:
        return [_hour_count(row) for row in await self._engine.read(rows("arrivals.hour_counts", since_ms))]

    async def primary_hours(self, since_ms: int) -> list[PrimaryHour]:
        found = await self._engine.read(rows("arrivals.primary_hours", since_ms))
        return [PrimaryHour(Domain(str(name)), number(hour_ms), is_up == 1) for name, hour_ms, is_up in found]

    async def origins(self) -> dict[str, NetworkOrigin]:
        found = await self._engine.read(rows("arrivals.origins"))
        return {
            str(network): NetworkOrigin(number(n), str(name), str(country))
            for network, n, name, country in found
        }

    async def networks_unknown(self, looked_before_ms: int, limit: int) -> list[str]:
        found = await self._engine.read(rows("arrivals.networks_unknown", looked_before_ms, limit))
        return [str(network) for (network,) in found]

    def learn_origins(self, origins: Mapping[str, NetworkOrigin], at_ms: int) -> Awaitable[None]:
        def write() -> Steps[None]:
            chosen: list[Row] = [
                (network, one.number, one.name, one.country, at_ms) for network, one in origins.items()
            ]
            yield from run("arrivals.learn_origins", chosen=chosen)

        return self._engine.change(write, CHANGE_UNITS + len(origins))

    async def blocked_networks(self) -> list[BlockedNetwork]:
        return [_blocked(row) for row in await self._engine.read(rows("arrivals.blocked_networks"))]

    def keep_blocked(self, blocks: Sequence[BlockedNetwork]) -> Awaitable[None]:
        def write() -> Steps[None]:
            yield from run("arrivals.keep_blocked", chosen=[_blocked_row(block) for block in blocks])

        return self._engine.change(write)

    def forget_arrivals(self, before_ms: int) -> Awaitable[int]:
        def batch() -> Steps[int]:
            forgotten = yield from run("arrivals.forget_blocked", before_ms)
            for query in ("forget_counts", "forget_hours", "forget_origins", "forget_authors"):
                forgotten += yield from run(f"arrivals.{query}", before_ms, BATCH_ROWS)
            [(authors,)] = yield from rows("arrivals.author_count")
            if (surplus := min(number(authors) - AUTHORS_MAX, BATCH_ROWS)) > 0:
                forgotten += yield from run("arrivals.forget_oldest_authors", surplus)
            return forgotten

        return self._engine.change_some(batch, 4 * BATCH_ROWS)

    async def known_authors(self, domain: Domain) -> int:
        [(many,)] = await self._engine.read(rows("arrivals.known_authors", domain.name))
        return number(many)


def _settle(decided: Sequence[Decided]) -> Steps[None]:
    yield from run("arrivals.drop_pending", chosen=[(one.came.id, one.came.domain.name) for one in decided])
    authors: dict[tuple[str, str], list[int]] = defaultdict(list)
    for one in decided:
        if one.taken_ms is not None:
            authors[one.came.domain.name, one.came.author].append(one.taken_ms)
    took: list[Row] = [(*key, min(times), max(times)) for key, times in authors.items()]
    yield from run("arrivals.took_authors", chosen=took)
    chosen: list[Row] = sorted(authors)
    found = yield from rows("arrivals.authors_since", chosen=chosen)
    since = {(str(domain), str(author)): number(since_ms) for domain, author, since_ms in found}
    yield from _add(Counter(_counted(one.came, _worth(one, since)) for one in decided))


def _worth(one: Decided, since: Mapping[tuple[str, str], int]) -> Worth:
    came, taken_ms = one.came, one.taken_ms
    if taken_ms is None or taken_ms - came.arrived_ms > TAKEN_WITHIN_MS:
        return Worth.OTHER
    return Worth.GOOD if since[came.domain.name, came.author] < came.arrived_ms else Worth.FRESH


def _counted(came: CameFrom, worth: Worth) -> Counted:
    author = OTHERS if worth is Worth.OTHER else came.author
    return Counted(came.domain.name, came.hour_ms, came.network, author, worth)


def _add(counts: Mapping[Counted, int]) -> Steps[None]:
    """Add messages to their hours, each in a row of its own or, beyond the bounds, in a common one."""
    if len(counts) == 0:
        return
    hours: dict[Hour, HourRows] = {(one.domain, one.hour_ms): HourRows() for one in counts}
    for domain, hour_ms, network, author in (yield from rows("arrivals.rows_of_hours", chosen=_keys(hours))):
        hours[str(domain), number(hour_ms)].add(str(network), str(author))
    added: dict[tuple[str, int, str, str], list[int]] = defaultdict(lambda: [0] * len(Worth))
    for one, many in counts.items():
        network, author = hours[one.domain, one.hour_ms].place(one.network, one.author)
        added[one.domain, one.hour_ms, network, author][one.worth] += many
    chosen: list[Row] = [(*key, *many) for key, many in added.items()]
    yield from run("arrivals.add_counts", chosen=chosen)


def _keys(hours: Iterable[Hour]) -> list[Row]:
    return list[Row](sorted(hours))


def _pending_row(came: CameFrom) -> Row:
    return came.id, came.domain.name, came.arrived_ms, came.hour_ms, came.network, came.author


def _decided(row: Row) -> Decided:
    id, name, arrived_ms, hour_ms, network, author, taken_ms = row
    came = CameFrom(
        QueueId(number(id)), Domain(str(name)), number(arrived_ms), number(hour_ms), str(network), str(author)
    )
    return Decided(came, maybe_number(taken_ms))


def _hour_count(row: Row) -> HourCount:
    name, hour_ms, network, author, good, fresh, other = row
    at = Domain(str(name)), number(hour_ms), str(network), str(author)
    return HourCount(*at, number(good), number(fresh), number(other))


def _blocked(row: Row) -> BlockedNetwork:
    name, origin, since_ms, found_ms, last_ms, good, authors, ended_ms = row
    return BlockedNetwork(
        Domain(str(name)),
        str(origin),
        number(since_ms),
        number(found_ms),
        number(last_ms),
        number(good),
        number(authors),
        maybe_number(ended_ms),
    )


def _blocked_row(block: BlockedNetwork) -> Row:
    counts = block.good, block.authors, block.ended_ms
    return (block.domain.name, block.origin, block.since_ms, block.found_ms, block.last_ms, *counts)
