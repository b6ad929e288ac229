"""Create and read issues, for the publish role."""

from collections import Counter
from collections.abc import Awaitable, Mapping, Sequence

from secondpost.mail.issue import (
    DigestDraft,
    Issue,
    IssueId,
    IssueKind,
    IssueState,
    LetterDraft,
    Reckoning,
    issue_sources_of,
)
from secondpost.mail.provider import provider_of_place
from secondpost.mail.queue_id import QueueId
from secondpost.store.newsletter_ports import IssueRefused, SlotOutcome, SlotRecord
from secondpost.store.verbs.engine import CHANGE_UNITS, OCTETS_PER_UNIT, Verbs
from secondpost.store.verbs.half_renamed import refuse_half_renamed
from secondpost.store.verbs.slots import note_of, slot_row
from secondpost.store.verbs.steps import Row, Steps, maybe_number, number, octets, rows, run

BEFORE_ALL_PAGES = 1 << 62  # above any issue number
ENDS = ("delivered", "suppressed", "failed", "expired", "unknown")
STOPS = ("stopped", "dropped")


class IssuesVerbs(Verbs):
    # ---- making

    def create_digest(self, draft: DigestDraft, message: QueueId, at_ms: int) -> Awaitable[Issue]:
        def write() -> Steps[Issue]:
            note = yield from note_of(draft.newsletter)
            counts = (len(draft.articles), draft.minimum)
            names = (draft.newsletter, IssueKind.DIGEST, draft.slot, message, "", note)
            id = yield from _add(*names, counts, at_ms)
            chosen: list[Row] = [(article, place) for place, article in enumerate(draft.articles, 1)]
            taken = yield from run("issues.take_articles", id, draft.newsletter, chosen=chosen)
            if taken != len(chosen):
                raise IssueRefused("one of the articles is no longer waiting for an issue")
            yield from run("issues.drop_note", draft.newsletter)
            yield from run("approvals.keep_order", id, draft.newsletter)
            yield from run("approvals.drop_next_order", draft.newsletter)
            return (yield from issue_in(id))

        return self._engine.change(write, CHANGE_UNITS + len(draft.articles))

    def create_letter(self, draft: LetterDraft, message: QueueId, at_ms: int) -> Awaitable[Issue]:
        def write() -> Steps[Issue]:
            names = (draft.newsletter, IssueKind.LETTER, draft.slot, message, draft.subject, draft.body)
            id = yield from _add(*names, (0, 0), at_ms)
            return (yield from issue_in(id))

        return self._engine.change(write)

    def write_content(self, issue: IssueId, subject: str, content: bytes) -> Awaitable[None]:
        if len(content) == 0:
            raise ValueError("an issue has content")

        def write() -> Steps[None]:
            found = yield from in_state(issue, IssueState.OPEN, "its content is fixed")
            yield from run("issues.write_subject", issue, subject)
            yield from run("issues.write_content", found.message, content)
            yield from run("issues.write_size", found.message, len(content))

        return self._engine.change(write, CHANGE_UNITS + len(content) // OCTETS_PER_UNIT)

    # ---- looking

    async def issue(self, id: IssueId) -> Issue | None:
        return _first_issue(await self._engine.read(rows("issues.issue", id)))

    async def issue_by_number(self, newsletter: str, number: int) -> Issue | None:
        return _first_issue(await self._engine.read(rows("issues.issue_by_number", newsletter, number)))

    async def issues(self, newsletter: str, before_number: int | None, limit: int) -> list[Issue]:
        before = BEFORE_ALL_PAGES if before_number is None else before_number
        found = await self._engine.read(rows("issues.newest_issues", newsletter, before, limit))
        return [_issue_of(row) for row in found]

    async def last_digest(self, newsletter: str) -> int:
        [(last,)] = await self._engine.read(rows("issues.last_digest", newsletter))
        return number(last)

    async def issues_under_way(self) -> list[Issue]:
        return [_issue_of(row) for row in await self._engine.read(rows("issues.issues_under_way"))]

    async def reckoning(self, id: IssueId) -> Reckoning:
        def look() -> Steps[Reckoning]:
            found = _first_issue((yield from rows("issues.issue", id)))
            return (yield from reckoning_in(id, 0 if found is None else found.planned))

        return await self._engine.read(look())

    async def active_readers(self, newsletter: str) -> int:
        [(active,)] = await self._engine.read(rows("issues.active_readers", newsletter))
        return number(active)

    async def readers_by_provider(self, newsletter: str) -> Mapping[str, int]:
        audience: Counter[str] = Counter()
        for name, site, readers in await self._engine.read(rows("issues.readers_by_domain", newsletter)):
            audience[provider_of_place(str(name), str(site)).counted_as] += number(readers)
        return audience

    async def issue_content(self, id: IssueId) -> bytes:
        for (data,) in await self._engine.read(rows("issues.issue_content", id)):
            return octets(data)
        raise LookupError("the issue has no content yet")

    async def issue_of_message(self, message: QueueId) -> Issue | None:
        return _first_issue(await self._engine.read(rows("issues.issue_of_message", message)))


def _add(
    newsletter: str,
    kind: IssueKind,
    slot: str,
    message: QueueId,
    subject: str,
    body: str,
    counts: tuple[int, int],
    at_ms: int,
) -> Steps[IssueId]:
    """Add the issue, its message and its slot; `counts` are the number of articles and their
    minimum.
    """
    yield from refuse_half_renamed(newsletter)
    if len((yield from rows("issues.slot", newsletter, slot))) > 0:
        raise IssueRefused(f"the time {slot} has been decided already")
    [(next_number,)] = yield from rows("issues.next_number", newsletter)
    values = (newsletter, next_number, kind.value, slot, message, subject, body, *counts, at_ms)
    [(given,)] = yield from rows("issues.add_issue", *values)
    id = IssueId(number(given))
    yield from run("issues.add_issue_message", message, at_ms)
    record = SlotRecord(newsletter, slot, SlotOutcome.ISSUED, at_ms, "", id)
    yield from run("issues.record_slot", *slot_row(record))
    return id


def issue_in(id: IssueId) -> Steps[Issue]:
    """The issue. Raises IssueRefused if there is none."""
    found = _first_issue((yield from rows("issues.issue", id)))
    if found is None:
        raise IssueRefused("there is no such issue")
    return found


def in_state(id: IssueId, state: IssueState, otherwise: str) -> Steps[Issue]:
    """The issue, if it is in this state. Raises IssueRefused."""
    found = yield from issue_in(id)
    if found.state is not state:
        raise IssueRefused(f"issue {found.number} is {found.state.in_words}: {otherwise}")
    return found


def permitted(target: IssueState, *among: IssueState) -> list[Row]:
    """The states from which an issue may become `target`, as a query's set."""
    return [(source.value,) for source in issue_sources_of(target, *among)]


def is_another_under_way(issue: Issue) -> Steps[bool]:
    """Whether another issue of the newsletter is under way; only one may be."""
    return len((yield from rows("issues.other_under_way", issue.newsletter))) > 0


def reckoning_in(id: IssueId, planned: int) -> Steps[Reckoning]:
    counted = yield from counts_in(id)
    return Reckoning(
        planned,
        delivered=counted.get("delivered", 0),
        suppressed=counted.get("suppressed", 0),
        failed=counted.get("failed", 0),
        expired=counted.get("expired", 0),
        stopped=sum(counted.get(state, 0) for state in STOPS),
        unknown=counted.get("unknown", 0),
        under_way=sum(many for state, many in counted.items() if state not in (*ENDS, *STOPS)),
    )


def counts_in(id: IssueId) -> Steps[dict[str, int]]:
    """The number of an issue's deliveries per state."""
    return {str(state): number(many) for state, many in (yield from rows("issues.reckoning", id))}


def _first_issue(found: Sequence[Row]) -> Issue | None:
    return _issue_of(found[0]) if len(found) > 0 else None


def _issue_of(row: Row) -> Issue:
    id, newsletter, n, kind, state, slot, message, subject, body = row[:9]
    article_count, minimum, planned, created_ms, start_ms, finished_ms, reason = row[9:]
    return Issue(
        id=IssueId(number(id)),
        newsletter=str(newsletter),
        number=number(n),
        kind=IssueKind(str(kind)),
        state=IssueState(str(state)),
        slot=str(slot),
        message=QueueId(number(message)),
        subject=str(subject),
        body=str(body),
        article_count=number(article_count),
        minimum=number(minimum),
        planned=number(planned),
        created_ms=number(created_ms),
        start_ms=maybe_number(start_ms),
        finished_ms=maybe_number(finished_ms),
        reason=str(reason),
    )
