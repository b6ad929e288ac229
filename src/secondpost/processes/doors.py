"""Listening sockets on their way from whoever opened them (our supervisor, or systemd) to a role."""

import os
import socket
from collections.abc import Mapping, Sequence

from secondpost.mail.address import Endpoint

VARIABLE = "SECONDPOST_DOORS"  # "host:port=descriptor …"
LIFELINE = "SECONDPOST_LIFELINE"  # a pipe whose other end is the supervisor's: its end is our end
SYSTEMD_FIRST_DESCRIPTOR = 3  # sd_listen_fds(3)


def doors_text(doors: Mapping[Endpoint, socket.socket]) -> str:
    return " ".join(f"{endpoint}={door.fileno()}" for endpoint, door in doors.items())


def inherited_doors(environment: Mapping[str, str]) -> dict[Endpoint, socket.socket]:
    """What the supervisor handed over, or systemd's socket unit."""
    doors: dict[Endpoint, socket.socket] = {}
    for part in environment.get(VARIABLE, "").split():
        endpoint, _, descriptor = part.rpartition("=")
        doors[Endpoint.parse(endpoint)] = _door(int(descriptor))
    return doors


def systemd_doors(
    environment: Mapping[str, str], wanted: Sequence[Endpoint]
) -> dict[Endpoint, socket.socket]:
    """sd_listen_fds(3): the sockets meant for this very process, those that we want."""
    if environment.get("LISTEN_PID") != str(os.getpid()):
        return {}
    doors: dict[Endpoint, socket.socket] = {}
    for descriptor in range(
        SYSTEMD_FIRST_DESCRIPTOR, SYSTEMD_FIRST_DESCRIPTOR + int(environment.get("LISTEN_FDS", "0"))
    ):
        door = _door(descriptor)
        host, port = door.getsockname()[:2]
        endpoint = Endpoint(host, port)
        if endpoint in wanted:
            doors[endpoint] = door
        else:
            door.close()
    return doors


def _door(descriptor: int) -> socket.socket:
    door = socket.socket(fileno=descriptor)
    door.setblocking(False)
    os.set_inheritable(descriptor, False)
    return door
