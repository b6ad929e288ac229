"""Parses strace output and finds what was not yet synced when the 250 was sent.

Needed from strace: `-f -yy -s 64 -o FILE -e trace=…` with the calls of TRACED.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

TRACED = (
    "open,openat,creat,write,writev,pwrite64,pwritev,pwritev2,ftruncate,fallocate,sendfile,copy_file_range,"
    "rename,renameat,renameat2,link,linkat,fsync,fdatasync,read,readv,recvfrom,recvmsg,sendto,sendmsg,"
    "clone,clone3"
)

_CALL = re.compile(r"(?P<pid>\d+) +(?P<name>\w+)\((?P<rest>.*)")
_RESUMED = re.compile(r"(?P<pid>\d+) +<\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)")
_UNFINISHED = " <unfinished ...>"
_RESULT = re.compile(r"\) += (?P<result>-?\d+|\?)(?P<more>.*)")
_HANDLE = re.compile(r"(?:AT_FDCWD|\d+)<(?P<path>(?:[^<>]|<->|->)*)>")
_STRING = re.compile(r'"(?P<text>(?:[^"\\]|\\.)*)"')

WRITES = frozenset({"write", "writev", "pwrite64", "pwritev", "pwritev2", "ftruncate", "fallocate"})
SENDS = frozenset({"write", "writev", "sendto", "sendmsg"})
READS = frozenset({"read", "readv", "recvfrom", "recvmsg"})
STARTS = frozenset({"clone", "clone3"})
SYNCS = frozenset({"fsync", "fdatasync"})
OPENS = frozenset({"open", "openat", "creat"})
# Of no use after a crash: SQLite rebuilds its shared memory, and a lock is held by the process, not
# the file.
NOT_SYNCED_SUFFIXES = ("-shm", ".lock")


@dataclass(frozen=True, slots=True)
class Call:
    """A successful system call. Two calls overlap if neither `ended` before the other `began`."""

    name: str
    process: str  # its number, also of a call by another thread of it
    began: int  # line of the file
    ended: int
    path: str  # of the handle: a file, or TCP:[…]
    text: str  # the first string argument, as strace writes it
    arguments: str


def read_calls(lines: Sequence[str]) -> list[Call]:
    """Parse calls, in order of their beginning."""
    return sorted(_finished(lines), key=lambda call: call.began)


def _finished(lines: Sequence[str]) -> Iterator[Call]:
    begun: dict[tuple[str, str], tuple[int, str]] = {}
    processes: dict[str, str] = {}  # by thread

    def calls(name: str, thread: str, began: int, ended: int, rest: str) -> Iterator[Call]:
        process = processes.get(thread, thread)
        if name in STARTS and "CLONE_THREAD" in rest and (started := _number(rest)) is not None:
            processes[started] = process
        yield from _call(name, process, began, ended, rest)

    for number, line in enumerate(lines):
        resumed = _RESUMED.match(line)
        if resumed is not None:
            start = begun.pop((resumed["pid"], resumed["name"]), None)
            if start is not None:
                rest = start[1] + resumed["rest"]
                yield from calls(resumed["name"], resumed["pid"], start[0], number, rest)
            continue
        call = _CALL.match(line)
        if call is None:
            continue
        if call["rest"].endswith(_UNFINISHED):
            begun[call["pid"], call["name"]] = (number, call["rest"].removesuffix(_UNFINISHED))
        else:
            yield from calls(call["name"], call["pid"], number, number, call["rest"])


def _result(rest: str) -> re.Match[str] | None:
    """The result of a successful call."""
    result = None
    for result in _RESULT.finditer(rest):  # noqa: B007  the last one: a string may look like a result
        pass
    return None if result is None or result["result"].startswith(("-", "?")) else result


def _number(rest: str) -> str | None:
    result = _result(rest)
    return None if result is None else result["result"]


def _call(name: str, process: str, began: int, ended: int, rest: str) -> Iterator[Call]:
    result = _result(rest)
    if result is None:
        return
    arguments = rest[: result.start()]
    # An open has its path in the handle that it returns.
    where = result["result"] + result["more"] if name in OPENS else arguments
    handle = _HANDLE.match(where)
    string = _STRING.search(arguments)
    yield Call(
        name,
        process,
        began,
        ended,
        "" if handle is None else handle["path"].removesuffix(" (deleted)"),
        "" if string is None else string["text"],
        arguments,
    )


def not_durable(calls: Sequence[Call], store: str) -> list[str]:
    """What was not synced when each message got its 250. Raises ValueError if none got one.

    The trace must be of a server that began with an empty store, so that all its files are new.
    """
    faults: list[str] = []
    seen: set[str] = set()
    since = 0  # files checked for an earlier 250 are not checked again, unless written again
    count = 0
    for go_ahead in (call for call in calls if _says(call, "354")):
        reply = next(
            (c for c in calls if c.began > go_ahead.ended and c.path == go_ahead.path and _says(c, "250")),
            None,
        )
        if reply is None:
            continue
        count += 1
        body = [c for c in calls if c.name in READS and c.path == go_ahead.path and c.began < reply.began]
        if len(body) == 0:
            raise ValueError(f"nothing was read from {go_ahead.path} before its 250")
        before = [c for c in calls if since <= c.began and c.ended < reply.began]
        # The role that delivers writes to the same database, and its writes need no sync here.
        by_us = [c for c in before if c.process == reply.process]
        faults.extend(_unsynced_files(by_us, store, body[-1].ended))
        faults.extend(_unsynced_folders(before, store, seen))
        since = reply.began
    if count == 0:
        raise ValueError("no message was answered 250")
    return faults


def _says(call: Call, code: str) -> bool:
    return call.name in SENDS and call.path.startswith(("TCP", "socket")) and call.text.startswith(code)


def _unsynced_files(calls: Sequence[Call], store: str, body_read: int) -> Iterator[str]:
    """Files not synced after their last write, with one sync after the last body read."""
    last_write: dict[str, int] = {}
    for call in calls:
        below = call.path.startswith(store + "/") and not call.path.endswith(NOT_SYNCED_SUFFIXES)
        if call.name in WRITES and below:
            last_write[call.path] = max(call.ended, last_write.get(call.path, 0))
    for path, written in last_write.items():
        if not any(call.name in SYNCS and call.path == path and call.began > written for call in calls):
            yield f"{path} was written to and not synced before the 250"
    if not any(call.name in SYNCS and call.path in last_write and call.began > body_read for call in calls):
        yield "nothing was synced between the last read of the body and its 250"


def _unsynced_folders(calls: Sequence[Call], store: str, seen: set[str]) -> Iterator[str]:
    for call in calls:
        path = call.path
        makes = call.name in OPENS and ("O_CREAT" in call.arguments or call.name == "creat")
        if not makes or path in seen or not path.startswith(store + "/"):
            continue
        seen.add(path)
        folder = path.rpartition("/")[0]
        if path.endswith(NOT_SYNCED_SUFFIXES):
            continue
        if not any(c.name in SYNCS and c.path == folder and c.began > call.ended for c in calls):
            yield f"{path} is new and {folder} was not synced before the 250"
