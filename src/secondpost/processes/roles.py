"""The roles that a configuration needs, and the addresses each listens on."""

from secondpost.config.records import Config
from secondpost.mail.address import Endpoint

ROLES = ("receive", "deliver", "web", "publish", "fetch")


def roles_of(config: Config) -> tuple[str, ...]:
    """The roles to run; without a newsletter, none to publish, fetch or show pages."""
    if len(config.newsletters) == 0:
        return ("receive", "deliver")
    return tuple(role for role in ROLES if role != "web" or config.web.url is not None)


def doors_of(config: Config, role: str) -> tuple[Endpoint, ...]:
    match role:
        case "receive":
            return config.receive.listen
        case "web":
            return config.web.listen
        case _:
            return ()
