"""The publish role's view of issues: how one is made, and what is told of it."""

from collections.abc import Awaitable, Sequence

import apsw

from secondpost.mail.delivery import DeliveryId, State
from secondpost.mail.issue import (
    DigestDraft,
    Issue,
    IssueId,
    IssueKind,
    IssueState,
    LetterDraft,
    Reckoning,
)
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import SubscriberId
from secondpost.store.newsletter_ports import (
    CalendarSince,
    IssueRefused,
    ReaderDelivery,
    SlotOutcome,
    SlotRecord,
)
from secondpost.store.owner_ports import Told
from secondpost.store.sqlite.base import Base, as_json
from secondpost.store.sqlite.group import CHANGE_UNITS
from secondpost.store.sqlite.half_renamed import is_being_renamed
from secondpost.store.sqlite.queries import read_queries
from secondpost.store.verbs.steps import Row, Value, maybe_number, number

ISSUE_QUERIES = read_queries("issues")
OCTETS_PER_UNIT = 16 * 1024


def _issue_query(conditions: str) -> str:
    return ISSUE_QUERIES["issue"].replace("{conditions}", conditions)


ONE_ISSUE = _issue_query("WHERE id = ?1")
_BY_NUMBER = _issue_query("WHERE newsletter = ?1 AND number = ?2")
_BY_MESSAGE = _issue_query("WHERE message = ?1")
_NEWEST = _issue_query("WHERE newsletter = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3")
_UNDER_WAY = _issue_query("INDEXED BY issue_unfinished WHERE state NOT IN ('done', 'stopped') ORDER BY id")
_DELIVERIES = ISSUE_QUERIES["deliveries"].replace(
    "{conditions}",
    """WHERE message = (SELECT message FROM issue WHERE id = ?1) AND number > ?2
       AND (?3 = '[]' OR state IN (SELECT value FROM json_each(?3))) ORDER BY number LIMIT ?4""",
)
_ONE_DELIVERY = ISSUE_QUERIES["deliveries"].replace(
    "{conditions}", "WHERE message = ?1 AND number = ?2 AND subscriber IS NOT NULL"
)
DELIVERIES_OF_READER = ISSUE_QUERIES["deliveries"].replace(
    "{conditions}", "WHERE subscriber = ?1 AND subscriber IS NOT NULL ORDER BY message DESC LIMIT ?2"
)
ENDS = ("delivered", "suppressed", "failed", "expired", "unknown")
STOPS = ("stopped", "dropped")


