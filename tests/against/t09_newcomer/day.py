"""Type the guide's commands in the town, and write down what they print.

    unshare --net --mount --pid --fork --kill-child --mount-proc \
        python -m tests.against.t09_newcomer.day GUIDE FOLDER PACKAGE

GUIDE is the page, FOLDER an empty one, PACKAGE the Debian package. The result is FOLDER/result.json:
for each command its output and its seconds, and the owner's mails; and how the machine stood after
the last command.
"""

import json
import shutil
import smtplib
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from secondpost.mail.store_rooms import ROLES
from tests.against.sending import until
from tests.against.t09_newcomer import addresses
from tests.against.t09_newcomer.addresses import real, shown
from tests.against.t09_newcomer.console import Direction, Typed, as_shown, id_in, script_of
from tests.against.t09_newcomer.town import Town
from tests.against.t11_certificates.pebble import Pebble

COMMAND_SECONDS_MAX: Final = 120.0
EVENT_SECONDS_MAX: Final = 150.0
HOST: Final = "mx2.example.net"
HOME: Final = "/srv"  # where the newcomer types
CONFIGURATION: Final = "/etc/secondpost/secondpost.toml"
ENVIRONMENT: Final = ("COLUMNS=100", "DEBIAN_FRONTEND=noninteractive")


@dataclass(frozen=True, slots=True)
class Run:
    """A command that was typed."""

    command: str
    output: str
    seconds: float
    exit_code: int


@dataclass(slots=True)
class Result:
    runs: list[Run] = field(default_factory=list)
    owners_mails: list[str] = field(default_factory=list)
    readers_mails: list[str] = field(default_factory=list)
    held_mails: list[str] = field(default_factory=list)  # in the primary's mailbox at the end
    units: dict[str, str] = field(default_factory=dict)  # what `is-active` says of each role
    failed_units: str = ""
    certified: list[str] = field(default_factory=list)  # ports whose certificate the town trusts
    left_by_removal: str = ""
    log: str = ""


