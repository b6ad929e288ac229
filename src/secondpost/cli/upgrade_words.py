"""What `secondpost upgrade` says: a rehearsal, and the way back."""

from collections.abc import Sequence

from secondpost.cli.screen import say
from secondpost.mail.size import size_text
from secondpost.owner.figures import counted
from secondpost.owner.rehearsal_documents import RehearsalDocument, RehearsedDatabaseDocument, RehearsedPart
from secondpost.owner.upgrade_documents import WentBackDocument

WHOM = {"readers": "readers", "others": "primaries and senders"}


def say_rehearsal(found: RehearsalDocument) -> None:
    """The verdict last, where the eye ends."""
    for step in found.steps:
        say(f"{'well' if step.right else 'fault'}: {step.text} ({step.part})")
        if not step.right:
            say(f"  do:  {step.remedy}")
    for database in found.databases:
        _say_database(database)
    # A rehearsal that ended before the store was migrated does not know what changes.
    is_tried = found.ready or any(step.part is RehearsedPart.OPENING for step in found.steps)
    for whom, name in WHOM.items() if is_tried else ():
        changes = [each.text for each in found.changes if each.whom == whom]
        say(f"For {name} nothing changes." if len(changes) == 0 else f"For {name}:")
        for text in changes:
            say(f"  {text}")
    is_changed = any(each.schema < each.new_schema for each in found.databases)
    if is_changed and found.reversible:
        say(
            "Going back loses nothing: every change to the store can be undone (`secondpost upgrade --back`)."
        )
    elif is_changed:
        say("Going back takes the copy that is kept before: what comes after the upgrade is set aside then.")
    if len(found.databases) > 0:
        pause = f"about {found.pause_seconds:.0f} s"
        say(f"At the restart callers wait {pause}; none is refused where the ports stay open.")
    if found.ready:
        say(f"Secondpost {found.version} is ready for this store and {found.config}.")
    else:
        faults = sum(not step.right for step in found.steps)
        say(f"Secondpost {found.version} is not ready: {counted(faults, 'fault', 'faults')}.")


def _say_database(database: RehearsedDatabaseDocument) -> None:
    if len(database.migrations) == 0:
        return
    writer = "" if len(database.writer) == 0 else f", written by {database.writer}"
    say(
        f"{database.name}: {size_text(database.octets)}, schema {database.schema}{writer}; keeping a copy "
        f"takes {database.copy_seconds:.1f} s, its migrations {database.migration_seconds:.1f} s:"
    )
    for each in database.migrations:
        say(f"  {each.number:04} {each.name}: {each.seconds:.3f} s")


def say_way(way: WentBackDocument) -> None:
    """Before the owner is asked."""
    change = f"{way.database} goes from schema {way.old_schema} to {way.schema}"
    if way.copy is None:
        say(f"{change}: what the newer version changed is undone, and everything else stays.")
    else:
        say(
            f"{change}: not every change can be undone, so the copy {way.copy} takes its place. What came "
            "since is set aside with the newer database, and nothing that the copy holds is sent before you "
            "accept it."
        )


def say_went(went: Sequence[WentBackDocument]) -> None:
    if len(went) == 0:
        say(
            "The store need not go back: no database has a newer schema. To go back further, add --to SCHEMA."
        )
        return
    for one in went:
        say(f"{one.database} has schema {one.schema} now.")
        if one.set_aside is not None:
            _say_set_aside(one)
    say("Install the older version, and start the service.")
    logs = [one.sent_log for one in went if one.sent_log is not None]
    if len(logs) > 0:
        options = " ".join(f"--sent-log {log}" for log in logs)
        say(f"Then type: secondpost snapshot accept {options}")


def _say_set_aside(one: WentBackDocument) -> None:
    say(f"  The newer database lies in {one.set_aside}, a store of its own for the newer version.")
    if one.messages is not None and one.messages > 0:
        waits = counted(one.messages, "message that came since waits", "messages that came since wait")
        say(f"  {waits} there: `held export` of the newer version takes them out.")
    if one.left_readers is not None and one.left_readers > 0:
        readers = counted(one.left_readers, "reader", "readers")
        say(f"  {readers} left since, and must leave again; the list is {one.set_aside}/left-readers.txt.")
