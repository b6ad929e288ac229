"""Newsletters in the store that the file does not name, and unfinished renames."""

from dataclasses import dataclass

from secondpost.config.records import Config
from secondpost.store.naming_ports import FormerName, KnownNewsletter, NewsletterNames


@dataclass(frozen=True, slots=True)
class NamesInStore:
    left_behind: tuple[KnownNewsletter, ...]
    half_renamed: tuple[FormerName, ...]
    # Newsletters of the file to which another can be renamed; None: the file names no newsletter.
    unused: tuple[str, ...] | None


NOTHING_LEFT_BEHIND = NamesInStore((), (), ())


async def names_in_store(config: Config, store: NewsletterNames) -> NamesInStore:
    known = await store.left_behind(())
    named = [newsletter.name for newsletter in config.newsletters]
    used = {one.name for one in known if one.is_used}
    left_behind = [one for one in known if one.name not in named]
    half = [former for former in await store.former_names() if not former.is_done]
    moving = {former.name for former in half}
    return NamesInStore(
        tuple(one for one in left_behind if one.name not in moving),
        tuple(half),
        tuple(name for name in named if name not in used) if len(named) > 0 else None,
    )
