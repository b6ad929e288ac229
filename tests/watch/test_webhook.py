"""Posts to the webhook: repeated until they are accepted or given up, in their order."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path

import msgspec

from secondpost.mail.address import Domain
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS
from secondpost.mail.owner_notice import POST_AGAIN_MS_MAX, AlarmRecord, News, Notice, OwnerPost
from secondpost.protocols.post_questions import PostAccepted, PostNotAccepted, PostOutcome
from secondpost.watch.posts import POSTS_MAX, PostDocument, posts_of
from secondpost.watch.webhook import AGAIN_MS_FIRST, ALARM_ATTEMPTS, GIVEN_UP_MS, Webhook
from tests.alarms import that_stand, unlogged_alarms
from tests.store.place import SqlitePlace, Store

NOW = 1_800_000_000_000
HOST = Domain("mx2.example.net")
ALARM = AlarmRecord(AlarmKind.NO_ROUTE, "example.net", "deliver", NOW, "no MX", NOW, NOW, NOW)
REFUSED = PostNotAccepted("the webhook answers 500")


class Hook:
    """A webhook with the outcomes it gives, in order; then it accepts."""

    def __init__(self, place: SqlitePlace, store: Store, *outcomes: PostOutcome) -> None:
        self.clock = place.clock
        self.store = store
        self.alarms = unlogged_alarms()
        self.posted: list[str] = []
        self._outcomes = list(outcomes)
        self.webhook = Webhook(store, place.clock, self.alarms, self._post)

    async def _post(self, body: str) -> PostOutcome:
        self.posted.append(body)
        return self._outcomes.pop(0) if len(self._outcomes) > 0 else PostAccepted()

    async def passes(self, milliseconds: int) -> None:
        self.clock.ms += milliseconds
        await self.webhook.send_due()


def at_a_hook(
    tmp_path: Path, story: Callable[[Hook], Coroutine[None, None, None]], *outcomes: PostOutcome
) -> None:
    async def day() -> None:
        place = SqlitePlace(str(tmp_path))
        hook = Hook(place, place.open(), *outcomes)
        await hook.store.add_posts([OwnerPost(hook.clock.ms, n, str(n), hook.clock.ms) for n in range(2)])
        try:
            await story(hook)
        finally:
            await place.close()

    asyncio.run(day())


def test_posts_go_in_their_order_and_once(tmp_path: Path) -> None:
    async def story(hook: Hook) -> None:
        await hook.webhook.send_due()
        await hook.passes(HOUR_MS)
        assert hook.posted == ["0", "1"]

    at_a_hook(tmp_path, story)


def test_what_was_not_accepted_is_tried_again_later(tmp_path: Path) -> None:
    async def story(hook: Hook) -> None:
        await hook.webhook.send_due()
        await hook.passes(AGAIN_MS_FIRST - 1)
        assert hook.posted == ["0", "1"]
        await hook.passes(1)
        await hook.passes(2 * AGAIN_MS_FIRST - 1)
        assert hook.posted == ["0", "1", "0"]
        await hook.passes(1)
        assert hook.posted == ["0", "1", "0", "0"]
        assert await hook.store.post_due(hook.clock.ms + POST_AGAIN_MS_MAX) is None

    at_a_hook(tmp_path, story, REFUSED, PostAccepted(), REFUSED)


def test_that_it_fails_is_an_alarm_until_it_works(tmp_path: Path) -> None:
    async def story(hook: Hook) -> None:
        for attempt in range(1, ALARM_ATTEMPTS + 1):
            assert that_stand(hook.alarms, AlarmKind.WEBHOOK_FAILS) == []
            await hook.passes(HOUR_MS)
            assert len(hook.posted) == 2 * attempt
        assert that_stand(hook.alarms, AlarmKind.WEBHOOK_FAILS) == [""]
        await hook.passes(HOUR_MS)
        assert that_stand(hook.alarms, AlarmKind.WEBHOOK_FAILS) == []

    at_a_hook(tmp_path, story, *[REFUSED] * (2 * ALARM_ATTEMPTS))


def test_after_a_day_a_post_is_given_up(tmp_path: Path) -> None:
    async def story(hook: Hook) -> None:
        for _ in range(25 * 60):
            await hook.passes(MINUTE_MS)
        assert await hook.store.post_due(hook.clock.ms + 100 * GIVEN_UP_MS) is None
        assert len(hook.posted) <= 2 * (GIVEN_UP_MS // POST_AGAIN_MS_MAX + 10)

    at_a_hook(tmp_path, story, *[REFUSED] * 1_000)


def test_a_post_that_a_clock_put_off_which_was_ahead_is_tried_now(tmp_path: Path) -> None:
    async def story(hook: Hook) -> None:
        await hook.passes(20 * HOUR_MS)
        assert hook.posted == ["0", "1"]
        hook.clock.ms -= 19 * HOUR_MS
        await hook.webhook.send_due()
        assert hook.posted == ["0", "1", "0"]

    at_a_hook(tmp_path, story, REFUSED)


def test_a_post_made_by_a_clock_that_was_ahead_is_tried_once_more(tmp_path: Path) -> None:
    async def story(hook: Hook) -> None:
        hook.clock.ms -= 400 * DAY_MS
        await hook.webhook.send_due()
        await hook.passes(HOUR_MS)
        assert hook.posted == ["0", "1"]

    at_a_hook(tmp_path, story, REFUSED, PostAccepted(), REFUSED)


def test_a_post_says_all_of_an_alarm() -> None:
    (post,) = posts_of([Notice(News.BEGAN, ALARM)], HOST, NOW)
    document = msgspec.json.decode(post.body, type=PostDocument)
    assert (document.hostname, document.news, document.kind) == ("mx2.example.net", "began", "no-route")
    assert (document.subject, document.detail, document.severity) == ("example.net", "no MX", "act")
    assert (document.since, document.ended) == ("2027-01-15T08:00:00Z", None)
    assert document.what_to_do == AlarmKind.NO_ROUTE.what_to_do
    assert document.title == "Secondpost mx2.example.net: no route (example.net)"
    assert document.text.startswith("Secondpost mx2.example.net: No route (example.net)\n")


def test_the_end_is_posted_with_how_it_ended() -> None:
    ended = replace(ALARM, ended_ms=NOW + 7_200_000, how="12 messages were delivered.")
    (post,) = posts_of([Notice(News.ENDED, ended)], HOST, NOW)
    document = msgspec.json.decode(post.body, type=PostDocument)
    assert (document.news, document.ended) == ("ended", "2027-01-15T10:00:00Z")
    assert document.detail == "12 messages were delivered."
    assert "after 2 hours" in document.text


def test_beyond_the_bound_posts_are_counted() -> None:
    notices = [
        Notice(News.BEGAN, replace(ALARM, subject=f"{number}.example")) for number in range(POSTS_MAX + 5)
    ]
    posts = posts_of(notices, HOST, NOW)
    assert len({(post.made_ms, post.number) for post in posts}) == POSTS_MAX + 1
    assert "5 more alarms" in posts[-1].body
