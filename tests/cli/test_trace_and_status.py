"""`trace` shows a message's way by station, and `status` the current state."""

import asyncio
import json
from datetime import datetime

from secondpost.mail.address import Domain
from secondpost.mail.delivery import State
from secondpost.mail.envelope import Lane
from secondpost.store.ports import Settlement
from secondpost.store.sqlite import SqliteStore
from secondpost.world.real.clock import RealClock
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.work import RealWork
from tests.cli.office import DOWN_SITE, Office, served


def steps(office: Office, what: str) -> list[tuple[str, str, str | None]]:
    document = json.loads(office.run("trace", what, "--json").stdout)
    return [(step["station"], step["what"], step["delivery"]) for step in document["messages"][0]["steps"]]


def test_the_way_of_a_delivered_message_leads_through_all_stations(office: Office) -> None:
    one = f"{office.delivered}/1"
    assert steps(office, office.delivered) == [
        ("receive", "came", None),
        ("policy", "taken", one),
        ("spool", "stored", None),
        ("route", "leads to", one),
        ("deliver", "delivered", one),
    ]


def test_the_way_tells_what_went_wrong_and_what_the_owner_did(office: Office) -> None:
    one = f"{office.refused}/1"
    assert steps(office, office.refused)[3:] == [
        ("route", "leads to", one),
        ("deliver", "kept", one),
        ("spool", "kept (refused)", one),
    ]
    office.run("queue", "retry", office.refused)
    office.run("queue", "hold", office.refused)
    office.run("queue", "drop", office.refused)
    words = [what for station, what, _ in steps(office, office.refused) if station == "spool"]
    assert words == ["stored", "retried", "held", "dropped"]


def test_a_redirected_message_tells_its_whole_way_to_whom_it_came_and_to_whom_it_went(office: Office) -> None:
    one = f"{office.refused}/1"
    office.run("held", "redirect", office.refused, "--to", "me@elsewhere.example")
    office.run("held", "redirect", office.refused, "--to", "me@safe.example")
    document = json.loads(office.run("trace", office.refused, "--json").stdout)
    [way] = document["messages"]
    assert [(step["what"], step["detail"]) for step in way["steps"] if step["delivery"] == one] == [
        ("taken", "dan@example.org: its domain is backed up here"),
        ("kept", "message mx.example.org 550 5.7.1 no"),
        ("redirected", "from dan@example.org to me@elsewhere.example by command"),
        ("redirected", "from me@elsewhere.example to me@safe.example by command"),
        ("waiting", "for its first try"),
    ]
    for address in ("dan@example.org", "me@safe.example"):
        assert json.loads(office.run("trace", address, "--json").stdout)["messages"] == [way]


async def deliver_to(domain: Domain, site: str, office: Office) -> None:
    clock, work, failures = RealClock(), RealWork(1), list[BaseException]()
    disk = RealDisk(str(office.folder / "store"))
    store = SqliteStore.open(disk, work, clock, role="test", failed=failures.append)
    await store.hint_site(Lane.OWN, domain, site)
    lease = await store.lease(Lane.OWN, site)
    assert lease is not None
    for claimed in await store.claim(lease, clock.now_ms(), 10):
        await store.settle(
            lease, [Settlement(claimed.id, State.DELIVERED, clock.now_ms(), host=site, reply="250 ok")]
        )
    await store.give_back(lease)
    store.close()
    work.close()
    assert failures == []


def test_the_route_of_a_redirected_message_is_told_where_it_was_taken(office: Office) -> None:
    office.run("held", "redirect", office.refused, "--to", "me@safe.example")
    asyncio.run(deliver_to(Domain("safe.example"), "mx.safe.example", office))
    one = f"{office.refused}/1"
    assert steps(office, office.refused)[3:] == [
        ("deliver", "kept", one),
        ("spool", "redirected", one),
        ("route", "leads to", one),
        ("deliver", "delivered", one),
    ]


def test_times_are_in_order(office: Office) -> None:
    office.run("queue", "hold", office.both)
    document = json.loads(office.run("trace", office.both, "--json").stdout)
    times = [step["at"] for step in document["messages"][0]["steps"]]
    assert times == sorted(times)


