"""secondpost watch attacks scan: find break-in attempts in old logs of mail servers."""

from datetime import date, datetime, time

import click

from secondpost.cli.command import JSON, Command, Ending, Exit
from secondpost.cli.log_scan_words import say_scan
from secondpost.cli.parameters import Parsed, age_ms
from secondpost.cli.screen import progressed, progressing, say_json
from secondpost.owner.figures import counted


def _since_ms(text: str) -> int:
    """A date, from its beginning in this machine's zone, or so long before now."""
    from secondpost.roles.old_logs import now_ms

    try:
        day = date.fromisoformat(text)
    except ValueError:
        try:
            return now_ms() - age_ms(text)
        except ValueError:
            raise ValueError(
                f'{text!r} is neither a date nor a duration; write such as 2026-03-01 or "30 days"'
            ) from None
    return int(datetime.combine(day, time()).timestamp() * 1000)


SINCE = Parsed("TIME", _since_ms)


@click.command(cls=Command)
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--since", type=SINCE, help='Only attempts since then: a date, or such as "30 days".')
@JSON
def scan(files: tuple[str, ...], since: int | None, as_json: bool) -> None:
    """Find break-in attempts in old logs of mail servers.

    Knows the logs of OpenSMTPD, Postfix, Exim, Sendmail and Secondpost. Takes plain logs, logs packed by
    gzip, xz or zstd, and what `journalctl -o json` prints; - means standard input. Needs no configuration
    and no store. Exit code 1: an attempt may have succeeded, a log could not be read to its end, or no line
    of a mail server was found.
    """
    from secondpost.owner.log_scan_documents import log_scan_document, scanned_log
    from secondpost.roles.old_logs import LogProgress, read_logs
    from secondpost.watch.logs.verdict import verdicts_of

    def tell(progress: LogProgress) -> None:
        share = "" if progress.share is None else f", {progress.share:.0%}"
        progressing(f"{progress.path}: {counted(progress.lines, 'line', 'lines')}{share}")

    try:
        done = read_logs(files, since, tell)
    finally:
        progressed()
    verdicts = verdicts_of(done.tally)
    logs = [scanned_log(log.path, log.summary, log.fault) for log in done.logs]
    document = log_scan_document(logs, verdicts)
    if as_json:
        say_json(document)
    else:
        say_scan(done.logs, verdicts)
    torn = [f"{log.path} {log.fault}" for log in logs if len(log.fault) > 0]
    if len(torn) > 0:
        raise Ending("\n".join(torn), Exit.NO)
    if document.safe is not True:
        click.get_current_context().exit(Exit.NO)
