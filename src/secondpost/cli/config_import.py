"""secondpost config import: a configuration from that of another mail server."""

import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

import click

from secondpost.cli.command import JSON, Command, Ending, Exit, config_option_of
from secondpost.cli.config_import_to import SMTPD_CONF, write_smtpd_conf
from secondpost.cli.config_import_words import (
    NAMES,
    certificate_steps,
    report_lines,
    say_files,
    summary_lines,
)
from secondpost.cli.init_dialogue import NOTHING_WRITTEN
from secondpost.cli.init_file import (
    CHANGED,
    NEW,
    FileBeside,
    Written,
    earlier_file,
    is_found_by_commands,
    path_to_write,
    usual_store,
    written_file,
)
from secondpost.cli.opening import write_faults_shown
from secondpost.cli.parameters import Parsed
from secondpost.cli.screen import say, say_json, say_wrapped
from secondpost.config.addresses import full_domain, utf8_mailbox
from secondpost.config.faults import ConfigFaults, Wrong
from secondpost.config.grammars import store as store_form
from secondpost.config.records import Config
from secondpost.config.warnings import warnings
from secondpost.owner.import_documents import config_import_document
from secondpost.roles.first_look import look_around_here
from secondpost.roles.importing import STANDARD_INPUT, old_server_files
from secondpost.setup.answers import NOT_ANSWERED, Answers
from secondpost.setup.importing.carried import ImportedServer, OldConfigFaults, OldServer
from secondpost.setup.importing.old_files import OldFiles
from secondpost.setup.importing.readers import READERS, reader_of
from secondpost.setup.importing.recognised import NotRecognised, Recognised, recognised
from secondpost.setup.importing.writing import ImportedFiles, new_files

OURS = "secondpost.toml"

OWNER = Parsed("ADDRESS", lambda text: str(utf8_mailbox(text)))
HOSTNAME = Parsed("NAME", lambda text: str(full_domain(text)))


@dataclass(frozen=True, slots=True)
class ImportFlags:
    """What the command line says of the new server."""

    owner: tuple[str, ...]
    hostname: str | None
    store: str | None


@click.command("import", cls=Command)
@click.argument("old", metavar="OLD")
@click.option(
    "--from",
    "server",
    type=click.Choice([server.value for server in READERS]),
    help="The mail server of which it is, if its name and content do not tell.",
)
@click.option("--root", metavar="FOLDER", help="A folder in place of /, such as one with a copy of its /etc.")
@click.option(
    "--to",
    type=click.Choice([OURS, SMTPD_CONF]),
    default=OURS,
    help="What is written: our file, or for OpenSMTPD before 6.4 a smtpd.conf of today.",
)
@click.option("--out", metavar="FILE", help="Write this file.")
@click.option(
    "--owner", type=OWNER, multiple=True, help="Your address, outside the domains. May be repeated."
)
@click.option("--hostname", type=HOSTNAME, help="This server's full name, if not that of the old one.")
@click.option("--store", metavar="FOLDER", help="Where mail, keys and sockets are kept.")
@click.option("--report", metavar="FILE", help="Write the report to this file too.")
@click.option("--yes", "says_yes", is_flag=True, help="Replace the file if there is another.")
@JSON
@click.pass_context
def import_(
    context: click.Context,
    old: str,
    server: str | None,
    root: str | None,
    to: str,
    out: str | None,
    owner: tuple[str, ...],
    hostname: str | None,
    store: str | None,
    report: str | None,
    says_yes: bool,
    as_json: bool,
) -> None:
    """Make a configuration from that of another mail server.

    OLD is its file or its folder; - means standard input. Domains that it relays become backup domains;
    a smart host, the certificate, the addresses that it listens on and its limits are taken over. Line
    by line, a report says what was carried over, what changed, and what was not carried over and why.
    """
    files = old_server_files("/" if root is None else root)
    found = _recognised(files, _old_path(old, root), root, None if server is None else OldServer(server))
    if to == SMTPD_CONF:
        _check_report_path(report, out, found.path if root is None else None)
        lines = write_smtpd_conf(files, found, out, says_yes=says_yes, as_json=as_json)
        write_report(report, lines)
        return
    here = look_around_here()
    path = path_to_write(config_option_of(context) if out is None else out, here.is_root)
    _check_report_path(report, path, found.path if root is None else None)
    asks = not as_json and sys.stdin.isatty() and sys.stdout.isatty()
    said = ImportFlags(owner, hostname, usual_store(path, here.is_root) if store is None else store)
    imported = _imported(files, found)
    made = _made(imported, _completed(imported.answers, said, asks=asks), path)
    lines = [*summary_lines(made.config), "", *report_lines(made.report, path)]
    if not as_json:
        say(f"Read {found.path} as the configuration of {NAMES[made.server]}.")
        say("")
        say("\n".join(lines))
        say("")
    written = _written(made, asks=asks, says_yes=says_yes, says=not as_json)
    write_report(report, lines)
    notes = [f"{warning.key}: {warning.text}." for warning in warnings(made.config)]
    if as_json:
        say_json(config_import_document(made, written.state, written.kept, notes))
        return
    say_files(made, _written_text(path, written))
    for note in notes:
        say_wrapped(note, "Note: ")
    _say_next(made.config, root)


