"""Queue ids: base32 of time, worker and counter; unique over all stores and machines.

63 bits: 41 for milliseconds since 2020, 12 for the worker, 10 for the counter. Written in 13
characters, the same in Received, log, `trace` and `queue`. Ids sort in order of arrival.
"""

from dataclasses import dataclass
from typing import NewType

QueueId = NewType("QueueId", int)

QUEUE_EPOCH_MS = 1_577_836_800_000  # 2020-01-01T00:00:00Z
WORKER_BITS = 12
COUNTER_BITS = 10
WORKERS_MAX = 1 << WORKER_BITS
PER_MILLISECOND_MAX = 1 << COUNTER_BITS
TEXT_CHARACTERS = 13

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: no i, l, o or u, which are easily misread
_PAIRS = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}


def queue_id_text(queue_id: QueueId) -> str:
    n: int = queue_id
    pairs = (
        f"{_PAIRS[n >> 50 & 1023]}{_PAIRS[n >> 40 & 1023]}{_PAIRS[n >> 30 & 1023]}{_PAIRS[n >> 20 & 1023]}"
    )
    return f"{_ALPHABET[n >> 60]}{pairs}{_PAIRS[n >> 10 & 1023]}{_PAIRS[n & 1023]}"


def parse_queue_id(text: str) -> QueueId:
    """Parse a queue id. Raises ValueError."""
    if len(text) != TEXT_CHARACTERS or any(c not in _VALUES for c in text.lower()):
        raise ValueError(f"{text!r} is not a queue id ({TEXT_CHARACTERS} letters and digits)")
    number = 0
    for character in text.lower():
        number = number << 5 | _VALUES[character]
    if number >= 1 << 63:
        raise ValueError(f"{text!r} is not a queue id")
    return QueueId(number)


def queue_id_ms(queue_id: QueueId) -> int:
    """When the id was given, in milliseconds since 1970."""
    return (queue_id >> (WORKER_BITS + COUNTER_BITS)) + QUEUE_EPOCH_MS


def first_queue_id(at_ms: int) -> QueueId:
    """The smallest id that can be given at `at_ms` or later."""
    return QueueId(max(0, at_ms - QUEUE_EPOCH_MS) << (WORKER_BITS + COUNTER_BITS))


@dataclass(slots=True)
class QueueIds:
    """Generates the ids of one worker. A clock that steps back causes no duplicates."""

    worker: int
    last_ms: int = 0
    counter: int = 0

    def next(self, now_ms: int) -> QueueId:
        if now_ms > self.last_ms:
            self.last_ms, self.counter = now_ms, 0
        else:
            self.counter += 1
            if self.counter == PER_MILLISECOND_MAX:  # borrow from the next millisecond
                self.last_ms, self.counter = self.last_ms + 1, 0
        high = self.last_ms - QUEUE_EPOCH_MS
        return QueueId((high << WORKER_BITS | self.worker) << COUNTER_BITS | self.counter)
