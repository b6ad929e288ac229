"""What hubs call: they verify a subscription, and say that a feed has changed (WebSub).

The token in the URL is known to the hub alone. A call changes nothing but when the feed is fetched
next, and never brings that nearer to the last fetch than PUSH_APART_MS. GET and HEAD change nothing.
"""

import asyncio
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from secondpost.mail.duration import MINUTE_MS
from secondpost.protocols.websub import PushSignature, challenge_of, push_signature
from secondpost.store.feed_ports import Feed, FeedPushes
from secondpost.web.callers import Rate
from secondpost.web.site import Website
from secondpost.world.ports import Clock

PUSH_APART_MS = 5 * MINUTE_MS
PUSH_OCTETS_MAX = 1_000_000  # of a body, which may be the whole feed
PUSH_SECONDS_MAX = 25.0
TOKEN_CHARACTERS_MAX = 64


@dataclass(frozen=True, slots=True)
class HubCalls:
    site: Website
    store: FeedPushes
    clock: Clock
    bad_token_rate: Rate

    async def call(self, request: Request) -> Response:
        feed = await self._feed(request)
        if request.method == "POST":
            return await self._pushed(request, feed)
        if request.query_params.get("hub.mode") == "denied":  # §5.2: nothing to do; we ask again
            return Response(status_code=204)
        challenge = challenge_of(request.query_params, feed.push.topic)
        if challenge is None:
            raise HTTPException(404)
        return PlainTextResponse(challenge)

    async def _feed(self, request: Request) -> Feed:
        """The feed whose hub calls, while a newsletter has it. Raises HTTPException 404 or 429."""
        token = str(request.path_params["token"])
        feed = None if len(token) > TOKEN_CHARACTERS_MAX else await self.store.feed_of_push(token)
        newsletter = None if feed is None else self.site.named(feed.newsletter)
        if feed is None or newsletter is None or feed.url not in newsletter.feeds:
            raise HTTPException(404 if self.bad_token_rate.allows(self.site.caller(request)) else 429)
        return feed

    async def _pushed(self, request: Request, feed: Feed) -> Response:
        """Have the feed fetched if the hub signed. Whether it did is not said (§7.1)."""
        body = await _body(request)
        signed = push_signature(request.headers.get("x-hub-signature", ""), feed.push.secret, body)
        now_ms = self.clock.now_ms()
        if signed is not PushSignature.BAD and not _is_soon(feed, now_ms):
            await self.store.note_push(feed.push.token, now_ms, PUSH_APART_MS)
        return Response(status_code=202)


def _is_soon(feed: Feed, now_ms: int) -> bool:
    """Whether the feed is fetched soon anyway, so that a hub that calls all the time writes nothing."""
    due_ms = max(now_ms, (feed.last_fetch_ms or 0) + PUSH_APART_MS)
    return feed.next_fetch_ms is None or feed.next_fetch_ms <= due_ms


async def _body(request: Request) -> bytes:
    """Raises HTTPException 400, 408 or 413."""
    data = bytearray()
    try:
        async with asyncio.timeout(PUSH_SECONDS_MAX):
            async for piece in request.stream():
                data += piece
                if len(data) > PUSH_OCTETS_MAX:
                    raise HTTPException(413)
    except TimeoutError:
        raise HTTPException(408) from None
    except ClientDisconnect:
        raise HTTPException(400) from None
    return bytes(data)
