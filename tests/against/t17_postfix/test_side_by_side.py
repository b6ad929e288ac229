"""Postfix and what its configuration becomes here, side by side: the same mail gets the same answer and
goes to the same primary, or the report names the line that makes the difference.
"""

import smtplib
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from bench.ready import free_port
from tests.against.network_namespaces import inside
from tests.against.t17_postfix.carried_over import CarriedOver, imported
from tests.against.t17_postfix.old_postfix import OldPostfix
from tests.against.t17_postfix.primaries import Primaries
from tests.against.t17_postfix.table import Action, Row, rows, says_so

EXAMPLES: Final = Path(__file__).parent / "examples"
NAMES: Final = sorted(path.name for path in EXAMPLES.iterdir())
READERS: Final = 20_000  # of the example "big"
ARRIVAL_SECONDS_MAX: Final = 20.0
# Networks of clients and primaries: their addresses are of this namespace, but of no interface, or
# Postfix would count them as its own.
NETWORKS: Final = ("203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24", "10.0.0.0/8")


@pytest.fixture(scope="module")
def namespace() -> Iterator[Path]:
    """A network of its own, in which every address of NETWORKS is here."""
    command = ["unshare", "--net", "sh", "-c", "echo; exec sleep infinity"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            holder.stdout.readline()
            path = Path(f"/proc/{holder.pid}/ns/net")
            with inside(path):
                subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
                for network in NETWORKS:
                    subprocess.run(["ip", "route", "add", "local", network, "dev", "lo"], check=True)
            yield path
        finally:
            holder.kill()


@pytest.fixture
def example(request: pytest.FixtureRequest, place: Path) -> Path:
    """A copy of the example, with the files that are too long to be kept."""
    copy: Path = place / "example"
    subprocess.run(["cp", "-r", str(EXAMPLES / request.param), str(copy)], check=True)
    if request.param == "big":
        domains = ("university.example", "library.example")
        readers = (f"reader{number:05}@{domains[number % 2]}\tOK\n" for number in range(READERS))
        student = "x@law.student.university.example OK\n"
        (copy / "etc/postfix/relay_recipients").write_text("".join(readers) + student)
    return copy


def answers(
    port: int, table: Sequence[Row], expected: Sequence[Action], primaries: Primaries, trouble: str
) -> list[Action]:
    """What each row of the table gets; where a row says where mail goes, it is sent and waited for.

    A row of which another answer is expected is tried again while it gets a temporary error, as senders
    do: a server that has just started may not have asked the primary yet.
    """
    primaries.mail.clear()
    ends = time.monotonic() + ARRIVAL_SECONDS_MAX
    codes = list[int]()
    for row, one in zip(table, expected, strict=True):
        codes.append(_reply(port, row))
        while codes[-1] // 100 == 4 != one.code // 100 and time.monotonic() < ends:
            time.sleep(0.2)
            codes[-1] = _reply(port, row)
    sent = {row.recipient.lower() for row, code in zip(table, codes, strict=True) if _is_sent(row, code)}
    while not sent <= primaries.mail.keys():
        assert time.monotonic() < ends, (sent - primaries.mail.keys(), trouble)
        time.sleep(0.02)
    return [
        Action(code, primaries.mail[row.recipient.lower()] if _is_sent(row, code) else "")
        for row, code in zip(table, codes, strict=True)
    ]


def _is_sent(row: Row, code: int) -> bool:
    return code == 250 and len(row.old.goes_to + row.new.goes_to) > 0


def _reply(port: int, row: Row) -> int:
    with smtplib.SMTP(
        "127.0.0.1", port, "client.example", timeout=60, source_address=(row.client, 0)
    ) as smtp:
        smtp.ehlo()
        smtp.mail(row.sender)
        code = smtp.rcpt(row.recipient)[0]
        if _is_sent(row, code):
            assert (
                smtp.data(b"Subject: hello\r\nMessage-ID: <1@sender.example>\r\n\r\nGood day.\r\n")[0] == 250
            )
    return code


@pytest.mark.parametrize(("example", "name"), [(name, name) for name in NAMES], indirect=["example"])
def test_the_same_mail_gets_the_same_answer(namespace: Path, place: Path, example: Path, name: str) -> None:
    table = rows(EXAMPLES / name / "table")
    (place / "ours").mkdir()
    with inside(namespace), Primaries() as primaries:
        folder = example if (example / "postconf-n").exists() else example / "etc/postfix"
        with OldPostfix.of(folder, place / "postfix", free_port()) as postfix:
            old = answers(postfix.port, table, [row.old for row in table], primaries, postfix.trouble())
        with CarriedOver(place / "ours", free_port(), 0, example=example) as secondpost:
            new = answers(secondpost.port, table, [row.new for row in table], primaries, secondpost.trouble())
    assert [(row.recipient, one) for row, one in zip(table, old, strict=True)] == [
        (row.recipient, row.old) for row in table
    ]
    assert [(row.recipient, one.kind) for row, one in zip(table, new, strict=True)] == [
        (row.recipient, row.new.kind) for row in table
    ]


@pytest.mark.parametrize("name", NAMES)
def test_where_the_answers_differ_the_report_names_the_line(name: str) -> None:
    report = imported(EXAMPLES / name).report
    table = rows(EXAMPLES / name / "table")
    assert [row for row in table if row.differs and not says_so(report, row.because)] == []
    assert all(row.differs for row in table if len(row.because) > 0)
