"""The part of `status` about mail that a primary refused: how much is kept, and when the oldest is
removed.
"""

from secondpost.cli.screen import say
from secondpost.config.records import Config
from secondpost.mail.duration import age_text
from secondpost.mail.size import size_text
from secondpost.owner.figures import counted
from secondpost.owner.refused import goes_ms
from secondpost.store.owner_ports import Refused


def say_refused(lying: list[Refused], config: Config, now_ms: int) -> None:
    for refused in lying:
        say(_text(refused, config, now_ms))


def _text(refused: Refused, config: Config, now_ms: int) -> str:
    backup = config.backup_of(refused.domain)
    deliveries = counted(refused.deliveries, "delivery", "deliveries")
    size = f"{size_text(refused.octets)} of at most {size_text(backup.refused_octets_max)}"
    left = goes_ms(refused, backup) - now_ms
    goes = f"in {age_text(left)}" if left > 0 else "now"
    return f"The primary of {refused.domain} refused {deliveries}, {size}; the oldest is removed {goes}."
