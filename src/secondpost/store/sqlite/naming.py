"""A newsletter gets another name: all that bears the old one is moved in batches, and the old one is
remembered, for it stands in mails that lie in mailboxes for years.
"""

from collections.abc import Awaitable, Sequence

import apsw

from secondpost.mail.subscriber import SubscriberId, SubscriberState
from secondpost.store.naming_ports import FormerName, KnownNewsletter, RenameRefused
from secondpost.store.ports import Lease
from secondpost.store.sqlite.base import BATCH_ROWS, as_json
from secondpost.store.sqlite.checkpoint import Checkpoints
from secondpost.store.sqlite.half_renamed import NAMING_QUERIES
from secondpost.store.sqlite.leading import check_led
from secondpost.store.sqlite.statements import Statements, answer, own_queries
from secondpost.store.verbs.known_readers import ERASING, Happened, lead
from secondpost.store.verbs.named import shared_queries
from secondpost.store.verbs.steps import Steps, drive, number, run

ARTICLES_AT_ONCE = 20  # each may be as large as an article is
ISSUES_AT_ONCE = 50
_CLEARING = (
    ("clear_articles", ARTICLES_AT_ONCE),
    ("clear_guids", BATCH_ROWS),
    ("clear_feeds", ISSUES_AT_ONCE),
    ("clear_slots", BATCH_ROWS),
)
# The issues go last but for what is about feeds: an archive is whole, or still under its old name.
_MOVING = (
    ("move_outcomes", BATCH_ROWS),
    ("move_articles", ARTICLES_AT_ONCE),
    ("move_guids", BATCH_ROWS),
    ("move_feeds", ISSUES_AT_ONCE),
    ("move_slots", BATCH_ROWS),
    ("move_issues", ISSUES_AT_ONCE),
)
_CONFIRMED_ELSEWHERE = (SubscriberState.PENDING, SubscriberState.SUSPENDED)


class SqliteNaming(Checkpoints):
    def left_behind(self, named: Sequence[str]) -> list[KnownNewsletter]:
        rows = self._read(NAMING_QUERIES["known"], (as_json(named),))
        return [
            KnownNewsletter(str(name), number(active), number(readers), number(issues))
            for name, active, readers, issues in rows
        ]

    def known_newsletters(self) -> list[str]:
        return [str(name) for (name,) in self._read(NAMING_QUERIES["names"])]

    def retire(self, name: str, at_ms: int) -> Awaitable[bool]:
        def write(db: apsw.Connection) -> bool:
            db.execute(NAMING_QUERIES["retire"], (name, at_ms))
            return db.changes() == 1

        return self._writer.change(write)

    def former_names(self) -> list[FormerName]:
        return [
            FormerName(str(name), str(now), is_done == 1)
            for name, now, is_done in self._read(NAMING_QUERIES["former_names"])
        ]

    def now_named(self, former: str) -> str | None:
        for (now,) in self._read(NAMING_QUERIES["now_named"], (former,)):
            return str(now)
        return None

    # ---- a rename

    def begin_rename(self, old: str, new: str, at_ms: int, leader: Lease) -> Awaitable[None]:
        def write(db: apsw.Connection) -> None:
            check_led(db, leader)
            clears = _ledger_that_goes(db, old, new)
            if clears is None:
                return
            db.execute(NAMING_QUERIES["in_use_again"], (new,))
            db.execute(NAMING_QUERIES["lead_on"], (old, new))
            db.execute(NAMING_QUERIES["is_former"], (old, new, at_ms, clears))
            for name in (old, new):
                db.execute(NAMING_QUERIES["not_retired"], (name,))

        return self._writer.change(write)

    def rename_batch(self, old: str, leader: Lease) -> Awaitable[int]:
        def write(db: apsw.Connection) -> int:
            check_led(db, leader)
            for now, clears, is_done in db.execute(NAMING_QUERIES["former"], (old,)).fetchall():
                return 0 if is_done == 1 else _batch(db, old, str(now), str(clears))
            return 0

        return self._change_some(write, BATCH_ROWS)


