"""The states of an article in the ledger and their transitions.

The store's queries and a trigger in the schema obey this table, and docs/states.md is checked
against it.
"""

from dataclasses import dataclass
from enum import StrEnum


class ArticleState(StrEnum):
    SEEN = "seen"  # present when the feed was first read, or counted as old: not for an issue
    WAITING = "waiting"  # for an issue
    HELD = "held"  # needs the owner's decision, or disappeared from its feed
    SKIPPED = "skipped"  # excluded by a rule or the owner
    TAKEN = "taken"  # in an issue


class ArticleActor(StrEnum):
    """The actor of a transition."""

    FEED = "feed"  # a reading of the feed
    OWNER = "owner"
    PUBLISH = "publish"


@dataclass(frozen=True, slots=True)
class ArticleEdge:
    source: ArticleState | None  # None: never seen before
    target: ArticleState
    by: ArticleActor
    when: str


_S, _BY = ArticleState, ArticleActor

ARTICLE_EDGES: tuple[ArticleEdge, ...] = (
    ArticleEdge(None, _S.SEEN, _BY.FEED, 'it was there when the feed was first read, and `start` is `"new"`'),
    ArticleEdge(None, _S.WAITING, _BY.FEED, "it is new"),
    ArticleEdge(None, _S.HELD, _BY.FEED, "there is reason to doubt that it is new"),
    ArticleEdge(None, _S.SKIPPED, _BY.FEED, "by `only` or `skip`"),
    ArticleEdge(_S.WAITING, _S.HELD, _BY.FEED, "it was withdrawn, and you had not taken it"),
    ArticleEdge(_S.HELD, _S.WAITING, _BY.FEED, "it came back, or its date was corrected"),
    ArticleEdge(_S.WAITING, _S.TAKEN, _BY.PUBLISH, "an issue is made of it"),
    ArticleEdge(_S.TAKEN, _S.WAITING, _BY.PUBLISH, "that issue was stopped before a reader had it"),
    ArticleEdge(_S.HELD, _S.WAITING, _BY.OWNER, "`issue take`"),
    ArticleEdge(_S.SKIPPED, _S.WAITING, _BY.OWNER, "`issue take`"),
    ArticleEdge(_S.SEEN, _S.WAITING, _BY.OWNER, "`issue take`"),
    ArticleEdge(_S.WAITING, _S.WAITING, _BY.OWNER, "`issue take`: it goes into the next issue"),
    ArticleEdge(_S.WAITING, _S.SKIPPED, _BY.OWNER, "`issue skip`"),
    ArticleEdge(_S.HELD, _S.SKIPPED, _BY.OWNER, "`issue skip`"),
)


def article_sources_of(target: ArticleState, by: ArticleActor) -> tuple[ArticleState, ...]:
    """The states from which this actor may move an article to `target`."""
    found = (edge.source for edge in ARTICLE_EDGES if edge.target is target and edge.by is by)
    return tuple(source for source in found if source is not None)
