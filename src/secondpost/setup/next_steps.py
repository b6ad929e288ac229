"""What `secondpost init` leads to, and the commands to type next, fitted to this machine. Pure."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from secondpost.config.records import Config
from secondpost.setup.interview_host import MAIL_SERVERS, SMTP_PORT
from secondpost.setup.proxies import Snippet
from secondpost.setup.records import WantedRecord
from secondpost.setup.surroundings import OURS, Surroundings

SYSTEM_FOLDER = "/etc/"  # a file elsewhere is a trial, which may run as root


@dataclass(frozen=True, slots=True)
class NextStep:
    command: str
    why: str


@dataclass(frozen=True, slots=True)
class SetUp:
    """The result of `secondpost init`."""

    config: Config
    state: str  # of the file: "new", "changed" or "unchanged"
    kept: str | None  # where the earlier file is now
    keys: tuple[str, ...]  # the files of those that were made
    records: tuple[WantedRecord, ...]
    proxy: Snippet | None  # for the web server in front of the pages
    steps: tuple[NextStep, ...]


def next_steps(
    config: Config, here: Surroundings, *, has_user: bool, is_found: bool, waited: bool = False
) -> Iterator[NextStep]:
    """`has_user`: the service's own exists; `is_found`: commands find the file without --config;
    `waited`: the records are visible.
    """
    named = "" if is_found else f" --config {shlex.quote(config.path)}"
    if here.is_root and not has_user and config.path.startswith(SYSTEM_FOLDER):
        make = f"adduser --system --group --no-create-home {config.user}"
        own = f"chown -R {config.user}: {shlex.quote(config.store)}"
        yield NextStep(f"{make} && {own}", "so that the service does not run as root")
    ports = {door.port for door in config.receive.listen}
    if SMTP_PORT in ports:
        for program in here.holders(SMTP_PORT):
            if program in MAIL_SERVERS:
                stop = f"systemctl disable --now {MAIL_SERVERS[program]}"
                yield NextStep(stop, f"it holds port {SMTP_PORT}")
    if not waited:
        yield NextStep(f"secondpost init --wait --yes{named}", "waits until the records are visible")
    yield NextStep(f"secondpost check all{named}", "finds what is still missing")
    if any(holder.program == OURS for holder in here.port_holders):
        yield NextStep(f"secondpost reload{named}", "lets the running service use the file")
        return
    serve = f"secondpost serve{named}"
    if here.has_systemd and here.is_root:
        start = f"secondpost systemd --install{named}"
        yield NextStep(start, "starts the service, now and with this machine")
        yield NextStep(serve, "or this, to try it: runs the service, until Ctrl-C")
        return
    is_low = any(not here.can_open(port) for port in ports)
    yield NextStep(serve, f"{'as root: ' * is_low}runs the service, until Ctrl-C")
