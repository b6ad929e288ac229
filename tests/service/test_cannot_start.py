"""A role that cannot use its store says so, in words that name the file."""

import os

from tests.service.conftest import MakeOffice
from tests.service.test_hard_times import until


def test_a_file_that_is_no_store_is_an_alarm(make_office: MakeOffice) -> None:
    office = make_office()
    os.makedirs(office.store, exist_ok=True)
    (office.store / "mail").mkdir()
    (office.store / "mail" / "mail.db").write_bytes(b"this is no database. " * 1_000)
    office.start(answers=False)
    until("the owner hears of it", lambda: "alarm about=cannot-start" in office.log.read_text())
    [line, *_] = [line for line in office.log.read_text().splitlines() if "about=cannot-start" in line]
    assert "mail.db" in line
    office.stop()
