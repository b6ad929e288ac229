"""Debian's servers side by side: mail servers conflict, so each is unpacked into its own root.

`python -m bench.peers unpack` downloads with apt and unpacks into .peers/ without installing;
`python -m bench.peers check` reports what is missing. An installed peer works as well. The system
users that a package would create exist only inside the mount namespace of the peer.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import debian_root

PROJECT: Final = Path(__file__).resolve().parent.parent
PEERS: Final = PROJECT / ".peers"

# name: (Debian packages, a file that proves their presence)
PACKAGES: Final = {
    "postfix": ("postfix", "usr/sbin/postfix"),
    "exim": ("exim4-daemon-light", "usr/sbin/exim4"),
    "opensmtpd": ("opensmtpd", "usr/sbin/smtpd"),
    "sendmail": ("sendmail-bin sendmail-cf m4", "usr/libexec/sendmail/sendmail"),
    "sasl": ("sasl2-bin libsasl2-modules", "usr/sbin/saslpasswd2"),  # the logins of Postfix
    "unbound": ("unbound", "usr/sbin/unbound"),
    "knot": ("knot", "usr/sbin/knotd"),
    "nftables": ("nftables", "usr/sbin/nft"),
    "nginx": ("nginx", "usr/sbin/nginx"),
    "apache": ("apache2-bin", "usr/sbin/apache2"),
    "caddy": ("caddy", "usr/bin/caddy"),
    "pebble": ("pebble", "usr/bin/pebble"),
    "prometheus": ("prometheus", "usr/bin/promtool"),
    "rspamd": ("rspamd", "usr/bin/rspamd"),
    "opendmarc": ("opendmarc", "usr/sbin/opendmarc"),
}

# user or group: number, used if the system has none of that name
NUMBERS: Final = {
    "postfix": 28117,
    "postdrop": 28118,
    "Debian-exim": 28119,
    "opensmtpd": 28120,
    "opensmtpq": 28121,
}


class PeerMissing(Exception):
    """A peer or a right is missing; the text says what to type."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The place of a mail server."""

    root: Path  # "/" if it is installed in the system

    def file(self, name: str) -> Path:
        return self.root / name

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which its programs find their libraries."""
        folders = ["usr/lib/postfix", "usr/lib/opensmtpd"]
        folders += [f"{lib}/{triplet.name}" for lib in ("usr/lib", "lib") for triplet in self._triplets(lib)]
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C",
            "LD_LIBRARY_PATH": ":".join(str(self.root / folder) for folder in folders),
        }

    def _triplets(self, lib: str) -> list[Path]:
        return sorted((self.root / lib).glob("*-linux-gnu*"))


def find(name: str) -> Peer:
    packages, shows = PACKAGES[name]
    for root in (PEERS / name, Path("/")):
        if (root / shows).exists():
            return Peer(root)
    raise PeerMissing(f"{packages} is missing: make peers (or: apt-get install {packages})")


def find_machine() -> tuple[Path, Path]:
    """The layers of a Debian with systemd: with Python, and below it without."""
    if not debian_root.is_there(PEERS):
        raise PeerMissing("a Debian with systemd is missing: apt-get install debootstrap, then make peers")
    return PEERS / debian_root.WITH_PYTHON, PEERS / debian_root.BARE


def need_root() -> None:
    if os.geteuid() != 0:
        raise PeerMissing("real mail servers switch users, so this needs root: sudo make …")


def number_of(name: str) -> int:
    """The user or group number of this name as seen by a peer's program."""
    for line in Path("/etc/passwd").read_text().splitlines() + Path("/etc/group").read_text().splitlines():
        fields = line.split(":")
        if fields[0] == name:
            return int(fields[2])
    return NUMBERS[name]


def in_its_room(
    command: Sequence[str], folder: Path, binds: Mapping[str, Path], usr_of: Peer | None = None
) -> list[str]:
    """A command line that runs `command` in a mount and PID namespace with the peers' users.

    `binds` maps paths to what is mounted there. The command is process 1 of the namespace: when it
    ends, all its children end. `folder` keeps the two files of users. With `usr_of`, the peer's
    files are overlaid on /usr, for a peer with built-in paths.
    """
    for kind in ("passwd", "group"):
        text = Path(f"/etc/{kind}").read_text()
        there = {line.partition(":")[0] for line in text.splitlines()}
        for name, number in NUMBERS.items():
            if name not in there:
                rest = f"{number}::/nonexistent:/usr/sbin/nologin" if kind == "passwd" else ""
                text += f"{name}:x:{number}:{rest}\n"
        (folder / kind).write_text(text)
    all_binds = {"/etc/passwd": folder / "passwd", "/etc/group": folder / "group", **binds}
    script = "".join(f'mount --bind "{there}" "{place}" && ' for place, there in all_binds.items())
    if usr_of is not None and usr_of.root != Path("/"):
        script += f'mount -t overlay overlay -o "lowerdir={usr_of.file("usr")}:/usr" /usr && '
    room = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    return [*room, "sh", "-c", script + 'exec "$@"', "room", *command]


def first_in(room: subprocess.Popen[bytes]) -> int:
    """The process id of in_its_room's command, as seen from outside; 0 if it is gone."""
    try:
        children = Path(f"/proc/{room.pid}/task/{room.pid}/children").read_text().split()
    except OSError:
        return 0
    return int(children[0]) if len(children) > 0 else 0


def end(room: subprocess.Popen[bytes], seconds_max: float) -> None:
    """Send SIGTERM; kill it after `seconds_max`."""
    first = first_in(room)
    if first > 0:
        with contextlib.suppress(ProcessLookupError):
            os.kill(first, signal.SIGTERM)
    try:
        room.wait(seconds_max)
    except subprocess.TimeoutExpired:
        room.kill()  # --kill-child: the namespace goes with it
        room.wait()


def unpack(name: str) -> None:
    """Download the packages and their missing dependencies; unpack all into one root."""
    asked, shows = PACKAGES[name]
    root = PEERS / name
    if any((there / shows).exists() for there in (root, Path("/"))):
        return
    wanted = subprocess.run(
        ["apt-get", "install", "--simulate", "--no-install-recommends", *asked.split()],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
    )
    packages = [line.split()[1] for line in wanted.stdout.splitlines() if line.startswith("Inst ")]
    half = PEERS / f"{name}.part"
    shutil.rmtree(half, ignore_errors=True)
    (half / "archives").mkdir(parents=True)
    subprocess.run(
        ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", *packages],
        cwd=half / "archives",
        check=True,
    )
    for archive in sorted((half / "archives").iterdir()):
        subprocess.run(["dpkg-deb", "-x", str(archive), str(half)], check=True)
    shutil.rmtree(half / "archives")
    half.rename(root)


def main(arguments: Sequence[str]) -> int:
    match list(arguments):
        case ["unpack"]:
            for name in PACKAGES:
                unpack(name)
            debian_root.bootstrap(PEERS)
            return 0
        case ["check"]:
            try:
                need_root()
                for name in PACKAGES:
                    find(name)
                find_machine()
            except PeerMissing as missing:
                print(missing, file=sys.stderr)
                return 1
            return 0
        case _:
            print("python -m bench.peers unpack|check", file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
