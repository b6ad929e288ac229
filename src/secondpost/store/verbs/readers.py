"""Read single readers, and record their bounces."""

from collections.abc import Awaitable, Sequence

import msgspec

from secondpost.mail.address import Mailbox
from secondpost.mail.bounce_kind import BounceKind, Weighed, first_weight
from secondpost.mail.issue import IssueId
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import Consent, Subscriber, SubscriberId, SubscriberState, subscriber_key
from secondpost.store.subscriber_ports import Bounce, ReaderEvent
from secondpost.store.verbs.engine import Verbs
from secondpost.store.verbs.known_readers import Happened, known_by_id, tell
from secondpost.store.verbs.rows import mailbox_of
from secondpost.store.verbs.steps import Row, Steps, Value, maybe_number, number, rows, run

_ONE = "WHERE reader.id = ?1"
_BY_KEY = "WHERE newsletter = ?1 AND key = ?2"
_ATTRIBUTES = msgspec.json.Decoder(tuple[tuple[str, str], ...])


class ReadersVerbs(Verbs):
    async def subscriber(self, id: SubscriberId) -> Subscriber | None:
        return await self._engine.read(one_reader(id))

    async def find(self, newsletter: str, mailbox: Mailbox) -> Subscriber | None:
        key = subscriber_key(mailbox)
        return _first(await self._engine.read(rows("readers.reader", newsletter, key, conditions=_BY_KEY)))

    async def readers(
        self, newsletter: str, states: Sequence[SubscriberState], after: SubscriberId | None, limit: int
    ) -> list[Subscriber]:
        behind = 0 if after is None else after
        page = _page(states)
        found = await self._engine.read(rows("readers.reader", newsletter, behind, limit, conditions=page))
        return [reader_of(row) for row in found]

    async def reader_counts(self, newsletter: str) -> dict[SubscriberState, int]:
        counts = dict.fromkeys(SubscriberState, 0)
        for state, readers in await self._engine.read(rows("readers.counts", newsletter)):
            counts[SubscriberState(str(state))] = number(readers)
        return counts

    async def events_of(self, id: SubscriberId) -> list[ReaderEvent]:
        return [_event_of(id, row) for row in await self._engine.read(rows("readers.events_of", id))]

    async def bounced(self, issue: IssueId) -> dict[BounceKind, int]:
        counts = dict.fromkeys(BounceKind, 0)
        for kind, reports in await self._engine.read(rows("readers.bounced_of_issue", issue)):
            counts[BounceKind(str(kind))] = number(reports)
        return counts

    async def bounces_of(self, id: SubscriberId, limit: int) -> list[Bounce]:
        return [_bounce_of(id, row) for row in await self._engine.read(rows("readers.bounces_of", id, limit))]

    def record_bounce(self, bounce: Bounce) -> Awaitable[bool]:
        row = (
            bounce.evidence,
            bounce.subscriber,
            bounce.issue,
            bounce.at_ms,
            bounce.kind.value,
            bounce.status,
            bounce.text,
            first_weight(bounce.kind).value,
        )

        def write() -> Steps[bool]:
            known = yield from known_by_id(bounce.subscriber)
            if known is None or (yield from run("readers.add_bounce", *row)) == 0:
                return False
            detail = f"{bounce.kind} {bounce.status}".strip()
            yield from tell([(known.id, None)], Happened(known.state, bounce.at_ms, "bounced", detail))
            return True

        return self._engine.change(write)


def one_reader(id: SubscriberId) -> Steps[Subscriber | None]:
    return _first((yield from rows("readers.reader", id, conditions=_ONE)))


def _page(states: Sequence[SubscriberState]) -> str:
    """Conditions of a page: ?1 is the newsletter, ?2 the last id before it, ?3 its length."""
    wanted = ", ".join(f"'{state.value}'" for state in SubscriberState if state in states)
    in_state = f"AND state IN ({wanted}) " if len(states) > 0 else ""
    return f"WHERE newsletter = ?1 AND reader.id > ?2 {in_state}ORDER BY reader.id LIMIT ?3"


def _event_of(id: SubscriberId, row: Row) -> ReaderEvent:
    n, at_ms, what, state, detail, *consent = row
    named = SubscriberState(str(state))
    return ReaderEvent(number(n), id, number(at_ms), str(what), named, str(detail), _consent_of(consent))


def _bounce_of(id: SubscriberId, row: Row) -> Bounce:
    evidence, issue, at_ms, kind, status, text, weighed = row
    return Bounce(
        id,
        None if issue is None else IssueId(number(issue)),
        None if evidence is None else QueueId(number(evidence)),
        BounceKind(str(kind)),
        str(status),
        str(text),
        number(at_ms),
        Weighed(str(weighed)),
    )


def _first(rows: Sequence[tuple[Value, ...]]) -> Subscriber | None:
    return reader_of(rows[0]) if len(rows) > 0 else None


def reader_of(row: tuple[Value, ...]) -> Subscriber:
    id, newsletter, mailbox, state, since_ms, created_ms, attributes, *consent = row
    known = mailbox_of(str(mailbox))
    return Subscriber(
        id=SubscriberId(number(id)),
        newsletter=str(newsletter),
        mailbox=known,
        key=subscriber_key(known),
        state=SubscriberState(str(state)),
        since_ms=number(since_ms),
        created_ms=number(created_ms),
        consent=_consent_of(consent),
        attributes=() if attributes is None else _ATTRIBUTES.decode(str(attributes)),
    )


def _consent_of(columns: Sequence[Value]) -> Consent | None:
    place, how, text, at_ms, prefix = columns
    known_ms = maybe_number(at_ms)
    if known_ms is None:
        return None
    return Consent(str(place), str(how), str(text), known_ms, str(prefix))
