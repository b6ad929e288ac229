"""Renaming a newsletter: its rows are moved in batches, and the old name is kept, since links in
old mails contain it.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from secondpost.mail.subscriber import SubscriberId, SubscriberState
from secondpost.store.naming_ports import RENAMED_ROWS_MAX, FormerName, KnownNewsletter, RenameRefused
from secondpost.store.ports import Lease
from secondpost.store.verbs.engine import Verbs
from secondpost.store.verbs.known_readers import ERASING, Happened, lead, next_event
from secondpost.store.verbs.leading import check_led
from secondpost.store.verbs.steps import Steps, number, rows, run

ARTICLES_AT_ONCE = 20  # articles may be large
ISSUES_AT_ONCE = 50
_CLEARING = (
    ("naming.clear_articles", ARTICLES_AT_ONCE),
    ("naming.clear_guids", RENAMED_ROWS_MAX),
    ("naming.clear_feeds", ISSUES_AT_ONCE),
    ("naming.clear_slots", RENAMED_ROWS_MAX),
)
# Issues come after articles and slots: an issue under the new name has all that belongs to it.
_MOVING = (
    ("naming.move_outcomes", RENAMED_ROWS_MAX),
    ("naming.move_articles", ARTICLES_AT_ONCE),
    ("naming.move_guids", RENAMED_ROWS_MAX),
    ("naming.move_feeds", ISSUES_AT_ONCE),
    ("naming.move_slots", RENAMED_ROWS_MAX),
    ("naming.move_issues", ISSUES_AT_ONCE),
)
# Rows that the new name already has under the same key are deleted first.
_MAKING_WAY = MappingProxyType(
    {"naming.move_guids": "naming.make_way_for_guids", "naming.move_feeds": "naming.make_way_for_feeds"}
)
_MOVING_AT_ONCE = (
    ("naming.make_way_for_calendar", "naming.move_calendar"),
    ("naming.make_way_for_note", "naming.move_note"),
    ("naming.make_way_for_order", "naming.move_order"),
    ("naming.make_way_for_approvals", "naming.move_approvals"),
)
_CONFIRMED_ELSEWHERE = (SubscriberState.PENDING, SubscriberState.SUSPENDED)


class NamingVerbs(Verbs):
    async def left_behind(self, named: Sequence[str]) -> list[KnownNewsletter]:
        known = await self._engine.read(rows("naming.known", chosen=[(name,) for name in named]))
        return [
            KnownNewsletter(str(name), number(pending), number(readers), number(issues))
            for name, pending, readers, issues in known
        ]

    async def known_newsletters(self) -> list[str]:
        return [str(name) for (name,) in await self._engine.read(rows("naming.names"))]

    def retire(self, name: str, at_ms: int) -> Awaitable[bool]:
        def write() -> Steps[bool]:
            return (yield from run("naming.retire", name, at_ms)) == 1

        return self._engine.change(write)

    async def former_names(self) -> list[FormerName]:
        return [
            FormerName(str(name), str(now), is_done == 1)
            for name, now, is_done in await self._engine.read(rows("naming.former_names"))
        ]

    async def now_named(self, former: str) -> str | None:
        for (now,) in await self._engine.read(rows("naming.now_named", former)):
            return str(now)
        return None

    # ---- a rename

    def begin_rename(self, old: str, new: str, at_ms: int, leader: Lease) -> Awaitable[None]:
        def write() -> Steps[None]:
            yield from check_led(leader)
            clears = yield from _ledger_that_goes(old, new)
            if clears is None:
                return
            yield from run("naming.in_use_again", new)
            yield from run("naming.lead_on", old, new)
            yield from run("naming.is_former", old, new, at_ms, clears)
            for name in (old, new):
                yield from run("naming.not_retired", name)

        return self._engine.change(write)

    def rename_batch(self, old: str, leader: Lease, rows_max: int = RENAMED_ROWS_MAX) -> Awaitable[int]:
        def write() -> Steps[int]:
            yield from check_led(leader)
            for now, clears, is_done in (yield from rows("naming.former", old)):
                rename = _Rename(old, str(now), str(clears), rows_max)
                return 0 if is_done == 1 else (yield from _batch(rename))
            return 0

        return self._engine.change_some(write, rows_max)


def _ledger_that_goes(old: str, new: str) -> Steps[str | None]:
    """The name whose articles, feeds and slots are cleared; None if the rename is already under
    way.

    Usually `new`, for which the service fetched feeds as soon as the file named it; `old`, if this
    rename was finished before and the file named `old` again meanwhile. Raises RenameRefused.
    """
    for newsletter, n, state in (yield from rows("naming.under_way", old, new)):
        raise RenameRefused(
            f"issue {number(n)} of {newsletter!s} is {state!s}: rename it when the service has finished that"
        )
    for name, now in (yield from rows("naming.half_done", old, new)):
        raise RenameRefused(
            f"{name!s} has not been moved to {now!s} completely; "
            f"first: secondpost newsletter rename {name!s} {now!s}"
        )
    for now, _, is_done in (yield from rows("naming.former", old)):
        if now == new:
            return None if is_done == 0 else (yield from _ledger_of_old(old))
    [(readers, issues)] = yield from rows("naming.of_its_own", new)
    if number(readers) + number(issues) > 0:
        raise RenameRefused(
            f"{new} has readers or issues of its own, and two newsletters cannot be merged: "
            f"give {old} a name that no newsletter has had"
        )
    return new


def _ledger_of_old(old: str) -> Steps[str]:
    """`old`, if it has had no issues since it was renamed. Raises RenameRefused."""
    [(_, issues)] = yield from rows("naming.of_its_own", old)
    if number(issues) > 0:
        raise RenameRefused(f"{old} has had issues again since it was renamed: give it another name")
    return old


@dataclass(frozen=True, slots=True)
class _Rename:
    """A rename in progress. `clears` is the name whose ledger is still to be cleared, or ""."""

    old: str
    new: str
    clears: str
    rows_max: int


def _batch(rename: _Rename) -> Steps[int]:
    old, new = rename.old, rename.new
    if len(rename.clears) > 0:
        for query, most in _CLEARING:
            if (cleared := (yield from run(query, rename.clears, min(most, rename.rows_max)))) > 0:
                return cleared
        yield from run("naming.cleared", old)
    moved = yield from _move_people(rename)
    for query, most in _MOVING:
        if moved == 0:
            moved = yield from _move(query, old, new, min(most, rename.rows_max))
    if moved == 0:
        for way, query in _MOVING_AT_ONCE:
            yield from run(way, old, new)
            yield from run(query, old, new)
        yield from run("naming.done", old)
    return moved


def _move(query: str, old: str, new: str, most: int) -> Steps[int]:
    if query in _MAKING_WAY:
        yield from run(_MAKING_WAY[query], old, new, most)
    return (yield from run(query, old, new, most))


def _move_people(rename: _Rename) -> Steps[int]:
    moved = yield from _move_readers(rename)
    if moved > 0:
        return moved
    yield from run("naming.copy_suppressions", rename.old, rename.new, rename.rows_max)
    return (yield from run("naming.drop_suppressions", rename.old, rename.rows_max))


def _move_readers(rename: _Rename) -> Steps[int]:
    found = yield from rows("naming.next_readers", rename.old, rename.new, rename.rows_max)
    goes = []
    for id, other in found:
        if other is None or (yield from _keep_first(number(id), number(other))) == id:
            goes.append((number(id),))
    yield from run("naming.move_readers", rename.new, chosen=goes)
    return len(found)


def _keep_first(one: int, other: int) -> Steps[int]:
    """Merge the two rows of a reader who signed up under both names; returns the older row, to
    which old mails lead.

    A confirmation under the other name makes the reader active; a row that had left becomes active
    only by the reader's own confirmation.
    """
    first, second = yield from rows("naming.two_rows", one, other)
    id, state, *_ = first
    twice, came, since_ms, consent, agreed = second
    kept = SubscriberId(number(id))
    erasing: Sequence[str] = ERASING
    comes_back = state == SubscriberState.LEFT and agreed == 1
    if came == SubscriberState.ACTIVE and (state in _CONFIRMED_ELSEWHERE or comes_back):
        if comes_back:
            yield from _comes_back(kept, number(since_ms))
        happened = Happened(SubscriberState.ACTIVE, number(since_ms), "confirmed", "under another name")
        yield from lead([(kept, number(consent))], happened)
        erasing = [query for query in ERASING if query != "readers.erase_consents"]
    for query in erasing:
        yield from run(query, chosen=[(twice,)])
    return kept


def _comes_back(left: SubscriberId, at_ms: int) -> Steps[None]:
    """Make a reader who had left pending: the table of states leads to active only from there. The
    event of the sign-up itself is erased with the other row.
    """
    event = yield from next_event()
    yield from run("readers.lead", SubscriberState.PENDING.value, at_ms, event, chosen=[(left, None)])
