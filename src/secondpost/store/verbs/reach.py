"""What networks of other countries see of the MX addresses, and how the services stand that say it."""

from collections.abc import Awaitable, Sequence

from secondpost.mail.reach import (
    Confirmation,
    NetworkView,
    ProbeNetwork,
    RawAnswer,
    ReachContext,
    ReachCount,
    ReachSource,
    ReachTarget,
    ReachVerdict,
    ReachView,
    SourceState,
)
from secondpost.store.reach_ports import RAW_ANSWERS_MAX, RAW_OCTETS_MAX
from secondpost.store.verbs.engine import BATCH_ROWS, CHANGE_UNITS, OCTETS_PER_UNIT, Verbs
from secondpost.store.verbs.steps import Row, Steps, maybe_number, number, octets, rows, run

ROWS_PER_UNIT = 4


class ReachVerbs(Verbs):
    async def reach_views(self) -> list[ReachView]:
        views = await self._engine.read(rows("reach.views"))
        networks: dict[tuple[str, str], list[NetworkView]] = {}
        for address, country, *record in await self._engine.read(rows("reach.networks")):
            networks.setdefault((str(address), str(country)), []).append(_network(tuple(record)))
        return [_view(row, networks.get((str(row[0]), str(row[1])), [])) for row in views]

    async def reach_counts(self, since_ms: int) -> list[ReachCount]:
        return [_count(row) for row in await self._engine.read(rows("reach.counts", since_ms))]

    async def last_reach_counts(self) -> list[ReachCount]:
        return [_count(row) for row in await self._engine.read(rows("reach.last_counts"))]

    async def reach_sources(self) -> dict[ReachSource, SourceState]:
        states = [_source(row) for row in await self._engine.read(rows("reach.sources"))]
        return {state.source: state for state in states}

    async def reach_contexts(self) -> list[ReachContext]:
        return [
            ReachContext(ReachSource(str(source)), str(subject), str(country), number(at_ms), str(text))
            for source, subject, country, at_ms, text in await self._engine.read(rows("reach.contexts"))
        ]

    async def raw_answers(self, limit: int) -> list[RawAnswer]:
        return [_answer(row) for row in await self._engine.read(rows("reach.answers", limit))]

    async def raw_answer(self, number: int) -> RawAnswer | None:
        found = await self._engine.read(rows("reach.answer", number))
        return None if len(found) == 0 else _answer(found[0])

    def note_view(self, view: ReachView) -> Awaitable[None]:
        target = view.target
        key = (target.address, view.country)
        networks = [(*key, *_network_row(one)) for one in view.networks]

        def write() -> Steps[None]:
            yield from run(
                "reach.note_view",
                *key,
                target.host,
                " ".join(target.domains),
                view.verdict.value,
                view.since_ms,
                view.looked_ms,
                view.confirmation.value,
                view.confirmed_ms,
            )
            yield from run("reach.forget_networks", *key)
            yield from run("reach.add_networks", chosen=networks)

        return self._engine.change(write, CHANGE_UNITS + len(networks) // ROWS_PER_UNIT)

    def forget_view(self, view: ReachView) -> Awaitable[None]:
        def write() -> Steps[None]:
            yield from run("reach.forget_networks", view.target.address, view.country)
            yield from run("reach.forget_view", view.target.address, view.country)

        return self._engine.change(write)

    def note_counts(self, counts: Sequence[ReachCount]) -> Awaitable[None]:
        new = [(one.at_ms, one.address, one.country, one.passes, one.fails, one.unknown) for one in counts]

        def write() -> Steps[None]:
            yield from run("reach.add_counts", chosen=new)

        return self._engine.change(write, CHANGE_UNITS + len(new) // ROWS_PER_UNIT)

    async def forget_counts(self, before_ms: int) -> None:
        def batch() -> Steps[int]:
            return (yield from run("reach.forget_counts", before_ms, BATCH_ROWS))

        while await self._engine.change(batch, BATCH_ROWS // ROWS_PER_UNIT) > 0:
            pass

    def note_source(self, state: SourceState) -> Awaitable[None]:
        def write() -> Steps[None]:
            yield from run(
                "reach.note_source",
                state.source.value,
                state.used,
                state.window_ms,
                state.rests_until_ms,
                state.answered_ms,
                state.failed_ms,
                state.failure,
                state.found,
            )

        return self._engine.change(write)

    def note_contexts(
        self, source: ReachSource, country: str, contexts: Sequence[ReachContext]
    ) -> Awaitable[None]:
        new = [(source.value, one.subject, country, one.at_ms, one.text) for one in contexts]

        def write() -> Steps[None]:
            yield from run("reach.forget_contexts", source.value, country)
            yield from run("reach.add_contexts", chosen=new)

        return self._engine.change(write, CHANGE_UNITS + len(new) // ROWS_PER_UNIT)

    def keep_answer(self, answer: RawAnswer) -> Awaitable[int]:
        body = answer.body[:RAW_OCTETS_MAX]

        def write() -> Steps[int]:
            found = yield from rows(
                "reach.add_answer",
                answer.at_ms,
                answer.source.value,
                answer.asked,
                answer.status,
                answer.octets,
                body,
            )
            kept = number(found[0][0])
            yield from run("reach.forget_answers", kept - RAW_ANSWERS_MAX)
            return kept

        return self._engine.change(write, CHANGE_UNITS + len(body) // OCTETS_PER_UNIT)


def _view(row: Row, networks: Sequence[NetworkView]) -> ReachView:
    address, country, host, domains, verdict, since_ms, looked_ms, confirmation, confirmed_ms = row
    return ReachView(
        ReachTarget(str(address), str(host), tuple(str(domains).split())),
        str(country),
        ReachVerdict(str(verdict)),
        number(since_ms),
        number(looked_ms),
        Confirmation(str(confirmation)),
        number(confirmed_ms),
        tuple(networks),
    )


def _count(row: Row) -> ReachCount:
    at_ms, address, country, passes, fails, unknown = row
    many = number(passes), number(fails), number(unknown)
    return ReachCount(number(at_ms), str(address), str(country), *many)


def _network(row: Row) -> NetworkView:
    asn, name, failed, passed, is_blocked, since_ms, looked_ms = row
    return NetworkView(
        ProbeNetwork(number(asn), str(name)),
        number(failed),
        number(passed),
        is_blocked == 1,
        maybe_number(since_ms),
        number(looked_ms),
    )


def _network_row(one: NetworkView) -> Row:
    network, is_blocked = one.network, int(one.is_blocked)
    return network.asn, network.name, one.failed, one.passed, is_blocked, one.since_ms, one.looked_ms


def _source(row: Row) -> SourceState:
    source, used, window_ms, rests_until_ms, answered_ms, failed_ms, failure, found = row
    return SourceState(
        ReachSource(str(source)),
        number(used),
        number(window_ms),
        number(rests_until_ms),
        number(answered_ms),
        number(failed_ms),
        str(failure),
        str(found),
    )


def _answer(row: Row) -> RawAnswer:
    """A row with its body, or without."""
    kept, at_ms, source, asked, status, size, *body = row
    return RawAnswer(
        number(kept),
        number(at_ms),
        ReachSource(str(source)),
        str(asked),
        number(status),
        number(size),
        b"".join(map(octets, body)),
    )
