"""secondpost config import --to smtpd.conf: OpenSMTPD's own file, in the format since 6.4."""

import os

import click

from secondpost.cli.command import Ending, Exit
from secondpost.cli.config_import_words import report_lines
from secondpost.cli.init_dialogue import NOTHING_WRITTEN
from secondpost.cli.init_file import FileBeside, write_beside
from secondpost.cli.screen import on_terminal, say, say_json
from secondpost.owner.import_documents import conf_import_document
from secondpost.setup.importing.carried import OldConfigFaults, OldServer
from secondpost.setup.importing.old_files import OldFiles
from secondpost.setup.importing.opensmtpd.translation import TranslatedConf, translated
from secondpost.setup.importing.recognised import Recognised

SMTPD_CONF = "smtpd.conf"


def write_smtpd_conf(
    files: OldFiles, found: Recognised, out: str | None, *, says_yes: bool, as_json: bool
) -> list[str]:
    """Print the new file, or write it to `out`; the report, which is also printed to standard error."""
    made = _translated(files, found)
    lines = list(report_lines(made.report, SMTPD_CONF if out is None else out))
    if out is not None:
        _write(os.path.abspath(out), made, says_yes=says_yes)
    if as_json:
        say_json(conf_import_document(made.report, made.text, out))
        return lines
    for line in lines:
        click.echo(line, err=True)
    if out is None:
        _say_conf(made.text)
    else:
        click.echo(f"\nWrote {out}. Try it: smtpd -n -f {out}", err=True)
    return lines


def _translated(files: OldFiles, found: Recognised) -> TranslatedConf:
    if found.server is not OldServer.OLD_OPENSMTPD:
        text = f"{found.path} is not of OpenSMTPD before 6.4: only that has another smtpd.conf today"
        raise Ending(f"{text}; {NOTHING_WRITTEN}", Exit.NO)
    try:
        return translated(files, found.path)
    except OldConfigFaults as faults:
        raise Ending(f"{faults}\n{found.path}: {NOTHING_WRITTEN}", Exit.NO) from None


def _say_conf(text: str) -> None:
    """As it is, unless for people: a terminal must not be controlled by what stands in it."""
    if on_terminal():
        say(text)
    else:
        click.echo(text.encode("utf-8", "surrogateescape"), nl=False)


def _write(path: str, made: TranslatedConf, *, says_yes: bool) -> None:
    if os.path.lexists(path) and not says_yes:
        raise Ending(f"{path} is there already; add --yes to replace it, or name another file", Exit.NO)
    write_beside([FileBeside(path, made.text, is_secret=made.has_secrets)])
