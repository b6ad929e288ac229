"""The ledger of a run with crashes: messages offered, acknowledged and received, and what is wrong.

It is filled by the clients (offered, acknowledged), the sink (received) and the server's log
(maybe-duplicate). `faults` is empty if every promise was kept.
"""

import re
from collections import Counter
from dataclasses import dataclass, field

from secondpost.mail.queue_id import QueueId, parse_queue_id

_RECEIVED = re.compile(rb"Received:(?:[^\r\n]|\r\n[ \t])*\r\n")
_RESULTS = re.compile(rb"(?:Authentication-Results: mx2\.example\.net;(?:[^\r\n]|\r\n[ \t])*\r\n)?")
_ID = re.compile(rb"\bid ([0-9a-z]{13})\b")
_MAYBE_DUPLICATE = re.compile(r"\bmaybe-duplicate id=([0-9a-z]{13})/\d+\b")


@dataclass(frozen=True, slots=True)
class Relayed:
    """A message as received by the sink: its queue id, and its content below our fields."""

    queue_id: QueueId
    content: bytes


def relayed(data: bytes) -> Relayed:
    """Remove our Received line, and the results below it. Raises ValueError if there is no line."""
    line = _RECEIVED.match(data)
    if line is None:
        raise ValueError(f"no Received line on top: {data[:80]!r}")
    id = _ID.search(line[0])
    if id is None:
        raise ValueError(f"no id in {line[0]!r}")
    results = _RESULTS.match(data, line.end())
    assert results is not None, "it may be empty"
    return Relayed(parse_queue_id(id[1].decode("ascii")), data[results.end() :])


@dataclass(slots=True)
class Ledger:
    """Messages are identified by their Message-ID."""

    content: dict[str, bytes] = field(default_factory=dict)
    offers: Counter[str] = field(default_factory=Counter)  # how often a client sent the final dot
    acknowledged: set[str] = field(default_factory=set)
    arrivals: dict[str, list[QueueId]] = field(default_factory=dict)
    excused: Counter[QueueId] = field(default_factory=Counter)  # number of maybe-duplicate lines
    strange: list[str] = field(default_factory=list)

    def offer(self, message_id: str, content: bytes) -> None:
        """A client is about to send the final dot, for the first time or again."""
        self.content[message_id] = content
        self.offers[message_id] += 1

    def acknowledge(self, message_id: str) -> None:
        self.acknowledged.add(message_id)

    def receive(self, message_id: str, data: bytes) -> None:
        """The sink is about to answer 250."""
        try:
            message = relayed(data)
        except ValueError as error:
            self.strange.append(f"{message_id}: {error}")
            return
        if message_id not in self.content:
            self.strange.append(f"{message_id} arrived, and nobody sent it")
        elif message.content != self.content[message_id]:
            self.strange.append(f"{message_id} arrived changed")
        self.arrivals.setdefault(message_id, []).append(message.queue_id)

    def read_log(self, line: str) -> None:
        """Read a line of the server's log; only those that excuse a duplicate matter."""
        match = _MAYBE_DUPLICATE.search(line)
        if match is not None:
            self.excused[parse_queue_id(match[1])] += 1

    @property
    def missing(self) -> set[str]:
        """Messages acknowledged but not yet at the sink."""
        return self.acknowledged - self.arrivals.keys()

    @property
    def duplicates(self) -> int:
        return sum(len(ids) - 1 for ids in self.arrivals.values())

    def faults(self) -> list[str]:
        """The broken promises; call it once everything is drained."""
        faults = list(self.strange)
        faults.extend(f"{message_id} was acknowledged and is lost" for message_id in sorted(self.missing))
        for message_id, queue_ids in self.arrivals.items():
            if len(set(queue_ids)) > self.offers[message_id]:
                faults.append(
                    f"{message_id} came under {len(set(queue_ids))} ids and was offered "
                    f"{self.offers[message_id]} times"
                )
            for queue_id, times in Counter(queue_ids).items():
                # Each lost outcome may cause one more copy, nothing else may.
                if times > 1 + self.excused[queue_id]:
                    faults.append(f"{message_id} was sent {times} times, {self.excused[queue_id]} excused")
        return faults
