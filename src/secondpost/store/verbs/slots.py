"""Slots of a newsletter: its calendar, the outcome of each slot, and the foreword of the next
issue.
"""

from collections.abc import Awaitable, Sequence

from secondpost.mail.issue import IssueId
from secondpost.store.newsletter_ports import CalendarSince, SlotOutcome, SlotRecord
from secondpost.store.verbs.engine import Verbs
from secondpost.store.verbs.half_renamed import is_being_renamed
from secondpost.store.verbs.steps import Row, Steps, number, rows, run


class SlotsVerbs(Verbs):
    async def calendar(self, newsletter: str) -> CalendarSince | None:
        for every, timezone, since_ms in await self._engine.read(rows("issues.calendar", newsletter)):
            return CalendarSince(newsletter, str(every), str(timezone), number(since_ms))
        return None

    def set_calendar(self, calendar: CalendarSince) -> Awaitable[None]:
        row = (calendar.newsletter, calendar.every, calendar.timezone, calendar.since_ms)

        def write() -> Steps[None]:
            yield from run("issues.set_calendar", *row)

        return self._engine.change(write)

    async def slot(self, newsletter: str, key: str) -> SlotRecord | None:
        return _first_slot(await self._engine.read(rows("issues.slot", newsletter, key)))

    async def last_slot(self, newsletter: str) -> SlotRecord | None:
        return _first_slot(await self._engine.read(rows("issues.last_slot", newsletter)))

    def record_slot(self, record: SlotRecord) -> Awaitable[SlotRecord]:
        if record.outcome is SlotOutcome.ISSUED:
            raise ValueError("that a slot brought an issue is recorded with the issue")

        def write() -> Steps[SlotRecord]:
            if (yield from is_being_renamed(record.newsletter)):
                return record  # its slots are being moved, and this one is decided again afterwards
            yield from run("issues.record_slot", *slot_row(record))
            stands = _first_slot((yield from rows("issues.slot", record.newsletter, record.key)))
            assert stands is not None
            return stands

        return self._engine.change(write)

    def set_note(self, newsletter: str, text: str) -> Awaitable[None]:
        def write() -> Steps[None]:
            if len(text.strip()) == 0:
                yield from run("issues.drop_note", newsletter)
            else:
                yield from run("issues.set_note", newsletter, text)

        return self._engine.change(write)

    async def note(self, newsletter: str) -> str:
        return await self._engine.read(note_of(newsletter))


def note_of(newsletter: str) -> Steps[str]:
    """The foreword, or ""."""
    return "".join([str(text) for (text,) in (yield from rows("issues.note", newsletter))])


def slot_row(record: SlotRecord) -> Row:
    """A row for `issues.record_slot`."""
    return (record.newsletter, record.key, record.outcome.value, record.at_ms, record.reason, record.issue)


def _first_slot(found: Sequence[Row]) -> SlotRecord | None:
    for newsletter, key, outcome, at_ms, reason, issue in found:
        return SlotRecord(
            str(newsletter),
            str(key),
            SlotOutcome(str(outcome)),
            number(at_ms),
            str(reason),
            None if issue is None else IssueId(number(issue)),
        )
    return None
