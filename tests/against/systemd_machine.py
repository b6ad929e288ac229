"""A machine with a real systemd: its own processes, files, users and network, on this kernel.

    with SystemdMachine(folder) as machine:              # or bare=True: without Python
        install_secondpost(machine)                      # into /opt/secondpost, as pip would
        machine.file("/etc/secondpost/secondpost.toml").write_text(...)
        machine.run("secondpost", "systemd", "--install")
        machine.run("systemctl", "is-active", "secondpost-receive.service")

`file` gives paths as this side sees them, to read and write. The machine's network is a loopback
device alone. `with machine.network():` moves the calling thread of this side there, so that a peer
started by it, a fake of a test or a client is in that network. Everything ends with the `with`: the
control group is killed whole, and the mounts go with its namespace.

The root below is shared and stays as it is; what a machine writes is in `folder`. The kernel's
settings (/proc/sys) cannot be changed from inside. On this kind of kernel only the device-less
controllers of cgroup v2 may be there, so that MemoryMax= and TasksMax= may have no effect inside.
"""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from bench import debian_root, peers
from tests.against.network_namespaces import inside

BOOT_SECONDS_MAX: Final = 60.0
RUN_SECONDS_MAX: Final = 60.0
END_SECONDS_MAX: Final = 10.0
POLL_SECONDS: Final = 0.05
ENVIRONMENT: Final = ("env", "-i", f"PATH={debian_root.PATH}:/opt/secondpost/bin", "LANG=C.UTF-8")

# $1: the layers, $2: the folder of this machine, $3: its name. Ends as systemd, process 1 inside.
_BOOT: Final = """
set -e
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
cd "$2/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
  : > "dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
hostname "$3"
echo "$3" > etc/hostname  # read by systemd
ip link set lo up
pivot_root . mnt
umount -l mnt
mount --make-rshared /  # as outside a container: credentials get to their units by propagation
exec env -i container=secondpost-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --system --show-status=false --log-target=journal
"""


class MachineFailed(Exception):
    """A machine did not start, or a command in it failed; the text has its output."""


