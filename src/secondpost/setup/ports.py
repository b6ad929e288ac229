"""Whether the ports on which the service listens are free for it. Pure."""

from collections.abc import Iterator

from secondpost.config.records import Config
from secondpost.mail.address import Endpoint
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.surroundings import Surroundings

HANDS_OVER = "systemd"  # holds a port for a service that it starts


def examine_ports(config: Config, here: Surroundings, is_served: bool) -> Iterator[Diagnosis]:
    """`is_served`: the service runs, so that it has its ports."""
    web = config.web.doors if config.has_web else ()
    for door in (*config.receive.listen, *web):
        holders = [] if is_served else [one for one in here.holders(door.port) if one != HANDS_OVER]
        if len(holders) > 0:
            yield _taken(config, door, holders[0])
        else:
            yield Diagnosis(Check.PORTS, str(door), Grade.WELL, f"{door} is free for the service.")


def _taken(config: Config, door: Endpoint, holder: str) -> Diagnosis:
    if len(holder) == 0:
        text, remedy = f"Another program has {door}.", f"ss -ltnp 'sport = :{door.port}'"
        return Diagnosis(Check.PORTS, str(door), Grade.FAULT, text, remedy)
    if door in config.web.doors:
        remedy = f'listen = ["127.0.0.1:8025"] and trusted_proxies = ["127.0.0.1"] in [web], behind {holder}'
    else:
        remedy = f"systemctl disable --now {holder}"
    return Diagnosis(Check.PORTS, str(door), Grade.FAULT, f"{holder} has {door}.", remedy)
