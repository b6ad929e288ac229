"""The logs that real servers write under attack: `watch attacks scan` understands who, what and when, and
what became of it.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pytest
from click.testing import CliRunner

from bench.ours import DOMAIN, Secondpost
from bench.ready import free_port
from secondpost.cli.watch_attacks_scan import scan
from tests.against.attackers import attack
from tests.against.primaries import EximPrimary, OpenSmtpdPrimary, PostfixPrimary
from tests.against.sending import until
from tests.against.servers import Sendmail, Server, folder_of
from tests.against.system_log import SystemLog
from tests.watch.logs.golden import SERVERS as GOLDEN
from tests.watch.logs.golden import Found, expected

SETTLED_SECONDS_MAX: Final = 20
OURS: Final = {"opensmtpd-2020-7247", "exim-2019-10149"}
# What Debian's package of Exim has on.
EXIM_LOG_SELECTOR: Final = "+smtp_protocol_error +smtp_syntax_error +tls_certificate_verified +tls_peerdn"

Document = dict[str, Any]


class LoggedOpenSmtpd(OpenSmtpdPrimary):
    """Logs as under systemd, not to its standard error."""

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self.system_log = SystemLog(self.folder)

    def start(self) -> None:
        command = ["/usr/sbin/smtpd", "-F", "-f", str(self.folder / "smtpd.conf")]
        self._run(self.system_log.within(command), {"/var": self.var})

    def stop(self) -> None:
        super().stop()
        self.system_log.close()


def opensmtpd(place: Path) -> tuple[Server, Path]:
    server = LoggedOpenSmtpd(place)
    return server, server.system_log.file


def postfix(place: Path) -> tuple[Server, Path]:
    server = PostfixPrimary.prepared(place)
    return server, server.postfix.log


def exim(place: Path) -> tuple[Server, Path]:
    server = EximPrimary(place)
    settings = server.folder / "exim.conf"
    settings.write_text(f"log_selector = {EXIM_LOG_SELECTOR}\n{settings.read_text()}")
    return server, server.folder / "log/mainlog"


def sendmail(place: Path) -> tuple[Server, Path]:
    server = Sendmail(folder_of(place, "sendmail"), "peer.example", DOMAIN)
    return server, server.system_log.file


SERVERS: Final[Mapping[str, Callable[[Path], tuple[Server, Path]]]] = MappingProxyType(
    {"opensmtpd": opensmtpd, "postfix": postfix, "exim": exim, "sendmail": sendmail}
)


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_what_was_tried_when_by_whom_and_what_became_of_it(place: Path, name: str) -> None:
    server, log = SERVERS[name](place)
    begun = datetime.now(UTC).replace(microsecond=0)
    with server:
        attack(server.port)
        until(
            lambda: found(scanned(log)) == expected(name),
            SETTLED_SECONDS_MAX,
            lambda: differing(name, log),
        )
    document = scanned(log)
    assert [each["servers"] for each in document["logs"]] == [[GOLDEN[name]]]
    for attempt in document["attacks"]:
        assert {each["network"] for each in attempt["networks"]} == {"127.0.0.0/24"}, attempt
        assert begun <= datetime.fromisoformat(attempt["first"]) <= datetime.now(UTC), attempt
        assert attempt["sample"].isprintable()


def test_our_own_log_says_that_each_was_refused(place: Path) -> None:
    with Secondpost(place / "ours", free_port(), free_port()) as secondpost:
        attack(secondpost.port)
        until(
            lambda: {each.rule for each in found(scanned(secondpost.output))} >= OURS,
            SETTLED_SECONDS_MAX,
            secondpost.trouble,
        )
        document = scanned(secondpost.output)
    assert document["safe"]
    for attempt in document["attacks"]:
        assert {each["network"] for each in attempt["networks"]} == {"127.0.0.0/24"}, attempt


def found(document: Document) -> list[Found]:
    return sorted(
        Found(each["rule"], each["refused"], each["taken"], each["not_said"], each["verdict"])
        for each in document["attacks"]
    )


def differing(name: str, log: Path) -> str:
    there, wanted = set(found(scanned(log))), set(expected(name))
    lines = [f"not expected: {each}" for each in sorted(there - wanted)]
    lines += [f"missing: {each}" for each in sorted(wanted - there)]
    return "\n".join([*lines, log.read_text("utf-8", "backslashreplace")])


def scanned(log: Path) -> Document:
    """What the command prints, in this process: it is asked until all is written."""
    done = CliRunner().invoke(scan, ["--json", str(log)])
    assert done.stderr == "", done.stderr
    document: Document = json.loads(done.stdout)
    return document
