"""What `secondpost upgrade` and a supervisor say to each other, at the supervisor's desk (reload_desk).

    the command                               the supervisor
    upgrade {"program": …, "back": …}  ──►    becomes that program, whose supervisor goes on here
                                       ◄──    refused: it is what it was, and why
                                       ◄──    serving: the new roles have taken over, or
                                              held: they are ready, and the ports wait for a word
    keep                               ──►
                                       ◄──    kept, and which roles do not serve
    or: back, or the connection ends   ──►    becomes the former program again
                                       ◄──    back

One line each, on one connection, which stays over the change of programs. `standing`, on another one, is
answered with `kept` and the version that runs, once no change is under way.
"""

import os
import stat
from enum import StrEnum
from socket import AF_UNIX, SOCK_STREAM, socket

import msgspec

KEEP = b"keep"
BACK = b"back"
UPGRADE = b"upgrade "
STANDING = b"standing"
QUESTION_OCTETS_MAX = 16 * 1024
ANSWER_OCTETS_MAX = 1024 * 1024
# The command looks at everything meanwhile. A client waits five minutes for a greeting (RFC 5321
# §4.5.3.2.1), and an answer is awaited longer than the supervisor needs for it.
DECIDE_SECONDS_MAX = 240.0
ANSWER_SECONDS_MAX = 400.0


class Upgrade(msgspec.Struct, frozen=True):
    """The interpreters of the program to become, and of the one to go back to; the latter is a copy
    where the files of the first replace its own.
    """

    program: str
    back: str


class UpgradeState(StrEnum):
    REFUSED = "refused"
    SERVING = "serving"
    HELD = "held"
    KEPT = "kept"
    BACK = "back"


class UpgradeAnswer(msgspec.Struct, frozen=True):
    """`version`: of the program that answers; `missing`: the roles that do not serve."""

    state: UpgradeState
    version: str
    why: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


_ANSWER = msgspec.json.Decoder(UpgradeAnswer)
_QUESTION = msgspec.json.Decoder(Upgrade)


class NoUpgrade(Exception):
    """The supervisor does not answer as it should. The text says how."""


def upgrade_asked(line: bytes) -> Upgrade | None:
    """The question; None if it makes no sense."""
    try:
        return _QUESTION.decode(line.removeprefix(UPGRADE))
    except msgspec.DecodeError:
        return None


def answer_line(answer: UpgradeAnswer) -> bytes:
    return msgspec.json.encode(answer) + b"\n"


def why_not_run(program: str, store: str) -> str | None:
    """Why a supervisor does not become this program; None if it may.

    Roles write in the store, and one that was taken over must not lead its supervisor there.
    """
    real = os.path.realpath(program)
    if not os.path.isabs(program):
        return f"{program} is no absolute path"
    for path in (os.path.abspath(program), real):
        if os.path.commonpath((path, os.path.realpath(store))) == os.path.realpath(store):
            return f"{program} lies in the store"
    try:
        facts = os.stat(real)
    except OSError as error:
        return f"{program} cannot be run: {error.strerror}"
    if facts.st_uid not in (0, os.geteuid()) or facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH) != 0:
        return f"{program} can be changed by others than root and this user"
    return None if os.access(real, os.X_OK) else f"{program} cannot be run by this user"


class UpgradeTalk:
    """The command's end. Close it; until `keep` was answered that takes everything back."""

    def __init__(self, desk: str) -> None:
        """`desk`: the path of the supervisor's socket. Raises NoUpgrade if there is none."""
        self._socket = socket(AF_UNIX, SOCK_STREAM)
        self._socket.settimeout(ANSWER_SECONDS_MAX)
        self._left = b""
        try:
            self._socket.connect(desk)
        except OSError as error:
            self._socket.close()
            raise NoUpgrade(f"{desk}: {error.strerror}") from None

    def begin(self, upgrade: Upgrade) -> UpgradeAnswer:
        return self._said(UPGRADE + msgspec.json.encode(upgrade))

    def standing(self) -> UpgradeAnswer:
        return self._said(STANDING)

    def keep(self) -> UpgradeAnswer:
        return self._said(KEEP)

    def back(self) -> UpgradeAnswer:
        return self._said(BACK)

    def close(self) -> None:
        self._socket.close()

    def _said(self, line: bytes) -> UpgradeAnswer:
        """Say a line, and wait for the answer. Raises NoUpgrade."""
        try:
            self._socket.sendall(line + b"\n")
            while b"\n" not in self._left:
                octets = self._socket.recv(65536)
                if len(octets) == 0 or len(self._left) > ANSWER_OCTETS_MAX:
                    raise NoUpgrade("the supervisor ended the connection")
                self._left += octets
        except OSError as error:
            raise NoUpgrade(f"the supervisor does not answer: {error.strerror or error}") from None
        answer, _, self._left = self._left.partition(b"\n")
        try:
            return _ANSWER.decode(answer)
        except msgspec.DecodeError:
            raise NoUpgrade("the answer of the supervisor makes no sense") from None
