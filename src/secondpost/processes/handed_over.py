"""What a supervisor hands to the program that takes its place: the listening sockets, the processes of
the roles with what it says to them, its lock, and the configuration in force.

The supervisor becomes the other program by exec(2), so its number and its children stay, and so do the
descriptors that are named here. Both programs may be older or newer than each other: fields are only
ever added to these records, with a value for those who do not know them, and unknown ones are passed
over. A change that cannot be made so gets another FORM, and the older program refuses it before exec.
"""

import os
from collections.abc import Iterator, Mapping
from enum import StrEnum

import msgspec

FORM = 1
HANDED_OVER = "SECONDPOST_HANDED_OVER"  # the variable that names the descriptor with all of it


class SuccessionStep(StrEnum):
    """What the program is to do with what it gets."""

    TAKE = "take"  # replace the roles by its own; keep the place when the asker says so
    RESUME = "resume"  # the other program could not take them: go on with the roles as they are
    RETURN = "return"  # the other program was not kept: replace its roles, or start all that are missing


class HandedRole(msgspec.Struct, frozen=True):
    """`makers`: the numbers of its signing processes, by the number that the role gave each;
    `is_leaving`: it finishes what it had, and another has its place.
    """

    role: str
    number: int
    tether: int
    files: int
    named: tuple[str, ...]
    makers: Mapping[str, int]
    is_serving: bool
    is_leaving: bool


class HandedOver(msgspec.Struct, frozen=True):
    """Numbers are descriptors. `program`: the interpreter of the program that hands over, and
    `version` its version; `asker`: the connection of the command that wants the change; `why`: the
    reasons of a step back.
    """

    form: int
    step: SuccessionStep
    program: str
    version: str
    only: str | None
    path: str
    text: bytes
    copies: Mapping[str, bytes]
    doors: Mapping[str, int]
    lock: int
    roles: tuple[HandedRole, ...]
    asker: int | None = None
    why: tuple[str, ...] = ()

    def descriptors(self) -> Iterator[int]:
        yield from self.doors.values()
        yield self.lock
        if self.asker is not None:
            yield self.asker
        for role in self.roles:
            yield role.tether
            yield role.files


class NotUnderstood(Exception):
    """What was handed over is of a form that this program does not know."""


def handed_file(handed: HandedOver) -> int:
    """A file in memory with it, which the next program inherits. Raises OSError."""
    descriptor = os.memfd_create("secondpost-handed-over", 0)
    with open(descriptor, "wb", closefd=False) as file:
        file.write(msgspec.msgpack.encode(handed))
    return descriptor


def inherited(environment: Mapping[str, str]) -> HandedOver | None:
    """What the program before handed over; None for a process that was started as usual. Raises
    NotUnderstood.
    """
    descriptor = environment.get(HANDED_OVER)
    if descriptor is None:
        return None
    size = os.fstat(int(descriptor)).st_size
    octets = os.pread(int(descriptor), size, 0)
    os.close(int(descriptor))
    try:
        handed = msgspec.msgpack.decode(octets, type=HandedOver)
    except msgspec.DecodeError as error:
        raise NotUnderstood(f"what the running program hands over is not understood: {error}") from None
    if handed.form != FORM:
        raise NotUnderstood(
            f"the running program hands over in form {handed.form}, and this one knows {FORM}"
        )
    return handed


def become_program(program: str, handed: HandedOver) -> None:
    """Run another program in this process. Returns only by raising OSError: then nothing has changed."""
    descriptor = handed_file(handed)
    inheritable = [*handed.descriptors(), descriptor]
    role = [] if handed.only is None else ["--role", handed.only]
    words = [program, "-P", "-m", "secondpost.processes", "--config", handed.path, "serve", *role]
    try:
        for one in inheritable:
            os.set_inheritable(one, True)
        os.execve(program, words, {**os.environ, HANDED_OVER: str(descriptor)})
    except OSError:
        os.close(descriptor)
        for one in handed.descriptors():
            os.set_inheritable(one, False)
        raise
