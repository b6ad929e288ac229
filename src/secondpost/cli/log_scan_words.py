"""Says what `secondpost watch attacks scan` found: the verdict first, then each kind of attempt."""

from collections.abc import Iterable, Sequence

from secondpost.cli.screen import Column, local_time, say, say_table, say_wrapped
from secondpost.owner.figures import counted
from secondpost.owner.log_scan_documents import sample_text
from secondpost.roles.old_logs import ReadLog
from secondpost.watch.hole import KnownHole
from secondpost.watch.holes import cves_of
from secondpost.watch.logs.seen import LogOutcome
from secondpost.watch.logs.tally import UNKNOWN, Attempts, RuleTally
from secondpost.watch.logs.verdict import Danger, LogVerdict

NETWORKS_SHOWN_MAX = 5
LABEL_CHARACTERS = 16
SAMPLE_CHARACTERS_MAX = 200

_COLUMNS = (
    Column("  network"),
    Column("attempts", right=True),
    Column("refused", right=True),
    Column("taken", right=True),
    Column("not said", right=True),
    Column("first"),
    Column("last"),
)


def say_scan(logs: Sequence[ReadLog], verdicts: Sequence[LogVerdict]) -> None:
    _say_verdict(logs, verdicts)
    _say_logs(logs)
    for verdict in verdicts:
        if verdict.danger is not Danger.NOISE:
            say("")
            _say_attack(verdict)
    noise = [verdict.tally for verdict in verdicts if verdict.danger is Danger.NOISE]
    if len(noise) > 0:
        say("")
        say_wrapped(f"Noise, which harms no mail server: {', '.join(map(_noise, noise))}.")


def _say_verdict(logs: Sequence[ReadLog], verdicts: Sequence[LogVerdict]) -> None:
    dangers = [verdict.danger for verdict in verdicts]
    if Danger.OPEN in dangers:
        kinds = counted(dangers.count(Danger.OPEN), "kind of attempt", "kinds of attempts")
        say_wrapped(
            f"{kinds} MAY HAVE SUCCEEDED: the server took it, or its log does not say. Compare the versions "
            "that you had then with those below, and look where it says."
        )
    elif all(len(log.summary.software) == 0 for log in logs):
        say_wrapped("Nothing can be said: no line of a mail server was read.")
    elif len(verdicts) == 0:
        say(f"No attempt to break in was found{_so_far(logs)}.")
    else:
        say_wrapped(
            f"No attempt succeeded{_so_far(logs)}, as far as these logs say: each was refused, or was meant "
            "for other software."
        )


def _so_far(logs: Sequence[ReadLog]) -> str:
    return " in what could be read" if any(len(log.fault) > 0 for log in logs) else ""


def _say_logs(logs: Sequence[ReadLog]) -> None:
    summaries = [log.summary for log in logs]
    lines = counted(sum(each.lines for each in summaries), "line", "lines")
    read = f"Read {lines} of {counted(len(logs), 'log', 'logs')}"
    times = [ms for each in summaries for ms in (each.first_ms, each.last_ms) if ms is not None]
    if len(times) > 0:
        read += f", {_span(min(times), max(times), 'from {} to {}')}"
    software = sorted({name for each in summaries for name in each.software})
    say_wrapped(f"{read}{f', of {_listed(software)}' if len(software) > 0 else ''}.")
    guessed = [log.path for log in logs if log.summary.years_guessed]
    if len(guessed) > 0:
        say_wrapped(
            f"The lines of {_listed(guessed)} have no year: it follows from their order and from when the "
            "file was last written."
        )
    for log in logs:
        _say_doubts(log)


def _say_doubts(log: ReadLog) -> None:
    if log.summary.lines > 0 and len(log.summary.software) == 0:
        say_wrapped(f"{log.path}: none of its lines is of a mail server that is known here.")
        if not log.summary.has_form:
            say_wrapped(
                "Its lines name no program, as `journalctl -o cat` prints them, so it cannot be told which "
                "server wrote them: let journalctl print with `-o json`."
            )
    if log.summary.cut > 0:
        cut = counted(log.summary.cut, "line was too long and was cut", "lines were too long and were cut")
        say_wrapped(f"{log.path}: {cut}.")


def _say_attack(verdict: LogVerdict) -> None:
    tally = verdict.tally
    say_wrapped(
        f"{_WORDS[verdict.danger]}: {counted(tally.all.count, 'attempt', 'attempts')} of {_name(verdict)} on "
        f"{tally.software}{_addresses(tally)}{_when(tally.all)}; {_outcomes(tally.all)}."
    )
    _say_part("Attempt", tally.rule.tries)
    if verdict.danger is Danger.HARMLESS:
        _say_part("Here", f"Nothing is known that it would do to {tally.software}.")
    for hole in verdict.holes:
        if verdict.danger is Danger.OPEN:
            _say_hole(hole)
        else:
            _say_part("Would have", f"{hole.effect}: {hole.software}, {_versions(hole)}.")
    if len(tally.sample) > 0:
        _say_part("One of them", _cut(sample_text(tally.sample)))
    if verdict.danger is Danger.OPEN:
        _say_networks(tally)
    else:
        _say_part("From", _networks(tally))