def test_what_waits_for_a_primary_says_for_which(office: Office) -> None:
    output = office.run("trace", f"{office.both}/2").stdout
    assert f"until {DOWN_SITE} answers again" in output
    assert "its domain is backed up here" in output


def test_an_address_is_traced_over_its_messages(office: Office) -> None:
    document = json.loads(office.run("trace", "ada@example.net", "--json").stdout)
    assert [one["id"] for one in document["messages"]] == [office.primary, office.both]
    assert document["older"] == 0


def test_what_is_not_known_is_a_no(office: Office) -> None:
    assert "nothing is known" in office.run("trace", "0000000000000", code=1).stderr
    assert "nothing is known" in office.run("trace", "nobody@example.com", code=1).stderr
    assert "not an address either" in office.run("trace", "what", code=2).stderr


def test_the_status_counts_by_standing(office: Office) -> None:
    office.run("queue", "hold", office.waiting)
    document = json.loads(office.run("status", "--json").stdout)
    assert (document["held_primary"], document["held_owner"], document["kept"]) == (3, 1, 2)
    assert document["waiting"] == 1
    assert [site["site"] for site in document["sites_down"]] == [DOWN_SITE]
    output = office.run("status").stdout
    assert f"{DOWN_SITE} (connect: refused)" in output
    assert "1 delivery is kept until you decide" in output
    assert "held (primary)" in output


def test_the_status_tells_what_a_primary_refused_and_when_it_goes(office: Office) -> None:
    [refused] = json.loads(office.run("status", "--json").stdout)["refused"]
    day_seconds = 86_400
    oldest, goes = (datetime.fromisoformat(refused[key]) for key in ("oldest", "oldest_goes"))
    assert (goes - oldest).total_seconds() == 7 * day_seconds
    assert (refused["domain"], refused["deliveries"], refused["room"]) == ("example.org", 1, 10**9)
    assert refused["octets"] > 0
    output = office.run("status").stdout
    assert "The primary of example.org refused 1 delivery, " in output
    assert "of at most 1 GB; the oldest is removed in 6 d 23 h." in output
    assert "for 1 week at most" in office.run("trace", office.refused).stdout
    office.config.write_text(office.config.read_text() + 'keep_refused = "1 hour"\nquota = "20 MB"\n')
    assert "of at most 2 MB; the oldest is removed in 59 min" in office.run("status").stdout


def test_the_status_says_whether_the_service_runs(office: Office) -> None:
    assert "NOT RUNNING" in office.run("status").stdout
    assert json.loads(office.run("status", "--json").stdout)["running"] is False
    with served(SqliteStore, office.folder):
        assert "NOT RUNNING" not in office.run("status").stdout
        assert json.loads(office.run("status", "--json").stdout)["running"] is True


def test_an_idle_office_says_so(office: Office) -> None:
    office.run("queue", "drop", "--all", "--yes")
    assert "Nothing waits, nothing is held." in office.run("status").stdout


def test_the_status_tells_of_each_primary_and_of_its_days(office: Office) -> None:
    net, org = json.loads(office.run("status", "--json").stdout)["primaries"]
    assert (net["domain"], net["site"], net["reachable"], net["size_max"]) == (
        "example.net",
        DOWN_SITE,
        False,
        None,
    )
    assert (org["domain"], org["reachable"], org["since"], org["smtputf8"]) == (
        "example.org",
        None,
        None,
        None,
    )
    assert net["since"] is not None
    assert net["looked"] is not None
    nothing = {"held": 0, "kept": 0, "refused_for_now": 0, "refused": 0, "passed_on": 0}
    assert net["today"] == net["week"] == {**nothing, "kept": 1}
    assert org["today"] == org["week"] == {**nothing, "kept": 1, "passed_on": 1}
    output = office.run("status").stdout
    assert "DOWN for" in output
    assert "not known yet" in output
    assert "Deliveries are counted today (in UTC) / in the last 7 days." in output
