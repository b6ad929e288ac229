"""`check delivery` beside the running service: the message goes the whole backup way."""

import json
import subprocess

from tests.crash.postoffice import PostOffice
from tests.service.conftest import MakeOffice
from tests.service.primary import Primary


def checked(office: PostOffice, code: int, *words: str) -> subprocess.CompletedProcess[str]:
    done = office.run("check", "delivery", "example.org", *words)
    assert done.returncode == code, (done.stdout, done.stderr)
    return done


def test_the_service_takes_the_test_and_delivers_it(make_office: MakeOffice, primary: Primary) -> None:
    primary.open()
    office = make_office()
    office.start()
    document = json.loads(checked(office, 0, "--json").stdout)
    assert (document["met"], document["state"]) == ("taken", "delivered")
    assert [visit["station"] for visit in document["visits"]] == ["deliver", "receive"]
    [mail] = [mail for mail in primary.mails if document["token"].encode() in mail.content]
    assert (mail.sender, mail.recipients) == ("", ("postmaster@example.org",))
    assert f"id {document['id']}\r\n".encode() in mail.content


def test_while_the_primary_is_away_nothing_is_queued(make_office: MakeOffice, primary: Primary) -> None:
    office = make_office()
    office.start()
    shown = checked(office, 1).stdout
    assert "No host of the primary let this server in" in shown
    assert "--headers" not in shown
    assert json.loads(office.command("queue", "list", "--json"))["deliveries"] == []
