"""The old server and ours, one after the other on the same addresses, asked the same questions over SMTP.

    unshare --net --mount --pid --uts --fork --kill-child --mount-proc \
        python -m tests.against.t17_exim.compare FOLDER

FOLDER is an empty one. The result is FOLDER/result.json.
"""

import json
import shutil
import smtplib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from click.testing import CliRunner

from bench import peers
from bench.ready import wait_until_greeted
from secondpost.cli.config_import import import_
from tests.against.network_namespaces import inside
from tests.against.primaries import PostfixPrimary
from tests.against.servers import START_SECONDS_MAX, STOP_SECONDS_MAX, folder_of
from tests.against.t09_newcomer.names import KNOT, SOA, NameServer
from tests.against.t09_newcomer.names import ZONE as SERVED
from tests.against.t17_exim.cases import CASES, Case, Outcome, Result, Row

HOST: Final = "mx2.example.net"
# Public addresses, which exist only in here: those for documentation are private ones to our server.
SERVER: Final = "5.45.120.25"
PRIMARY: Final = "5.45.140.50"
GATEWAY: Final = "5.45.140.1"  # this namespace, as the provider's sees it
PROVIDER: Final = Path("/run/netns/provider")
NAME_SERVER: Final = "5.45.112.53"
CLIENTS: Final = {"stranger": "5.45.130.5", "friend": "5.45.131.7", "itself": "127.0.0.1"}
ANSWER_SECONDS_MAX: Final = 20
MESSAGES_MAX: Final = 8  # in a connection: Exim counts RSET, and has a limit of 10
MAILBOXES: Final = ("anna@example.net", "ben@example.net", "anna@club.example", "postmaster@example.net")
DOMAINS: Final = ("example.net", "club.example", "shop.example", "sub.example.net", "partner.example")
ZONE: Final = f"""\
{HOST}. A {SERVER}
primary.provider.example. A {PRIMARY}
smtp.provider.example. A {PRIMARY}
elsewhere.example. MX 10 primary.provider.example.
client.elsewhere.example. A {CLIENTS["stranger"]}
""" + "".join(f"{name}. MX 10 primary.provider.example.\n{name}. MX 20 {HOST}.\n" for name in DOMAINS)


def lay(folder: Path) -> None:
    """The addresses, the resolver and the name of the machine."""
    # Named namespaces are files there; elsewhere in the system they are not seen.
    _run("mount", "-t", "tmpfs", "tmpfs", "/run")
    lines = [
        "link set lo up",
        *(f"address add {one}/32 dev lo" for one in (SERVER, NAME_SERVER, *list(CLIENTS.values())[:2])),
        "netns add provider",
        "link add provider type veth peer name eth0 netns provider",
        f"address add {GATEWAY}/24 dev provider",
        "link set provider up",
        "-n provider link set lo up",
        f"-n provider address add {PRIMARY}/24 dev eth0",
        "-n provider link set eth0 up",
        f"-n provider route add default via {GATEWAY}",
    ]
    for line in lines:
        _run("ip", *line.split())
    resolv_conf = folder / "resolv.conf"
    resolv_conf.write_text(f"nameserver {NAME_SERVER}\noptions timeout:1 attempts:5\n")
    _run("mount", "--bind", str(resolv_conf), "/etc/resolv.conf")
    _run("hostname", HOST)


def name_server(folder: Path) -> NameServer:
    """A Knot that has all names itself: it is asked by both servers."""
    (folder / ".zone").write_text(
        f"$ORIGIN .\n$TTL 60\n{SOA.format(serial=1)}ns.dns.example. A {NAME_SERVER}\n{ZONE}"
    )
    served = KNOT.format(address=NAME_SERVER, folder=folder) + SERVED.format(domain="")
    (folder / "knot.conf").write_text(served)
    return NameServer(folder, "knot", ["usr/sbin/knotd", "-c", f"{folder}/knot.conf"])


def compared(case: Case, folder: Path, primary: PostfixPrimary) -> Result:
    root = folder_of(folder, "root")
    case.lay(root, peers.find("exim").file("etc/exim4"))
    with exim(case, folder, root):
        old = asked(case, primary)
    imported = _imported(case, folder, root)
    with secondpost(folder):
        new = asked(case, primary)
    rows = [Row(*question, old[question], new[question]) for question in old]
    return Result(case.name, rows, imported["lines"], (folder / "secondpost.toml").read_text())


def asked(case: Case, primary: PostfixPrimary) -> dict[tuple[str, str, str, bool], Outcome]:
    """The answers, by client, sender, recipient, and whether the primary was up."""
    answers = _answers(case, is_primary_up=True)
    if case.is_primary_stopped:
        with inside(PROVIDER):
            primary.stop()
        answers |= _answers(case, is_primary_up=False)
        with inside(PROVIDER):
            primary.start()
    return answers


