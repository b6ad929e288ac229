"""The ledger never forgets an article, and one fetch of a feed is one transaction."""

from dataclasses import replace

import pytest

from secondpost.mail.article_states import ArticleState
from secondpost.mail.issue import ArticleId
from secondpost.store.feed_ports import Feed, FeedPush
from secondpost.store.newsletter_ports import (
    TAKEN_BY_HAND,
    ArticleMove,
    FetchRecord,
    NewArticle,
    SeenAgain,
)
from tests.store.place import Place, there
from tests.store.readers import FEED, WEEKLY, Publisher, article, new

OTHER_FEED = "https://www.example.net/notes.xml"


async def test_a_feed_is_remembered_as_it_was_last_recorded(place: Place) -> None:
    store = place.open_newsletter()
    assert await store.feed(WEEKLY, FEED) == Feed(WEEKLY, FEED)
    feed = Feed(
        WEEKLY,
        FEED,
        '"e1"',
        "Mon",
        "urn:1",
        "The Blog",
        5,
        5,
        4,
        "",
        True,
        frozenset({"same", "again"}),
        "one is",
        FEED,
        "https://www.example.net/new.xml",
        7,
        8,
        9,
        FeedPush("https://hub.example/", "https://www.example.net/new.xml", "token", "secret", 3),
    )
    await store.record_fetch(FetchRecord(feed, 5))
    assert await store.feed(WEEKLY, FEED) == feed
    worse = replace(feed, last_fetch_ms=6, finding="no feed but a web page", distrusted_guids=frozenset())
    await store.record_fetch(FetchRecord(worse, 6))
    # A distrusted guid stays distrusted.
    assert await store.feed(WEEKLY, FEED) == replace(worse, distrusted_guids=feed.distrusted_guids)
    assert await store.feed("daily", FEED) == Feed("daily", FEED)


async def test_what_a_hub_says_brings_the_next_fetch_nearer_and_never_too_near_the_last(place: Place) -> None:
    store = place.open_newsletter()
    feed = Feed(WEEKLY, FEED, last_fetch_ms=1_000, next_fetch_ms=9_000, push=FeedPush("hub", FEED, "t", "s"))
    await store.record_fetch(FetchRecord(feed, 1_000))
    await store.record_fetch(FetchRecord(Feed(WEEKLY, OTHER_FEED, next_fetch_ms=9_000), 1_000))
    assert await store.feed_of_push("t") == feed
    assert await store.feed_of_push("other") is None
    assert await store.feed_of_push("") is None
    for token, now_ms, expected_ms in (("", 2_000, 9_000), ("other", 2_000, 9_000), ("t", 2_000, 6_000)):
        await store.note_push(token, now_ms, 5_000)
        assert (await store.feed(WEEKLY, FEED)).next_fetch_ms == expected_ms
    await store.note_push("t", 8_000, 5_000)
    assert (await store.feed(WEEKLY, FEED)).next_fetch_ms == 6_000, "it is due already"
    assert (await store.feed(WEEKLY, OTHER_FEED)).next_fetch_ms == 9_000


async def test_articles_are_found_by_guid_in_their_feed_and_by_link_and_words_in_all(place: Place) -> None:
    store = place.open_newsletter()
    place.clock.ms = 1000
    await store.record_fetch(FetchRecord(Feed(WEEKLY, FEED), 1000, new=(new(1), new(2))))
    await store.record_fetch(FetchRecord(Feed(WEEKLY, OTHER_FEED), 2000, new=(new(1),)))
    [first] = await store.entries_by_guid(WEEKLY, FEED, ["guid-1", "guid-9"])
    assert (first.article, first.first_seen_ms, first.good_fetches) == (article(1), 1000, 1)
    assert first.state is ArticleState.WAITING
    assert await store.entries_by_guid("daily", FEED, ["guid-1"]) == []
    links = await store.entries_by_link(WEEKLY, ["https://www.example.net/1"])
    assert [entry.feed for entry in links] == [FEED, OTHER_FEED]
    assert await store.entries_by_fingerprint(WEEKLY, ["print-1"]) == links
    assert await store.entries_by_fingerprint(WEEKLY, []) == []
    assert await store.entry(first.id) == first
    assert await store.entry(ArticleId(99)) is None


