"""Judges a fan-out with kills: contradictions between readers, what their servers took, and what we say."""

from collections import Counter
from collections.abc import Iterator, Sequence

from tests.crash.readers_sink import Taken
from tests.service.newsroom import Newsroom


def states_of_readers(room: Newsroom) -> dict[str, str]:
    """The state of each reader's mail, by address."""
    query = (
        "SELECT reader.key, delivery.state FROM delivery "
        "JOIN subscriber AS reader ON reader.id = delivery.subscriber WHERE delivery.issue IS NOT NULL"
    )
    return {str(key): str(state) for key, state in room.rows(query)}


def faults_of(
    addresses: Sequence[str],
    taken: Sequence[Taken],
    states: dict[str, str],
    status: dict[str, object],
    open_max: int,
    *,
    stopped: bool = False,
) -> Iterator[str]:
    """`open_max`: the most that may be unknown; `stopped`: whether the owner stopped the issue."""
    ends_well = ("delivered", "unknown", "stopped") if stopped else ("delivered", "unknown")
    times = Counter(one.recipient for one in taken)
    for address, many in times.items():
        if many > 1:
            yield f"{address} got the issue {many} times"
    if len({one.message_id for one in taken}) != len(times):
        yield "two readers have a Message-ID in common, or one has two"
    for address in sorted(set(addresses) ^ set(states)):
        yield f"{address} is not planned once"
    for address in sorted(set(times) - set(addresses)):
        yield f"{address} got the issue and is no reader"
    for address, state in states.items():
        if state not in ends_well:
            yield f"{address} is {state}, although its server takes everything"
        if state == "delivered" and times[address] == 0:
            yield f"{address} is said to be delivered, and its server has nothing"
        if times[address] > 0 and state not in ("delivered", "unknown"):
            yield f"{address} has the issue, and is said to be {state}"
    unknown = sum(state == "unknown" for state in states.values())
    if unknown > open_max:
        yield f"{unknown} are unknown, with at most {open_max} connections open at the kills"
    ends = ("delivered", "suppressed", "failed", "expired", "stopped", "unknown")
    told = {end: status[end] for end in ends}
    counted = Counter(states.values())
    if status["adds_up"] is not True or told != {end: counted[end] for end in ends}:
        yield f"issue status says {told}, and there are {dict(counted)}"
    if status["planned"] != len(addresses) or sum(counted.values()) != len(addresses):
        yield f"{status['planned']} were planned for {len(addresses)} readers"
