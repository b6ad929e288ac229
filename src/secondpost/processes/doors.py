"""Listening sockets on their way from whoever opened them (our supervisor, or systemd) to a role."""

import errno
import os
import socket
from collections.abc import Mapping, Sequence

from secondpost.mail.address import Endpoint
from secondpost.world.ports import NetError

DOORS_VARIABLE = "SECONDPOST_DOORS"  # "host:port=descriptor …"
LIFELINE = "SECONDPOST_LIFELINE"  # a pipe whose other end is the supervisor's: its end is our end
SYSTEMD_FIRST_DESCRIPTOR = 3  # sd_listen_fds(3)
_WHAT_TO_DO = {
    errno.EADDRINUSE: "end the program that has it (`ss -ltnp` shows which), or mend receive.listen",
    errno.EADDRNOTAVAIL: "this machine has no such address: mend receive.listen",
    errno.EACCES: "ports below 1024 are root's: let systemd start the service, or start it as root",
}


def doors_text(doors: Mapping[Endpoint, socket.socket]) -> str:
    return " ".join(f"{endpoint}={door.fileno()}" for endpoint, door in doors.items())


def inherited_doors(environment: Mapping[str, str]) -> dict[Endpoint, socket.socket]:
    """What the supervisor handed over, or systemd's socket unit."""
    doors: dict[Endpoint, socket.socket] = {}
    for part in environment.get(DOORS_VARIABLE, "").split():
        endpoint, _, descriptor = part.rpartition("=")
        doors[Endpoint.parse(endpoint)] = _door(int(descriptor))
    return doors


def is_taken(error: NetError) -> bool:
    """Whether a door did not open because somebody listens there already."""
    return isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EADDRINUSE


def refusal_text(error: NetError) -> str:
    """Why a door did not open, and what to do about it."""
    number = error.__cause__.errno if isinstance(error.__cause__, OSError) else None
    fix = _WHAT_TO_DO.get(number) if number is not None else None
    return str(error) if fix is None else f"{error}; {fix}"


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