async def test_the_same_guid_is_not_added_twice(place: Place) -> None:
    store = place.open_newsletter()
    for _ in range(2):
        await store.record_fetch(FetchRecord(Feed(WEEKLY, FEED), 1, new=(new(1),)))
    assert len(await store.entries(WEEKLY, ArticleState.WAITING, 10)) == 1


async def test_articles_without_a_guid_are_told_apart_by_others(place: Place) -> None:
    store = place.open_newsletter()
    nameless = [replace(new(n), article=replace(article(n), guid="")) for n in (1, 2)]
    await store.record_fetch(FetchRecord(Feed(WEEKLY, FEED), 1, new=tuple(nameless)))
    assert len(await store.entries(WEEKLY, ArticleState.WAITING, 10)) == 2
    assert await store.entries_by_guid(WEEKLY, FEED, [""]) == []


async def test_two_looks_at_the_same_moment_add_an_article_without_a_guid_once(place: Place) -> None:
    """Command and service do not know of each other's fetch; the article must not count twice."""
    one, other = place.open_newsletter(), place.open_newsletter("command")
    alike = NewArticle(replace(article(1), guid=""), "https://www.example.net/1", ArticleState.WAITING)
    reworded = replace(alike, article=replace(alike.article, fingerprint="print-2"))
    for store, told in ((one, alike), (other, alike), (one, reworded)):
        await store.record_fetch(FetchRecord(Feed(WEEKLY, FEED), 1, new=(told,)))
    found = await one.entries(WEEKLY, ArticleState.WAITING, 10)
    assert [entry.article.fingerprint for entry in found] == ["print-1", "print-2"]


