"""The log in the journal of a real systemd."""

import json
import socket
from contextlib import closing
from pathlib import Path

from tests.against.systemd_machine import SystemdMachine, install_secondpost
from tests.crash.postoffice import CONFIG
from tests.service.test_hard_times import message, until

PORT = 2525
PROGRAM = "/opt/secondpost/bin/secondpost"


def entries(machine: SystemdMachine, *matches: str) -> list[dict[str, str]]:
    shown = machine.run("journalctl", "--output", "json", "--no-pager", *matches).stdout
    return [json.loads(line) for line in shown.splitlines()]


def test_the_journal_finds_a_message_by_its_id(place: Path) -> None:
    """Each event of it, of both roles; and nothing is there a second time as a line."""
    with SystemdMachine(place) as machine:
        install_secondpost(machine)
        machine.file("/opt/secondpost.toml").write_text(
            CONFIG.format(store="/opt/store", port=PORT, metrics=9725, primary=2700, user="root")
        )
        serve = (PROGRAM, "serve", "--config", "/opt/secondpost.toml")
        machine.run("systemd-run", "--quiet", "--unit=secondpost", *serve)
        started = ("SECONDPOST_EVENT=role-started",)
        until("both roles are there", lambda: len(entries(machine, *started)) == 2)
        with (
            machine.network(),
            socket.create_connection(("127.0.0.1", PORT), 10) as connection,
            closing(connection.makefile("rb")) as answers,
        ):
            assert answers.readline().startswith(b"220 ")
            for line in (
                b"EHLO client.example",
                b"MAIL FROM:<a@elsewhere.example>",
                b"RCPT TO:<reader@example.org>",
                b"DATA",
                message(1) + b".",
            ):
                connection.sendall(line + b"\r\n")
                while (answer := answers.readline())[3:4] == b"-":
                    pass
        assert answer.startswith(b"250 2.0.0 Ok: queued as ")
        id = answer.decode().split()[-1]
        until("it is deferred", lambda: "deferred" in _events(machine, id))
        assert _events(machine, id)["accepted"]["SECONDPOST_ROLE"] == "receive"
        deferred = _events(machine, id)["deferred"]
        assert deferred["SECONDPOST_ROLE"] == "deliver"
        assert deferred["SECONDPOST_CAUSE"] == "connect"
        assert deferred["SYSLOG_IDENTIFIER"] == "secondpost"
        assert deferred["_SYSTEMD_UNIT"] == "secondpost.service"
        assert deferred["_TRANSPORT"] == "journal"
        unit = entries(machine, "--unit=secondpost.service", "_TRANSPORT=stdout")
        assert [one["MESSAGE"] for one in unit if " deferred " in one["MESSAGE"]] == []


def _events(machine: SystemdMachine, id: str) -> dict[str, dict[str, str]]:
    return {one["SECONDPOST_EVENT"]: one for one in entries(machine, f"SECONDPOST_ID={id}")}