_WORDS: dict[Danger, str] = {
    Danger.OPEN: "MAY HAVE SUCCEEDED",
    Danger.REFUSED: "Refused",
    Danger.HARMLESS: "Harmless",
}


def _name(verdict: LogVerdict) -> str:
    """The rule, with its CVEs: those of the software in question, if it has some of them."""
    rule = verdict.tally.rule
    concerned = [cve for cve in cves_of(verdict.holes) if cve in rule.cves]
    cves = concerned if len(concerned) > 0 else rule.cves
    return rule.id if len(cves) == 0 else f"{', '.join(cves)} ({rule.id})"


def _addresses(tally: RuleTally) -> str:
    if len(tally.addresses) == 0:
        return ""
    least = "at least " if tally.more_addresses else ""
    return f" from {least}{counted(len(tally.addresses), 'address', 'addresses')}"


def _when(attempts: Attempts) -> str:
    if attempts.first_ms is None or attempts.last_ms is None:
        return ""
    return f" {_span(attempts.first_ms, attempts.last_ms, 'between {} and {}')}"


def _span(first_ms: int, last_ms: int, both: str) -> str:
    """`both`: where two times go, if they differ as they are shown."""
    first, last = local_time(first_ms), local_time(last_ms)
    return f"at {first}" if first == last else both.format(first, last)


def _outcomes(attempts: Attempts) -> str:
    refused, taken = attempts.outcomes[LogOutcome.REFUSED], attempts.outcomes[LogOutcome.TAKEN]
    unsaid = attempts.outcomes[LogOutcome.UNSAID]
    if refused == attempts.count:
        return "refused, as its log says" if refused == 1 else "refused each time, as its log says"
    parts = [f"{many:,} {word}" for many, word in ((refused, "refused"), (taken, "taken")) if many > 0]
    if unsaid > 0:
        parts.append(f"of {unsaid:,} its log does not say")
    return ", ".join(parts)


def _say_hole(hole: KnownHole) -> None:
    _say_part("Hole", f"{hole.name}: {hole.software}" if len(hole.cves) > 0 else hole.software)
    _say_part("Versions", f"{_versions(hole)}.")
    _say_part("If", hole.needs)
    _say_part("Would have", f"{hole.effect}.")
    _say_part("In the log", hole.in_log)
    _say_part("On the machine", hole.on_machine)
    _say_part("To do", hole.to_do)
    unchecked = f" (not compared with a tracker: {hole.unchecked})" if len(hole.unchecked) > 0 else ""
    _say_part("Source", f"{hole.source}{unchecked}")


def _versions(hole: KnownHole) -> str:
    return f"{hole.versions}{f'; mended in Debian: {_listed(hole.debian)}' if len(hole.debian) > 0 else ''}"


def _say_networks(tally: RuleTally) -> None:
    networks = tally.networks_by_attempts()
    shown = networks[:NETWORKS_SHOWN_MAX]
    say_table(_COLUMNS, [_network_row(network, attempts) for network, attempts in shown])
    if len(networks) > len(shown):
        more = counted(len(networks) - len(shown), "more network", "more networks")
        say(f"  and {more}: --json lists them")


def _network_row(network: str, attempts: Attempts) -> tuple[str, ...]:
    outcomes = (LogOutcome.REFUSED, LogOutcome.TAKEN, LogOutcome.UNSAID)
    return (
        f"  {_network(network)}",
        f"{attempts.count:,}",
        *(f"{attempts.outcomes[each]:,}" for each in outcomes),
        "" if attempts.first_ms is None else local_time(attempts.first_ms),
        "" if attempts.last_ms is None else local_time(attempts.last_ms),
    )


def _networks(tally: RuleTally) -> str:
    networks = tally.networks_by_attempts()
    shown = [f"{_network(name)} ({each.count:,})" for name, each in networks[:NETWORKS_SHOWN_MAX]]
    more = len(networks) - len(shown)
    return f"{', '.join(shown)}{f' and {more:,} more' if more > 0 else ''}"


def _network(network: str) -> str:
    return "not named" if network == UNKNOWN else network


def _noise(tally: RuleTally) -> str:
    return f"{tally.all.count:,} of {tally.rule.id} on {tally.software}"


def _listed(paths: Iterable[str]) -> str:
    names = list(paths)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _cut(text: str) -> str:
    return text if len(text) <= SAMPLE_CHARACTERS_MAX else f"{text[:SAMPLE_CHARACTERS_MAX]}…"


def _say_part(label: str, text: str) -> None:
    say_wrapped(text, f"  {label:<{LABEL_CHARACTERS}}", " " * (2 + LABEL_CHARACTERS))
