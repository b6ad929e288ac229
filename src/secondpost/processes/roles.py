"""The roles that a configuration needs, and the addresses each listens on."""

from secondpost.config.records import Config
from secondpost.mail.address import Endpoint

ROLES = ("receive", "deliver", "web", "publish", "fetch")


def roles_of(config: Config) -> tuple[str, ...]:
    """The roles to run: without a newsletter, none to publish or show pages, and one to fetch only
    for a webhook.
    """
    return tuple(role for role in ROLES if _is_needed(config, role))


def _is_needed(config: Config, role: str) -> bool:
    has_newsletter = len(config.newsletters) > 0
    match role:
        case "publish":
            return has_newsletter
        case "web":
            return has_newsletter and config.web.url is not None
        case "fetch":
            return has_newsletter or config.alarms.webhook is not None
        case _:
            return True


def doors_of(config: Config, role: str) -> tuple[Endpoint, ...]:
    match role:
        case "receive":
            return config.receive.listen
        case "web":
            return config.web.listen
        case _:
            return ()
