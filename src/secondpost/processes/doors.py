"""Listening sockets handed to a role by the supervisor or by systemd."""

import errno
import os
import socket
from collections.abc import Mapping, Sequence

from secondpost.mail.address import Endpoint
from secondpost.world.ports import NetError

DOORS_VARIABLE = "SECONDPOST_DOORS"  # "host:port=descriptor …"
SYSTEMD_FIRST_DESCRIPTOR = 3  # sd_listen_fds(3)
_WHAT_TO_DO = {
    errno.EADDRINUSE: "end the program that has it (`ss -ltnp` shows which), or correct the key naming it",
    errno.EADDRNOTAVAIL: "this machine has no such address: correct the key that names it",
    errno.EACCES: "ports below 1024 are root's: let systemd start the service, or start it as root",
}


def doors_text(doors: Mapping[Endpoint, socket.socket]) -> str:
    return " ".join(f"{endpoint}={door.fileno()}" for endpoint, door in doors.items())


def inherited_doors(environment: Mapping[str, str]) -> dict[Endpoint, socket.socket]:
    """Sockets handed over by the supervisor, by address."""
    doors: dict[Endpoint, socket.socket] = {}
    for part in environment.get(DOORS_VARIABLE, "").split():
        endpoint, _, descriptor = part.rpartition("=")
        doors[Endpoint.parse(endpoint)] = adopted_door(int(descriptor))
    return doors


def is_taken(error: NetError) -> bool:
    """Whether a socket could not be opened because its address is in use."""
    return isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EADDRINUSE


def refusal_text(error: NetError) -> str:
    """Why a socket could not be opened, and the remedy."""
    number = error.__cause__.errno if isinstance(error.__cause__, OSError) else None
    fix = _WHAT_TO_DO.get(number) if number is not None else None
    return str(error) if fix is None else f"{error}; {fix}"


def systemd_doors(
    environment: Mapping[str, str], wanted: Sequence[Endpoint]
) -> dict[Endpoint, socket.socket]:
    """Sockets from systemd for this process that are among `wanted`, by sd_listen_fds(3); closes
    the others.
    """
    if environment.get("LISTEN_PID") != str(os.getpid()):
        return {}
    doors: dict[Endpoint, socket.socket] = {}
    for descriptor in range(
        SYSTEMD_FIRST_DESCRIPTOR, SYSTEMD_FIRST_DESCRIPTOR + int(environment.get("LISTEN_FDS", "0"))
    ):
        door = adopted_door(descriptor)
        host, port = door.getsockname()[:2]
        endpoint = Endpoint(host, port)
        if endpoint in wanted:
            doors[endpoint] = door
        else:
            door.close()
    return doors


def adopted_door(descriptor: int) -> socket.socket:
    """A listening socket that this process inherited."""
    door = socket.socket(fileno=descriptor)
    door.setblocking(False)
    os.set_inheritable(descriptor, False)
    return door
