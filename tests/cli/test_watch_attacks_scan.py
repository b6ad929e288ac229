"""`watch attacks scan`: what it takes and prints, its document and exit codes; without a configuration."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from secondpost.cli.main import secondpost
from tests.watch.logs.golden import DATA, SERVERS, expected

REFUSED = (
    "Nov 29 20:05:14 mx smtpd[7]: 0123456789abcdef smtp connected address=203.0.113.7 host=evil\n"
    "Nov 29 20:05:15 mx smtpd[7]: 0123456789abcdef smtp failed-command "
    'command="MAIL FROM:<;for i in 0 1 2;do read r;done;sh;exit 0;>" '
    'result="553 5.1.0 Sender address syntax error"\n'
)
TAKEN = '2026-11-29 20:05:17 1xXl9B-00000B-0W ** root+${run{id}}@x.example: Too many "Received" headers\n'
AT_2026 = 1_795_990_000  # in seconds: the evening of 29 November


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration and no store are near."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SECONDPOST_CONFIG", raising=False)


def log(name: str, text: str | bytes) -> str:
    octets = text.encode() if isinstance(text, str) else text
    Path(name).write_bytes(octets)
    os.utime(name, (AT_2026, AT_2026))
    return name


def scan(*words: str) -> Result:
    return CliRunner().invoke(secondpost, ["watch", "attacks", "scan", *words])


def document(*words: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(scan("--json", *words).stdout)
    return read


def test_the_verdict_comes_first_and_says_who_when_what_and_which_versions_would_have_run_it() -> None:
    done = scan(log("maillog", REFUSED))
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].startswith("No attempt succeeded, as far as these logs say")
    text = " ".join(done.stdout.split())
    assert "Read 2 lines of 1 log, from 2026-11-29 20:05:14 to 2026-11-29 20:05:15, of OpenSMTPD." in text
    assert (
        "Refused: 1 attempt of CVE-2020-7247 (opensmtpd-2020-7247) on OpenSMTPD from 1 address at "
        "2026-11-29 20:05:15; refused, as its log says." in text
    )
    assert "run the command as root: OpenSMTPD, 6.4.0 to 6.6.1; fixed in 6.6.2" in text
    assert "buster 6.0.3p1-5+deb10u3" in text
    assert "From 203.0.113.0/24 (1)" in text
    assert "The lines of maillog have no year" in text


def test_one_that_may_have_succeeded_is_said_first_with_how_to_tell_and_exit_code_1() -> None:
    done = scan(log("mainlog", TAKEN))
    assert done.exit_code == 1
    assert done.stderr == ""
    assert done.stdout.startswith("1 kind of attempt MAY HAVE SUCCEEDED")
    text = " ".join(done.stdout.split())
    for part in (
        "MAY HAVE SUCCEEDED: 1 attempt of CVE-2019-10149",
        "4.87 to 4.91",
        "authorized_keys",
        "DSA-4456-1",
    ):
        assert part in text
    assert "not named" in text, "the line does not say who it was"


def test_nothing_was_found() -> None:
    done = scan(log("maillog", "Nov 29 20:05:14 mx postfix/smtpd[7]: connect from x[203.0.113.7]\n"))
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "No attempt to break in was found.")


def test_where_nothing_was_read_nothing_is_said_of_attempts() -> None:
    first = "Nothing can be said: no line of a mail server was read."
    done = scan(log("empty", ""))
    assert (done.exit_code, done.stdout.splitlines()[0]) == (1, first)
    done = scan("nowhere")
    assert (done.exit_code, done.stdout.splitlines()[0]) == (1, first)
    done = scan(log("other", "Nov 29 20:05:14 mx sshd[7]: Invalid user $(id)\n"))
    assert (done.exit_code, done.stdout.splitlines()[0]) == (1, first)
    assert document("other")["safe"] is None
    assert document("other", log("maillog", REFUSED))["safe"] is True
    assert "other: none of its lines is of a mail server that is known here." in done.stdout


@pytest.mark.parametrize("name", SERVERS)
def test_the_document_has_all_of_it(name: str) -> None:
    written = str(DATA / f"{name}.log")
    read = document(written)
    assert (read["safe"], read["complete"]) == (False, True)
    assert [each["path"] for each in read["logs"]] == [written]
    found = {each["rule"]: each for each in read["attacks"]}
    assert set(found) == {each.rule for each in expected(name)}
    for each in expected(name):
        attack = found[each.rule]
        assert (attack["refused"], attack["taken"], attack["verdict"]) == (
            each.refused,
            each.taken,
            each.verdict,
        )
        assert attack["addresses"] == 1
        assert attack["networks"][0]["network"] == "127.0.0.0/24"
    verdicts = [each["verdict"] for each in read["attacks"]]
    assert verdicts == sorted(verdicts, key=["may have succeeded", "refused", "harmless", "noise"].index)


def test_the_logs_own_escape_sequences_never_reach_the_terminal() -> None:
    evil = (
        b"Nov 29 20:05:14 mx postfix/smtpd[7]: warning: Illegal address syntax from unknown[203.0.113.7] "
        b"in MAIL command: <;\x1b]0;owned\x07\x1b[2J\xff\xe2\x80\xae\xc2\x9b31m>\n"
    )
    done = scan(log("maillog", evil))
    assert done.exit_code == 0
    assert all(line.isprintable() for line in done.stdout.split("\n"))
    assert "\\x1b[2J" in done.stdout
    assert document("maillog")["attacks"][0]["sample"].isprintable()


def test_standard_input_which_may_be_packed_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "secondpost", "watch", "attacks", "scan", "-"],
        input=gzip.compress(TAKEN.encode() + REFUSED.encode()),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.startswith(b"1 kind of attempt MAY HAVE SUCCEEDED")
    assert b"The lines of standard input have no year" in done.stdout


def test_rotated_logs_in_any_order_and_one_that_is_named_twice_counts_once() -> None:
    first = log(
        "maillog.1.gz", gzip.compress(REFUSED.replace("0123456789abcdef", "0123456789abcdee").encode())
    )
    last = log("maillog", REFUSED)
    for words in ((first, last), (last, first), (last, first, last)):
        (attack,) = document(*words)["attacks"]
        assert attack["attempts"] == 2
        assert len(attack["networks"]) == 1


def test_only_since_a_date_or_so_long_ago() -> None:
    old, new = REFUSED.replace("Nov 29", "Nov  1"), REFUSED.replace("0123456789abcdef", "0123456789abcdee")
    path = log("maillog", old + new)
    assert document(path)["attacks"][0]["attempts"] == 2
    assert document("--since", "2026-11-15", path)["attacks"][0]["attempts"] == 1
    assert document("--since", "2026-11-30", path)["attacks"] == []
    assert document("--since", "90000d", path)["attacks"][0]["attempts"] == 2
    done = scan("--since", "yesterday", path)
    assert done.exit_code == 2
    assert "'yesterday' is neither a date nor a duration" in done.stderr


def test_a_log_that_is_torn_counts_as_far_as_it_goes_and_says_so() -> None:
    # Octets that do not pack well: their end is missing, not the beginning of the text.
    packed = gzip.compress(REFUSED.encode() + os.urandom(100_000))
    done = scan(log("maillog.gz", packed[:-1_000]))
    assert done.exit_code == 1
    assert "1 attempt of CVE-2020-7247" in done.stdout
    assert done.stderr == (
        "secondpost: maillog.gz ends in the middle of what gzip packed: a part of it is missing\n"
    )
    read = document("maillog.gz")
    assert (read["safe"], read["complete"]) == (True, False)


def test_what_cannot_be_read_is_said_and_the_others_are_read() -> None:
    Path("folder").mkdir()
    done = scan("missing", "folder", log("maillog", REFUSED))
    assert done.exit_code == 1
    assert "1 attempt of CVE-2020-7247" in done.stdout
    assert (
        done.stderr
        == "missing cannot be read: No such file or directory\nfolder cannot be read: Is a directory\n"
    )
    assert scan().exit_code == 2


def test_of_a_torn_log_only_what_was_read_is_judged() -> None:
    ordinary = "Nov 29 20:05:14 mx postfix/smtpd[7]: connect from x[203.0.113.7]\n" * 50
    done = scan(log("torn", ordinary.encode()), "nowhere")
    assert done.stdout.splitlines()[0] == "No attempt to break in was found in what could be read."
    done = scan(log("maillog", REFUSED), "nowhere")
    assert done.stdout.startswith("No attempt succeeded in what could be read, as far as these logs say")


def test_on_a_narrow_terminal_no_sentence_is_wider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secondpost.cli.screen.on_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "72")
    sentences = scan(log("mainlog", TAKEN)).stdout.partition("  network ")[0]
    assert max(map(len, sentences.splitlines())) <= 72
    monkeypatch.setenv("COLUMNS", "200")
    assert max(map(len, scan("mainlog").stdout.splitlines())) <= 100


def test_two_times_within_a_second_are_one() -> None:
    own = "2026-11-29T20:05:14.{}Z receive attack peer=203.0.113.7 rule=http grade=noise place=first\n"
    done = scan(log("own.log", own.format("100") + own.format("900")))
    assert "Read 2 lines of 1 log, at 2026-11-29 20:05:14, of Secondpost." in done.stdout


def test_a_mail_server_whose_first_line_comes_late_in_a_log_of_many_programs_is_known() -> None:
    others = "Nov 29 20:05:14 mx kernel: nothing to see\n" * 10_000
    late = "Nov 29 20:05:15 mx postfix/smtpd[7]: connect from x[203.0.113.7]\n"
    done = scan(log("syslog", others + late))
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "No attempt to break in was found.")
    done = scan(log("syslog", others + "Nov 29 20:05:15 mx kernel: exim sm- postfix\n"))
    assert done.exit_code == 1


def test_lines_without_a_program_are_read_where_they_can_be_of_one_server_alone() -> None:
    bare = "".join(line.partition("]: ")[2] for line in REFUSED.splitlines(keepends=True))
    done = scan(log("opensmtpd", bare))
    assert done.stdout.startswith("No attempt succeeded"), done.stdout
    done = scan(
        log("postfix", "connect from x[203.0.113.7]\nwarning: non-SMTP command from x[203.0.113.7]: GET\n")
    )
    assert done.exit_code == 1
    assert "let journalctl print with `-o json`" in " ".join(done.stdout.split())
    assert "-o json" not in scan(log("other", "Nov 29 20:05:14 mx sshd[7]: hello\n")).stdout
