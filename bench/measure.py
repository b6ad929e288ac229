"""Costs of a run: CPU time and memory of a process tree, stolen time, speed of the disk."""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
QUIET_SHARE: Final = 0.02  # of one core
QUIET_SECONDS_MAX: Final = 20.0
CALIBRATION_FILES: Final = 400
CALIBRATION_SIGNATURES: Final = 4000  # about a second


@dataclass(frozen=True, slots=True)
class MachineTime:
    """Ticks of all cores since boot."""

    stolen: int
    busy: int
    total: int

    @staticmethod
    def now() -> "MachineTime":
        fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        _user, _nice, _system, idle, waiting, _irq, softirq, stolen = fields
        total = sum(fields)
        # Soft interrupts are the loopback traffic itself, whichever process they are charged to.
        return MachineTime(stolen, busy=total - idle - waiting - softirq - stolen, total=total)

    def stolen_since(self, before: "MachineTime") -> float:
        """The share, 0 to 1, that the host took."""
        total = self.total - before.total
        return (self.stolen - before.stolen) / total if total > 0 else 0.0

    def others_since(self, before: "MachineTime", known_seconds: float) -> float:
        """The share, 0 to 1, taken by processes outside of the measurement."""
        total = self.total - before.total
        others = self.busy - before.busy - known_seconds * TICKS_PER_SECOND
        return max(0.0, others / total) if total > 0 else 0.0


def tree(root: int) -> list[int]:
    """The process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            fields = _stat(int(entry))
            if len(fields) > 0:
                children.setdefault(int(fields[1]), []).append(int(entry))
    found, waiting = [], [root]
    while len(waiting) > 0:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def _stat(pid: int) -> list[str]:
    """The fields after the command's name: state, parent …; empty if the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def cpu_seconds(root: int) -> float:
    """User and system time of the tree, including children that ended and were waited for.

    Live processes are read in nanoseconds where the kernel provides them: rounding down hundreds of
    processes by half a tick each would favour a server with many processes.
    """
    return sum(_cpu_seconds_of(pid) for pid in tree(root))


def _cpu_seconds_of(pid: int) -> float:
    fields = _stat(pid)
    if len(fields) == 0:
        return 0.0
    own, of_children = ((int(fields[i]) + int(fields[i + 1])) / TICKS_PER_SECOND for i in (11, 13))
    return max(own, sum(_thread_seconds(pid))) + of_children


def _thread_seconds(pid: int) -> Iterator[float]:
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return
    for thread in threads:
        try:
            yield int(Path(f"/proc/{pid}/task/{thread}/schedstat").read_text().split()[0]) / 1e9
        except (OSError, IndexError):
            continue


def settle(root: int) -> float:
    """Wait until the tree is idle, so that all its work is counted; return its CPU time."""
    ends = time.monotonic() + QUIET_SECONDS_MAX
    before, quiet = cpu_seconds(root), 0
    while time.monotonic() < ends and quiet < 2:
        time.sleep(0.25)
        now = cpu_seconds(root)
        quiet = quiet + 1 if now - before < QUIET_SHARE * 0.25 else 0
        before = now
    return before


def pss_megabytes(root: int) -> float:
    """Memory of the tree in megabytes; shared pages are counted once."""
    kilobytes = 0
    for pid in tree(root):
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        kilobytes += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return kilobytes / 1024


def peak_rss_megabytes(pid: int) -> float:
    """Peak memory of a process in megabytes; 0 if it is gone.

    The kernel's figure after its end would include the process it was forked from.
    """
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM:")) / 1024


class PeakMemory:
    """Samples the tree's memory once a second."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._over = threading.Event()
        self._peak = 0.0
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(1.0):
            self._peak = max(self._peak, pss_megabytes(self._root))

    def megabytes(self) -> float:
        """Stop sampling; return the peak, including the current value."""
        self._over.set()
        self._thread.join()
        return max(self._peak, pss_megabytes(self._root))


def rsa_signatures_per_second(key: RSAPrivateKey) -> float:
    """RSA signatures per second of one core, by wall time."""
    padding, hashed = PKCS1v15(), Prehashed(SHA256())
    begun = time.monotonic()
    for _ in range(CALIBRATION_SIGNATURES):
        key.sign(b"x" * 32, padding, hashed)
    return CALIBRATION_SIGNATURES / (time.monotonic() - begun)


def disk_files_per_second(folder: Path) -> float:
    """New 4 KB files per second, each synced, by one thread: the current speed of the disk."""
    content = b"x" * 4096
    begun = time.monotonic()
    for number in range(CALIBRATION_FILES):
        path = folder / f"calibration-{number}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        os.write(descriptor, content)
        os.fsync(descriptor)
        os.close(descriptor)
    seconds = time.monotonic() - begun
    for number in range(CALIBRATION_FILES):
        (folder / f"calibration-{number}").unlink()
    return CALIBRATION_FILES / seconds


def percentile_99(values: Sequence[float]) -> float:
    """The 99th percentile of one value or more."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
