"""Hostile code inside a process of a unit: on SIGUSR1 it tries what a hijacked role would try, and
writes what came of it to standard error, as a line of JSON.

It is installed as `sitecustomize`, so that each process of Secondpost has it; the path of the list of
attempts stands in it.
"""

import errno
import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from functools import partial
from types import FrameType

WORD = "INTRUDER"
STANDARD_ERROR = 2
CONNECT_SECONDS = 2.0
FILES = (
    "/var/lib/secondpost/mail/mail.db",
    "/var/lib/secondpost/newsletter/newsletter.db",
    "/var/lib/secondpost/keys/sp-rsa.pem",
    "/var/lib/secondpost/keys/links/links.keys",
    "/etc/shadow",
    "/etc/secondpost/tls.key",
)
PROGRAMS = ("/bin/sh", "/usr/bin/env", "/bin/cat")


def outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, type(error).__name__)
    return "done"


def read(path: str) -> None:
    with open(path, "rb") as file:
        file.read(1)


def connect() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as caller:
        caller.settimeout(CONNECT_SECONDS)
        caller.connect(("127.0.0.1", 25))


def write() -> None:
    os.close(os.open("/usr/written", os.O_CREAT | os.O_WRONLY))


def strike(_number: int, _frame: FrameType | None) -> None:
    found = {path: outcome(partial(read, path)) for path in FILES}
    found |= {path: outcome(partial(subprocess.run, [path, "--version"])) for path in PROGRAMS}
    found["connect"] = outcome(connect)
    found["write"] = outcome(write)
    os.write(STANDARD_ERROR, f"{WORD} {os.getpid()} {json.dumps(found)}\n".encode())


signal.signal(signal.SIGUSR1, strike)
