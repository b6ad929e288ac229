"""The parser of strace output: a fully synced trace passes, and each missing sync is found."""

import pytest

from tests.crash.strace_reading import not_durable, read_calls

STORE = "/store"
CLIENT = "TCP:[127.0.0.1:2525->127.0.0.1:50532]"
FLAGS = "CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD"
THREADS = f"""\
10 clone3({{flags={FLAGS}, child_tid=0x7f, exit_signal=0}} => {{parent_tid=[11]}}, 88) = 11
11 clone(child_stack=0x7f, flags={FLAGS}, parent_tid=[12], tls=0x7f, child_tidptr=0x7f <unfinished ...>
11 <... clone resumed>)                   = 12
"""
SMALL = f"""\
10 sendto(4<{CLIENT}>, "354 go ahead\\r\\n", 14, 0, NULL, 0) = 14
10 recvfrom(4<{CLIENT}>, "Subject: hello\\r\\n"..., 65536, 0, NULL, NULL) = 4096
11 pwrite64(7</store/mail.db-wal>, "\\0\\0"..., 4096, 32 <unfinished ...>
10 epoll_wait(3<anon_inode:[eventpoll]>, [], 1024, 0) = 0
11 <... pwrite64 resumed>)                = 4096
11 fdatasync(7</store/mail.db-wal> <unfinished ...>
10 read(9<pipe:[1]>, "", 1)               = 0
11 <... fdatasync resumed>)               = 0
10 write(4<{CLIENT}>, "250 2.0.0 kept as 0abc\\r\\n", 24) = 24
"""
LARGE = f"""\
10 sendto(4<{CLIENT}>, "354 go ahead\\r\\n", 14, 0, NULL, 0) = 14
10 recvfrom(4<{CLIENT}>, "Subject: hello\\r\\n"..., 65536, 0, NULL, NULL) = 65536
12 openat(AT_FDCWD</>, "/store/content/1", O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0600) = 8</store/content/1>
12 write(8</store/content/1>, "Subject"..., 65536) = 65536
10 recvfrom(4<{CLIENT}>, "end\\r\\n.\\r\\n", 65536, 0, NULL, NULL) = 9
12 write(8</store/content/1>, "end"..., 5) = 5
12 fsync(8</store/content/1>)             = 0
12 openat(AT_FDCWD</>, "/store/content", O_RDONLY|O_CLOEXEC|O_DIRECTORY) = 9</store/content>
12 fsync(9</store/content>)               = 0
11 openat(AT_FDCWD</>, "/store/mail.db-shm", O_RDWR|O_CREAT|O_CLOEXEC, 0600) = 13</store/mail.db-shm>
11 pwrite64(7</store/mail.db-wal>, "\\0\\0"..., 4096, 32) = 4096
11 fdatasync(7</store/mail.db-wal>)       = 0
10 sendto(4<{CLIENT}>, "250 2.0.0 kept as 0abc\\r\\n", 24, 0, NULL, 0) = 24
"""


def faults(trace: str) -> list[str]:
    return not_durable(read_calls((THREADS + trace).splitlines()), STORE)


def without(trace: str, part: str) -> str:
    lines = [line for line in trace.splitlines() if part not in line]
    assert len(lines) < len(trace.splitlines())
    return "\n".join(lines)


def test_a_synced_message_passes() -> None:
    assert faults(SMALL) == []
    assert faults(LARGE) == []
    assert faults(SMALL + LARGE) == []


@pytest.mark.parametrize(
    ("trace", "call", "complaint"),
    [
        (SMALL, "fdatasync", "/store/mail.db-wal was written to and not synced"),
        (LARGE, "fdatasync(7", "/store/mail.db-wal was written to and not synced"),
        (LARGE, "fsync(8", "/store/content/1 was written to and not synced"),
        (LARGE, "fsync(9", "/store/content/1 is new and /store/content was not synced"),
    ],
)
def test_a_missing_sync_is_found(trace: str, call: str, complaint: str) -> None:
    found = faults(without(trace, call))
    assert any(fault.startswith(complaint) for fault in found)


def test_a_sync_that_ends_after_the_reply_does_not_count() -> None:
    lines = SMALL.splitlines()
    late = lines.pop(7)
    assert "fdatasync resumed" in late
    assert len(faults("\n".join([*lines, late]))) > 0


def test_a_sync_that_failed_does_not_count() -> None:
    assert (
        len(faults(SMALL.replace("fdatasync resumed>)               = 0", "fdatasync resumed>) = -1 EIO")))
        > 0
    )


def test_a_sync_before_the_last_write_does_not_count() -> None:
    lines = LARGE.splitlines()
    write = lines.pop(5)
    assert "write(8" in write
    lines.insert(7, write)
    assert any("/store/content/1 was written" in fault for fault in faults("\n".join(lines)))


def test_what_another_process_writes_to_the_same_file_needs_no_sync() -> None:
    lines = SMALL.splitlines()
    other = '20 pwrite64(7</store/mail.db-wal>, "\\0\\0"..., 4096, 64) = 4096'
    assert faults("\n".join([*lines[:-1], other, lines[-1]])) == []
    assert len(faults("\n".join([*lines[:-1], other.replace("20 ", "12 "), lines[-1]]))) > 0


def test_a_new_log_needs_its_folder_synced() -> None:
    created = '11 openat(AT_FDCWD</>, "/store/mail.db-wal", O_RDWR|O_CREAT, 0600) = 7</store/mail.db-wal>\n'
    found = faults(created + SMALL)
    assert any("/store was not synced" in fault for fault in found)


def test_a_trace_without_a_message_is_no_evidence() -> None:
    with pytest.raises(ValueError):
        faults(without(SMALL, "250 2.0.0"))