def _check_report_path(report: str | None, *others: str | None) -> None:
    """The report must not replace the file that is read, or the one that is written."""
    same = None if report is None else os.path.realpath(report)
    if same in [os.path.realpath(one) for one in others if one is not None]:
        raise click.UsageError(f"--report: {report} is the file that is read or written; name another")


def write_report(path: str | None, lines: list[str]) -> None:
    if path is None:
        return
    with write_faults_shown(path), open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write("\n".join(lines) + "\n")


def _old_path(old: str, root: str | None) -> str:
    """The path on the old server. In a copy of its folders, OLD may be named from here too."""
    if old == STANDARD_INPUT:
        return old
    if root is None:
        return os.path.abspath(old)
    below, here = os.path.abspath(root), os.path.abspath(old)
    if here == below or here.startswith(f"{below.rstrip('/')}/"):
        return "/" if here == below else f"/{os.path.relpath(here, below)}"
    return os.path.normpath(f"/{old.lstrip('/')}")  # normpath keeps two slashes


def _recognised(files: OldFiles, path: str, root: str | None, said: OldServer | None) -> Recognised:
    found = recognised(files, path, said)
    if isinstance(found, NotRecognised):
        where = path if root is None or path == STANDARD_INPUT else f"{path} in {root}"
        raise Ending(f"{where} {found.reason}", Exit.NO)
    if found.server not in READERS:
        raise Ending(f"{path} is of {NAMES[found.server]}, which this version does not read", Exit.NO)
    return found


def _imported(files: OldFiles, found: Recognised) -> ImportedServer:
    try:
        return reader_of(found.server)(files, found.path)
    except OldConfigFaults as faults:
        raise Ending(f"{faults}\n{found.path}: {NOTHING_WRITTEN}", Exit.NO) from None


def _completed(answers: Answers, said: ImportFlags, *, asks: bool) -> Answers:
    """The answers with what the old server does not say; asked for on a terminal, else demanded."""
    hostname = said.hostname or answers.hostname
    if hostname == NOT_ANSWERED.hostname:
        hostname = _asked("This server's full name", "--hostname", _as_typed(full_domain), asks=asks)
    owner = said.owner or answers.owner
    if owner == NOT_ANSWERED.owner:
        text = "Your address, at a domain that is not backed up here"
        owner = (_asked(text, "--owner", _as_typed(utf8_mailbox), asks=asks),)
    store = said.store if said.store is not None else answers.store
    try:
        store = store_form(os.path.abspath(store))
    except Wrong as wrong:
        raise click.UsageError(f"--store: {wrong}; {wrong.hint}") from None
    return replace(answers, hostname=hostname, owner=owner, store=store)


def _as_typed(form: Callable[[object], object]) -> Callable[[str], str]:
    """A form of a configured value, for click to ask again until it is right."""

    def typed(text: str) -> str:
        try:
            return str(form(text.strip()))
        except Wrong as wrong:
            raise click.UsageError(f"{wrong}; {wrong.hint}" if len(wrong.hint) > 0 else str(wrong)) from None

    return typed


def _asked(question: str, flag: str, form: Callable[[str], str], *, asks: bool) -> str:
    if not asks:
        raise click.UsageError(
            f"{flag} is missing, and the old configuration does not say it: {question.lower()}"
        )
    try:
        answer: str = click.prompt(question, value_proc=form)
    except click.Abort:
        click.echo(err=True)
        raise Ending(NOTHING_WRITTEN, Exit.NO) from None
    return answer


def _made(imported: ImportedServer, answers: Answers, path: str) -> ImportedFiles:
    try:
        return new_files(imported, answers, path)
    except ConfigFaults as faults:
        text = "\n".join(faults.texts())
        raise Ending(
            f"{text}\n{path}: the new file would have these faults, so {NOTHING_WRITTEN}", Exit.NO
        ) from None


def _written(made: ImportedFiles, *, asks: bool, says_yes: bool, says: bool) -> Written:
    beside = [FileBeside(path, text) for path, text in made.lists.items()]
    beside += [FileBeside(path, text, is_secret=True) for path, text in made.secrets.items()]
    path = made.config.path
    earlier = earlier_file(path)
    return written_file(path, made.answers, earlier, beside=beside, asks=asks, says_yes=says_yes, says=says)


def _written_text(path: str, written: Written) -> str:
    if written.state == NEW:
        return f"Wrote {path}."
    if written.state == CHANGED:
        return f"Wrote {path}; the earlier one is {written.kept}."
    return f"{path} stays as it is: nothing would change."


def _say_next(config: Config, root: str | None) -> None:
    named = "" if is_found_by_commands(config.path) else f" --config {shlex.quote(config.path)}"
    say("\nNext, type:")
    for step in certificate_steps(config.tls, "/" if root is None else root):
        say(f"    {step}")
    say(f"    secondpost init{named}  # makes the keys, and shows what to publish")
    say(f"    secondpost check all{named}  # finds what is still missing")
