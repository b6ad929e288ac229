"""Fences of every version, on the kernel itself: each in a process of its own, since they stay."""

import json
import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from secondpost.mail.walls import StandingWalls, WallGap
from secondpost.world.real.landlock import VERSION_KNOWN, landlock_version

FENCED = Path(__file__).with_name("fenced.py")


@pytest.mark.parametrize("version", range(1, VERSION_KNOWN + 1))
@pytest.mark.parametrize("bind", ["bind", "no"])
def test_a_fence_forbids_all_that_its_version_can(tmp_path: Path, version: int, bind: str) -> None:
    assert landlock_version() == VERSION_KNOWN, "this test needs a kernel with all versions"
    (tmp_path / "room").mkdir()
    for name in ("room/old", "shown", "beside"):
        (tmp_path / name).write_text("old")
    abstract = f"secondpost-landlock-{os.getpid()}"
    with closing(socket.create_server(("127.0.0.1", 0))) as door, socket.socket(socket.AF_UNIX) as local:
        local.bind("\0" + abstract)
        local.listen()
        words = [str(tmp_path), str(door.getsockname()[1]), abstract, str(version), bind]
        done = subprocess.run(
            [sys.executable, "-P", str(FENCED), *words], capture_output=True, text=True, check=True
        )
    gaps = StandingWalls(version, has_seccomp=True).gaps
    assert json.loads(done.stdout) == {
        "read the room": "done",
        "write the room": "done",
        "read what may be read": "done",
        "move within the room": "done" if version >= 2 else "EXDEV",
        "write what may be read": "EACCES",
        "read beside": "EACCES",
        "write beside": "EACCES",
        "make beside": "EACCES",
        "remove beside": "EACCES",
        "truncate beside": "done" if WallGap.TRUNCATE in gaps else "EACCES",
        "run a program": "EACCES",
        "connect by TCP": "done" if WallGap.TCP in gaps else "EACCES",
        "bind to any port": "done" if WallGap.TCP in gaps or bind == "bind" else "EACCES",
        "connect to an abstract socket": "done" if WallGap.ABSTRACT_SOCKETS in gaps else "EPERM",
        "signal a process outside": "done" if version < 6 else "EPERM",  # the filter of calls refuses it
    }


def test_a_process_with_threads_is_not_fenced_by_halves() -> None:
    program = (
        "import threading\n"
        "from secondpost.world.real.landlock import Fence, LandlockRefused, raise_fence\n"
        "stop = threading.Event()\n"
        "threading.Thread(target=stop.wait).start()\n"
        "try:\n"
        "    raise_fence(Fence([], [], can_connect=False, can_bind_any_port=False), 1)\n"
        "except LandlockRefused as refused:\n"
        "    print(refused)\n"
        "stop.set()\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "Landlock binds one thread, and this process has 2 already\n"
