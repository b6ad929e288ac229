"""The owner lists the queue and changes deliveries, in a real store."""

import json

from tests.cli.office import DOWN_SITE, Office


def standings(office: Office, *words: str) -> dict[str, str]:
    """The standings by id, from `queue list --json`."""
    document = json.loads(office.run("queue", "list", "--json", *words).stdout)
    return {one["id"]: one["standing"] for one in document["deliveries"]}


def test_all_that_has_not_ended_is_listed_in_order_of_arrival(office: Office) -> None:
    assert list(standings(office).items()) == [
        (f"{office.primary}/1", "held (primary)"),
        (f"{office.both}/1", "held (primary)"),
        (f"{office.both}/2", "held (primary)"),
        (f"{office.waiting}/1", "waiting"),
        (f"{office.own}/1", "waiting"),
        (f"{office.quarantine}/1", "kept (quarantine)"),
        (f"{office.refused}/1", "kept (refused)"),
    ]


def test_filters_narrow_the_list(office: Office) -> None:
    assert set(standings(office, "--state", "primary").values()) == {"held (primary)"}
    assert len(standings(office, "--state", "waiting")) == 5
    assert set(standings(office, "--state", "delivered")) == {f"{office.delivered}/1"}
    assert len(standings(office, "--state", "kept", "--state", "primary")) == 5
    assert set(standings(office, "--address", "BOB@example.net")) == {f"{office.both}/2"}
    assert set(standings(office, "--address", "sender3@example.com")) == {f"{office.waiting}/1"}
    assert len(standings(office, "--domain", "example.net")) == 4
    assert len(standings(office, "--site", DOWN_SITE)) == 4


def test_a_long_list_goes_on_after_its_last(office: Office) -> None:
    first = json.loads(office.run("queue", "list", "--limit", "3", "--json").stdout)
    assert (len(first["deliveries"]), first["next"]) == (3, f"{office.both}/2")
    rest = json.loads(office.run("queue", "list", "--after", first["next"], "--json").stdout)
    assert (len(rest["deliveries"]), rest["next"]) == (4, None)
    assert f"--after {office.both}/2" in office.run("queue", "list", "--limit", "3").stdout


def test_the_plain_list_has_a_line_for_each_delivery(office: Office) -> None:
    lines = office.run("queue", "list").stdout.splitlines()
    assert len(lines) == 1 + 7
    assert "\x1b" not in "".join(lines)
    assert lines[1].startswith(f"{office.primary}/1  held (primary)")


def test_a_message_is_shown_with_all_its_recipients(office: Office) -> None:
    output = office.run("queue", "show", office.both).stdout
    assert "192.0.2.25 (out.example.com)" in output
    assert f"{office.both}/1 to ada@example.net: held (primary)" in output
    document = json.loads(office.run("queue", "show", office.both, "--json").stdout)
    assert (document["protocol"], document["content"], len(document["deliveries"])) == ("ESMTPS", True, 2)


def test_hold_and_release_lead_there_and_back(office: Office) -> None:
    assert "Held: 2 deliveries" in office.run("queue", "hold", office.both).stdout
    assert standings(office, "--state", "held") == {
        f"{office.both}/1": "held (owner)",
        f"{office.both}/2": "held (owner)",
    }
    assert "nothing to retry" in office.run("queue", "retry", office.both, code=1).stderr
    output = office.run("queue", "release", office.both).stdout
    assert "Released: 2 deliveries" in output
    assert "2 wait for a site that is down" in output
    assert standings(office, "--state", "held") == {}


def test_one_recipient_and_a_whole_message_can_be_named_together(office: Office) -> None:
    document = json.loads(
        office.run("queue", "hold", f"{office.both}/2", office.primary, office.waiting, "--json").stdout
    )
    assert document == {"verb": "hold", "deliveries": 3}
    assert set(standings(office, "--state", "held")) == {
        f"{office.both}/2",
        f"{office.primary}/1",
        f"{office.waiting}/1",
    }


def test_what_is_kept_can_be_tried_again(office: Office) -> None:
    office.run("queue", "retry", office.refused)
    assert standings(office)[f"{office.refused}/1"] == "waiting"


def test_nothing_is_dropped_that_was_not_named(office: Office) -> None:
    assert "Which deliveries?" in office.run("queue", "drop", code=2).stderr
    assert "add --yes" in office.run("queue", "drop", "--all", code=2).stderr
    assert "add --yes" in office.run("queue", "drop", "--domain", "example.net", code=2).stderr
    assert len(standings(office)) == 7


def test_what_is_dropped_is_named(office: Office) -> None:
    output = office.run("queue", "drop", f"{office.both}/1").stdout
    assert f"{office.both}/1  <sender2@example.com> to ada@example.net" in output
    assert "Dropped: 1 delivery." in output
    output = office.run("queue", "drop", "--domain", "example.net", "--yes").stdout
    assert "Dropped: 3 deliveries." in output
    assert set(standings(office)) == {f"{office.waiting}/1", f"{office.own}/1", f"{office.refused}/1"}


def test_everything_can_be_meant(office: Office) -> None:
    assert "Held: 5 deliveries" in office.run("queue", "hold", "--all", "--yes").stdout
    assert "add --yes" in office.run("queue", "release", "--all", code=2).stderr


def test_what_cannot_be_meant_is_refused(office: Office) -> None:
    assert "not both" in office.run("queue", "hold", office.both, "--domain", "example.net", code=2).stderr
    assert "--all means every" in office.run("queue", "hold", "--all", "--site", "x", code=2).stderr
    assert "is not a queue id" in office.run("queue", "hold", "nonsense", code=2).stderr
    assert "is not ID/N" in office.run("queue", "hold", f"{office.both}/0", code=2).stderr
    assert "is not a domain" in office.run("queue", "list", "--domain", "a b", code=2).stderr


def test_zero_that_match_is_no_success(office: Office) -> None:
    assert "no delivery matches" in office.run("queue", "drop", "0000000000000", code=1).stderr
    output = office.run("queue", "release", office.both, code=1).stderr
    assert "2 held (primary)" in output
    assert "takes only what is held" in output
    assert "there is no message" in office.run("queue", "show", "0000000000000", code=1).stderr


def test_an_empty_list_says_so(office: Office) -> None:
    assert office.run("queue", "list", "--domain", "example.com").stdout == "No delivery matches.\n"
    office.run("queue", "drop", "--all", "--yes")
    assert office.run("queue", "list").stdout == "Nothing is in the queue.\n"
