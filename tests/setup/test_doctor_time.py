"""The time of `secondpost check` is bounded, whatever does not answer."""

import asyncio
import socket

from secondpost.mail.address import Endpoint
from secondpost.roles.doctor import FETCH_SECONDS_MAX, LOOKING_SECONDS_MAX, Planned, examine_all
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.looks import Looking, SmtpLook, SmtpLooks
from secondpost.setup.smtp_visit import LOOK_SECONDS_MAX
from tests.setup.test_machine import config


def look_at(look: SmtpLook) -> Looking[tuple[Diagnosis, ...]]:
    yield from SmtpLooks((look,)).ask()
    return (Diagnosis(Check.SMART_HOST, "", Grade.WELL, "It answers."),)


def test_a_server_that_never_answers_is_a_note_and_delays_no_other() -> None:
    async def found(silent: Endpoint, closed: Endpoint) -> list[Diagnosis]:
        # Two wait for the same server; the third meets a closed port.
        planned = [
            Planned(Check.SMART_HOST, str(number), look_at(SmtpLook(endpoint, "mx")))
            for number, endpoint in enumerate((silent, silent, closed))
        ]
        return await examine_all(config(), planned, seconds_max=0.2)

    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_server(("127.0.0.1", 0)) as gone:
        ports = [Endpoint("127.0.0.1", one.getsockname()[1]) for one in (silent, gone)]
        gone.close()
        first, second, third = asyncio.run(found(*ports))
    assert [(one.subject, one.grade) for one in (first, second)] == [("0", Grade.NOTE), ("1", Grade.NOTE)]
    assert "no answer came in 0.2 seconds" in first.text
    assert third.grade is Grade.WELL


def test_all_looks_together_take_less_than_a_minute() -> None:
    assert max(LOOK_SECONDS_MAX, FETCH_SECONDS_MAX) < LOOKING_SECONDS_MAX < 60
