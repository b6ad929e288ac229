"""This machine as the service finds it: its clock, disk, user and limits."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from secondpost.config.records import DEFAULT_USER, Config
from secondpost.mail.size import size_text
from secondpost.setup.diagnosis import Check, Diagnosis, Grade

CLOCK_ERROR_MS_MAX = 10_000  # the kernel's own estimate
DISK_TIMES_RESERVE_ENOUGH = 2  # less free space than this is worth a warning
DESCRIPTORS_PER_CONNECTION = 2  # the connection, and a file for a large message
DESCRIPTORS_BESIDE = 100  # databases, sockets between roles, the log


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """What the kernel knows of its clock (adjtimex(2))."""

    is_synchronised: bool
    error_ms: int  # at most, as estimated


@dataclass(frozen=True, slots=True)
class MachineFacts:
    clock: ClockFacts | None  # None: the kernel does not say, as in some containers
    free_octets: int | None  # where the store is; None without a store
    user: str  # that runs the service; "root" if it stays root
    open_files_max: int


def examine_machine(config: Config, facts: MachineFacts) -> Iterator[Diagnosis]:
    yield _clock(facts.clock)
    if facts.free_octets is not None:
        yield _disk(config, facts.free_octets)
        yield from _quotas(config, facts.free_octets)
    yield _user(config, facts.user)
    yield _open_files(config, facts.open_files_max)


def _clock(clock: ClockFacts | None) -> Diagnosis:
    if clock is None:
        text = "The kernel does not say here whether the clock is kept right."
        return Diagnosis(Check.CLOCK, "", Grade.NOTE, text, "look at it where the machine is managed: date")
    if not clock.is_synchronised:
        text = "No program keeps the clock right."
        return Diagnosis(Check.CLOCK, "", Grade.WARNING, text, "apt-get install systemd-timesyncd")
    if clock.error_ms > CLOCK_ERROR_MS_MAX:
        text = f"The clock may be wrong by {clock.error_ms / 1000:.0f} seconds."
        return Diagnosis(Check.CLOCK, "", Grade.WARNING, text, "systemctl restart systemd-timesyncd")
    return Diagnosis(Check.CLOCK, "", Grade.WELL, "The clock is kept right.")


def _disk(config: Config, free_octets: int) -> Diagnosis:
    free, reserve = size_text(free_octets), size_text(config.reserve)
    if free_octets <= config.reserve:
        text = f"{free} are free, and the reserve is {reserve}: no new mail is taken."
        remedy = f"free some space on the disk of {config.store}, or lower `reserve` in {config.path}"
        return Diagnosis(Check.DISK_SPACE, config.store, Grade.FAULT, text, remedy)
    if free_octets < config.reserve * DISK_TIMES_RESERVE_ENOUGH:
        text = f"{free} are free; below the reserve of {reserve} no new mail is taken."
        remedy = f"free some space on the disk of {config.store}"
        return Diagnosis(Check.DISK_SPACE, config.store, Grade.WARNING, text, remedy)
    return Diagnosis(Check.DISK_SPACE, config.store, Grade.WELL, f"{free} are free.")


def _quotas(config: Config, free_octets: int) -> Iterator[Diagnosis]:
    quotas = [backup.quota for backup in config.backups if backup.quota is not None]
    if len(quotas) == 0:
        return
    together, room = sum(quotas), max(0, free_octets - config.reserve)
    if together > room:
        text = f"The quotas allow {size_text(together)}, and {size_text(room)} are free beyond the reserve."
        remedy = f"lower `quota` of the domains in {config.path}, or give {config.store} a larger disk"
        yield Diagnosis(Check.QUOTAS, config.store, Grade.NOTE, text, remedy)
    else:
        yield Diagnosis(Check.QUOTAS, config.store, Grade.WELL, "The disk has room for all quotas.")


def _user(config: Config, user: str) -> Diagnosis:
    if user == "root":
        text = "The service runs as root."
        new = DEFAULT_USER if config.user == "root" else config.user
        add = f"adduser --system --group --no-create-home {new}"
        remedy = f"{add} && chown -R {new}: {shlex.quote(config.store)}"
        if new != config.user:
            remedy = f'user = "{new}" in {config.path}, and {remedy}'
        return Diagnosis(Check.SERVICE_USER, "", Grade.WARNING, text, remedy)
    return Diagnosis(Check.SERVICE_USER, "", Grade.WELL, f"The service runs as {user}.")


def _open_files(config: Config, most: int) -> Diagnosis:
    needed = config.receive.connections * DESCRIPTORS_PER_CONNECTION + DESCRIPTORS_BESIDE
    if most < needed:
        text = (
            f"A process may open {most:,} files; {config.receive.connections:,} connections "
            f"at once need {needed:,}."
        )
        remedy = f"LimitNOFILE={needed} in the systemd unit, or `connections` lower in [receive]"
        return Diagnosis(Check.OPEN_FILES, "", Grade.WARNING, text, remedy)
    return Diagnosis(Check.OPEN_FILES, "", Grade.WELL, "A process may open enough files.")
