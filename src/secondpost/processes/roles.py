"""Which roles a configuration calls for, and which doors each of them opens."""

from secondpost.config.records import Config
from secondpost.mail.address import Endpoint

ROLES = ("receive", "deliver", "web", "publish", "fetch")


def roles_of(config: Config) -> tuple[str, ...]:
    """Without a newsletter there is nobody to publish or fetch for, and no page to show."""
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
