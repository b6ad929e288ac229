"""The JSON document of `secondpost config import`."""

from collections.abc import Sequence
from dataclasses import dataclass

from secondpost.setup.importing.carried import Fate, OldServer
from secondpost.setup.importing.writing import FoundAgain, ImportedFiles, count_of


@dataclass(frozen=True, slots=True)
class ImportedLineDocument:
    """A statement of the old configuration and what became of it."""

    path: str
    line: int
    text: str
    fate: str
    why: str
    new_lines: list[int]


@dataclass(frozen=True, slots=True)
class ConfigImportDocument:
    """The document of `config import`."""

    server: str
    config: str
    state: str
    kept: str | None
    lists: list[str]
    secrets: list[str]
    carried: int
    changed: int
    not_carried: int
    lines: list[ImportedLineDocument]
    warnings: list[str]


def config_import_document(
    files: ImportedFiles, state: str, kept: str | None, warnings: Sequence[str]
) -> ConfigImportDocument:
    """`state`: of the new file: "new", "changed" or "unchanged"; `kept`: where the earlier one is now."""
    return ConfigImportDocument(
        server=files.server.value,
        config=files.config.path,
        state=state,
        kept=kept,
        lists=list(files.lists),
        secrets=list(files.secrets),
        carried=count_of(files.report, Fate.CARRIED),
        changed=count_of(files.report, Fate.CHANGED),
        not_carried=count_of(files.report, Fate.NOT_CARRIED),
        lines=[_line(one) for one in files.report],
        warnings=list(warnings),
    )


@dataclass(frozen=True, slots=True)
class ConfImportDocument:
    """The document of `config import --to smtpd.conf`."""

    server: str
    out: str | None
    text: str | None
    carried: int
    changed: int
    not_carried: int
    lines: list[ImportedLineDocument]


def conf_import_document(report: Sequence[FoundAgain], text: str, out: str | None) -> ConfImportDocument:
    """`text`: the new smtpd.conf; `out`: where it was written, if it was. Then the document is without
    the text, in which passwords may stand.
    """
    return ConfImportDocument(
        server=OldServer.OLD_OPENSMTPD.value,
        out=out,
        text=text if out is None else None,
        carried=count_of(report, Fate.CARRIED),
        changed=count_of(report, Fate.CHANGED),
        not_carried=count_of(report, Fate.NOT_CARRIED),
        lines=[_line(one) for one in report],
    )


def _line(one: FoundAgain) -> ImportedLineDocument:
    line = one.line
    return ImportedLineDocument(
        path=line.place.path,
        line=line.place.line,
        text=line.text,
        fate=line.fate.value,
        why=line.why,
        new_lines=list(one.lines),
    )