async def test_what_an_article_says_is_followed_until_an_issue_has_taken_it(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    waiting = (await publisher.waiting(1))[0]
    issue = await publisher.digest()
    taken = (await store.entries_of_issue(issue.id))[0]
    told = replace(article(7), guid="moved", title="Better", picture="https://www.example.net/better.jpg")
    again = (SeenAgain(waiting, told), SeenAgain(taken.id, replace(told, guid="elsewhere")))
    await store.record_fetch(FetchRecord(Feed(WEEKLY, FEED), 9, again=again))
    followed, kept = await store.entry(waiting), await store.entry(taken.id)
    assert followed is not None
    assert kept is not None
    assert (followed.article, followed.good_fetches, followed.last_seen_ms) == (told, 2, 9)
    # Its identity is updated in this case too.
    assert kept.article == replace(taken.article, guid="elsewhere")
    assert (kept.good_fetches, kept.last_seen_ms) == (2, 9)


async def test_a_guid_of_another_article_is_not_taken_over(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    one, _ = await publisher.waiting(2)
    again = SeenAgain(one, replace(article(0), guid="guid-1"))
    await store.record_fetch(FetchRecord(Feed(WEEKLY, FEED), 9, again=(again,)))
    assert there(await store.entry(one)).article.guid == "guid-0"


async def test_articles_are_moved_but_not_out_of_an_issue(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    (waiting,) = await publisher.waiting(1)
    issue = await publisher.digest()
    taken = (await store.entries_of_issue(issue.id))[0].id
    moves = [ArticleMove(id, ArticleState.SKIPPED, "not for readers") for id in (waiting, taken)]
    assert await store.move_articles(WEEKLY, moves) == 0  # all of them or none
    assert await store.entries(WEEKLY, ArticleState.SKIPPED, 10) == []
    assert await store.move_articles(WEEKLY, moves[:1]) == 1
    assert [entry.id for entry in await store.entries(WEEKLY, ArticleState.SKIPPED, 10)] == [waiting]
    held = (ArticleMove(waiting, ArticleState.HELD, "gone from its feed"),)
    await store.record_fetch(FetchRecord(Feed(WEEKLY, FEED), 3, moves=held))
    assert there(await store.entry(waiting)).reason == "not for readers"  # skipped after the feed was read
    with pytest.raises(ValueError, match="by an issue alone"):
        await store.move_articles(WEEKLY, [ArticleMove(waiting, ArticleState.TAKEN, "")])
    again = [ArticleMove(waiting, ArticleState.WAITING, "")]
    assert await store.move_articles("daily", again) == 0
    assert await store.move_articles(WEEKLY, again) == 1
    await store.record_fetch(FetchRecord(Feed(WEEKLY, FEED), 4, moves=held))
    assert there(await store.entry(waiting)).reason == "gone from its feed"


async def test_no_look_at_a_feed_leads_away_what_the_owner_took(place: Place) -> None:
    store = place.open_newsletter()
    (waiting,) = await Publisher(place, store).waiting(1)
    by_hand = ArticleMove(waiting, ArticleState.WAITING, TAKEN_BY_HAND)
    assert await store.move_articles(WEEKLY, [by_hand]) == 1
    gone = (ArticleMove(waiting, ArticleState.HELD, "it has gone"),)
    await store.record_fetch(FetchRecord(Feed(WEEKLY, FEED), 3, moves=gone))
    entry = await store.entry(waiting)
    assert entry is not None
    assert (entry.state, entry.reason) == (ArticleState.WAITING, TAKEN_BY_HAND)
    assert await store.move_articles(WEEKLY, [ArticleMove(waiting, ArticleState.SKIPPED, "by hand")]) == 1


async def test_what_stood_in_a_feed_at_a_time_is_told(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    one, two = await publisher.waiting(2)
    later = place.clock.ms + 1
    again = SeenAgain(two, replace(article(1), guid="new"), "moved.example/1")
    await store.record_fetch(FetchRecord(Feed(WEEKLY, FEED), later, again=(again,)))
    await store.record_fetch(FetchRecord(Feed(WEEKLY, OTHER_FEED), later, new=(new(5),)))
    assert [entry.id for entry in await store.standing(WEEKLY, FEED, later, 10)] == [two]
    assert [entry.id for entry in await store.standing(WEEKLY, FEED, 0, 10)] == [one, two]
    assert [entry.id for entry in await store.standing(WEEKLY, FEED, 0, 1)] == [two]
    assert [entry.id for entry in await store.entries_by_link(WEEKLY, ["moved.example/1"])] == [two]


async def test_articles_are_held_for_causes(place: Place) -> None:
    store = place.open_newsletter()
    held = [replace(new(n, ArticleState.HELD), reason=why) for n, why in enumerate(("far", "odd", "odd"))]
    await store.record_fetch(FetchRecord(Feed(WEEKLY, FEED), 1, new=tuple(held)))
    assert await store.causes_held(WEEKLY) == {"far", "odd"}
    assert await store.count(WEEKLY, ArticleState.HELD) == 3
    assert await store.causes_held("daily") == frozenset()


async def test_lists_show_the_latest_and_what_waits_from_the_first(place: Place) -> None:
    store = place.open_newsletter()
    seen = tuple(new(n, ArticleState.SEEN) for n in range(5))
    await store.record_fetch(FetchRecord(Feed(WEEKLY, FEED), 1, new=seen))
    titles = [entry.article.title for entry in await store.entries(WEEKLY, ArticleState.SEEN, 2)]
    assert titles == ["Article 3", "Article 4"]
    await store.record_fetch(FetchRecord(Feed(WEEKLY, FEED), 2, new=(new(5), new(6), new(7))))
    titles = [entry.article.title for entry in await store.entries(WEEKLY, ArticleState.WAITING, 2)]
    assert titles == ["Article 5", "Article 6"]
