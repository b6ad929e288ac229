"""Sends mail with tools of postmasters: swaks and smtp-source."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bench.load import Load, LoadTools
from bench.ours import DOMAIN, Secondpost
from tests.against.primaries import Primary

SENDER: Final = "someone@sender.example"
READER: Final = f"reader@{DOMAIN}"
SECONDS_MAX: Final = 60


def on_the_wire(text: bytes) -> bytes:
    """The message with CRLF instead of plain newlines."""
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def send_with_swaks(message: bytes, port: int, place: Path, recipient: str = READER) -> None:
    """Send exactly these octets: dot-stuffing and the end are done here, swaks changes nothing."""
    data = place / "data"
    stuffed = (b"\r\n" + message).replace(b"\r\n.", b"\r\n..")[2:]
    data.write_bytes(stuffed + b".\r\n")
    done = subprocess.run(
        [
            *("swaks", "--server", f"127.0.0.1:{port}", "--helo", "sender.example"),
            *("--from", SENDER, "--to", recipient, "--data", f"@{data}", "--no-data-fixup"),
        ],
        capture_output=True,
        check=False,
        timeout=SECONDS_MAX,
    )
    assert done.returncode == 0, done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")


def send_many(messages: int, port: int, place: Path) -> None:
    tools = LoadTools.prepared(place)
    tools.send(Load(messages, 4096, sessions=5, keep_open=True), port, SENDER, READER)


def until(condition: Callable[[], bool], seconds_max: float, otherwise: Callable[[], str]) -> float:
    """Wait for a condition; return the seconds it took. Fails with the text of `otherwise`."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds_max, f"not within {seconds_max:.0f} s: {otherwise()}"
        time.sleep(0.1)
    return time.monotonic() - begun


def until_stored(primary: Primary, messages: int, secondpost: Secondpost) -> None:
    """Wait until the primary has this many messages."""
    until(lambda: len(primary.stored()) >= messages, SECONDS_MAX, secondpost.trouble)
