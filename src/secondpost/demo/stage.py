"""Sets up the demo: addresses, ports, DNS, networks, servers, the blog, its readers, the service.

Each machine has its own address in 127.0.0.0/8, and all mail servers listen on the same port, in
place of port 25. Everything is removed when the context ends, for any reason.
"""

import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from secondpost.demo.blog import Blog
from secondpost.demo.browser import Browser
from secondpost.demo.configuration import Setup, write_configuration
from secondpost.demo.letters import Letter
from secondpost.demo.mailserver import MailServer
from secondpost.demo.names import Asker, Zone, serve_names
from secondpost.demo.networks import Network, NetworkPath
from secondpost.demo.readers import Reader
from secondpost.demo.senders import SendingServer, Try
from secondpost.demo.service import Service, processes_in

OWN_DOMAIN = "example.net"
PRIMARY = "mx1.provider.example"
SECOND = "mx2.example.net"
BLOG = "www.example.net"
WEST, EAST = "post.west.example", "mail.east.example"
PRIMARY_ADDRESS = "127.0.0.10"
SECOND_ADDRESS = "127.0.0.20"
NAMES_ADDRESS = "127.0.0.53"
BLOG_ADDRESS = "127.0.0.80"
PAGES_ADDRESS = "127.0.0.1"  # so that a browser on this machine can open them
WEST_BORDER, WEST_ADDRESS = "127.1.0.1", "127.1.0.25"
EAST_BORDER, EAST_ADDRESS = "127.2.0.1", "127.2.0.25"
EAST_DOMAINS = ("east.example", "harbour.example")  # both send by East's server
NETWORKS = """\
127.1.0.0\t127.1.255.255\t64501\tXW\tWEST-NET
127.2.0.0\t127.2.255.255\t64502\tXE\tEAST-TELECOM
"""
RECIPIENTS = ("ada@example.net", "orders@example.net")
READERS = 5
PORTS = range(20_000, 30_000)  # below the kernel's range for outgoing connections
PORT_TRIES_MAX = 200

ZONE = Zone(
    mx={
        OWN_DOMAIN: ((10, PRIMARY), (20, SECOND)),
        "west.example": ((10, WEST),),
        "east.example": ((10, EAST),),
        "harbour.example": ((10, EAST),),
        "elsewhere.example": ((10, WEST),),  # the owner's mailbox: alarms go there
    },
    hosts={
        PRIMARY: PRIMARY_ADDRESS,
        SECOND: SECOND_ADDRESS,
        BLOG: BLOG_ADDRESS,
        WEST: WEST_ADDRESS,
        EAST: EAST_ADDRESS,
    },
    texts=dict.fromkeys(EAST_DOMAINS, f"v=spf1 ip4:{EAST_ADDRESS} -all")
    | {f"_dmarc.{domain}": "v=DMARC1; p=reject" for domain in EAST_DOMAINS},
)


class NoStage(Exception):
    """The demo cannot run on this machine; the text says why."""


@dataclass(frozen=True, slots=True)
class Stage:
    folder: Path
    primary: MailServer
    west: SendingServer
    east: SendingServer
    east_to_primary: NetworkPath
    service: Service
    pages: str  # URL of the public pages
    blog: Blog
    readers: tuple[Reader, ...]
    browser: Browser

    @property
    def doors(self) -> tuple[tuple[str, int], ...]:
        """The listening addresses of the demo."""
        port = self.service.port
        web = int(self.pages.rpartition(":")[2])
        mail = [(host, port) for host in (PRIMARY_ADDRESS, SECOND_ADDRESS, WEST_ADDRESS, EAST_ADDRESS)]
        return (*mail, (PAGES_ADDRESS, web), (self.blog.host, self.blog.port))


@asynccontextmanager
async def stage(tried: Callable[[SendingServer, Letter, Try], None]) -> AsyncIterator[Stage]:
    """Set everything up, and remove it at the end. Raises NoStage or NotStarted."""
    async with AsyncExitStack() as stack:
        folder = Path(
            stack.enter_context(TemporaryDirectory(prefix="secondpost-", ignore_cleanup_errors=True))
        )
        port = free_port((PRIMARY_ADDRESS, SECOND_ADDRESS, WEST_ADDRESS, EAST_ADDRESS))
        names, names_port = await serve_names(ZONE, NAMES_ADDRESS)
        stack.callback(names.close)
        asker = Asker(NAMES_ADDRESS, names_port)
        in_west, in_east = Network("West", WEST_BORDER), Network("East", EAST_BORDER)
        west = SendingServer(WEST, WEST_ADDRESS, in_west, asker, port, tried, ("west.example",))
        east = SendingServer(EAST, EAST_ADDRESS, in_east, asker, port, tried, EAST_DOMAINS)
        stack.push_async_callback(west.network.end)
        stack.push_async_callback(east.network.end)
        primary = await _switched_on(stack, MailServer(PRIMARY, PRIMARY_ADDRESS, port))
        at_west = await _switched_on(stack, MailServer(WEST, WEST_ADDRESS, port))
        at_east = await _switched_on(stack, MailServer(EAST, EAST_ADDRESS, port))
        browser = Browser(asker)
        servers = [(at_west, at_east)[number % 2] for number in range(READERS)]
        readers = tuple(
            Reader(f"reader{number}@{server.name.partition('.')[2]}", server, browser)
            for number, server in enumerate(servers, 1)
        )
        blog = Blog(BLOG, BLOG_ADDRESS)
        stack.push_async_callback(blog.close)
        await blog.open()
        setup = Setup(
            hostname=SECOND,
            receive=f"{SECOND_ADDRESS}:{port}",
            web=f"{PAGES_ADDRESS}:{free_port((PAGES_ADDRESS,))}",
            names=f"{NAMES_ADDRESS}:{names_port}",
            port=port,
            domain=OWN_DOMAIN,
            recipients=RECIPIENTS,
            feed=f"{blog.home}/feed.xml",
            networks=NETWORKS,
        )
        service = Service(folder, write_configuration(folder, setup), SECOND_ADDRESS, port)
        stack.push_async_callback(service.stop)
        await service.start()
        to_primary = east.network.path_to(PRIMARY_ADDRESS, port)
        yield Stage(folder, primary, west, east, to_primary, service, setup.pages, blog, readers, browser)


async def _switched_on(stack: AsyncExitStack, server: MailServer) -> MailServer:
    stack.push_async_callback(server.switch_off)
    await server.switch_on()
    return server


def left_of(stage: Stage) -> list[str]:
    """What was not cleaned up: the folder, addresses that still answer, processes."""
    left = [str(stage.folder)] if stage.folder.exists() else []
    for host, port in stage.doors:
        with suppress(OSError), socket.create_connection((host, port), timeout=1.0):
            left.append(f"{host}:{port}")
    return left + processes_in(stage.folder)


def free_port(hosts: tuple[str, ...]) -> int:
    """A port that is free on all these addresses. Raises NoStage."""
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
