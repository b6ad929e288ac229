"""A small internet around one router: four networks with a mail server and a resolver each, a provider with
the primary, and Secondpost elsewhere. Each has a network namespace of its own. The router is the namespace
of the calling process, with the servers of DNS: every packet between two others passes it.
"""

import smtplib
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from bench import peers
from bench.ours import DOMAIN, Secondpost
from bench.postfix import Postfix
from tests.against.network_namespaces import inside
from tests.against.primaries import PostfixPrimary
from tests.against.sending import until
from tests.against.servers import folder_of
from tests.against.t09_newcomer.names import Names, Resolver
from tests.against.t16_blocks.networks import NETWORKS, OURS, PLACES, PROVIDER, Network, Way

NAME_SERVER: Final = "5.45.112.53"
RESOLVER: Final = "5.45.112.54"
NOTICE: Final = "5.45.112.80"  # where the poisoned resolver sends everyone; nothing listens on port 25
PRIMARY_HOST: Final = "mx1.provider.example"
OUR_HOST: Final = "mx2.example.net"
SPEED: Final = 12_000  # an hour in 0.3 s
SUBMIT_SECONDS_MAX: Final = 30
ANSWER_SECONDS_MAX: Final = 20.0

# What nftables does in the router with packets from a network to port 25 of the primary.
RULES: Final = {
    Way.DROP: "drop",
    Way.REJECT: "reject with icmp type admin-prohibited",
    # The SYN passes and is answered; whatever the sender says then meets a reset.
    Way.RESET: "tcp flags & syn == 0 reject with tcp reset",
}
CHAIN: Final = """\
table ip blocks {
  chain forward {
    type filter hook forward priority 0;
  }
}
"""
CONFIG: Final = """\
version  = 3
hostname = "{host}"
store    = "{folder}/store"
user     = "root"
owner    = ["owner@elsewhere.example"]
[receive]
listen = ["0.0.0.0:25"]
[dns]
servers = ["{resolver}"]
[watch]
networks = "file:{folder}/networks.tsv"
speed    = {speed}
[[backup]]
domain       = "{domain}"
authenticate = "record"
"""
ROOT_ZONE: Final = """\
{domain}. MX 10 {primary}.
{domain}. MX 20 {ours}.
elsewhere.example. MX 10 {primary}.
{primary}. A {primary_address}
{ours}. A {our_address}
"""
AUTHOR_ZONE: Final = """\
@ TXT "v=spf1 ip4:{address} -all"
_dmarc TXT "v=DMARC1; p=reject"
"""


class Backup(Secondpost):
    """Knows its primary from the MX records."""

    def write(self) -> None:
        lines = [network.line for network in NETWORKS]
        (self.folder / "networks.tsv").write_text("".join(lines))
        self.config.write_text(
            CONFIG.format(host=OUR_HOST, folder=self.folder, resolver=RESOLVER, speed=SPEED, domain=DOMAIN)
        )


