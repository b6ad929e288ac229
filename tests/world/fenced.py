"""A process that fences itself in and tries what it then cannot do: see test_landlock."""

import ctypes
import errno
import json
import os
import socket
import sys
import threading
from collections.abc import Callable
from functools import partial

from secondpost.world.real.landlock import Fence, raise_fence

PR_SET_NO_NEW_PRIVS = 38


def read(path: str) -> None:
    with open(path):
        pass


def write(path: str) -> None:
    with open(path, "w") as file:
        file.write("mine")


def move(room: str) -> None:
    os.mkdir(f"{room}/below")
    os.rename(f"{room}/mine", f"{room}/below/mine")


def connect(family: int, address: "str | tuple[str, int]") -> None:
    with socket.socket(family) as caller:
        caller.connect(address)


def bind() -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))


def run() -> None:
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)


def strike(attempts: dict[str, Callable[[], object]], found: dict[str, str]) -> None:
    for name, attempt in attempts.items():
        try:
            attempt()
            found[name] = "done"
        except OSError as error:
            found[name] = errno.errorcode[error.errno or 0]


def main(folder: str, port: str, abstract: str, version: str, bind_or_no: str) -> None:
    room, shown, beside = (f"{folder}/{name}" for name in ("room", "shown", "beside"))
    attempts: dict[str, Callable[[], object]] = {
        "read the room": partial(read, f"{room}/old"),
        "write the room": partial(write, f"{room}/mine"),
        "read what may be read": partial(read, shown),
        "move within the room": partial(move, room),
        "write what may be read": partial(write, shown),
        "read beside": partial(read, beside),
        "write beside": partial(write, beside),
        "make beside": partial(write, f"{folder}/new"),
        "remove beside": partial(os.unlink, beside),
        "truncate beside": partial(os.truncate, beside, 0),
        "run a program": run,
        "connect by TCP": partial(connect, socket.AF_INET, ("127.0.0.1", int(port))),
        "bind to any port": bind,
        "connect to an abstract socket": partial(connect, socket.AF_UNIX, "\0" + abstract),
        "signal a process outside": partial(os.kill, os.getppid(), 0),
    }
    python = [path for path in sys.path if os.path.exists(path)]
    can_bind = bind_or_no == "bind"
    ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    fence = Fence(
        [*python, shown, f"{folder}/missing"], [room], can_connect=False, can_bind_any_port=can_bind
    )
    raise_fence(fence, int(version))
    found: dict[str, str] = {}
    thread = threading.Thread(target=strike, args=(attempts, found))
    thread.start()
    thread.join()
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