def _ledger_that_goes(db: apsw.Connection, old: str, new: str) -> str | None:
    """The name whose articles, feeds and times are cleared: `new`, which has some from standing in the file
    already, or `old`, from standing there once more. None: the rename is under way. Raises RenameRefused.
    """
    for newsletter, issue, state in db.execute(NAMING_QUERIES["under_way"], (old, new)).fetchall():
        raise RenameRefused(
            f"issue {issue} of {newsletter} is {state}: rename it when the service has finished that"
        )
    for name, now in db.execute(NAMING_QUERIES["half_done"], (old, new)).fetchall():
        raise RenameRefused(
            f"{name} has not been moved to {now} completely; first: secondpost newsletter rename {name} {now}"
        )
    former = db.execute(NAMING_QUERIES["former"], (old,)).fetchall()
    if len(former) > 0 and former[0][0] == new:
        _, _, is_done = former[0]
        if is_done == 0:
            return None
        [(_, issues)] = db.execute(NAMING_QUERIES["of_its_own"], (old,)).fetchall()
        if number(issues) > 0:
            raise RenameRefused(f"{old} has had issues again since it was renamed: give it another name")
        return old
    [(readers, issues)] = db.execute(NAMING_QUERIES["of_its_own"], (new,)).fetchall()
    if number(readers) + number(issues) > 0:
        raise RenameRefused(
            f"{new} has readers or issues of its own, and two newsletters cannot be merged: "
            f"give {old} a name that no newsletter has had"
        )
    return new


def _batch(db: apsw.Connection, old: str, new: str, clears: str) -> int:
    if len(clears) > 0:
        for query, most in _CLEARING:
            db.execute(NAMING_QUERIES[query], (clears, most))
            if db.changes() > 0:
                return db.changes()
        db.execute(NAMING_QUERIES["cleared"], (old,))
    moved = _move_readers(db, old, new) or _move_suppressions(db, old, new)
    for query, most in _MOVING:
        if moved == 0:
            db.execute(NAMING_QUERIES[query], (old, new, most))
            moved = db.changes()
    if moved == 0:
        for query in ("move_calendar", "move_held_alarms", "move_note"):
            db.execute(NAMING_QUERIES[query], (old, new))
        db.execute(NAMING_QUERIES["done"], (old,))
    return moved


def _move_readers(db: apsw.Connection, old: str, new: str) -> int:
    rows = db.execute(NAMING_QUERIES["next_readers"], (old, new, BATCH_ROWS)).fetchall()
    goes = [number(id) for id, _ in rows]
    for id, other in rows:
        if other is not None and _keep_first(db, number(id), number(other)) != id:
            goes.remove(number(id))
    db.execute(NAMING_QUERIES["move_readers"], (as_json(goes), new))
    return len(rows)


def _keep_first(db: apsw.Connection, one: int, other: int) -> int:
    """Of a reader who signed up under the other name too, the row that was there first: old mails lead to it.
    A confirmation of the other row makes a reader; of a row that had left, the reader's own alone.
    """
    first, second = db.execute(NAMING_QUERIES["two_rows"], (one, other)).fetchall()
    id, state, *_ = first
    twice, came, since_ms, consent, agreed = second
    kept = SubscriberId(number(id))
    erasing: Sequence[str] = ERASING
    comes_back = state == SubscriberState.LEFT and agreed == 1
    if came == SubscriberState.ACTIVE and (state in _CONFIRMED_ELSEWHERE or comes_back):
        happened = Happened(SubscriberState.ACTIVE, number(since_ms), "confirmed", "under another name")
        _run(db, lead([(kept, number(consent))], happened))
        erasing = [query for query in ERASING if query != "readers.erase_consents"]
    for query in erasing:
        _run(db, run(query, chosen=[(twice,)]))
    return kept


def _move_suppressions(db: apsw.Connection, old: str, new: str) -> int:
    db.execute(NAMING_QUERIES["copy_suppressions"], (old, new, BATCH_ROWS))
    db.execute(NAMING_QUERIES["drop_suppressions"], (old, BATCH_ROWS))
    return db.changes()


def _run(db: apsw.Connection, steps: Steps[object]) -> None:
    statements = Statements({**shared_queries(), **own_queries()})
    drive(steps, lambda query: answer(db, statements, query))
