"""WebSub (W3C Recommendation, 23 January 2018), as a subscriber: a hub says when a feed has changed.

What a hub sends is only a hint to fetch the feed; its content is not read. Pure.
"""

import hashlib
import hmac
from collections.abc import Mapping
from enum import Enum

from secondpost.mail.duration import DAY_MS

CALLBACK_PATH = "/api/websub/"  # before the token
RENEW_MS = DAY_MS  # between two requests for the same subscription
TOKEN_OCTETS = 20
SECRET_OCTETS = 32
CHALLENGE_CHARACTERS_MAX = 1_000
# §7: the methods that a hub may sign with. What sha1 signs is not believed: the secret URL alone is.
_METHODS = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}


class PushSignature(Enum):
    GOOD = "good"
    WEAK = "weak"  # by sha1
    BAD = "bad"  # absent or wrong


def challenge_of(query: Mapping[str, str], topic: str) -> str | None:
    """What to answer a hub that verifies a subscription (§5.3); None if this is not one that we asked for.

    We never ask to unsubscribe: subscriptions run out.
    """
    challenge = query.get("hub.challenge", "")
    if query.get("hub.mode") != "subscribe" or len(topic) == 0 or query.get("hub.topic") != topic:
        return None
    if not 0 < len(challenge) <= CHALLENGE_CHARACTERS_MAX or not challenge.isascii():
        return None
    return challenge if challenge.isprintable() else None


def push_signature(field: str, secret: str, body: bytes) -> PushSignature:
    """Judge the field X-Hub-Signature of what a hub sent (§7.1)."""
    method, _, written = field.strip().partition("=")
    if method.lower() == "sha1" and len(written) > 0:
        return PushSignature.WEAK
    made = _METHODS.get(method.lower())
    if made is None or len(secret) == 0:
        return PushSignature.BAD
    expected = hmac.new(secret.encode("ascii"), body, made).hexdigest()
    is_same = hmac.compare_digest(expected.encode("ascii"), written.lower().encode("utf-8"))
    return PushSignature.GOOD if is_same else PushSignature.BAD
