"""How often deliver looks at things without being asked to, and at how many at once."""

from dataclasses import dataclass, field

from secondpost.deliver.places import Places


@dataclass(frozen=True, slots=True)
class DeliverRhythm:
    """Seconds between two looks. `sites` bounds the sites of one lane that are worked off, `looks` the looks
    at sites that are down: those that get on, those of them that took no mail lately, connections that wait.
    """

    due_seconds_max: float = 30.0  # at what is due, without any hint
    sweep_seconds: float = 15.0  # at workers that died
    expire_seconds: float = 60.0  # at mail whose time is over
    standing_still_seconds: float = 1.0  # at sites that stand still
    idle_seconds: float = 1.0  # at which idle primaries have their turn
    down_seconds_max: float = 1.0  # at sites that are down, or half of `probe`
    sites: Places = field(default_factory=lambda: Places(at_once=100, strangers_max=80, aside_max=300))
    looks: Places = field(default_factory=lambda: Places(at_once=50, strangers_max=40, aside_max=400))
