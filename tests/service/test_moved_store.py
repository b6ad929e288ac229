"""The service starts on a store that an older version left in one folder."""

from pathlib import Path

import pytest

from tests.crash.postoffice import RECIPIENT
from tests.service.conftest import Call, MakeOffice
from tests.service.primary import Primary
from tests.service.test_hard_times import bodies, message, until


def flatten(store: Path) -> None:
    """Put the mail where older versions had it; its witness is younger than they are."""
    for path in (*(store / "mail").glob("mail.db*"), store / "mail" / "content"):
        path.rename(store / path.name)


@pytest.mark.parametrize("first", ["serve", "a command"])
def test_mail_of_killed_processes_is_moved_and_delivered(
    make_office: MakeOffice, call: Call, primary: Primary, first: str
) -> None:
    office = make_office()
    office.start()
    client = call(office)
    assert client.send(message(1, 200_000), RECIPIENT).startswith("250 ")
    assert client.send(message(2), RECIPIENT).startswith("250 ")
    office.kill_all()
    flatten(office.store)
    assert (office.store / "mail.db-wal").stat().st_size > 0
    if first == "a command":
        done = office.run("queue", "list")
        assert done.returncode == 0, done.stderr
        assert done.stdout.count(RECIPIENT) == 2
        assert (
            done.stderr == f"note: The files of the store {office.store} were moved into its new folders.\n"
        )
    primary.open()
    office.start()
    until("both have arrived", lambda: len(primary.taken) == 2)
    assert sorted(bodies(primary)) == sorted([message(1, 200_000), message(2)])
    assert office.log.read_text().count(" store-moved ") == (1 if first == "serve" else 0)
    assert not (office.store / "mail.db").exists()
    assert office.stop() == 0