class SystemdMachine:
    def __init__(self, folder: Path, name: str = "mx2", bare: bool = False) -> None:
        with_python, without = peers.find_machine()
        self._layers = str(without) if bare else f"{with_python}:{without}"
        self._name = name
        self._folder = folder
        self.group = _unified_groups() / f"secondpost-test-{os.getpid()}-{folder.name}"
        self._room: subprocess.Popen[bytes] | None = None
        self.first = 0  # process 1 inside, as numbered outside

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def start(self) -> None:
        """Boot. Also after `end`: what was written before is still there."""
        for name in ("upper", "work", "root"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        self.group.mkdir()
        own = ["--pid", "--mount", "--uts", "--ipc", "--net", "--cgroup"]
        enter_group = 'echo $$ > "$1/cgroup.procs" && shift && exec "$@"'
        boot = ["sh", "-c", _BOOT, "boot", self._layers, str(self._folder), self._name]
        unshare = ["unshare", *own, "--fork", "--kill-child", *boot]
        with open(self._folder / "boot.log", "ab") as log:
            self._room = subprocess.Popen(
                ["sh", "-c", enter_group, "group", str(self.group), *unshare],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._wait_until_up(self._room)

    def _wait_until_up(self, room: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + BOOT_SECONDS_MAX
        state = ""
        while state not in ("running", "degraded"):
            if room.poll() is not None or time.monotonic() > until:
                log = (self._folder / "boot.log").read_text(errors="replace")
                raise MachineFailed(f"systemd is {state or 'not there'}:\n{log}")
            time.sleep(POLL_SECONDS)
            self.first = peers.first_in(room)
            if self.first > 0 and Path(f"/proc/{self.first}/comm").read_text() == "systemd\n":
                state = self.run("systemctl", "is-system-running", check=False).stdout.strip()

    def end(self) -> None:
        """Kill every process of the machine. Its files stay, in the folder."""
        if self.group.exists():
            (self.group / "cgroup.kill").write_text("1")
        if self._room is not None:
            self._room.kill()
            self._room.wait(END_SECONDS_MAX)
            self._room = None
        self.first = 0
        _remove_group(self.group)

    def file(self, path: str) -> Path:
        """A file of the running machine."""
        return Path(f"/proc/{self.first}/root{path}")

    def enter(self, *words: str) -> list[str]:
        """A command line of this side that runs a command inside, as root."""
        kinds = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd"]
        return ["nsenter", f"--target={self.first}", *kinds, *ENVIRONMENT, *words]

    def run(
        self, *words: str, check: bool = True, seconds_max: float = RUN_SECONDS_MAX, text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside as root, `text` being its input. Raises MachineFailed with `check`."""
        done = subprocess.run(
            self.enter(*words), input=text, capture_output=True, text=True, timeout=seconds_max, check=False
        )
        if check and done.returncode != 0:
            raise MachineFailed(f"{' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def show(self, unit: str, field: str) -> str:
        """A property of a unit."""
        return self.run("systemctl", "show", "--value", "--property", field, unit).stdout.strip()

    def journal(self, unit: str = "*") -> str:
        words = ("journalctl", "--no-pager", "--output", "cat", "--unit", unit)
        return self.run(*words, check=False).stdout

    def network(self) -> contextlib.AbstractContextManager[None]:
        """The calling thread is in the machine's network."""
        return inside(Path(f"/proc/{self.first}/ns/net"))


def _remove_group(group: Path) -> None:
    until = time.monotonic() + END_SECONDS_MAX
    while group.exists() and time.monotonic() < until:
        for each in (*sorted(group.rglob("*/"), reverse=True), group):
            with contextlib.suppress(OSError):  # its last process is just leaving
                each.rmdir()
        time.sleep(POLL_SECONDS)


def remove_groups_of_ended(folder: Path) -> None:
    """What a machine in this folder left that was killed from outside, with the process that began it."""
    for group in _unified_groups().glob(f"secondpost-test-*-{folder.name}"):
        _remove_group(group)


def _unified_groups() -> Path:
    """Where cgroup v2 is mounted on this side."""
    for place in (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")):
        if (place / "cgroup.procs").exists() and (place / "cgroup.controllers").exists():
            return place
    raise peers.PeerMissing("cgroup v2 is not mounted: mount -t cgroup2 cgroup2 /sys/fs/cgroup")


def install_secondpost(machine: SystemdMachine) -> None:
    """Install what is checked out here into /opt/secondpost, with the libraries of the lock file, as
    this side has them.
    """
    machine.run("python3", "-m", "venv", "--without-pip", "/opt/secondpost")
    packages = next(machine.file("/opt/secondpost/lib").glob("python3*")) / "site-packages"
    for name in _locked():
        _copy_distribution(name, packages)
    shutil.copytree(peers.PROJECT / "src" / "secondpost", packages / "secondpost")
    program = machine.file("/opt/secondpost/bin/secondpost")
    program.write_text("#!/opt/secondpost/bin/python3\nfrom secondpost.cli.main import main\n\nmain()\n")
    program.chmod(0o755)
    machine.run("/opt/secondpost/bin/python3", "-m", "compileall", "-q", "/opt/secondpost/lib")


def _locked() -> Sequence[str]:
    lines = (peers.PROJECT / "requirements.install.lock").read_text().splitlines()
    return [line.partition("==")[0] for line in lines if "==" in line and not line.startswith((" ", "#"))]


def _copy_distribution(name: str, packages: Path) -> None:
    """Copy a distribution installed here; one that is not is for another kind of machine."""
    try:
        files = metadata.distribution(name).files
    except metadata.PackageNotFoundError:
        return
    for file in files or ():
        if ".." in file.parts or file.suffix == ".pyc":  # programs beside the packages, and old bytecode
            continue
        target = packages / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(file.locate()), target)
