"""The promises about mail, checked against the evidence of a day.

Each invariant yields one sentence per violation. P1 to P6 are the promises of the design.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator

from secondpost.mail.delivery import KeptFor, State
from secondpost.protocols.attacks.rules import RELAY_PROBE
from simulation.evidence import Evidence, added_by_us
from simulation.faults import (
    Blocked,
    ClockWrong,
    Crash,
    CrashAtStep,
    FeedWrong,
    InboxDown,
    InboxMoody,
    InjectedFault,
    Moody,
    NamesLie,
    NoRoom,
    PowerCut,
    PrimaryDown,
    Restart,
    Storm,
    TlsBroken,
)
from simulation.people.letters import Heard
from simulation.people.news import DARK_SECONDS_MAX
from simulation.scenario import OUR_ADDRESS, OUR_NETWORK, VICTIM_DOMAIN, PrimaryPlan

STARTS_SECONDS = 60.0  # promise P4
DRAINED_SECONDS = 120.0
CONNECTIONS_AT_ONCE = 20  # parallel connections may reorder first attempts by this many
KEEPING = (State.WAITING, State.CLAIMED, State.HELD, State.KEPT)

Invariant = Callable[[Evidence], Iterator[str]]


def nothing_acknowledged_is_lost(day: Evidence) -> Iterator[str]:
    """P1: mail for which we answered 250 is at its primary or in the store with its content.

    Or its primary refused it, and the owner's rules for refused mail dropped it.
    """
    there = {(copy.marker, copy.recipient) for copy in day.relayed}
    here = {(row.marker, row.recipient) for row in day.stored if row.state in KEEPING}
    dropped = Counter((row.sender, row.recipient) for row in day.stored if row.state is State.DROPPED)
    for marker, recipient, at in day.acknowledged:
        if (marker, recipient) in there or (marker, recipient) in here:
            continue
        sender = day.ledger.letters[marker].sender
        dropped[sender, recipient] -= 1
        if dropped[sender, recipient] < 0 or not day.was_refused(sender, recipient):
            yield f"{marker} for {recipient} was acknowledged at {at:.3f} and is nowhere"


def nothing_is_invented(day: Evidence) -> Iterator[str]:
    """P1: primaries got from us only letters that were sent, with their sender and recipients."""
    for taken in day.ours:
        letter = day.ledger.letters.get(taken.marker or "")
        if letter is None:
            yield f"a primary got a message from us that nobody wrote: {taken.content[:200]!r}"
        elif taken.sender != letter.sender or not set(taken.recipients) <= set(letter.recipients):
            yield f"{taken.marker} came with another envelope: <{taken.sender}> to {taken.recipients}"


def copies_have_a_reason(day: Evidence) -> Iterator[str]:
    """P1: no copy without a reason.

    Per delivery one copy, and one more for each maybe-duplicate in the log. Per acknowledgement one
    delivery, and one more for each sender that did not get the reply to its final dot.
    """
    numbers = {
        line.values()["id"]: line.values()["to"]
        for line in day.log.lines
        if " to=" in line.text and " id=" in line.text
    }
    numbers |= {str(row.id): row.recipient for row in day.stored}
    excused: Counter[tuple[str, str]] = Counter()
    for line in day.log.of("maybe-duplicate"):
        delivery = line.values()["id"]
        if delivery in numbers:
            excused[delivery.partition("/")[0], numbers[delivery]] += 1
    for (queue_id, recipient), copies in Counter((c.queue_id, c.recipient) for c in day.relayed).items():
        if copies > 1 + excused[queue_id, recipient]:
            yield f"{queue_id} came {copies} times to {recipient}, excused {excused[queue_id, recipient]}"
    asked: Counter[tuple[str, str]] = Counter()
    for handing in day.ledger.handings:
        if handing.to == OUR_ADDRESS and handing.heard is not Heard.REFUSED:
            asked.update((handing.marker, recipient) for recipient in handing.recipients)
    entered = {(c.marker, c.recipient, c.queue_id) for c in day.relayed}
    entered |= {
        (row.marker or "", row.recipient, str(row.id).partition("/")[0])
        for row in day.stored
        if row.marker is not None
    }
    for (marker, recipient), ids in Counter((marker, recipient) for marker, recipient, _ in entered).items():
        if ids > asked[marker, recipient]:
            yield f"{marker} for {recipient} was taken in {ids} times, handed over {asked[marker, recipient]}"


def nothing_is_kept_without_a_refusal(day: Evidence) -> Iterator[str]:
    """P1: a backup domain's mail is a dead letter only if its primary refused it permanently."""
    for row in day.stored:
        if row.state is not State.KEPT:
            continue
        if row.kept_for is not KeptFor.REFUSED:
            yield f"{row.id} for {row.recipient} is kept as {row.kept_for}"
        elif not day.was_refused(row.sender, row.recipient):
            yield f"{row.id} for {row.recipient} is kept as refused, and nobody refused it"


