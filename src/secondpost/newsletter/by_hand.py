"""The owner's decisions about single articles: `issue take` and `issue skip`.

A taken article goes into the next issue, whatever its feed says of it until then: it does not wait
for a second fetch, for its date or for a feed in doubt, and is not held when it disappears from its
feed.
"""

from collections.abc import Sequence

from secondpost.mail.article_states import ArticleActor, ArticleState, article_sources_of
from secondpost.mail.issue import ArticleId
from secondpost.newsletter.links import canonical
from secondpost.store.newsletter_ports import (
    SKIPPED_BY_HAND,
    TAKEN_BY_HAND,
    ArticleMove,
    Ledger,
    LedgerEntry,
)

NUMBER_DIGITS_MAX = 15
BATCH_ARTICLES_MAX = 100  # per transaction


class ArticleRefused(Exception):
    """One of the articles does not exist or cannot change to the wanted state; nothing was changed.
    The text is for the owner.
    """


class ByHand:
    def __init__(self, ledger: Ledger, newsletter: str) -> None:
        self._ledger = ledger
        self._newsletter = newsletter

    async def named(self, words: Sequence[str]) -> list[LedgerEntry]:
        """The articles with these numbers or links, without repeats. Raises ArticleRefused."""
        found = [await self._named(word) for word in words]
        return list({entry.id: entry for entry in found}.values())

    async def _named(self, word: str) -> LedgerEntry:
        if word.isascii() and word.isdigit() and len(word) <= NUMBER_DIGITS_MAX:
            entry = await self._ledger.entry(ArticleId(int(word)))
            if entry is None or entry.newsletter != self._newsletter:
                raise ArticleRefused(f"{self._newsletter} has no article {word}: {self._where}")
            return entry
        if not word.lower().startswith(("http://", "https://")):
            raise ArticleRefused(f"{word!r} is neither the number of an article nor its link: {self._where}")
        entries = await self._ledger.entries_by_link(self._newsletter, [canonical(word)])
        if len(entries) == 0:
            raise ArticleRefused(f"{self._newsletter} has no article with the link {word}: {self._where}")
        if len(entries) > 1:
            numbers = ", ".join(str(entry.id) for entry in entries)
            raise ArticleRefused(f"several articles have the link {word}: give the number, one of {numbers}")
        return entries[0]

    @property
    def _where(self) -> str:
        return f"`secondpost issue next {self._newsletter}` lists them"

    async def take(self, entries: Sequence[LedgerEntry]) -> None:
        """Move to WAITING, from any state that allows it. Raises ArticleRefused."""
        await self._lead(entries, ArticleState.WAITING, TAKEN_BY_HAND)

    async def skip(self, entries: Sequence[LedgerEntry]) -> None:
        """Move to SKIPPED, from WAITING or HELD. Raises ArticleRefused."""
        await self._lead(entries, ArticleState.SKIPPED, SKIPPED_BY_HAND)

    async def held(self) -> list[LedgerEntry]:
        """Up to BATCH_ARTICLES_MAX held articles, the latest."""
        return await self._ledger.entries(self._newsletter, ArticleState.HELD, BATCH_ARTICLES_MAX)

    async def _lead(self, entries: Sequence[LedgerEntry], state: ArticleState, reason: str) -> None:
        permitted = article_sources_of(state, ArticleActor.OWNER)
        for entry in entries:
            if entry.state not in permitted:
                raise ArticleRefused(f"article {entry.id} {_STANDS[entry.state]}; nothing was changed")
        moves = [ArticleMove(entry.id, state, reason) for entry in entries]
        if await self._ledger.move_articles(self._newsletter, moves) != len(moves):
            raise ArticleRefused(
                "one of them has just gone into an issue or been skipped; nothing was changed"
            )


_STANDS = {
    ArticleState.TAKEN: "is in an issue already",
    ArticleState.SKIPPED: "is skipped already",
    ArticleState.SEEN: "counts as read, and would not be sent anyway",
}
