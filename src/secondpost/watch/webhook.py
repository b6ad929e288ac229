"""Sends the posts that wait for the webhook, oldest first: again after a while, until it is accepted
or a day has passed. Mail does not wait for it.
"""

from collections.abc import Awaitable, Callable

from secondpost.mail.alarm import AlarmKind
from secondpost.mail.duration import DAY_MS, SECOND_MS
from secondpost.mail.owner_notice import POST_AGAIN_MS_MAX, OwnerPost, past_ms
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.protocols.post_questions import PostAccepted, PostNotAccepted, PostOutcome
from secondpost.store.alarm_ports import AlarmsKeeping
from secondpost.world.ports import Clock

AGAIN_MS_FIRST = 30 * SECOND_MS
GIVEN_UP_MS = DAY_MS
ALARM_ATTEMPTS = 3  # failed attempts of one post
AT_ONCE_MAX = 100  # posts in one round


class Webhook:
    """`post` sends a body to the address that the configuration names."""

    def __init__(
        self,
        store: AlarmsKeeping,
        clock: Clock,
        alarms: StandingAlarms,
        post: Callable[[str], Awaitable[PostOutcome]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._alarms = alarms
        self._post = post

    async def send_due(self) -> None:
        """Send all posts that are due. Raises StoreUnavailable and StoreFull."""
        for _ in range(AT_ONCE_MAX):
            post = await self._store.post_due(self._clock.now_ms())
            if post is None:
                return
            await self._send(post)

    async def _send(self, post: OwnerPost) -> None:
        match await self._post(post.body):
            case PostAccepted():
                self._alarms.end(AlarmKind.WEBHOOK_FAILS, "")
                await self._store.drop_post(post)
            case PostNotAccepted(reason):
                if post.attempts + 1 >= ALARM_ATTEMPTS:
                    self._alarms.begin(AlarmKind.WEBHOOK_FAILS, "", reason)
                now_ms = self._clock.now_ms()
                if now_ms >= past_ms(post.made_ms, now_ms) + GIVEN_UP_MS:
                    await self._store.drop_post(post)
                else:
                    await self._store.post_again(post, now_ms + _pause_ms(post.attempts))


def _pause_ms(attempts: int) -> int:
    return min(AGAIN_MS_FIRST << min(attempts, 10), POST_AGAIN_MS_MAX)