def nothing_is_relayed_elsewhere(day: Evidence) -> Iterator[str]:
    """P3: no 250 for a domain that we do not back up, and no offer of such mail to a primary."""
    homes = {domain.name for domain in day.scenario.domains}
    for marker, recipient, at in day.acknowledged:
        if recipient.rpartition("@")[2] not in homes:
            yield f"{marker} for {recipient} was taken at {at:.3f}: an open relay"
    for offer in day.offers_from_us(day.primaries):
        if offer.recipient != "" and offer.recipient.rpartition("@")[2] not in homes:
            yield f"we offered mail for {offer.recipient} at {offer.at_seconds:.3f}"


def nobody_gets_backscatter(day: Evidence) -> Iterator[str]:
    """P3: we never connect to a sender's server with mail, whatever became of the message."""
    for offer in day.offers_from_us(day.strangers):
        yield f"we offered mail from <{offer.sender}> to {offer.recipient} at {offer.at_seconds:.3f}"


def what_waits_is_drained_in_the_end(day: Evidence) -> Iterator[str]:
    """P4: after recovery nothing waits any more, here or at the senders."""
    for row in day.stored:
        if row.state in (State.WAITING, State.CLAIMED):
            yield f"{row.id} for {row.recipient} is still {row.state} (cause {row.cause}, due {row.due_ms})"
    if day.unsettled > 0:
        yield f"{day.unsettled} letters are still with their senders"
    for marker in day.ledger.undeliverable:
        yield f"{marker} was given up by its sender"


def held_mail_drains_when_the_primary_is_back(day: Evidence) -> Iterator[str]:
    """P4: once a primary is back, mail not yet tried is tried soon and in order of arrival.

    The first is tried within STARTS_SECONDS, the last within DRAINED_SECONDS plus a second per
    message.
    """
    for back, server in day.comebacks:
        plan = day.scenario.primaries[server]
        if not _is_calm(day, server, back):
            continue
        held = _held_for(day, plan.domains, back)
        tried = [day.first_tried(marker, recipient) for marker, recipient, _ in held]
        if len(tried) == 0:
            continue
        never = float("inf")
        first = min(at if at is not None else never for at in tried)
        last = max(at if at is not None else never for at in tried)
        if first > back + STARTS_SECONDS + 1:
            yield f"{plan.name} was back at {back:.1f}, {len(held)} waited, the first tried at {first:.1f}"
        elif last > back + DRAINED_SECONDS + len(held):
            yield f"{plan.name} was back at {back:.1f}, {len(held)} waited, the last tried at {last:.1f}"
        elif not any(isinstance(fault.what, ClockWrong) for fault in day.scenario.faults):
            # Where the clock was stepped, roles that started at different times disagree about
            # "before".
            yield from _in_order(day, plan, held, tried)


def _held_for(day: Evidence, domains: tuple[str, ...], back: float) -> list[tuple[str, str, float]]:
    """Mail taken before the primary was back and not tried before that, oldest first."""
    return sorted(
        (
            (marker, recipient, at)
            for marker, recipient, at in day.acknowledged
            if at < back - 5.0
            and recipient.rpartition("@")[2] in domains
            and (day.first_tried(marker, recipient) or back) >= back
            and day.ledger.letters[marker].sender != ""
        ),
        key=lambda entry: entry[2],
    )


def _in_order(
    day: Evidence, plan: PrimaryPlan, held: list[tuple[str, str, float]], tried: list[float | None]
) -> Iterator[str]:
    # A dot without a reply may have been taken then or not: such a letter has two times of arrival.
    twice_arrived = {
        handing.marker
        for handing in day.ledger.handings
        if handing.heard is Heard.UNANSWERED and handing.to == OUR_ADDRESS
    }
    for domain in plan.domains:
        first: dict[str, float] = {}  # first attempt of each letter, in order of arrival
        for (marker, recipient, _), at in zip(held, tried, strict=True):
            if marker not in twice_arrived and recipient.endswith("@" + domain):
                first[marker] = min(at or 0.0, first.get(marker, at or 0.0))
        arrived = list(first)
        attempted = sorted(arrived, key=lambda marker: first[marker])
        for position, marker in enumerate(attempted):
            place = arrived.index(marker)
            if place - position > CONNECTIONS_AT_ONCE:
                yield f"{plan.name}: letter {place} for {domain} was tried as number {position}"


