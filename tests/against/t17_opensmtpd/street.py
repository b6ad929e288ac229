"""A street with two servers, strangers, a trusted network and next hops: what became of each mail.

    unshare --net --mount --pid --fork --kill-child --mount-proc \\
        python -m tests.against.t17_opensmtpd.street FOLDER PART PARTS

One server is Debian's OpenSMTPD with the configuration of a case (or, of a case before 6.4, with the
smtpd.conf of today that we write), the other is ours with what is imported. Both lie in network
namespaces of their own, since OpenSMTPD counts every address of its machine as local.
"""

import io
import re
import shutil
import smtplib
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import dns.message
import msgspec

from bench import peers
from bench.ready import wait_until_greeted
from secondpost.cli.main import secondpost
from tests.against.network_namespaces import inside
from tests.against.t17_opensmtpd.sinks import SINKS, Sinks
from tests.against.t17_opensmtpd.tables import HERE, REFUSED, Case, Row, cases
from tests.world.certificates import make_pair
from tests.world.name_server import Zone

ROUTER: Final = "5.45.111.1"
SERVERS: Final = {"old": "5.45.111.10", "new": "5.45.111.20"}
ROUTER_6: Final = "2a00:1:111::1"
SERVERS_6: Final = {"old": "2a00:1:111::10", "new": "2a00:1:111::20"}
CLIENTS: Final = {
    "stranger": "5.45.101.10",
    "stranger6": "2a00:1:101::10",
    "blocked": "5.45.102.10",
    "office": "10.20.0.5",
}
LOCAL: Final = "local"  # a client on the server itself
START_SECONDS_MAX: Final = 120.0
ARRIVAL_SECONDS_MAX: Final = 60.0
SMTP_SECONDS_MAX: Final = 60.0
WORKERS: Final = 8
ZONE: Final = (
    *(f"{name}.provider.example. 600 IN A {address}" for name, address in SINKS.items()),
    "mx2.example.net. 600 IN A 5.45.111.10",
    *(f"{domain}. 600 IN MX 10 primary.provider.example." for domain in ("example.net", "example.org")),
    *(f"{domain}. 600 IN MX 20 mx2.example.net." for domain in ("example.net", "example.org")),
    "shop.example. 600 IN MX 10 second.provider.example.",
    "elsewhere.example. 600 IN MX 10 second.provider.example.",
    "sender.example. 600 IN MX 10 second.provider.example.",
)


@dataclass
class Outcome:
    """What became of the rows of a case, by their names; and what was said about its lines."""

    case: str
    old: dict[str, str] = field(default_factory=dict)
    ours: dict[str, str] = field(default_factory=dict)
    fates: dict[str, str] = field(default_factory=dict)  # by PATH:LINE
    checked: str = ""  # what smtpd -n says
    trouble: str = ""


def main(folder: Path, part: int, parts: int) -> None:
    """Play every case of a part of them; several streets may run side by side."""
    outcomes = []
    with laid():
        sinks = Sinks(_tls(folder))
        sinks.start()
        for case in cases()[part::parts]:
            outcomes.append(_played(case, folder / case.name.replace("/", "-"), sinks))
        sinks.stop()
    (folder / "outcomes.json").write_bytes(msgspec.json.encode(outcomes))


