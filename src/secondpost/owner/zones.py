"""The time zone in which the owner is shown a newsletter's times."""

from zoneinfo import ZoneInfo

from secondpost.config.records import Config


def zone_of(config: Config, name: str) -> ZoneInfo:
    """In which the times of a newsletter are said; UTC for one that the file does not name any more."""
    zones = (one.timezone for one in config.newsletters if one.name == name)
    return ZoneInfo(next(zones, "UTC"))
