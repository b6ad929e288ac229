"""Sets the stage: addresses, a port that is free on all of them, names, networks, servers, the service.

Each machine has an address of its own in 127.0.0.0/8, and every mail server listens on one port, which
is the port 25 of this internet. All of it is gone when the stage is left, however that happens.
"""

import json
import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from secondpost.demo.letters import Letter
from secondpost.demo.mailserver import MailServer
from secondpost.demo.names import Asker, Zone, serve_names
from secondpost.demo.networks import Network
from secondpost.demo.networks import Path as Way
from secondpost.demo.senders import SendingServer, Try
from secondpost.demo.service import Service, user_name

DOMAIN = "example.net"
PRIMARY = "mx1.provider.example"
SECOND = "mx2.example.net"
PRIMARY_ADDRESS = "127.0.0.10"
SECOND_ADDRESS = "127.0.0.20"
NAMES_ADDRESS = "127.0.0.53"
WEST_BORDER, WEST_ADDRESS = "127.1.0.1", "127.1.0.25"
EAST_BORDER, EAST_ADDRESS = "127.2.0.1", "127.2.0.25"
RECIPIENTS = ("ada@example.net", "orders@example.net")
PORTS = range(20_000, 30_000)  # below those the kernel gives to outgoing connections
PORT_TRIES_MAX = 200

ZONE = Zone(
    mx={DOMAIN: ((10, PRIMARY), (20, SECOND))},
    hosts={PRIMARY: PRIMARY_ADDRESS, SECOND: SECOND_ADDRESS},
)

CONFIG = """\
version  = 1
hostname = "{second}"
store    = {store}
owner    = ["ada@elsewhere.example"]
reserve  = "1 MB"
{user}
[web]
url = "none"

[receive]
listen = ["{address}:{port}"]

[dns]
servers = ["{names}"]

[deliver]
port  = {port}
probe = "1 second"
connections_per_site = 1

[[backup]]
domain     = "{domain}"
recipients = {recipients}
"""


class NoStage(Exception):
    """This machine cannot play the demo; the text says why."""


@dataclass(frozen=True, slots=True)
class Stage:
    folder: Path
    primary: MailServer
    west: SendingServer
    east: SendingServer
    east_to_primary: Way
    service: Service


@asynccontextmanager
async def stage(tried: Callable[[SendingServer, Letter, Try], None]) -> AsyncIterator[Stage]:
    """Raises NoStage or NotStarted; whatever was put up by then is taken down."""
    async with AsyncExitStack() as stack:
        folder = Path(
            stack.enter_context(TemporaryDirectory(prefix="secondpost-", ignore_cleanup_errors=True))
        )
        port = free_port((PRIMARY_ADDRESS, SECOND_ADDRESS))
        names, names_port = await serve_names(ZONE, NAMES_ADDRESS)
        stack.callback(names.close)
        asker = Asker(NAMES_ADDRESS, names_port)
        west = SendingServer(
            "post.west.example", WEST_ADDRESS, Network("West", WEST_BORDER), asker, port, tried
        )
        east = SendingServer(
            "mail.east.example", EAST_ADDRESS, Network("East", EAST_BORDER), asker, port, tried
        )
        stack.push_async_callback(west.network.end)
        stack.push_async_callback(east.network.end)
        primary = MailServer(PRIMARY, PRIMARY_ADDRESS, port)
        stack.push_async_callback(primary.switch_off)
        await primary.switch_on()
        service = Service(folder, _write_config(folder, port, names_port), SECOND_ADDRESS, port)
        stack.push_async_callback(service.stop)
        await service.start()
        to_primary = east.network.path_to(PRIMARY_ADDRESS, port)
        yield Stage(folder, primary, west, east, to_primary, service)


def _write_config(folder: Path, port: int, names_port: int) -> Path:
    user = user_name()
    path = folder / "secondpost.toml"
    path.write_text(
        CONFIG.format(
            second=SECOND,
            store=json.dumps(str(folder / "store")),
            user="" if user is None else f"user     = {json.dumps(user)}\n",
            address=SECOND_ADDRESS,
            port=port,
            names=f"{NAMES_ADDRESS}:{names_port}",
            domain=DOMAIN,
            recipients=json.dumps(RECIPIENTS),
        )
    )
    return path


def free_port(hosts: tuple[str, ...]) -> int:
    """A port that nobody has on any of these addresses. Raises NoStage."""
    for port in random.sample(PORTS, PORT_TRIES_MAX):
        try:
            for host in hosts:
                with socket.socket() as door:
                    door.bind((host, port))
        except OSError as error:
            fault = error
            continue
        return port
    raise NoStage(
        f"no port is free on {' and '.join(hosts)} ({fault.strerror}): the demo needs Linux's loopback"
    )
