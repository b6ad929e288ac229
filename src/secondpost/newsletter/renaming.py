"""Move all rows of a newsletter to its new name, in batches, under the lead over issues."""

from collections.abc import Callable, Sequence

from secondpost.store.naming_ports import FormerName, KnownNewsletter, Naming
from secondpost.store.ports import Lease


def not_shown(moved: int) -> None:
    """Default for `moved_so_far`: shows no progress."""


async def move_to_new_name(
    store: Naming, old: str, leader: Lease, moved_so_far: Callable[[int], None] = not_shown
) -> int:
    """Carry out a rename that has begun; returns the number of rows moved. Raises LeadershipLost."""
    moved = 0
    while (some := await store.rename_batch(old, leader)) > 0:
        moved += some
        moved_so_far(moved)
    return moved


async def finish_renames(store: Naming, leader: Lease) -> None:
    """Complete renames that were interrupted."""
    for former in await store.former_names():
        if not former.is_done:
            await move_to_new_name(store, former.name, leader)


def left_behind_text(known: KnownNewsletter) -> str:
    """The problem with a newsletter in the store that the file does not name."""
    readers = f"{known.readers:,} reader{'' if known.readers == 1 else 's'}"
    issues = f"{known.issues:,} issue{'' if known.issues == 1 else 's'}"
    held = f"the store has {readers} and {issues} of {known.name}"
    return f"{held}, which is not in the file: they get nothing"


def what_to_do_text(known: KnownNewsletter, left_behind: int, unused: Sequence[str] | None) -> str:
    """The remedy. `left_behind`: how many newsletters the file does not name. `unused`: newsletters of
    the file to which another can be renamed; None: the file names no newsletter.
    """
    retire = f"secondpost newsletter retire {known.name}"
    if unused is not None and len(unused) == 0:
        return (
            "no newsletter in the file is new, and two cannot be merged: give it a [[newsletter]] again, or "
            f"export its readers, import them into another, and type: {retire}"
        )
    # One new name is not offered to several: only one of them can be renamed to it.
    new = unused[0] if unused is not None and len(unused) == 1 and left_behind == 1 else "NEW"
    rename = f"secondpost newsletter rename {known.name} {new}"
    return (
        "if its name in the file is a slip, correct it there; if it has another name now, type: "
        f"{rename}; if you have given it up: {retire}"
    )


def left_behind_sentence(known: KnownNewsletter, left_behind: int, unused: Sequence[str] | None) -> str:
    return f"{left_behind_text(known)}; {what_to_do_text(known, left_behind, unused)}"


def cut_short_text(former: FormerName) -> str:
    """The problem with a rename that is not finished."""
    return (
        f"renaming {former.name} to {former.now} is not finished, and nothing is sent until it is; the "
        f"service continues it, or type: secondpost newsletter rename {former.name} {former.now}"
    )
