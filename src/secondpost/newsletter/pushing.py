"""Subscriptions to the hubs of feeds (WebSub): whom to ask, and when.

The token and the secret are stored before the hub is asked, because it may verify them at once.
"""

from dataclasses import replace
from urllib.parse import urlencode

from secondpost.mail.article import FeedRead, HubSubscription
from secondpost.mail.duration import DAY_MS, SECOND_MS
from secondpost.newsletter.links import LINK_CHARACTERS_MAX
from secondpost.protocols.websub import CALLBACK_PATH, RENEW_MS, SECRET_OCTETS, TOKEN_OCTETS
from secondpost.store.feed_ports import Feed, FeedPush
from secondpost.world.ports import Dice

LEASE_MS = 10 * DAY_MS  # as asked for; a hub may grant less


def push_of(before: FeedPush, read: FeedRead, read_from: str, dice: Dice) -> FeedPush:
    """The hub that a document names, with a new token if it or the topic changed.

    `read_from`: the URL that answered, which is the topic if the document does not name one.

    When a hub was last asked is kept: a feed that names another hub or topic each time makes us send no
    more requests than one that does not.
    """
    topic = read.topic if len(read.topic) > 0 else read_from
    if len(read.hub) == 0 or max(len(read.hub), len(topic)) > LINK_CHARACTERS_MAX:
        return FeedPush(asked_ms=before.asked_ms)
    if (read.hub, topic) == (before.hub, before.topic) and len(before.token) > 0:
        return before
    token, secret = dice.token(TOKEN_OCTETS).hex(), dice.token(SECRET_OCTETS).hex()
    return FeedPush(read.hub, topic, token, secret, before.asked_ms)


def subscription_due(feed: Feed, public_url: str | None, now_ms: int) -> HubSubscription | None:
    """The subscription to ask the feed's hub for now; None if it was asked lately, or cannot call us."""
    push = feed.push
    is_asked = push.asked_ms is not None and 0 <= now_ms - push.asked_ms < RENEW_MS
    if public_url is None or len(push.token) == 0 or is_asked:
        return None
    return HubSubscription(push.hub, push.topic, f"{public_url}{CALLBACK_PATH}{push.token}", push.secret)


def subscribe_form(asked: HubSubscription) -> bytes:
    """The form that asks a hub for a subscription (§5.1).

    `hub.verify` is of PubSubHubbub 0.3: its hubs refuse a form without it, and later ones ignore it.
    """
    return urlencode(
        {
            "hub.mode": "subscribe",
            "hub.verify": "async",
            "hub.topic": asked.topic,
            "hub.callback": asked.callback,
            "hub.secret": asked.secret,
            "hub.lease_seconds": str(LEASE_MS // SECOND_MS),
        }
    ).encode("ascii")


def asked_of_hub(feed: Feed, now_ms: int) -> Feed:
    """The feed after its hub was asked, whatever it answered: it is asked again in a day."""
    return replace(feed, push=replace(feed.push, asked_ms=now_ms))
