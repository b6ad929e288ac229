"""The real service under attack: hostile or broken clients must not delay other mail."""

import os
import shutil
from pathlib import Path

from tests.crash.postoffice import RECIPIENT
from tests.service.conftest import Call, MakeOffice
from tests.service.primary import Primary
from tests.service.test_hard_times import bodies, message, until


def test_a_content_file_that_was_cut_short_is_not_sent_and_holds_up_nobody(
    make_office: MakeOffice, call: Call, primary: Primary
) -> None:
    office = make_office()
    office.start()
    client = call(office)
    assert client.send(message(1, 200_000), RECIPIENT).startswith("250 ")
    assert client.send(message(2), RECIPIENT).startswith("250 ")
    [file] = (office.store / "mail" / "content").iterdir()
    os.truncate(file, 1000)
    primary.open()
    until("the other one has arrived", lambda: len(primary.taken) == 1)
    until("the owner hears of it", lambda: "alarm about=content-unreadable" in office.log.read_text())
    assert bodies(primary) == [message(2)]


def test_callers_who_only_stand_around_leave_room_for_a_large_message(
    make_office: MakeOffice, call: Call, primary: Primary
) -> None:
    """The limit of open files is the usual one, lowered here: the service raises it."""
    office = make_office(wrapper=("sh", "-c", 'ulimit -Sn 64; "$@"; exit $?', "sh"))
    office.start()
    idle = [call(office) for _ in range(70)]
    assert idle[-1].send(message(1, 200_000), RECIPIENT).startswith("250 ")


def test_what_the_owner_releases_or_redirects_goes_at_once(
    make_office: MakeOffice, call: Call, primary: Primary, tmp_path: Path
) -> None:
    other = Primary()
    office = make_office()
    config = tmp_path / "secondpost.toml"
    route = f'\n[[route]]\ndomain = "safe.example"\nhost = "127.0.0.1:{other.port}"\n'
    config.write_text(config.read_text() + route)
    office.start()
    client = call(office)
    for number in range(2):
        assert client.send(message(number), RECIPIENT).startswith("250 ")
    until("the primary is known to be down", lambda: "site-down" in office.log.read_text())
    with other:
        office.command("held", "redirect", "--all", "--to", "me@safe.example", "--yes")
        until("it is where the owner wants it", lambda: len(other.taken) == 2, 5.0)
    shown = f" to=me@safe.example for={RECIPIENT} "
    until("the log says for whom it was", lambda: office.log.read_text().count(shown) == 2, 5.0)


def test_a_store_that_was_taken_away_stops_the_service_in_words(make_office: MakeOffice, call: Call) -> None:
    office = make_office()
    office.start()
    office.wait_for_roles()  # a role that is just starting would create the folder again
    client = call(office)
    shutil.rmtree(office.store)
    assert not client.send(message(1), RECIPIENT).startswith("250 ")
    until("the owner hears of it", lambda: "alarm about=role-failed" in office.log.read_text())
    assert "Traceback" not in office.log.read_text()
