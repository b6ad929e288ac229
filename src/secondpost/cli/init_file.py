"""The file that `secondpost init` writes: where it lies, what stood there, what would change."""

import difflib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

import click

from secondpost.cli.command import Ending, Exit
from secondpost.cli.init_dialogue import NOTHING_WRITTEN
from secondpost.cli.opening import write_faults_shown
from secondpost.cli.screen import on_terminal, say
from secondpost.config.faults import ConfigFaults
from secondpost.config.finding import CONFIG_VARIABLE, NAME, SYSTEM_PATH, find_config
from secondpost.config.reading import parse_config, read_values
from secondpost.mail.printable import printable
from secondpost.owner.figures import moment
from secondpost.roles.first_look import FileRefused, now_ms, replace_file
from secondpost.setup.answers import Answers, answers_of
from secondpost.setup.config_file import config_text
from secondpost.setup.records import SNIPPET_BEGINS

NEW, CHANGED, UNCHANGED = "new", "changed", "unchanged"  # what became of the file
NEW_FILE_MODE, SECRET_FILE_MODE = 0o644, 0o600
LINES_AROUND = 1  # of a change that are shown too


@dataclass(frozen=True, slots=True)
class EarlierFile:
    text: str
    answers: Answers | None  # None: it has faults, so that nothing can be taken over


def path_to_write(option: str | None, is_root: bool) -> str:
    """The file named, else the one that commands would read here, else the usual place."""
    named = option if option is not None else os.environ.get(CONFIG_VARIABLE, "")
    if len(named) > 0:
        return os.path.abspath(named)
    here = os.path.abspath(NAME)
    return SYSTEM_PATH if is_root and not os.path.exists(here) else here


def usual_store(path: str, is_root: bool) -> str:
    return "/var/lib/secondpost" if is_root else os.path.join(os.path.dirname(path), "store")


def earlier_file(path: str) -> EarlierFile | None:
    """The file that is there already; None if there is none."""
    data = _octets(path)
    if data is None:
        return None
    text = data.decode("utf-8", "replace")
    try:
        parse_config(data, path)
    except ConfigFaults:
        return EarlierFile(text, None)
    return EarlierFile(text, answers_of(read_values(data)))


@dataclass(frozen=True, slots=True)
class Written:
    state: str
    kept: str | None = None  # where the earlier file is now


@dataclass(frozen=True, slots=True)
class FileBeside:
    """A file that the configuration names, written with it."""

    path: str
    text: str
    is_secret: bool = False  # of a new one; an earlier file keeps its mode


def written_file(
    path: str,
    answers: Answers,
    earlier: EarlierFile | None,
    *,
    beside: Sequence[FileBeside] = (),
    asks: bool,
    says_yes: bool,
    says: bool,
) -> Written:
    """Write the file; if there is another, only with its owner's consent, who sees what would change.

    A file that says the same in other words, or with the owner's comments, stays as it is. The files
    `beside` are written first, so that the configuration never names one that is not there.
    """
    text = config_text(answers)
    if earlier is None:
        write_beside(beside)
        _write(path, text.encode(), None)
        return Written(NEW)
    if earlier.text == text or earlier.answers == answers:
        write_beside(beside)
        return Written(UNCHANGED)
    if says:
        _say_changes(path, earlier, text)
    confirm_changes(asks=asks, says_yes=says_yes)
    kept = dated(path)
    write_beside(beside)
    _write(path, text.encode(), kept)
    return Written(CHANGED, kept)


def write_beside(files: Sequence[FileBeside]) -> None:
    """An earlier file with another text is kept under its name with the day."""
    for file in files:
        data = file.text.encode("utf-8", "surrogateescape")
        if _octets(file.path) != data:
            mode = SECRET_FILE_MODE if file.is_secret else NEW_FILE_MODE
            _write(file.path, data, dated(file.path), mode)


def _octets(path: str) -> bytes | None:
    """None if the file is not there; it is not read if it cannot be, and then not written either."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Ending(f"{path} cannot be read: {error.strerror}; {NOTHING_WRITTEN}", Exit.NO) from None


def _say_changes(path: str, earlier: EarlierFile, text: str) -> None:
    """Print which lines go and which come."""
    say("")
    if earlier.answers is None:
        say(f"{path} has faults, so nothing of it is taken over; `secondpost check config` lists them.")
    say_difference(path, earlier.text, text)


def difference(path: str, earlier: str, text: str) -> Iterator[str]:
    """The lines of a unified difference, without their ends."""
    return difflib.unified_diff(
        earlier.splitlines(), text.splitlines(), path, f"{path} (new)", lineterm="", n=LINES_AROUND
    )


def say_difference(path: str, earlier: str, text: str) -> None:
    for line in difference(path, earlier, text):
        colour = {"+": "green", "-": "red"}.get(line[:1]) if on_terminal() else None
        click.secho(printable(line), fg=colour)


def _write(path: str, data: bytes, keep_as: str | None, new_mode: int = NEW_FILE_MODE) -> None:
    with write_faults_shown(path):
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            replace_file(path, data, keep_as, new_mode)
        except FileRefused as refused:
            raise Ending(f"{refused}; {NOTHING_WRITTEN}", Exit.NO) from None


def dated(path: str) -> str:
    """A new name beside the file: with the day, and where that exists with the time."""
    now = moment(now_ms()).astimezone()
    day, second = (f"{path}.{now.strftime(form)}" for form in ("%Y-%m-%d", "%Y-%m-%d-%H%M%S"))
    return second if os.path.lexists(day) else day


def confirm_changes(*, asks: bool, says_yes: bool) -> None:
    """End the command unless the owner agrees that the file is replaced."""
    if says_yes:
        return
    if not asks:
        raise Ending(f"{NOTHING_WRITTEN}: add --yes to make these changes", Exit.NO)
    try:
        agreed = click.confirm("Make these changes? The earlier file is kept beside it.", default=False)
    except click.Abort:
        click.echo(err=True)
        agreed = False
    if not agreed:
        raise Ending(NOTHING_WRITTEN, Exit.NO)


def opened_zone(path: str) -> IO[str]:
    """Open the file for the records, while still root. A file that no earlier run wrote may be the
    owner's real zone, and is not replaced.
    """
    with write_faults_shown(path):
        if os.path.isfile(path) and os.path.getsize(path) > 0 and not _is_snippet(path):
            text = f"{path} is there already, and holds something else; name another file with --zone"
            raise Ending(text, Exit.NO)
        return open(path, "w", encoding="utf-8")


def _is_snippet(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(len(SNIPPET_BEGINS)) == SNIPPET_BEGINS.encode()


def is_found_by_commands(path: str) -> bool:
    """Whether commands typed here read this file without --config."""
    try:
        return os.path.abspath(find_config(None)) == path
    except ConfigFaults:
        return False
