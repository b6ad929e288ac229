"""Single lines of each server, also of versions that Debian no longer has, and lines made to deceive.

The lines stand in files of `data`: a new case needs no code.
"""

from datetime import datetime

import pytest

from secondpost.watch.logs.seen import LogOutcome
from secondpost.watch.logs.tally import UNKNOWN
from tests.watch.logs.golden import DATA, scanned

WRITTEN_MS = int(datetime(2026, 11, 30).astimezone().timestamp() * 1000)
REFUSED, TAKEN = LogOutcome.REFUSED, LogOutcome.TAKEN
WHEN = "Nov 29 20:05:14 mx "


def tried(*lines: str) -> list[tuple[str, LogOutcome, str]]:
    """The rule, what became of it, and the address or "", of all that is in these lines."""
    tally = scanned("\n".join(lines).encode(), WRITTEN_MS).tally
    return [
        (each.rule.id, outcome, ",".join(sorted(each.addresses)))
        for each in tally
        for outcome in each.all.outcomes.elements()
    ]


def cases_of(name: str) -> dict[str, tuple[str, tuple[str, LogOutcome, str]]]:
    """Blocks of three lines: `# what it is`, the rule, what became of it and the client, the line itself."""
    cases = {}
    for block in (DATA / f"{name}.txt").read_text().strip().split("\n\n"):
        title, found, line = block.split("\n")
        rule, outcome, client = found.split(", ")
        cases[title.removeprefix("# ")] = (
            line,
            (rule, LogOutcome(outcome), "" if client == "unknown" else client),
        )
    return cases


ONE_LINE = cases_of("single-lines")
DECEIVING = cases_of("deceiving-lines")


@pytest.mark.parametrize("case", ONE_LINE)
def test_one_line(case: str) -> None:
    line, expected = ONE_LINE[case]
    assert tried(line) == [expected]


def test_the_client_of_a_session_stands_in_an_earlier_line() -> None:
    said = f"{WHEN}smtpd[7]: smtp-in:"
    failed = f'{said} Failed command on session 0123456789abcdef: "MAIL FROM:<;sh;>" => 553 5.1.0 no'
    new = f"{said} New session 0123456789abcdef from host evil [203.0.113.7]"
    other = f"{said} New session 0123456789abcdee from host other [203.0.113.8]"
    assert tried(new, other, failed) == [("opensmtpd-2020-7247", REFUSED, "203.0.113.7")]
    assert tried(other, failed) == [("opensmtpd-2020-7247", REFUSED, "")], "better none than another's"


def test_a_session_that_tries_the_same_thing_on_and_on_is_one_attempt_and_the_worst_of_it_counts() -> None:
    session = f"{WHEN}smtpd[7]: 0123456789abcdef smtp"
    lines = [f"{session} connected address=203.0.113.7 host=evil"]
    lines += [f'{session} failed-command command="MAIL FROM:<;sh;>" result="553 5.1.0 no"'] * 3
    assert tried(*lines) == [("opensmtpd-2020-7247", REFUSED, "203.0.113.7")]
    lines.append(f"{session} envelope evpid=1123456789abcdef from=<;sh;> to=<root@x>")
    lines.append(
        f"{WHEN}smtpd[7]: fedcba9876543210 mda delivery evpid=1123456789abcdef from=<;sh;> to=<root@x> "
        "rcpt=<root@x> user=root delay=0s result=Ok stat=Delivered"
    )
    assert tried(*lines) == [("opensmtpd-2020-7247", TAKEN, "203.0.113.7")]


def test_our_own_log_counts_an_attempt_once_that_was_refused_and_found() -> None:
    refused = (
        "2026-11-23T04:47:12.980Z receive protocol-fault peer=203.0.113.7 "
        'fault="501 5.1.7 The sender is not an address to: MAIL FROM:<;sleep 66;>"'
    )
    found = (
        "2026-11-23T04:47:12.981Z receive attack peer=203.0.113.7 rule=opensmtpd-2020-7247 grade=exploit "
        'cve=CVE-2020-7247 place=address sample="<;sleep 66;>"'
    )
    once = [("opensmtpd-2020-7247", REFUSED, "203.0.113.7")]
    assert tried(refused) == once
    assert tried(refused, found) == once
    assert tried(found, refused) == once


@pytest.mark.parametrize("case", DECEIVING)
def test_what_a_client_writes_is_never_taken_for_the_logs_own_words(case: str) -> None:
    line, expected = DECEIVING[case]
    assert tried(line) == [expected]


def test_an_address_cannot_imitate_the_line_that_names_the_client() -> None:
    """The id of a message is known to its sender before the session ends."""
    real = f"{WHEN}postfix/smtpd[7]: 4BE308994221: client=unknown[203.0.113.7]"
    fake = (
        f"{WHEN}postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[203.0.113.8]: 550 no; "
        "from=<a@b.example> to=<4BE308994221: client=evil[198.51.100.9]> proto=ESMTP helo=<x>"
    )
    taken = f"{WHEN}postfix/qmgr[7]: 4BE308994221: from=<`id`@x>, size=182, nrcpt=1 (queue active)"
    assert tried(real, fake, taken) == [("shell-in-address", TAKEN, "203.0.113.7")]


def test_ordinary_lines_and_lines_of_other_programs_are_no_attempts() -> None:
    assert tried((DATA / "ordinary-lines.txt").read_text()) == []


def test_attempts_of_unknown_clients_are_counted_by_themselves() -> None:
    tally = scanned(ONE_LINE["OpenSMTPD, whose hole was used"][0].encode(), WRITTEN_MS).tally
    assert [list(each.networks) for each in tally] == [[UNKNOWN]]
