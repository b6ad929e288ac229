"""How often deliver looks for work on its own, and how many sites it works on at once."""

from dataclasses import dataclass, field

from secondpost.deliver.places import Places


@dataclass(frozen=True, slots=True)
class DeliverRhythm:
    """Seconds between two rounds. `sites` limits the sites that each lane delivers to at once,
    `looks` the looks at sites that are down (see Places).
    """

    due_seconds_max: float = 30.0  # for due mail, without a hint
    sweep_seconds: float = 15.0  # for workers that died
    expire_seconds: float = 60.0  # for mail whose time is over
    standing_still_seconds: float = 1.0  # for sites that stand still
    idle_seconds: float = 1.0  # for idle primaries
    down_seconds_max: float = 1.0  # for sites that are down, or half of `probe` if less
    sites: Places = field(default_factory=lambda: Places(at_once=100, strangers_max=80, aside_max=300))
    looks: Places = field(default_factory=lambda: Places(at_once=50, strangers_max=40, aside_max=400))
