"""Ports for attacks that were seen. They are parts of the ports in ports.py and owner_ports.py."""

from collections.abc import Awaitable, Sequence
from typing import Protocol

from secondpost.mail.attack import AttackCount

COUNTS_PER_WRITE_MAX = 200  # rows: some milliseconds of the write lock


class AttacksIntake(Protocol):
    """What the receive and the deliver role write of attacks."""

    def count_attacks(self, counts: Sequence[AttackCount]) -> Awaitable[None]:
        """Add at most COUNTS_PER_WRITE_MAX counts to those of their day, rule and network.

        A rule's networks beyond NETWORKS_PER_RULE_MAX on a day are counted under OTHER_NETWORKS.
        """
        ...


class AttacksDesk(Protocol):
    """The owner's view of attacks."""

    async def attacks(self, since_day: int) -> list[AttackCount]:
        """The counts of that day and later, in order of day, rule and network."""
        ...


class AttacksKeeping(Protocol):
    def forget_attacks(self, before_day: int) -> Awaitable[int]:
        """Delete the counts of earlier days, a batch; returns how many. Call again until 0."""
        ...
