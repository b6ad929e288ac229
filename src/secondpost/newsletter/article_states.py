"""Table of the permitted state changes of an article in the ledger; `by_hand` refuses others."""

from dataclasses import dataclass
from enum import StrEnum

from secondpost.store.newsletter_ports import ArticleState


class Who(StrEnum):
    FEED = "feed"  # reading a feed
    OWNER = "owner"
    PUBLISH = "publish"


@dataclass(frozen=True, slots=True)
class ArticleEdge:
    source: ArticleState | None  # None: never seen before
    target: ArticleState
    by: Who
    when: str


_SEEN, _WAITING, _HELD = ArticleState.SEEN, ArticleState.WAITING, ArticleState.HELD
_SKIPPED, _TAKEN = ArticleState.SKIPPED, ArticleState.TAKEN

ARTICLE_EDGES = (
    ArticleEdge(None, _SEEN, Who.FEED, 'it was there when the feed was first read, and `start` is `"new"`'),
    ArticleEdge(None, _WAITING, Who.FEED, "it is new"),
    ArticleEdge(None, _HELD, Who.FEED, "there is reason to doubt that it is new"),
    ArticleEdge(None, _SKIPPED, Who.FEED, "by `only` or `skip`"),
    ArticleEdge(_WAITING, _HELD, Who.FEED, "it was withdrawn, and you had not taken it"),
    ArticleEdge(_HELD, _WAITING, Who.FEED, "it came back, or its date was corrected"),
    ArticleEdge(_WAITING, _TAKEN, Who.PUBLISH, "an issue is made of it"),
    ArticleEdge(_TAKEN, _WAITING, Who.PUBLISH, "that issue was stopped before a reader had it"),
    ArticleEdge(_HELD, _WAITING, Who.OWNER, "`issue take`"),
    ArticleEdge(_SKIPPED, _WAITING, Who.OWNER, "`issue take`"),
    ArticleEdge(_SEEN, _WAITING, Who.OWNER, "`issue take`"),
    ArticleEdge(_WAITING, _WAITING, Who.OWNER, "`issue take`: it goes into the next issue"),
    ArticleEdge(_WAITING, _SKIPPED, Who.OWNER, "`issue skip`"),
    ArticleEdge(_HELD, _SKIPPED, Who.OWNER, "`issue skip`"),
)


def may_lead(source: ArticleState, target: ArticleState, by: Who) -> bool:
    return any((edge.source, edge.target, edge.by) == (source, target, by) for edge in ARTICLE_EDGES)
