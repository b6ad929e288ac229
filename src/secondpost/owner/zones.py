"""The time zone in which the owner sees a newsletter's times."""

from zoneinfo import ZoneInfo

from secondpost.config.records import Config


def zone_of(config: Config, name: str) -> ZoneInfo:
    """The newsletter's time zone; UTC if the file no longer names it."""
    zones = (one.timezone for one in config.newsletters if one.name == name)
    return ZoneInfo(next(zones, "UTC"))