class SqliteIssues(Base):
    # ---- slots

    def calendar(self, newsletter: str) -> CalendarSince | None:
        for every, timezone, since_ms in self._read(ISSUE_QUERIES["calendar"], (newsletter,)):
            return CalendarSince(newsletter, str(every), str(timezone), number(since_ms))
        return None

    def set_calendar(self, calendar: CalendarSince) -> Awaitable[None]:
        row = (calendar.newsletter, calendar.every, calendar.timezone, calendar.since_ms)

        def write(db: apsw.Connection) -> None:
            db.execute(ISSUE_QUERIES["set_calendar"], row)

        return self._writer.change(write)

    def slot(self, newsletter: str, key: str) -> SlotRecord | None:
        return _first_slot(self._read(ISSUE_QUERIES["slot"], (newsletter, key)))

    def last_slot(self, newsletter: str) -> SlotRecord | None:
        return _first_slot(self._read(ISSUE_QUERIES["last_slot"], (newsletter,)))

    def record_slot(self, record: SlotRecord) -> Awaitable[SlotRecord]:
        if record.outcome is SlotOutcome.ISSUED:
            raise ValueError("that a slot brought an issue is recorded with the issue")

        def write(db: apsw.Connection) -> SlotRecord:
            if is_being_renamed(db, record.newsletter):
                return record  # its slots are just being moved, and it is looked at again when that is done
            db.execute(ISSUE_QUERIES["record_slot"], _slot_row(record))
            rows = db.execute(ISSUE_QUERIES["slot"], (record.newsletter, record.key)).fetchall()
            stands = _first_slot(rows)
            assert stands is not None
            return stands

        return self._writer.change(write)

    def set_note(self, newsletter: str, text: str) -> Awaitable[None]:
        def write(db: apsw.Connection) -> None:
            if len(text.strip()) == 0:
                db.execute(ISSUE_QUERIES["drop_note"], (newsletter,))
            else:
                db.execute(ISSUE_QUERIES["set_note"], (newsletter, text))

        return self._writer.change(write)

    def note(self, newsletter: str) -> str:
        for (text,) in self._read(ISSUE_QUERIES["note"], (newsletter,)):
            return str(text)
        return ""

    # ---- making

    def create_digest(self, draft: DigestDraft, message: QueueId, at_ms: int) -> Awaitable[Issue]:
        def write(db: apsw.Connection) -> Issue:
            note = "".join(str(row[0]) for row in db.execute(ISSUE_QUERIES["note"], (draft.newsletter,)))
            id = _add(
                db,
                draft.newsletter,
                IssueKind.DIGEST,
                draft.slot,
                message,
                "",
                note,
                (len(draft.articles), draft.minimum),
                at_ms,
            )
            db.execute(ISSUE_QUERIES["take_articles"], (as_json(draft.articles), id, draft.newsletter))
            if db.changes() != len(draft.articles):
                raise IssueRefused("one of the articles is no longer waiting for an issue")
            db.execute(ISSUE_QUERIES["drop_note"], (draft.newsletter,))
            return issue_in(db, id)

        return self._writer.change(write, CHANGE_UNITS + len(draft.articles))

    def create_letter(self, draft: LetterDraft, message: QueueId, at_ms: int) -> Awaitable[Issue]:
        def write(db: apsw.Connection) -> Issue:
            names = (draft.newsletter, IssueKind.LETTER, draft.slot, message, draft.subject, draft.body)
            return issue_in(db, _add(db, *names, (0, 0), at_ms))

        return self._writer.change(write)

    def write_content(self, issue: IssueId, subject: str, content: bytes) -> Awaitable[None]:
        if len(content) == 0:
            raise ValueError("an issue has content")

        def write(db: apsw.Connection) -> None:
            found = in_state(db, issue, IssueState.OPEN, "its content is fixed")
            db.execute(ISSUE_QUERIES["write_subject"], (issue, subject))
            db.execute(ISSUE_QUERIES["write_content"], (found.message, content))
            db.execute(ISSUE_QUERIES["write_size"], (found.message, len(content)))

        return self._writer.change(write, CHANGE_UNITS + len(content) // OCTETS_PER_UNIT)

    # ---- looking

    def issue(self, id: IssueId) -> Issue | None:
        return _first_issue(self._read(ONE_ISSUE, (id,)))

    def issue_by_number(self, newsletter: str, number: int) -> Issue | None:
        return _first_issue(self._read(_BY_NUMBER, (newsletter, number)))

    def issues(self, newsletter: str, before_number: int | None, limit: int) -> list[Issue]:
        before = 1 << 62 if before_number is None else before_number
        return [issue_of(row) for row in self._read(_NEWEST, (newsletter, before, limit))]

    def issues_under_way(self) -> list[Issue]:
        return [issue_of(row) for row in self._read(_UNDER_WAY)]

    def reckoning(self, id: IssueId) -> Reckoning:
        issue = self.issue(id)
        planned = 0 if issue is None else issue.planned
        return reckoning_of(planned, self._read(ISSUE_QUERIES["reckoning"], (id,)))

    def active_readers(self, newsletter: str) -> int:
        [(active,)] = self._read(ISSUE_QUERIES["active_readers"], (newsletter,))
        return number(active)

    def issue_content(self, id: IssueId) -> bytes:
        for (data,) in self._read(ISSUE_QUERIES["issue_content"], (id,)):
            assert isinstance(data, bytes)
            return data
        raise LookupError("the issue has no content yet")

    def issue_of_message(self, message: QueueId) -> Issue | None:
        return _first_issue(self._read(_BY_MESSAGE, (message,)))

    def delivery(self, id: DeliveryId) -> ReaderDelivery | None:
        for row in self._read(_ONE_DELIVERY, (id.queue_id, id.number)):
            return reader_delivery(row)
        return None

    def told_of_delivery(self, id: DeliveryId) -> list[Told]:
        rows = self._read(ISSUE_QUERIES["told_of"], (id.queue_id, id.number))
        return [Told(id.number, number(at_ms), str(what), str(detail)) for at_ms, what, detail in rows]

    def deliveries(
        self, id: IssueId, states: Sequence[State], after: SubscriberId | None, limit: int
    ) -> list[ReaderDelivery]:
        wanted = as_json([state.value for state in states])
        behind = 0 if after is None else after
        return [reader_delivery(row) for row in self._read(_DELIVERIES, (id, behind, wanted, limit))]


def _add(
    db: apsw.Connection,
    newsletter: str,
    kind: IssueKind,
    slot: str,
    message: QueueId,
    subject: str,
    body: str,
    counts: tuple[int, int],
    at_ms: int,
) -> IssueId:
    """The row, its message and its slot; `counts` are the articles and their minimum."""
    refuse_half_renamed(db, newsletter)
    if len(db.execute(ISSUE_QUERIES["slot"], (newsletter, slot)).fetchall()) > 0:
        raise IssueRefused(f"the time {slot} has been decided already")
    [(next_number,)] = db.execute(ISSUE_QUERIES["next_number"], (newsletter,)).fetchall()
    db.execute(
        ISSUE_QUERIES["add_issue"],
        (newsletter, next_number, kind.value, slot, message, subject, body, *counts, at_ms),
    )
    id = IssueId(db.last_insert_rowid())
    db.execute(ISSUE_QUERIES["add_issue_message"], (message, at_ms))
    record = SlotRecord(newsletter, slot, SlotOutcome.ISSUED, at_ms, "", id)
    db.execute(ISSUE_QUERIES["record_slot"], _slot_row(record))
    return id


def refuse_half_renamed(db: apsw.Connection, newsletter: str) -> None:
    """Raises IssueRefused: some of its readers and articles still bear another name."""
    if is_being_renamed(db, newsletter):
        raise IssueRefused(f"{newsletter} is being renamed, and that is not finished yet")


def issue_in(db: apsw.Connection, id: IssueId) -> Issue:
    """Raises IssueRefused when there is none."""
    found = _first_issue(db.execute(ONE_ISSUE, (id,)).fetchall())
    if found is None:
        raise IssueRefused("there is no such issue")
    return found


def in_state(db: apsw.Connection, id: IssueId, state: IssueState, otherwise: str) -> Issue:
    """Raises IssueRefused."""
    found = issue_in(db, id)
    if found.state is not state:
        raise IssueRefused(f"issue {found.number} is {found.state}: {otherwise}")
    return found


def is_another_under_way(db: apsw.Connection, issue: Issue) -> bool:
    """One issue of a newsletter at a time."""
    return len(db.execute(ISSUE_QUERIES["other_under_way"], (issue.newsletter,)).fetchall()) > 0


def reckoning_of(planned: int, rows: Sequence[tuple[Value, ...]]) -> Reckoning:
    counted = {str(state): number(deliveries) for state, deliveries in rows}
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


def _first_issue(rows: Sequence[tuple[Value, ...]]) -> Issue | None:
    return issue_of(rows[0]) if len(rows) > 0 else None


def issue_of(row: tuple[Value, ...]) -> Issue:
    id, newsletter, n, kind, state, slot, message, subject, body = row[:9]
    article_count, minimum, planned, created_ms, start_ms, finished_ms = row[9:]
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
    )


def reader_delivery(row: tuple[Value, ...]) -> ReaderDelivery:
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


def _slot_row(record: SlotRecord) -> Row:
    return (record.newsletter, record.key, record.outcome.value, record.at_ms, record.reason, record.issue)


def _first_slot(rows: Sequence[tuple[Value, ...]]) -> SlotRecord | None:
    for newsletter, key, outcome, at_ms, reason, issue in rows:
        return SlotRecord(
            str(newsletter),
            str(key),
            SlotOutcome(str(outcome)),
            number(at_ms),
            str(reason),
            None if issue is None else IssueId(number(issue)),
        )
    return None