class Internet:
    def __init__(self, folder: Path) -> None:
        root = ROOT_ZONE.format(
            domain=DOMAIN,
            primary=PRIMARY_HOST,
            ours=OUR_HOST,
            primary_address=PROVIDER.address,
            our_address=OURS.address,
        )
        zones = {
            author: AUTHOR_ZONE.format(address=network.place.address)
            for network in NETWORKS
            for author in network.authors
        }
        self.names = Names(folder_of(folder, "dns"), NAME_SERVER, RESOLVER, {"": root, **zones})
        self.resolvers = {
            network.way: Resolver(folder_of(folder, f"resolver-{network.way}"), "127.0.0.1", NAME_SERVER)
            for network in NETWORKS
        }
        self.senders = {network.way: _sender(folder, network) for network in NETWORKS}
        self.primary = PostfixPrimary.prepared(
            folder,
            (f"reader@{DOMAIN}", "owner@elsewhere.example"),
            {"virtual_mailbox_domains": f"{DOMAIN} elsewhere.example", "smtpd_peername_lookup": "no"},
            port=25,
            address=PROVIDER.address,
        )
        self.ours = Backup(folder / "ours", 25, 25)
        self._resolv_conf = folder / "resolv.conf"

    @contextmanager
    def open(self) -> Iterator[None]:
        """With all of it running. The calling process is in namespaces of its own: of network, mounts and
        processes.
        """
        self._lay()
        with ExitStack() as ends:
            ends.callback(self.names.stop)
            self.names.start()
            for network in NETWORKS:
                with inside(network.place.namespace):
                    resolver, sender = self.resolvers[network.way], self.senders[network.way]
                    ends.callback(resolver.stop)
                    resolver.start()
                    ends.callback(sender.stop)
                    sender.start()
            with inside(PROVIDER.namespace):
                ends.enter_context(self.primary)
            with inside(OURS.namespace):
                ends.enter_context(self.ours)
            yield

    def _lay(self) -> None:
        """The namespaces, and the cables between each and the router."""
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        # Named namespaces are files there; elsewhere in the system they are not seen.
        _run("mount", "-t", "tmpfs", "tmpfs", "/run")
        self._resolv_conf.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:5\n")
        _run("mount", "--bind", str(self._resolv_conf), "/etc/resolv.conf")
        _ip("link set lo up")
        for address in (NAME_SERVER, RESOLVER, NOTICE):
            _ip(f"address add {address}/32 dev lo")
        for place in PLACES:
            _ip(f"netns add {place.name}")
            _ip(f"link add {place.name} type veth peer name eth0 netns {place.name}")
            _ip(f"address add {place.prefix}.1/24 dev {place.name}")
            _ip(f"link set {place.name} up")
            _ip(f"-n {place.name} link set lo up")
            _ip(f"-n {place.name} address add {place.address}/24 dev eth0")
            _ip(f"-n {place.name} link set eth0 up")
            _ip(f"-n {place.name} route add default via {place.prefix}.1")
        _nft(CHAIN)

    @contextmanager
    def blocked(self, network: Network) -> Iterator[None]:
        """With the network cut off from the primary, in its way."""
        if network.way is Way.POISON:
            self._answer(network, NOTICE)
            yield
            self._answer(network, PROVIDER.address)
            return
        matched = f"ip saddr {network.place.prefix}.0/24 ip daddr {PROVIDER.address} tcp dport 25"
        _nft(f"add rule ip blocks forward {matched} {RULES[network.way]}")
        yield
        _nft("flush chain ip blocks forward")

    def _answer(self, network: Network, address: str) -> None:
        """The network's resolver gives this address for the primary's host."""
        lies = {} if address == PROVIDER.address else {PRIMARY_HOST: address}
        self.resolvers[network.way].lie(lies)
        with inside(network.place.namespace):
            until(lambda: _address_of(PRIMARY_HOST) == address, ANSWER_SECONDS_MAX, self.trouble)

    def submit(self, network: Network, author: str, subject: str) -> None:
        """A customer hands a mail to the network's own server."""
        letter = f"From: someone@{author}\r\nTo: reader@{DOMAIN}\r\nSubject: {subject}\r\n\r\nHello!\r\n"
        with smtplib.SMTP(network.place.address, 25, "customer.example", SUBMIT_SECONDS_MAX) as smtp:
            smtp.sendmail(f"someone@{author}", [f"reader@{DOMAIN}"], letter)

    def trouble(self) -> str:
        senders = [f"-- {way}: {sender.trouble()}" for way, sender in self.senders.items()]
        return "\n".join([*senders, self.primary.trouble(), self.ours.trouble()])


def _sender(folder: Path, network: Network) -> Postfix:
    settings = {
        "myhostname": f"mail.{network.way}.example",
        "inet_interfaces": network.place.address,
        "mynetworks": f"{network.place.prefix}.0/24",
        "default_transport": "smtp",
        "smtp_tls_security_level": "none",
        "smtp_connect_timeout": "1s",
        "queue_run_delay": "2s",
        "minimal_backoff_time": "2s",
        "maximal_backoff_time": "2s",
        "smtpd_peername_lookup": "no",
    }
    postfix = Postfix(folder_of(folder, f"sender-{network.way}"), 25, settings, address=network.place.address)
    postfix.write()
    return postfix


def _address_of(host: str) -> str:
    """As programs find it; "" if there is no answer."""
    try:
        return socket.gethostbyname(host)
    except OSError:
        return ""


def _run(*command: str, said: str | None = None, surroundings: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(command, input=said, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"


def _ip(words: str) -> None:
    _run("ip", *words.split())


def _nft(commands: str) -> None:
    peer = peers.find("nftables")
    _run(str(peer.file("usr/sbin/nft")), "-f", "-", said=commands, surroundings=peer.environment)
