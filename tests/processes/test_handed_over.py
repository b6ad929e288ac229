"""What one program hands to the next, which may be older or newer; and who may ask for that."""

import os
from pathlib import Path

import msgspec
import pytest

from secondpost.processes.handed_over import (
    FORM,
    HANDED_OVER,
    HandedOver,
    HandedRole,
    NotUnderstood,
    SuccessionStep,
    become_program,
    handed_file,
    inherited,
)
from secondpost.processes.upgrade_talk import Upgrade, upgrade_asked, why_not_run

ROLE = HandedRole("deliver", 17, 5, 6, ("/etc/resolv.conf",), {"1": 18}, True, False)
HANDED = HandedOver(
    form=FORM,
    step=SuccessionStep.TAKE,
    program="/usr/bin/python3",
    version="0.1.0",
    only=None,
    path="/etc/secondpost/secondpost.toml",
    text=b"version = 1\n",
    copies={"/etc/list": b"a\n"},
    doors={"127.0.0.1:25": 4},
    lock=7,
    roles=(ROLE,),
    asker=8,
)


def read_back(octets: bytes) -> HandedOver | None:
    descriptor = os.memfd_create("handed")
    os.write(descriptor, octets)
    return inherited({HANDED_OVER: str(descriptor)})


def test_all_of_it_arrives() -> None:
    descriptor = handed_file(HANDED)
    assert inherited({HANDED_OVER: str(descriptor)}) == HANDED
    assert set(HANDED.descriptors()) == {4, 5, 6, 7, 8}
    assert inherited({}) is None


def test_what_a_newer_program_adds_is_passed_over() -> None:
    more = msgspec.to_builtins(HANDED, builtin_types=(bytes,)) | {"later": [1, 2]}
    assert read_back(msgspec.msgpack.encode(more)) == HANDED


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\xc1",
        msgspec.msgpack.encode({"form": FORM}),
        msgspec.msgpack.encode(msgspec.structs.replace(HANDED, form=FORM + 1)),
    ],
)
def test_what_makes_no_sense_is_said_so(octets: bytes) -> None:
    with pytest.raises(NotUnderstood):
        read_back(octets)


def test_a_program_that_cannot_be_run_changes_nothing(tmp_path: Path) -> None:
    read, write = os.pipe()
    handed = msgspec.structs.replace(HANDED, doors={}, lock=read, roles=(), asker=write)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(FileNotFoundError):
        become_program(str(tmp_path / "none"), handed)
    assert len(os.listdir("/proc/self/fd")) == before
    assert not os.get_inheritable(read)
    os.close(read)
    os.close(write)


@pytest.mark.parametrize(
    "line", [b"upgrade ", b"upgrade {}", b"upgrade []", b'upgrade {"program": 1}', b"\xff"]
)
def test_a_question_that_makes_no_sense_is_none(line: bytes) -> None:
    assert upgrade_asked(line) is None


def test_a_question_is_read() -> None:
    assert upgrade_asked(b'upgrade {"program":"/a","back":"/b"}') == Upgrade("/a", "/b")


def test_a_program_that_a_role_could_have_written_is_not_run(tmp_path: Path) -> None:
    store, place = tmp_path / "store", tmp_path / "place"
    for folder in (store, place):
        folder.mkdir()
        (folder / "python").write_text("#!/bin/sh\n")
        (folder / "python").chmod(0o755)
    (place / "link").symlink_to(store / "python")
    assert why_not_run(str(place / "python"), str(store)) is None
    assert "lies in the store" in str(why_not_run(str(store / "python"), str(store)))
    assert "lies in the store" in str(why_not_run(str(place / "link"), str(store)))
    assert "no absolute path" in str(why_not_run("python", str(store)))
    assert "cannot be run" in str(why_not_run(str(place / "none"), str(store)))
    (place / "python").chmod(0o775)
    assert "can be changed by others" in str(why_not_run(str(place / "python"), str(store)))
    (place / "python").chmod(0o644)
    if os.geteuid() != 0:
        assert "cannot be run by this user" in str(why_not_run(str(place / "python"), str(store)))
