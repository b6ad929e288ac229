"""One machine for all tests of a file: Secondpost with a unit per role, beside a primary, a blog and
the readers' mail server, which run on this side and in the machine's network.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from bench import peers
from bench.ours import DOMAIN
from secondpost.mail.store_rooms import ROLES
from tests.against.systemd_machine import SystemdMachine, install_secondpost
from tests.service.primary import Primary
from tests.world.certificates import make_pair
from tests.world.web_server import WebServer, answer

WAIT_SECONDS_MAX = 60.0
POLL_SECONDS = 0.1
CONFIG_PATH = "/etc/secondpost/secondpost.toml"
CONFIG = """\
version  = 3
hostname = "mx2.example.net"
store    = "/var/lib/secondpost"
owner    = ["me@elsewhere.example"]
reserve  = "1 MB"

[web]
url    = "http://127.0.0.1:8025"
listen = ["127.0.0.1:8025"]

[tls]
certificate = "tls.pem"
key         = "tls.key"

[receive]
listen = ["[::]:25"]

[deliver]
probe = "1 second"

[dns]
servers = ["127.0.0.1:53"]

[fetch]
allow_private = true

[send]
unverified = true

[[backup]]
domain     = "{domain}"
primary    = ["127.0.0.1:{primary}"]
recipients = ["any"]

[[route]]
domain = "*"
lane   = "issues"
host   = "127.0.0.1:{readers}"

[[route]]
domain = "*"
lane   = "own"
host   = "127.0.0.1:{readers}"

[[newsletter]]
name   = "weekly"
from   = "The Blog <newsletter@example.net>"
feeds  = ["http://127.0.0.1:{blog}/feed.xml"]
settle = "0 minutes"
undo   = "0 minutes"
start  = "everything"
approve = true
"""
FEED = """\
<rss version="2.0"><channel><title>The Blog</title>
<item><title>One</title><link>https://www.example.net/1</link><guid>1</guid><description>1</description></item>
<item><title>Two</title><link>https://www.example.net/2</link><guid>2</guid><description>2</description></item>
</channel></rss>
"""


@dataclass(frozen=True)
class Town:
    """The machine, and who is around it. `primary_port`: where the primary is expected."""

    machine: SystemdMachine
    primary_port: int
    readers: Primary

    def run(self, *words: str) -> str:
        return self.machine.run(*words).stdout

    def trouble(self) -> str:
        return self.machine.journal("secondpost*")[-4000:]

    def main_process(self, role: str) -> int:
        """The supervisor of a role, as numbered inside."""
        return int(self.machine.show(f"secondpost-{role}.service", "MainPID"))

    def role_processes(self, role: str) -> list[int]:
        """The processes of a role, as numbered inside: after a reload also the one that leaves."""
        number = self.main_process(role)
        children = f"/proc/{number}/task/{number}/children"
        return [int(one) for one in self.machine.run("cat", children, check=False).stdout.split()]

    def role_process(self, role: str) -> int:
        """The process of a role; 0 if there is none."""
        return next(iter(self.role_processes(role)), 0)

    def has_another(self, role: str, process: int) -> bool:
        """Whether the role has a process besides this one."""
        return len(set(self.role_processes(role)) - {process}) > 0

    def serves(self, role: str) -> bool:
        return f"Serving: {role}" in self.machine.show(f"secondpost-{role}.service", "StatusText")


def until(
    happened: Callable[[], bool], trouble: Callable[[], str], seconds_max: float = WAIT_SECONDS_MAX
) -> None:
    ends = time.monotonic() + seconds_max
    while not happened():
        assert time.monotonic() < ends, trouble()
        time.sleep(POLL_SECONDS)


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    peers.need_root()
    folder = Path(tempfile.mkdtemp(prefix="secondpost-units-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        with SystemdMachine(folder) as machine, machine.network():
            readers, blog = Primary(), WebServer({"/feed.xml": answer("200 OK", FEED.encode())})
            with readers, blog.in_a_thread():
                yield _installed(machine, readers, blog)
    finally:
        shutil.rmtree(folder)


def _installed(machine: SystemdMachine, readers: Primary, blog: WebServer) -> Town:
    install_secondpost(machine)
    primary_port = Primary().port
    path = machine.file(CONFIG_PATH)
    path.parent.mkdir(exist_ok=True)
    path.write_text(CONFIG.format(domain=DOMAIN, primary=primary_port, readers=readers.port, blog=blog.port))
    pair = make_pair(path.parent, "tls")
    Path(pair.key).chmod(0o600)  # root's: systemd gives it to the roles that need it
    shutil.copy(Path(__file__).parent / "intruder.py", _packages(machine) / "sitecustomize.py")
    watch = machine.file("/etc/systemd/system/secondpost-web.service.d")
    watch.mkdir()
    (watch / "watch.conf").write_text("[Service]\nWatchdogSec=4\n")
    machine.run("secondpost", "systemd", "--install")
    town = Town(machine, primary_port, readers)
    for role in ROLES:
        until(partial(town.serves, role), town.trouble)
    return town


def _packages(machine: SystemdMachine) -> Path:
    return next(machine.file("/opt/secondpost/lib").glob("python3*")) / "site-packages"
