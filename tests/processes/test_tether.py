"""What a supervisor and its role say to each other, and what is handed over."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from socket import send_fds, socket

import pytest

from secondpost.config.reading import read_config
from secondpost.processes.accepted import (
    ACCEPTED,
    Accepted,
    accepted_now,
    for_role,
    inherited_configuration,
    sealed_file,
)
from secondpost.processes.place import Place
from secondpost.processes.tether import TETHER, Word, tether_pair
from tests.world.certificates import make_pair

CONFIG = """\
version  = 3
hostname = "mx2.example.net"
store    = "/var/lib/secondpost"
owner    = ["me@elsewhere.example"]

[tls]
certificate = "live.example.pem"
key         = "live.example.key"

[[backup]]
domain     = "example.net"
recipients = ["file:recipients", "learn"]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    make_pair(tmp_path, "live.example")
    (tmp_path / "recipients").write_text("me\n")
    path = tmp_path / "secondpost.toml"
    path.write_text(CONFIG)
    return path


def test_each_word_is_heard_once_and_in_order_also_those_before_the_end() -> None:
    async def story() -> None:
        ours, theirs = tether_pair()
        heard: list[tuple[Word, str]] = []
        lost: list[None] = []
        ours.listen(lambda word, text, _: heard.append((word, text)), lambda: lost.append(None))
        stop = asyncio.Event()
        place = Place.of({TETHER: str(os.dup(theirs.fileno()))}, stop)
        theirs.close()
        place.listen()
        assert (place.is_supervised, place.has_begun) == (True, False)
        place.say(Word.PREPARED)
        ours.say(Word.BEGIN)
        await place.until(Word.BEGIN)
        assert place.has_begun
        place.say(Word.REFUSED, "it is\nraining")
        ours.close()
        assert heard == [(Word.PREPARED, ""), (Word.REFUSED, "it is\nraining")]
        await place.until(Word.LEAVE)  # the end of the supervisor is a stop
        assert stop.is_set()
        place.say(Word.SERVING)  # to no one: it is no error
        assert lost == []

    asyncio.run(story())


def test_what_a_compromised_role_says_besides_its_words_is_not_heard() -> None:
    async def story() -> None:
        ours, theirs = tether_pair()
        heard: list[Word] = []
        ours.listen(lambda word, text, _: heard.append(word), lambda: None)
        with theirs:
            for packet in (b"nonsense", b"begin", b"\xff\x00", b" ", b"x" * 9_000, b"serving"):
                theirs.send(packet)
            ours.close()
        assert heard == [Word.SERVING]

    asyncio.run(story())


def test_a_file_that_a_compromised_role_hands_over_is_closed_and_words_are_heard_on() -> None:
    """Else it could use up the supervisor's descriptors."""

    async def story() -> None:
        ours, theirs = tether_pair()
        heard: list[tuple[Word, socket | None]] = []
        ours.listen(lambda word, _, handed: heard.append((word, handed)), lambda: None)
        with theirs, open(os.devnull, "rb") as file:
            before = len(os.listdir("/proc/self/fd"))
            for packet in (b"make 1", b"serving", b"nonsense"):
                send_fds(theirs, [packet], [file.fileno()])
            theirs.send(b"here")
            ours.close()
            assert len(os.listdir("/proc/self/fd")) == before - 1, "the end of the tether alone is gone"
        assert heard == [(Word.MAKE, None), (Word.SERVING, None), (Word.HERE, None)]

    asyncio.run(story())


def test_without_a_supervisor_a_role_begins_at_once() -> None:
    place = Place.of({}, asyncio.Event())
    assert (place.is_supervised, place.has_begun) == (False, True)


def test_a_role_reads_what_was_accepted_whatever_the_files_say_now(config: Path) -> None:
    accepted = accepted_now(read_config(str(config)))
    handed = sealed_file(for_role(accepted, "receive"))
    files = [
        config,
        *(config.parent / name for name in ("live.example.pem", "live.example.key", "recipients")),
    ]
    contents = {str(path): path.read_bytes() for path in files}
    for path in files:
        path.write_text("broken = [")
    read = inherited_configuration({ACCEPTED: str(os.dup(handed))})
    assert read == accepted
    assert read is not None
    assert read.copies == {path: content for path, content in contents.items() if path != str(config)}
    assert read.config.text == contents[str(config)]
    os.close(handed)


def test_what_is_handed_over_can_be_changed_by_no_role_and_holds_a_secret_only_for_receive(
    config: Path,
) -> None:
    accepted = accepted_now(read_config(str(config)))
    assert for_role(accepted, "deliver") == replace(accepted, copies={})
    handed = sealed_file(for_role(accepted, "deliver"))
    with pytest.raises(PermissionError):
        os.pwrite(handed, b"x", 0)
    with pytest.raises(PermissionError):
        os.ftruncate(handed, 0)
    for _ in range(2):  # its position is shared, and not used
        assert inherited_configuration({ACCEPTED: str(os.dup(handed))}) == Accepted(accepted.config)
    os.close(handed)
    assert inherited_configuration({}) is None


def test_a_file_that_cannot_be_read_has_no_copy(config: Path) -> None:
    read = read_config(str(config))
    (config.parent / "recipients").unlink()
    assert set(accepted_now(read).copies) == {
        str(config.parent / "live.example.pem"),
        str(config.parent / "live.example.key"),
    }
