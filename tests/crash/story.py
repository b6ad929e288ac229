"""What was done to each message, and what each step promises from which position of the log on.

From the position where a step began its effect may be on the disk. From the position where its
awaitable was done it must be on the disk after any cut.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from secondpost.mail.delivery import State
from secondpost.mail.queue_id import QueueId


@dataclass(frozen=True, slots=True)
class Seen:
    """A delivery as found after a crash and the sweep."""

    state: State
    maybe_duplicate: bool


ACCEPTED = Seen(State.WAITING, False)
CLAIMED = Seen(State.WAITING, True)  # its worker is dead: the sweep returned it


@dataclass(slots=True)
class Step:
    seen: Seen
    begun: int
    done: int | None = None

    def is_promised(self, upto: int) -> bool:
        return self.done is not None and self.done <= upto


@dataclass(slots=True)
class Story:
    """One message. The first step of each delivery is its acceptance."""

    queue_id: QueueId
    content: bytes
    file: str | None  # name of its content file
    deliveries: dict[int, list[Step]] = field(default_factory=dict)  # by number

    def allowed(self, number: int, upto: int) -> tuple[Seen, ...]:
        """The possible states of delivery `number` after a cut at `upto`, if it exists."""
        steps = self.deliveries[number]
        promised = [place for place, step in enumerate(steps) if step.is_promised(upto)]
        first = promised[-1] if len(promised) > 0 else 0
        return tuple(step.seen for step in steps[first:] if step.begun <= upto)

    def was_offered(self, upto: int) -> bool:
        return any(steps[0].begun <= upto for steps in self.deliveries.values())

    def was_acknowledged(self, upto: int) -> bool:
        return all(steps[0].is_promised(upto) for steps in self.deliveries.values())


@dataclass(frozen=True, slots=True)
class Found:
    """A message as found after a crash and the sweep. `content` None: it was removed."""

    deliveries: Mapping[int, Seen]
    content: bytes | None


def complaints(stories: Mapping[QueueId, Story], found: Mapping[QueueId, Found], upto: int) -> list[str]:
    """The promises broken by the found mail."""
    faults = []
    for queue_id in found.keys() - stories.keys():
        faults.append(f"{queue_id}: invented")
    for queue_id, story in stories.items():
        message = found.get(queue_id)
        if message is None:
            if story.was_acknowledged(upto):
                faults.append(f"{queue_id}: acknowledged and lost")
            continue
        if not story.was_offered(upto):
            faults.append(f"{queue_id}: there before it was offered")
        faults.extend(f"{queue_id}: {fault}" for fault in _complaints_of(story, message, upto))
    return faults


def _complaints_of(story: Story, message: Found, upto: int) -> list[str]:
    faults = []
    if message.deliveries.keys() != story.deliveries.keys():
        faults.append(f"half a message: recipients {sorted(message.deliveries)}")
        return faults
    for number, seen in message.deliveries.items():
        allowed = story.allowed(number, upto)
        if seen not in allowed:
            faults.append(f"recipient {number} is {seen}, and may be {allowed}: a promised outcome is lost")
    needed = any(seen.state is not State.DELIVERED for seen in message.deliveries.values())
    if needed and message.content != story.content:
        what = "none" if message.content is None else f"{len(message.content)} octets"
        faults.append(f"content is lost: {what} instead of {len(story.content)} octets")
    return faults
