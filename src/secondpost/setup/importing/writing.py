"""The new configuration that an import gives, checked before anything is written.

`new_files` makes the text of the file, the lists and passwords beside it, and the report with the lines
of both files. The files that the old server named, such as its certificate, may be on another machine:
they are not read.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from secondpost.config.faults import ConfigFaults, Fault
from secondpost.config.positions import positions
from secondpost.config.reading import parse_config
from secondpost.config.recipients import RecipientFaults, parse_recipients
from secondpost.config.records import Config, RecipientFile
from secondpost.mail.address import Domain
from secondpost.setup.answers import Answers
from secondpost.setup.config_file import config_text
from secondpost.setup.importing.carried import Fate, ImportedServer, OldServer, ReportLine


@dataclass(frozen=True, slots=True)
class FoundAgain:
    """A line of the report. `lines`: those of the new file in which it lives on, from 1, in order."""

    line: ReportLine
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ImportedFiles:
    """What is to be written, all without fault. `lists` and `secrets`: texts by their absolute paths."""

    server: OldServer
    answers: Answers
    config: Config
    lists: Mapping[str, str]
    secrets: Mapping[str, str]
    report: tuple[FoundAgain, ...]


def count_of(report: Sequence[FoundAgain], fate: Fate) -> int:
    return sum(1 for one in report if one.line.fate is fate)


def new_files(imported: ImportedServer, answers: Answers, path: str) -> ImportedFiles:
    """`answers`: those of the import, completed; `path`: of the new file, absolute.

    Raises ConfigFaults, with lines of the new file as it would be.
    """
    text = config_text(answers)
    config = parse_config(text.encode("utf-8", "surrogateescape"), path, are_files_checked=False)
    folder = os.path.dirname(path)
    lists = {os.path.join(folder, name): one for name, one in imported.lists.items()}
    _check_lists(config, lists)
    lines = positions(text)
    report = tuple(
        FoundAgain(line, tuple(sorted({lines.line(key) for key in line.becomes}))) for line in imported.report
    )
    secrets = {os.path.join(folder, name): one for name, one in imported.secrets.items()}
    return ImportedFiles(imported.server, answers, config, lists, secrets, report)


def _check_lists(config: Config, lists: Mapping[str, str]) -> None:
    """Each list that a domain names has to be without fault for it. Raises ConfigFaults."""
    for backup in config.backups:
        for source in backup.recipients:
            if isinstance(source, RecipientFile) and source.path in lists:
                _check_list(source.path, lists[source.path], backup.domain)


def _check_list(path: str, text: str, domain: Domain) -> None:
    try:
        parse_recipients(text, domain)
    except RecipientFaults as wrong:
        faults = tuple(Fault("", fault.line, fault.reason) for fault in wrong.faults)
        raise ConfigFaults(path, faults) from None
