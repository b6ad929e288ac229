"""Type the guide's commands in the town, and write down what they print.

    unshare --net --mount python -m tests.against.t09_newcomer.day GUIDE FOLDER BIN

GUIDE is the page, FOLDER an empty one, BIN where the command `secondpost` is installed. The result
is FOLDER/result.json: for each command its output and its seconds, and the owner's mails.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from bench.ready import wait_until_greeted
from tests.against.sending import until
from tests.against.t09_newcomer import addresses
from tests.against.t09_newcomer.addresses import real, shown
from tests.against.t09_newcomer.console import Direction, Typed, script_of
from tests.against.t09_newcomer.town import Town

COMMAND_SECONDS_MAX: Final = 120.0
EVENT_SECONDS_MAX: Final = 150.0
STOP_SECONDS_MAX: Final = 30.0
HOME: Final = "/srv/post"  # of the newcomer, in the guide
SERVICE_NUMBER: Final = 28199
SERVICE_USER: Final = f"secondpost:x:{SERVICE_NUMBER}:{SERVICE_NUMBER}::/nonexistent:/usr/sbin/nologin\n"


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
    log: str = ""


class Day:
    def __init__(self, folder: Path, programs: Path) -> None:
        self.town = Town(folder)
        self.home = folder / "home"  # where the newcomer types
        self.home.mkdir()
        self.home.chmod(0o755)
        self.result = Result()
        self._programs = programs
        self._background: list[subprocess.Popen[bytes]] = []
        self._publishing = False
        chain, key = self.town.authority.issue("mx2.example.net")
        (self.home / "fullchain.pem").write_bytes(chain.read_bytes())
        (self.home / "privkey.pem").write_bytes(key.read_bytes())
        (self.home / "privkey.pem").chmod(0o600)
        os.chown(self.home / "privkey.pem", SERVICE_NUMBER, SERVICE_NUMBER)

    def play(self, guide: str) -> None:
        self.town.start()
        try:
            for step in script_of(guide):
                if isinstance(step, Direction):
                    self._directions()[step.words]()
                else:
                    self._type(step)
            self._look_into_the_mailboxes()
        finally:
            for process in self._background:
                process.terminate()
                process.wait(STOP_SECONDS_MAX)
            self.town.stop()
            log = self.home / "serve.log"
            self.result.log = log.read_text() if log.exists() else ""

    def _type(self, typed: Typed) -> None:
        command = real(typed.command)
        environment = {
            **os.environ,
            "PATH": f"{self._programs}:/usr/sbin:/usr/bin:/sbin:/bin",
            "SSL_CERT_FILE": str(self.town.authority.file),
            "COLUMNS": "100",
        }
        begun = time.monotonic()
        if command.endswith(" &"):
            self._background.append(
                subprocess.Popen(
                    self.town.newcomer.inside(["sh", "-c", f"exec {command.removesuffix(' &')}"]),
                    cwd=self.home,
                    env=environment,
                )
            )
            service = self._background[-1]
            wait_until_greeted(25, service, COMMAND_SECONDS_MAX, self._trouble, real(addresses.SERVER))
            output, code = "", 0
        else:
            output, code = self._run(command, environment)
        seconds = time.monotonic() - begun
        output = shown(output).replace(str(self.home), HOME).strip("\n")
        self.result.runs.append(Run(typed.command, output, seconds, code))

    def _run(self, command: str, environment: dict[str, str]) -> tuple[str, int]:
        process = subprocess.Popen(
            self.town.newcomer.inside(["sh", "-c", command]),
            cwd=self.home,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if self._publishing:  # the newcomer copies the lines into the zone while the command waits
            self._publishing = False
            zone = self.home / "zone.txt"
            until(lambda: zone.exists() and len(zone.read_text()) > 0, COMMAND_SECONDS_MAX, self._trouble)
            self.town.names.publish("example.net", zone.read_text())
        output, _ = process.communicate(timeout=COMMAND_SECONDS_MAX)
        return output, process.returncode

    # -- what happens outside

    def _directions(self) -> dict[str, Callable[[], None]]:
        return {
            "the records are published while the next command waits": self._publish_next,
            "waiting times are shortened": self._shorten,
            "the provider is down, and someone writes": self._outage,
            "the owner hears of the outage": lambda: self._owner_has(1),
            "the provider is back": self._back,
            "the owner hears of its end": lambda: self._owner_has(2),
            "the issue has reached the reader": self._reader_has_the_issue,
        }

    def _publish_next(self) -> None:
        self._publishing = True

    def _shorten(self) -> None:
        """So that the page can be tested in minutes: an issue needs no ten minutes of a settled
        feed, and an outage is reported at once.
        """
        file = self.home / "secondpost.toml"
        text = file.read_text().replace(
            "[[newsletter]]\n", '[[newsletter]]\nsettle = "0 minutes"\nstart = "everything"\n'
        )
        file.write_text(f'{text}\n[alarms]\nheld_after = "1 second"\n\n[deliver]\nprobe = "1 second"\n')

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

    def _trouble(self) -> str:
        log = self.home / "serve.log"
        return log.read_text()[-4000:] if log.exists() else ""


def move_in(folder: Path) -> None:
    """This namespace's own resolver and users, and an empty /var/lib."""
    resolver, users, state = folder / "resolv.conf", folder / "passwd", folder / "state"
    state.mkdir()
    state.chmod(0o755)
    resolver.write_text("nameserver 127.0.0.1\n")
    users.write_text(Path("/etc/passwd").read_text() + SERVICE_USER)
    for there, place in ((resolver, "/etc/resolv.conf"), (users, "/etc/passwd"), (state, "/var/lib")):
        subprocess.run(["mount", "--bind", str(there), place], check=True)


def main(arguments: list[str]) -> int:
    guide, folder, programs = (Path(each) for each in arguments)
    move_in(folder)
    day = Day(folder, programs)
    try:
        day.play(guide.read_text(encoding="utf-8"))
    finally:
        (folder / "result.json").write_bytes(msgspec.json.encode(day.result))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
