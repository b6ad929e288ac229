"""Mail to readers, for the owner: counts by state, and single deliveries."""

from collections.abc import Sequence

from secondpost.mail.delivery import DeliveryId, State
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import IssueId
from secondpost.mail.queue_id import QueueId, first_queue_id
from secondpost.mail.subscriber import SubscriberId
from secondpost.store.newsletter_ports import ReaderDelivery
from secondpost.store.owner_ports import DeliveryEvent
from secondpost.store.standing_ports import MailToReaders
from secondpost.store.verbs.engine import Verbs
from secondpost.store.verbs.steps import Row, Steps, Value, maybe_number, number, rows


class StandingVerbs(Verbs):
    async def mail_to_readers(self) -> MailToReaders:
        return await self._engine.read(_mail_to_readers())

    async def last_deferred(self, issue: IssueId) -> ReaderDelivery | None:
        for found in await self._engine.read(reader_deliveries("standing.last_deferred", issue)):
            return found
        return None

    async def failed_confirmations(self, since_ms: int, limit: int) -> list[ReaderDelivery]:
        first = first_queue_id(since_ms)
        return await self._engine.read(reader_deliveries("standing.failed_confirmations", first, limit))

    async def delivery(self, id: DeliveryId) -> ReaderDelivery | None:
        for found in await self._engine.read(reader_deliveries("standing.delivery", id.queue_id, id.number)):
            return found
        return None

    async def deliveries(
        self, id: IssueId, states: Sequence[State], after: SubscriberId | None, limit: int
    ) -> list[ReaderDelivery]:
        in_any = 1 if len(states) == 0 else 0
        chosen: list[Row] = [(state.value,) for state in states]
        behind = 0 if after is None else after
        return await self._engine.read(
            reader_deliveries("standing.deliveries", id, behind, in_any, limit, chosen=chosen)
        )

    async def deliveries_of(self, id: SubscriberId, limit: int) -> list[ReaderDelivery]:
        return await self._engine.read(reader_deliveries("standing.deliveries_of_reader", id, limit))

    async def events_of_delivery(self, id: DeliveryId) -> list[DeliveryEvent]:
        events = await self._engine.read(rows("standing.events_of_delivery", id.queue_id, id.number))
        return [
            DeliveryEvent(id.number, number(at_ms), str(what), str(detail)) for at_ms, what, detail in events
        ]


def reader_deliveries(
    query: str, *binds: Value, chosen: Sequence[Row] | None = None
) -> Steps[list[ReaderDelivery]]:
    """The deliveries found by a query with the columns of `standing.listed`."""
    return [_reader_delivery(row) for row in (yield from rows(query, *binds, chosen=chosen))]


def _mail_to_readers() -> Steps[MailToReaders]:
    counted = yield from rows("standing.reader_tally_of_mail")
    counts = {(str(lane), str(state)): number(many) for lane, state, many in counted}
    deferred = yield from rows("standing.deferred_of_issues")
    [(own_deferred,)] = yield from rows("standing.deferred_own")
    issues, own = Lane.ISSUES.value, Lane.OWN.value
    return MailToReaders(
        issues_waiting=counts.get((issues, "waiting"), 0),
        own_waiting=counts.get((own, "waiting"), 0),
        frozen=counts.get((issues, "frozen"), 0),
        held=sum(many for (_, state), many in counts.items() if state == "held"),
        unknown=counts.get((issues, "unknown"), 0),
        deferred={IssueId(number(issue)): number(many) for issue, many in deferred},
        own_deferred=number(own_deferred),
    )


def _reader_delivery(row: Row) -> ReaderDelivery:
    message, n, issue, subscriber, recipient, state, attempts, last_ms, cause, host, reply, doubted = row[:12]
    due_ms, site, site_down = row[12:]
    return ReaderDelivery(
        id=DeliveryId(QueueId(number(message)), number(n)),
        issue=None if issue is None else IssueId(number(issue)),
        subscriber=SubscriberId(number(subscriber)),
        recipient=str(recipient),
        state=State(str(state)),
        attempts=number(attempts),
        last_ms=maybe_number(last_ms),
        cause=str(cause),
        host=str(host),
        reply=str(reply),
        was_retried=issue is not None and doubted == 1,
        due_ms=number(due_ms),
        site=str(site),
        site_down=site_down == 1,
    )