class Day:
    def __init__(self, folder: Path, package: Path) -> None:
        self.town = Town(folder)
        self.result = Result()
        self._package = package
        self._publishing = False
        self._id = ""  # of the mail that the commands speak of

    def play(self, guide: str) -> None:
        with self.town.open() as certifier:
            shutil.copy(self._package, self.town.machine.file(HOME))
            directions = self._directions(certifier)
            try:
                for step in script_of(guide):
                    if isinstance(step, Direction):
                        directions[step.words]()
                    else:
                        self._type(step)
                self._look_into_the_mailboxes()
                self._look_at_the_machine(certifier)
                self._remove()
            finally:
                self.result.log = self.town.machine.journal("secondpost*")

    def _type(self, typed: Typed) -> None:
        command = typed.command.replace(id_in(typed.command) or self._id, self._id)
        begun = time.monotonic()
        output, code = self._run(real(command))
        seconds = time.monotonic() - begun
        output = as_shown(command, shown(output).strip("\n"))
        self._id = self._id or id_in(output)
        self.result.runs.append(Run(command, output, seconds, code))

    def _run(self, command: str) -> tuple[str, int]:
        process = subprocess.Popen(
            self.town.machine.enter("env", *ENVIRONMENT, "sh", "-c", f"cd {HOME}; {command}"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if self._publishing:  # the newcomer copies the lines into the zone while the command waits
            self._publishing = False
            zone = self.town.machine.file(f"{HOME}/zone.txt")
            until(lambda: zone.exists() and len(zone.read_text()) > 0, COMMAND_SECONDS_MAX, self._trouble)
            self.town.names.publish("example.net", zone.read_text())
        output, _ = process.communicate(timeout=COMMAND_SECONDS_MAX)
        return output, process.returncode

    # -- what happens outside

    def _directions(self, certifier: Pebble) -> dict[str, Callable[[], None]]:
        return {
            "the records are published while the next command waits": self._publish_next,
            "waiting times are shortened": lambda: self._shorten(certifier),
            "the certificate is there": self._has_certificate,
            "the provider is down, and someone writes": self._outage,
            "the owner hears of the outage": lambda: self._owner_has(1),
            "the provider is back": self._back,
            "the owner hears of its end": lambda: self._owner_has(2),
            "the issue has reached the reader": self._reader_has_the_issue,
        }

    def _publish_next(self) -> None:
        self._publishing = True

    def _shorten(self, certifier: Pebble) -> None:
        """So that the page can be tested in minutes: an issue needs no ten minutes of a settled
        feed, and an outage is reported at once. And the authority is this internet's.
        """
        root = self.town.machine.file("/etc/secondpost/authority.pem")
        shutil.copy(certifier.root, root)
        root.chmod(0o600)  # root's: systemd gives it to the role that needs it
        file = self.town.machine.file(CONFIGURATION)
        text = file.read_text()
        newsletter = '[[newsletter]]\nsettle = "0 minutes"\nstart = "everything"\n'
        text = text.replace("[[newsletter]]\n", newsletter)
        acme = f'[acme]\ndirectory = "{certifier.directory}"\nroot = "authority.pem"\n'
        quick = '[alarms]\nheld_after = "1 second"\n\n[deliver]\nprobe = "1 second"\n'
        file.write_text(f"{text}\n{acme}\n{quick}")

    def _has_certificate(self) -> None:
        def stage() -> object:
            said = self.town.machine.run("secondpost", "tls", "show", "--json", check=False).stdout
            return json.loads(said)["stage"] if len(said) > 0 else ""

        until(lambda: stage() == "in-use", EVENT_SECONDS_MAX, self._trouble)

    def _outage(self) -> None:
        self.town.provider.stop()
        self.town.write_to("me@example.net", "Are you there?")

    def _back(self) -> None:
        self.town.provider.start()
        until(lambda: len(self.town.mails_of(self.town.provider, "me")) > 0, EVENT_SECONDS_MAX, self._trouble)

    def _owner_has(self, mails: int) -> None:
        until(
            lambda: len(self.town.mails_of(self.town.mailboxes, "me")) >= mails,
            EVENT_SECONDS_MAX,
            self._trouble,
        )

    def _reader_has_the_issue(self) -> None:
        until(
            lambda: len(self.town.mails_of(self.town.mailboxes, "reader")) > 0,
            EVENT_SECONDS_MAX,
            self._trouble,
        )

    def _look_into_the_mailboxes(self) -> None:
        town = self.town
        self.result.owners_mails = [shown(mail) for mail in town.mails_of(town.mailboxes, "me")]
        self.result.readers_mails = [shown(mail) for mail in town.mails_of(town.mailboxes, "reader")]
        self.result.held_mails = [shown(mail) for mail in town.mails_of(town.provider, "me")]

    def _look_at_the_machine(self, certifier: Pebble) -> None:
        machine = self.town.machine
        for role in ROLES:
            self.result.units[role] = machine.show(f"secondpost-{role}.service", "ActiveState")
        self.result.failed_units = machine.run("systemctl", "--failed", "--plain", "--no-legend").stdout
        context = ssl.create_default_context(cadata=certifier.issuing_root())
        address = real(addresses.SERVER)
        with smtplib.SMTP(address, 25, "sender.example", 30) as client:
            client.ehlo()
            client.docmd("STARTTLS")
            assert client.sock is not None
            with context.wrap_socket(client.sock, server_hostname=HOST):
                self.result.certified.append("25")
        with (
            socket.create_connection((address, 443), 30) as plain,
            context.wrap_socket(plain, server_hostname=HOST),
        ):
            self.result.certified.append("443")

    def _remove(self) -> None:
        """The package leaves, and the store stays."""
        machine = self.town.machine
        machine.run("apt-get", "-qq", "-y", "remove", "secondpost", seconds_max=COMMAND_SECONDS_MAX)
        left = "ls /usr/lib/secondpost /etc/systemd/system/secondpost*; ls /var/lib/secondpost"
        self.result.left_by_removal = machine.run("sh", "-c", f"{left} 2>/dev/null").stdout

    def _trouble(self) -> str:
        certificate = self.town.machine.run("secondpost", "tls", "show", check=False).stdout
        return f"{self.town.machine.journal('secondpost*')[-4000:]}\n{certificate}"


def main(arguments: list[str]) -> int:
    guide, folder, package = (Path(each) for each in arguments)
    day = Day(folder, package)
    try:
        day.play(guide.read_text(encoding="utf-8"))
    finally:
        (folder / "result.json").write_bytes(msgspec.json.encode(day.result))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
