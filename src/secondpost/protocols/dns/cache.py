"""A cache of DNS answers for their TTL, with a bounded number of entries.

Times are seconds of a monotonic clock. RFC 2308 §5 (negative answers), RFC 2181 §8 (TTL), RFC 9520
§3.2 (failures are cached too, briefly, so that a broken zone is not queried for every message).
"""

import heapq
from dataclasses import dataclass

from secondpost.mail.questions import Finding
from secondpost.protocols.dns.lookup import DnsAnswer, DnsQuestion, RecordType

ENTRIES_MAX = 20_000  # about 20 MB at most
FOUND_SECONDS_MIN = 5  # a TTL of 0 would cause one look-up per message of a burst
FOUND_SECONDS_MAX = 86_400
NOTHING_SECONDS_MIN = 5
NOTHING_SECONDS_MAX = 3_600
FAILED_SECONDS = 5  # below the shortest pause of a site probe, which must notice a recovery


def lifetime_seconds(answer: DnsAnswer) -> int:
    match answer.finding:
        case Finding.FOUND:
            return min(max(answer.ttl_seconds, FOUND_SECONDS_MIN), FOUND_SECONDS_MAX)
        case Finding.NO_DATA | Finding.NO_NAME:
            return min(max(answer.ttl_seconds, NOTHING_SECONDS_MIN), NOTHING_SECONDS_MAX)
        case Finding.FAILED:
            return FAILED_SECONDS


@dataclass(frozen=True, slots=True)
class _Entry:
    answer: DnsAnswer
    ends: float


class DnsCache:
    def __init__(self, entries_max: int = ENTRIES_MAX) -> None:
        self._entries_max = entries_max
        self._entries: dict[DnsQuestion, _Entry] = {}
        # A heap with the earliest expiry first. A replaced entry leaves its old item here, which is
        # recognised by its time and dropped when that is due.
        self._ends: list[tuple[float, str, int]] = []

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, question: DnsQuestion, now: float) -> DnsAnswer | None:
        """The cached answer, or None if there is none or it has expired."""
        entry = self._entries.get(question)
        return entry.answer if entry is not None and entry.ends > now else None

    def put(self, question: DnsQuestion, answer: DnsAnswer, now: float) -> None:
        """Add an answer; expired entries are dropped first, then those that expire soonest."""
        self._forget_ended(now)
        ends = now + lifetime_seconds(answer)
        self._entries[question] = _Entry(answer, ends)
        heapq.heappush(self._ends, (ends, question.name, question.type))
        while len(self._entries) > self._entries_max or len(self._ends) > 2 * self._entries_max:
            self._forget_soonest()

    def _forget_ended(self, now: float) -> None:
        while len(self._ends) > 0 and self._ends[0][0] <= now:
            self._forget_soonest()

    def _forget_soonest(self) -> None:
        ends, name, number = heapq.heappop(self._ends)
        question = DnsQuestion(name, RecordType(number))
        entry = self._entries.get(question)
        if entry is not None and entry.ends == ends:
            del self._entries[question]
