"""What the owner reads about the next issue: the decision in words, and what else is in the way."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from secondpost.newsletter.decisions import InDoubt, IssueDecision, Settling, When, counted
from secondpost.newsletter.eligible import Ripeness, Unripe
from secondpost.store.feed_ports import Feed
from secondpost.store.newsletter_ports import CalendarSince, LedgerEntry


@dataclass(frozen=True, slots=True)
class Outlook:
    """The data of `issue next`."""

    newsletter: str
    articles: int  # articles that could be sent now
    settling: int
    minimum: int
    reason: str
    decision: IssueDecision
    unripe: tuple[Unripe, ...] = ()


@dataclass(frozen=True, slots=True)
class Beside:
    """Further facts about a newsletter whose issue waits."""

    unlooked: tuple[str, ...]  # feeds not fetched yet
    held: Mapping[str, int]  # number of held articles, by cause
    is_only_past: bool  # the feed was read, and all its articles count as seen
    left_out: Mapping[str, str]  # by feed: entries that are not articles, and why; Feed.left_out
    goes_by: CalendarSince | None = None  # calendar still in force, if the file has a new one


NOTHING_BESIDE = Beside((), {}, is_only_past=False, left_out={})


def beside(
    feeds: Mapping[str, Feed],
    held: Sequence[LedgerEntry],
    *,
    is_only_past: bool,
    goes_by: CalendarSince | None,
) -> Beside:
    whys = Counter(entry.reason for entry in held)
    return Beside(
        unlooked=tuple(feed.url for feed in feeds.values() if feed.last_fetch_ms is None),
        held=dict(whys),
        is_only_past=is_only_past,
        goes_by=goes_by,
        left_out={feed.url: feed.left_out for feed in feeds.values() if len(feed.left_out) > 0},
    )


def reason(newsletter: str, decision: IssueDecision, standing: Ripeness, beside: Beside, when: When) -> str:
    """The decision in words, and everything else that keeps articles from the issue."""
    sentences = [decision.sentence(when)]
    if not isinstance(decision, InDoubt):
        sentences += [
            f"There is a problem with the feed {feed.url}: {feed.finding}" for feed in standing.doubts
        ]
    if len(standing.unripe) > 0 and not isinstance(decision, Settling):
        unripe = len(standing.unripe)
        more = "1 more article is" if unripe == 1 else f"{unripe} more articles are"
        sentences.append(f"{more} too new, or dated in the future.")
    sentences += [f"The feed {url} has not been read yet." for url in beside.unlooked]
    for why, articles in beside.held.items():
        sentences.append(f"{counted(articles)} {'is' if articles == 1 else 'are'} held: {why}.")
    if len(beside.held) > 0:
        sentences.append(f"To see them, and to take or skip them: secondpost issue next {newsletter}.")
    sentences += [f"In the feed {url}, {entries}." for url, entries in beside.left_out.items()]
    if beside.is_only_past:
        sentences.append(
            "Articles that were in the feed when it was first read are not sent; only new ones are."
        )
    if beside.goes_by is not None:
        calendar = f'"{beside.goes_by.every}" ({beside.goes_by.timezone})'
        sentences.append(f"The service still uses {calendar}: restart it, so that it reads the file again.")
    return " ".join(sentences)
