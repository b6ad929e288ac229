"""The roles that a configuration needs, and the addresses each listens on."""

from secondpost.config.records import Config
from secondpost.mail.address import Endpoint
from secondpost.mail.store_rooms import ROLES
from secondpost.roles.web_services import needs_fetch


def roles_of(config: Config, only: str | None = None) -> tuple[str, ...]:
    """The roles to run: without a newsletter, none to publish, one to fetch only for a webhook,
    certificates or web services, and the web role only to answer the certificate authority and serve
    policies.
    `only`: the one role that a supervisor was started for.
    """
    return tuple(role for role in ROLES if only in (None, role) and _is_needed(config, role))


def _is_needed(config: Config, role: str) -> bool:
    match role:
        case "publish":
            return len(config.newsletters) > 0
        case "web":
            return config.has_web
        case "fetch":
            return needs_fetch(config)
        case _:
            return True


def is_optional(config: Config, endpoint: Endpoint) -> bool:
    """Whether the service starts without listening there: the owner did not ask for it."""
    return config.metrics.is_usual and endpoint in config.metrics.listen


def doors_key(role: str) -> str:
    """The key of the configuration that names the addresses a role listens on."""
    return "metrics.listen" if role == "deliver" else f"{role}.listen"


def doors_of(config: Config, role: str) -> tuple[Endpoint, ...]:
    match role:
        case "receive":
            return config.receive.listen
        case "web":
            return config.web.doors
        case "deliver":
            return config.metrics.listen
        case _:
            return ()