def _answers(case: Case, *, is_primary_up: bool) -> dict[tuple[str, str, str, bool], Outcome]:
    return {
        (client, sender, recipient, is_primary_up): outcome
        for client in CLIENTS
        for sender in case.senders
        for start in range(0, len(case.recipients), MESSAGES_MAX)
        for recipient, outcome in _connection(client, sender, case.recipients[start : start + MESSAGES_MAX])
    }


def _connection(client: str, sender: str, recipients: Sequence[str]) -> Iterator[tuple[str, Outcome]]:
    """A message to each, in one connection, ended before its body."""
    server = "127.0.0.1" if client == "itself" else SERVER
    name, source = "client.elsewhere.example", (CLIENTS[client], 0)
    try:
        with smtplib.SMTP(server, 25, name, ANSWER_SECONDS_MAX, source_address=source) as smtp:
            smtp.ehlo()
            for recipient in recipients:
                code, _ = smtp.mail(sender)
                if code < 400:
                    code, _ = smtp.rcpt(recipient)
                yield recipient, _outcome(code)
                smtp.rset()
    except ConnectionRefusedError:
        yield from ((recipient, Outcome.CLOSED) for recipient in recipients)


def _outcome(code: int) -> Outcome:
    return Outcome.ACCEPTED if code < 400 else Outcome.DEFERRED if code < 500 else Outcome.REFUSED


@contextmanager
def exim(case: Case, folder: Path, root: Path) -> Iterator[None]:
    """Debian's Exim with this configuration; of its parts it is made as Debian makes it."""
    peer, owner = peers.find("exim"), peers.number_of("Debian-exim")
    for name in ("spool", "log", "lib"):
        shutil.chown(folder_of(folder_of(folder, name), "exim4"), owner, owner)
    mounts = [
        f'mount -t overlay overlay -o "lowerdir={root}/etc:/etc" /etc',
        f'mount --bind "{folder}/spool" /var/spool',
        f'mount --bind "{folder}/log" /var/log',
        f'mount --bind "{folder}/lib" /var/lib',
    ]
    made = ["/usr/sbin/update-exim4.conf"] if case.is_made else []
    script = " && ".join([*mounts, *made, "exec /usr/sbin/exim4 -bdf"])
    command = peers.in_its_room(["sh", "-c", script], folder, {}, peer)
    # The overlay hides what is mounted on files of /etc.
    for file in (folder / "passwd", folder / "group", folder.parent / "resolv.conf"):
        shutil.copy(file, root / "etc" / file.name)
    with open(folder / "output", "ab") as output:
        process = subprocess.Popen(
            command, env=peer.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        wait_until_greeted(25, process, START_SECONDS_MAX, lambda: _said(folder))
        yield
    finally:
        peers.end(process, STOP_SECONDS_MAX)


def _imported(case: Case, folder: Path, root: Path) -> dict[str, list[dict[str, object]]]:
    """What `config import` says; the new file is then beside it."""
    file = folder / "secondpost.toml"
    words = [case.read, "--root", str(root), "--out", str(file), "--store", f"{folder}/store"]
    words += ["--owner", "owner@elsewhere.example", "--hostname", HOST, "--json", "--yes"]
    done = CliRunner().invoke(import_, words)
    assert done.exit_code == 0, done.output
    # Root runs it here, and there is no user of its own.
    file.write_text(file.read_text().replace("\nstore ", '\nuser = "root"\nstore ', 1))
    document: dict[str, list[dict[str, object]]] = json.loads(done.stdout)
    return document


@contextmanager
def secondpost(folder: Path) -> Iterator[None]:
    with open(folder / "ours", "ab") as output:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "secondpost",
                "serve",
                "--single",
                "--config",
                f"{folder}/secondpost.toml",
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        wait_until_greeted(25, process, START_SECONDS_MAX, lambda: (folder / "ours").read_text()[-4000:])
        yield
    finally:
        process.terminate()
        process.wait(STOP_SECONDS_MAX)


def _said(folder: Path) -> str:
    logs = [folder / "output", *(folder / "log/exim4").glob("*")]
    return "\n".join(path.read_text(errors="replace") for path in logs if path.exists())[-4000:]


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"


def main(arguments: Sequence[str]) -> None:
    folder, *named = [Path(arguments[0]), *arguments[1:]]
    assert isinstance(folder, Path)
    lay(folder)
    names = name_server(folder_of(folder, "dns"))
    more = {"virtual_mailbox_domains": " ".join(DOMAINS), "smtpd_peername_lookup": "no"}
    primary = PostfixPrimary.prepared(folder, MAILBOXES, more, port=25, address=PRIMARY)
    results = list[Result]()
    names.start()
    try:
        with inside(PROVIDER):
            primary.start()
        for case in CASES:
            if len(named) == 0 or case.name in named:
                results.append(compared(case, folder_of(folder, case.name), primary))
    finally:
        primary.stop()
        names.stop()
    (folder / "result.json").write_bytes(msgspec.json.encode(results))


if __name__ == "__main__":
    main(sys.argv[1:])
