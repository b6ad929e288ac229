"""Secondpost with the configuration that an example becomes."""

import getpass
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.ours import Secondpost
from secondpost.setup.answers import NOT_ANSWERED, Answers, Entry, toml_text
from secondpost.setup.config_file import config_text
from secondpost.setup.importing.carried import ImportedServer
from secondpost.setup.importing.postfix.reading import read_postfix
from secondpost.setup.importing.writing import new_files
from secondpost.world.real.old_server_files import OldServerFiles

# An example that is the output of postconf -n has no folder.
NO_FOLDER = "postconf-n"


def imported(example: Path) -> ImportedServer:
    if (example / NO_FOLDER).exists():
        return read_postfix(OldServerFiles(str(example)), f"/{NO_FOLDER}")
    return read_postfix(OldServerFiles(str(example)), "/etc/postfix")


@dataclass(slots=True)
class CarriedOver(Secondpost):
    """What is changed for the test: port, store, owner and user; files of the old machine are not named."""

    example: Path = Path()

    def write(self) -> None:
        found = imported(self.example)
        made = new_files(found, self._completed(found.answers), str(self.config))
        for path, text in {**made.lists, **made.secrets}.items():
            Path(path).parent.mkdir(exist_ok=True)
            Path(path).write_text(text)
        self.config.write_text(config_text(made.answers))

    def command(self, *arguments: str) -> Sequence[str]:
        """In one process: its start is most of the time that an example takes."""
        one_process = ("--single",) if arguments == ("serve",) else ()
        return Secondpost.command(self, *arguments, *one_process)

    def _completed(self, answers: Answers) -> Answers:
        is_named = answers.hostname != NOT_ANSWERED.hostname
        return replace(
            answers,
            hostname=answers.hostname if is_named else "mx2.example.net",
            store=str(self.folder / "store"),
            owner=("owner@outside.example",),
            listen=(f"127.0.0.1:{self.port}",),
            certificate=None,
            key=None,
            more=(*answers.more, Entry("user", toml_text(getpass.getuser()))),
        )