def _is_calm(day: Evidence, server: int, back: float) -> bool:
    """Whether no other fault at that time could delay this primary's mail."""
    end = back + DRAINED_SECONDS + 60.0
    plan = day.scenario.primaries[server]
    others = [
        number
        for number, other in enumerate(day.scenario.primaries)
        if set(other.domains) & set(plan.domains)
    ]
    if any(back - DARK_SECONDS_MAX - 60.0 < line.seconds < end for line in day.log.deaths()):
        return False
    return not any(
        fault.start < end and back - 1.0 < fault.end + 60.0 and _concerns(fault, others, plan.network)
        for fault in day.scenario.faults
        if not (isinstance(fault.what, PrimaryDown) and fault.what.server == server and fault.end <= back)
    )


def _concerns(fault: InjectedFault, servers: list[int], network: str) -> bool:
    match fault.what:
        case PrimaryDown(number) | Moody(number) | TlsBroken(number):
            return number in servers
        case Blocked(network_a, network_b):
            return {network_a, network_b} == {OUR_NETWORK, network}
        case Crash() | PowerCut() | Restart() | NoRoom() | Storm() | NamesLie():
            return True
        case ClockWrong() | InboxDown() | InboxMoody() | FeedWrong():
            return False
        case CrashAtStep():
            return False  # its period lasts most of the day; the log of deaths shows whether the crash came


def content_arrives_unchanged(day: Evidence) -> Iterator[str]:
    """P5: the primary gets the content that was sent, below one Received field and one
    Authentication-Results of ours.
    """
    for taken in day.ours:
        letter = day.ledger.letters.get(taken.marker or "")
        if letter is None:
            continue  # reported by nothing_is_invented
        added = added_by_us(taken.content)
        if added is None:
            yield f"{taken.marker} came without our two fields: {taken.content[:400]!r}"
        elif added.content != letter.content:
            yield f"{taken.marker} was changed on its way"


def senders_are_known(day: Evidence) -> Iterator[str]:
    """Every letter comes from where its domain says, and DMARC passes unless DNS did not answer."""
    for taken in day.ours:
        letter = day.ledger.letters.get(taken.marker or "")
        added = added_by_us(taken.content)
        if letter is None or added is None or len(letter.sender) == 0:
            continue  # reported by others, or without a domain
        passes = b"spf=pass " in added.results and b"dmarc=pass " in added.results
        if not passes and b"=temperror " not in added.results:
            yield f"{taken.marker} is not known as its author's: {added.results!r}"


def nobody_misbehaves(day: Evidence) -> Iterator[str]:
    """No plain text inside TLS, unhandled exception, unexpected role end or open connection."""
    yield from day.complaints
    yield from day.faults
    for line in day.log.of("role-ended"):
        if not line.text.endswith("reason=stopped"):
            yield f"{line.seconds:.3f} {line.text}"
    for line in day.log.of("role-not-started"):
        if not _disk_was_full(day, line.seconds):
            yield f"{line.seconds:.3f} {line.text}"
    if day.left_open > 0:
        yield f"{day.left_open} connections of ours were left open"


def only_spam_is_called_an_attack(day: Evidence) -> Iterator[str]:
    """Spam for a victim looks for an open relay; all else that is sent in a day is honest."""
    spam = re.compile(rf"attack peer=\S+ rule={RELAY_PROBE.id} .* sample=\S+@{re.escape(VICTIM_DOMAIN)}")
    for line in day.log.of("attack"):
        if spam.fullmatch(line.text) is None:
            yield f"{line.seconds:.3f} {line.text}"
    for line in day.log.of("watch-failed"):
        yield f"{line.seconds:.3f} {line.text}"


def _disk_was_full(day: Evidence, seconds: float) -> bool:
    return any(
        fault.what == NoRoom(to_the_last_octet=True) and fault.start <= seconds <= fault.end + 1.0
        for fault in day.scenario.faults
    )


ALL: tuple[Invariant, ...] = (
    nothing_acknowledged_is_lost,
    nothing_is_invented,
    copies_have_a_reason,
    nothing_is_kept_without_a_refusal,
    nothing_is_relayed_elsewhere,
    nobody_gets_backscatter,
    what_waits_is_drained_in_the_end,
    held_mail_drains_when_the_primary_is_back,
    content_arrives_unchanged,
    senders_are_known,
    nobody_misbehaves,
    only_spam_is_called_an_attack,
)
