"""The report of `secondpost config import` in words: each domain, then line by line, then how many."""

import os
import shlex
from collections.abc import Iterator, Sequence
from textwrap import wrap

from secondpost.cli.screen import LINE_CHARACTERS_MAX, say
from secondpost.config.records import Config, Tls
from secondpost.config.values import source_text
from secondpost.mail.envelope import Lane
from secondpost.mail.printable import printable
from secondpost.owner.figures import counted
from secondpost.route.destination import ByHosts, road_to
from secondpost.setup.importing.carried import Fate, OldServer, ReportLine
from secondpost.setup.importing.writing import FoundAgain, ImportedFiles, count_of

NAMES = {
    OldServer.OPENSMTPD: "OpenSMTPD (6.4 or later)",
    OldServer.OLD_OPENSMTPD: "OpenSMTPD before 6.4",
    OldServer.POSTFIX: "Postfix",
    OldServer.EXIM: "Exim",
}
FATE_CHARACTERS = 13
DOMAINS_SHOWN_MAX = 100  # in the summary; the new file has them all
BY_DNS = "from DNS (the better MX hosts)"
TEXT_CHARACTERS_MAX = 300  # of an old statement; a table in it can be long


def report_lines(report: Sequence[FoundAgain], new_path: str) -> Iterator[str]:
    """The report as lines of text; `new_path`: the file whose lines it names. What stands as in the old
    server's package is one entry for each file or folder of it, at its first statement.
    """
    packaged = dict[str, list[FoundAgain]]()
    for one in report:
        packaged.setdefault(one.line.packaged_in, []).append(one)
    said = {""}
    for one in report:
        place = one.line.packaged_in
        if place == "":
            yield from _line(one.line, _lives_on(new_path, one))
        elif place not in said:
            said.add(place)
            yield from _packaged(place, packaged[place])
    yield ""
    yield counts_text(report)


def _packaged(place: str, report: Sequence[FoundAgain]) -> Iterator[str]:
    yield printable(f"{'as packaged':<{FATE_CHARACTERS}}{place}")
    text = f"Debian's own: {_fates_text(report, 'statement', 'statements')}"
    yield from _wrapped(f"{text} Nothing of yours is in them; `--json` lists each.")


def summary_lines(config: Config) -> Iterator[str]:
    """What the new file takes mail for: a line for each domain, before the long report."""
    count = len(config.backups)
    if count == 0:
        yield "No domain becomes a backup domain."
        return
    yield f"{counted(count, 'backup domain', 'backup domains')}:"
    for backup in config.backups[:DOMAINS_SHOWN_MAX]:
        road = road_to(config, Lane.RELAY, backup.domain)
        hosts = [str(host) for host in road.hosts] if isinstance(road, ByHosts) else [BY_DNS]
        recipients = ", ".join(map(source_text, backup.recipients))
        yield printable(f"  {backup.domain}: primary {', '.join(hosts)}; recipients {recipients}")
    if count > DOMAINS_SHOWN_MAX:
        yield f"  and {count - DOMAINS_SHOWN_MAX} more."


def counts_text(report: Sequence[FoundAgain]) -> str:
    return _fates_text(report, "line", "lines")


def _fates_text(report: Sequence[FoundAgain], one: str, several: str) -> str:
    fates = (Fate.CARRIED, Fate.CHANGED, Fate.NOT_CARRIED)
    carried, changed, left = (count_of(report, fate) for fate in fates)
    return f"{counted(carried, one, several)} carried, {changed} changed, {left} not carried."


def say_files(files: ImportedFiles, written: str) -> None:
    """`written`: what became of the new file, as a sentence."""
    say(written)
    for path in files.lists:
        say(f"Wrote {path}, a list of recipients.")
    for path in files.secrets:
        say(f"Wrote {path}, a password that only its owner can read. Give it to the service:")
        name = shlex.quote(path)
        say(f"    chown root:{files.config.user} {name} && chmod 640 {name}")


def certificate_steps(tls: Tls, root: str) -> Iterator[str]:
    """What to type so that the certificate and its key, if they are not here, come from the old machine.

    It comes before `init`, which takes nothing over from a file that names what is not there. `root`: the
    folder that stands for the old machine's /. Where it does not have the file, the step is a comment.
    """
    for path in (tls.certificate, tls.key):
        if path is None or os.path.exists(path):
            continue
        copy = f"{os.path.abspath(root).rstrip('/')}{path}"
        if os.path.isfile(copy):
            yield f"install -D -m 600 {shlex.quote(copy)} {shlex.quote(path)}  # the new file names it"
        else:
            yield f"# copy {path} here from the old machine"


def _lives_on(path: str, one: FoundAgain) -> str:
    if len(one.lines) == 0:
        return ""
    return f" -> {path}:{', '.join(map(str, one.lines))}"


def _line(line: ReportLine, lives_on: str) -> Iterator[str]:
    where = f"{line.place.path}:{line.place.line}" if line.place.line > 0 else line.place.path
    text = line.text if len(line.text) <= TEXT_CHARACTERS_MAX else f"{line.text[:TEXT_CHARACTERS_MAX]}…"
    yield printable(f"{line.fate.value:<{FATE_CHARACTERS}}{where}{lives_on}")
    if len(text) > 0:
        yield printable(f"{' ' * FATE_CHARACTERS}{text}")
    yield from _wrapped(line.why)


def _wrapped(text: str) -> Iterator[str]:
    for row in wrap(text, LINE_CHARACTERS_MAX - FATE_CHARACTERS, break_long_words=False):
        yield printable(f"{' ' * FATE_CHARACTERS}{row}")