def _tls(folder: Path) -> ssl.SSLContext:
    pair = make_pair(folder, "sink.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    return context


@contextmanager
def laid() -> Iterator[None]:
    """The namespaces, their addresses, and a name server for both."""
    _run("mount", "-t", "tmpfs", "tmpfs", "/run")
    _ip("link set lo up")
    _ip("link add street type bridge")
    _ip("link set street up")
    _ip(f"address add {ROUTER}/24 dev street")
    _ip(f"address add {ROUTER_6}/64 dev street nodad")
    for address in (*SINKS.values(), *CLIENTS.values()):
        is_6 = ":" in address
        _ip(f"address add {address}/{128 if is_6 else 32} dev street{' nodad' if is_6 else ''}")
    for name, address in SERVERS.items():
        _ip(f"netns add {name}")
        _ip(f"link add {name} type veth peer name eth0 netns {name}")
        _ip(f"link set {name} master street up")
        _ip(f"-n {name} link set lo up")
        _ip(f"-n {name} link set eth0 addrgenmode none")  # a link-local address is not usable at once
        _ip(f"-n {name} address add {address}/24 dev eth0")
        _ip(f"-n {name} address add {SERVERS_6[name]}/64 dev eth0 nodad")
        _ip(f"-n {name} link set eth0 up")
        _ip(f"-n {name} route add default via {ROUTER}")
        _ip(f"-n {name} -6 route add default via {ROUTER_6}")
    with names():
        yield


@contextmanager
def names() -> Iterator[None]:
    """A name server on the router, over UDP."""
    zone = Zone(ZONE)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind((ROUTER, 53))

        def serve() -> None:
            while True:
                wire, caller = door.recvfrom(4096)
                door.sendto(zone.answer(dns.message.from_wire(wire)).to_wire(), caller)

        threading.Thread(target=serve, daemon=True).start()
        yield


class Smtpd:
    """Debian's OpenSMTPD, in the namespace `old`."""

    def __init__(self, folder: Path, conf: str) -> None:
        """`conf`: the path of its file, as seen there."""
        self._folder, self._conf = folder, conf
        self._peer = peers.find("opensmtpd")
        self._process: subprocess.Popen[bytes] | None = None
        for name in ("spool", "run", "lib/opensmtpd/empty", "mail", "tmp"):
            (folder / "var" / name).mkdir(parents=True)

    def command(self, *options: str) -> list[str]:
        line = ["/usr/sbin/smtpd", *options, "-f", self._conf]
        return peers.in_its_room(line, self._folder, {"/var": self._folder / "var"}, self._peer)

    def checked(self) -> str:
        """What smtpd -n says."""
        with inside(Path("/run/netns/old")):
            done = subprocess.run(
                self.command("-n"), env=self._peer.environment, capture_output=True, text=True, check=False
            )
        return done.stdout + done.stderr

    def start(self) -> None:
        with inside(Path("/run/netns/old")), open(self._folder / "output", "ab") as output:
            self._process = subprocess.Popen(
                self.command("-d"),
                env=self._peer.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        wait_until_greeted(25, self._process, START_SECONDS_MAX, self.trouble, SERVERS["old"])

    def stop(self) -> None:
        if self._process is not None:
            peers.end(self._process, START_SECONDS_MAX)

    def trouble(self) -> str:
        return (self._folder / "output").read_text()[-3000:]


class Ours:
    """Secondpost with the imported configuration, in the namespace `new`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.config = folder / "secondpost.toml"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "secondpost", "serve", "--single", "--config", str(self.config)]
        with inside(Path("/run/netns/new")), open(self._folder / "output", "ab") as output:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        wait_until_greeted(25, self._process, START_SECONDS_MAX, self.trouble, SERVERS["new"])

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(START_SECONDS_MAX)

    def trouble(self) -> str:
        return (self._folder / "output").read_text()[-3000:]


def _played(case: Case, folder: Path, sinks: Sinks) -> Outcome:
    outcome = Outcome(case.name)
    shutil.copytree(case.etc, folder / "etc")
    (folder / "etc/resolv.conf").write_text(f"nameserver {ROUTER}\n")
    _certificates(folder / "etc")
    (folder / "ours").mkdir()
    _import(folder, outcome, *("--out", f"{folder}/ours/secondpost.toml", "--store", f"{folder}/ours/store"))
    conf = "/etc/mail/smtpd.conf"
    if case.is_old:
        conf = "/etc/mail/smtpd.conf.new"
        _import(folder, None, "--to", "smtpd.conf", "--out", f"{folder}{conf}")
    _run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={folder}/etc:/etc", "/etc")
    smtpd, ours = Smtpd(folder, conf), Ours(folder / "ours")
    try:
        outcome.checked = smtpd.checked()
        if "configuration OK" not in outcome.checked:
            return outcome
        with ExitStack() as ends, ThreadPoolExecutor(WORKERS) as pool:
            ends.callback(smtpd.stop)
            ends.callback(ours.stop)
            starts = [pool.submit(smtpd.start), pool.submit(ours.start)]
            for start in starts:
                start.result()
            sent = {
                (server, row): pool.submit(_sent, server, case, row)
                for server in SERVERS
                for row in case.rows
            }
            accepted = {key: one.result() for key, one in sent.items()}
            _wait(case, accepted, sinks)
            outcome.trouble = f"{smtpd.trouble()}\n{ours.trouble()}"
        for (server, row), answer in accepted.items():
            where = sinks.where(SERVERS[server], subject(case, row)) or sinks.where(
                SERVERS_6[server], subject(case, row)
            )
            action = REFUSED if answer != "" else ",".join(where) or HERE
            (outcome.old if server == "old" else outcome.ours)[row.name] = action
    finally:
        _run("umount", "/etc")
    return outcome


def _import(folder: Path, outcome: Outcome | None, *options: str) -> None:
    """Run the command; of our own file, keep what the report says of each line."""
    arguments = ["config", "import", "--root", str(folder), "--json", *options, "/etc/mail/smtpd.conf"]
    if outcome is not None:
        arguments += ["--owner", "owner@elsewhere.example"]
    said, faults = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(faults):
        code = _exit_code(arguments)
    if code != 0:
        raise AssertionError(f"{folder}: {faults.getvalue()}")
    if outcome is not None:
        document = msgspec.json.decode(said.getvalue())
        outcome.fates = {f"{one['path']}:{one['line']}": one["fate"] for one in document["lines"]}


def _exit_code(arguments: list[str]) -> object:
    try:
        secondpost(arguments)
    except SystemExit as end:
        return end.code
    return 0


def _certificates(etc: Path) -> None:
    """The pairs that the configuration names, made."""
    for name in re.findall(r"/etc/ssl/(\S+)\.pem", (etc / "mail/smtpd.conf").read_text()):
        (etc / "ssl").mkdir(exist_ok=True)
        pair = make_pair(etc / "ssl", name)
        Path(pair.key).chmod(0o600)


def subject(case: Case, row: Row) -> str:
    return f"{case.name} {row.name}"


def _sent(server: str, case: Case, row: Row) -> str:
    """Send a row's mail; "" if it was taken, else the reply that refused it."""
    with ExitStack() as stack:
        if row.client == LOCAL:
            stack.enter_context(inside(Path("/run/netns") / server))
            source, target = SERVERS[server], SERVERS[server]
        else:
            source = CLIENTS[row.client]
            target = SERVERS_6[server] if ":" in source else SERVERS[server]
        smtp = stack.enter_context(
            smtplib.SMTP(target, 25, "client.example", SMTP_SECONDS_MAX, source_address=(source, 0))
        )
        smtp.ehlo()
        sender = "" if row.sender == "<>" else row.sender
        letter = f"From: someone@sender.example\r\nSubject: {subject(case, row)}\r\n\r\nHello!\r\n"
        try:
            smtp.sendmail(sender, [row.recipient], letter)
        except smtplib.SMTPRecipientsRefused as refused:
            return str(refused.recipients)
        except smtplib.SMTPResponseException as refused:
            return str(refused.smtp_error)
    return ""


def _wait(case: Case, answers: Mapping[tuple[str, Row], str], sinks: Sinks) -> None:
    """Until all mail that was taken has come where it should; what is late shows in the outcome."""
    ends = time.monotonic() + ARRIVAL_SECONDS_MAX
    while time.monotonic() < ends:
        late = [
            row
            for (server, row), answer in answers.items()
            if answer == ""
            and (row.action if server == "old" else row.ours) in SINKS
            and len(sinks.where(SERVERS[server], subject(case, row))) == 0
        ]
        if len(late) == 0:
            return
        time.sleep(0.05)


def _ip(arguments: str) -> None:
    _run("ip", *arguments.split())


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
