"""`status`, `queue` and `issue status` report mail to readers correctly."""

import json

import pytest

from secondpost.mail.address import Mailbox
from secondpost.mail.delivery import State
from secondpost.mail.envelope import Lane
from secondpost.mail.queue_id import queue_id_text
from secondpost.owner.newsletter_desk import OpenNewsletter
from tests.cli.newspaper import Newspaper
from tests.cli.test_trace_readers import attempt, office

__all__ = ["office"]

READERS = tuple(f"r{n}@reader.example" for n in range(5))
GREYLISTED = "450 4.2.0 come again"


def made(recipient: str) -> tuple[State, str, str]:
    """The outcome for each of the five: deferred, refused, expired, unanswered, delivered."""
    match recipient[1]:
        case "0":
            return State.WAITING, "recipient", GREYLISTED
        case "1":
            return State.FAILED, "recipient", "550 5.1.1 no such user"
        case "2":
            return State.EXPIRED, "recipient", "450 4.2.2 full"
        case "3":
            return State.UNKNOWN, "lost", "no answer"
        case _:
            return State.DELIVERED, "", "250 2.0.0 kept"


def document(paper: Newspaper, *words: str) -> dict[str, object]:
    found = json.loads(paper.run(*words, "--json").stdout)
    assert isinstance(found, dict)
    return found


@pytest.fixture
def sending(office: Newspaper) -> Newspaper:
    """An issue to five readers is being sent, and no delivery was tried yet."""
    office.makes_issue_for(READERS)
    return office


def rows(paper: Newspaper, key: str, *words: str) -> list[dict[str, object]]:
    found = document(paper, *words)[key]
    assert isinstance(found, list)
    return found


def readers_mail(paper: Newspaper) -> dict[str, object]:
    found = document(paper, "status")["readers_mail"]
    assert isinstance(found, dict)
    return {key: value for key, value in found.items() if value not in (0, [])}


def test_nothing_waits_is_never_said_while_readers_mail_does(sending: Newspaper) -> None:
    assert "Nothing waits" not in sending.run("status").stdout
    assert readers_mail(sending) == {"frozen": 5}
    assert "5 planned for an issue that is not being sent yet" in sending.run("status").stdout
    empty = sending.run("queue", "list").stdout
    assert "No other mail is in the queue." in empty
    assert "Mail to readers is not in this list: 5 planned" in empty
    assert "secondpost issue status" in empty
    assert "Mail to readers" in str(document(sending, "queue", "list")["beside"])
    attempt(sending, Lane.ISSUES, made)
    assert readers_mail(sending) == {"waiting": 1, "deferred": 1, "unknown": 1}
    shown = sending.run("status").stdout
    assert "1 of an issue waits (1 put off so far), 1 mail that may or may not have arrived" in shown
    assert f"1 was tried and put off, the last one by mx.reader.example[192.0.2.9]: {GREYLISTED}." in shown
    assert "1 of an issue waits" in sending.run("queue", "list").stdout


def test_a_list_that_is_narrowed_names_what_matches_of_readers_mail(sending: Newspaper) -> None:
    named = sending.run("queue", "list", "--address", READERS[0]).stdout
    assert "No delivery matches." in named
    assert "1 mail matches" in named
    assert "Mail to readers" not in sending.run("queue", "list", "--domain", "other.example").stdout
    assert document(sending, "queue", "list", "--domain", "other.example")["beside"] == ""


def test_the_status_of_a_server_for_newsletters_alone_speaks_of_no_domain_to_come(office: Newspaper) -> None:
    first = office.run("status").stdout.splitlines()[0]
    assert first.endswith(" sends 1 newsletter, and backs up no domain.")


def test_each_mail_of_an_issue_is_listed_page_by_page(sending: Newspaper) -> None:
    waiting = sending.run("issue", "status", "--waiting").stdout
    assert all(address in waiting for address in READERS)
    assert "when the issue is sent" in waiting
    attempt(sending, Lane.ISSUES, made)
    answer = sending.run("issue", "status").stdout
    assert "1 delivered, 1 failed, 1 expired, 1 unknown, 1 still to be sent" in answer
    assert f"the last one by mx.reader.example[192.0.2.9]: {GREYLISTED}." in answer
    assert "secondpost issue status weekly 1 with --failed, --unknown, --waiting." in answer
    for option, addresses in (
        ("--failed", READERS[1:3]),
        ("--unknown", READERS[3:4]),
        ("--waiting", READERS[:1]),
    ):
        found = document(sending, "issue", "status", option)
        mails = found["mails"]
        assert isinstance(mails, list)
        assert ([mail["address"] for mail in mails], found["next"]) == (list(addresses), None)
        text = sending.run("issue", "status", "1", option).stdout
        for mail in mails:
            assert (mail["attempts"], mail["host"]) == (1, "mx.reader.example[192.0.2.9]")
            assert mail["last"] is not None
            assert (mail["due"] is not None) == (option == "--waiting")
            assert mail["address"] in text
            assert f"{mail['host']}: {mail['reply']}" in text
    seen: list[str] = []
    after: tuple[str, ...] = ()
    last = ""
    while after != ("--after", "None"):
        every = ("--failed", "--unknown", "--waiting", "--limit", "1", *after)
        page = document(sending, "issue", "status", *every)
        mails = page["mails"]
        assert isinstance(mails, list)
        seen += [mail["address"] for mail in mails]
        last = mails[0]["id"]
        after = ("--after", str(page["next"]))
    assert seen == list(READERS[:4])
    shown = sending.run("issue", "status", "--failed", "--limit", "1").stdout
    assert "There are more. To see them: --after " in shown
    assert "is in this state" in sending.run("issue", "status", "--failed", "--after", last).stdout
    other = sending.run("issue", "status", "--failed", "--after", "0000000000000/1", code=1).stderr
    assert "is not a mail of issue 1 of weekly" in other
    assert "--after continues" in sending.run("issue", "status", "--after", "0000000000000/1", code=2).stderr


def test_the_queue_shows_readers_mail_by_its_id(sending: Newspaper) -> None:
    attempt(sending, Lane.ISSUES, made)
    rows = document(sending, "issue", "status", "--failed", "--unknown", "--waiting")["mails"]
    assert isinstance(rows, list)
    put_off, refused = rows[0]["id"], rows[1]["id"]
    issue = put_off.partition("/")[0]
    whole = sending.run("queue", "show", issue).stdout
    assert "issue 1 of weekly" in whole
    assert "5 readers planned" in whole
    deliveries = document(sending, "queue", "show", issue)["deliveries"]
    assert isinstance(deliveries, list)
    assert len(deliveries) == 5
    one = sending.run("queue", "show", put_off).stdout
    assert f"to {READERS[0]}: waiting; 1 try; last " in one
    assert f"mx.reader.example[192.0.2.9]: {GREYLISTED}" in one
    found = document(sending, "queue", "show", refused)["deliveries"]
    assert isinstance(found, list)
    assert [(each["recipient"], each["state"]) for each in found] == [(READERS[1], "failed")]
    assert "no message" in sending.run("queue", "show", f"{issue}/99", code=1).stderr
    way = sending.run("trace", put_off).stdout
    assert "for try 2, due " in way


def test_a_confirmation_that_failed_can_be_seen(office: Newspaper) -> None:
    office.run("subscribers", "add", READERS[0])
    office.run("subscribers", "add", READERS[1])
    assert "2 confirmations and test copies wait" in office.run("queue", "list").stdout
    assert readers_mail(office) == {"waiting": 2, "confirmations_waiting": 2}
    attempt(office, Lane.OWN, made)
    assert readers_mail(office) == {
        "waiting": 1, "deferred": 1,
        "confirmations_waiting": 1, "confirmations_deferred": 1, "confirmations_failed": 1,
    }  # fmt: skip
    found = office.run("status").stdout
    assert "1 confirmation or test copy waits (1 put off so far)" in found
    assert f"1 confirmation failed in the last 7 days, the newest to {READERS[1]}:" in found
    assert "550 5.1.1 no such user" in found
    shown = office.run("subscribers", "show", READERS[1]).stdout
    assert "failed" in shown
    assert "550 5.1.1 no such user" in shown
    [mail] = rows(office, "mails", "subscribers", "show", READERS[0])
    assert (mail["state"], mail["attempts"], mail["due"] is None) == ("waiting", 1, False)
    id = str(mail["id"]).partition("/")[0]
    assert "a confirmation" in office.run("queue", "show", id).stdout
    assert "a confirmation" in office.run("trace", id).stdout


def test_a_site_that_is_down_for_readers_mail_is_said(sending: Newspaper) -> None:
    attempt(sending, Lane.ISSUES, made)

    async def goes_down(open_: OpenNewsletter) -> None:
        store, now_ms = open_.store, open_.clock.now_ms()
        await store.hint_site(Lane.ISSUES, Mailbox.parse(READERS[0]).domain, "mx.reader.example")
        await store.site_down("mx.reader.example", "connect", "no route to host", now_ms, now_ms + 30_000)

    sending.inside(goes_down)
    for words in (("status",), ("issue", "status")):
        text = sending.run(*words).stdout
        assert "mx.reader.example" in text
        assert "no route to host" in text
    assert (
        "for mail to readers: mx.reader.example (connect: no route to host)" in sending.run("status").stdout
    )
    found = document(sending, "status")["readers_mail"]
    assert isinstance(found, dict)
    assert [site["site"] for site in found["sites_down"]] == ["mx.reader.example"]
    assert "when mx.reader.example is up again" in sending.run("issue", "status", "--waiting").stdout
    [mail] = rows(sending, "mails", "issue", "status", "--waiting")
    assert (mail["due"], mail["site_down"]) == (None, True)


def test_sign_ups_of_the_day_are_counted(office: Newspaper) -> None:
    async def sign_up(open_: OpenNewsletter) -> None:
        for address in (READERS[0], READERS[0], READERS[1]):
            await open_.sign_ups.ask("weekly", Mailbox.parse(address), "/weekly/", "Yes.", "192.0.2.1")
        found = await open_.store.find("weekly", Mailbox.parse(READERS[0]))
        assert found is not None
        await open_.sign_ups.confirm(found.id, "/confirm/", "Yes.", "192.0.2.1")

    assert "Sign-ups" not in office.run("status").stdout
    office.inside(sign_up)
    shown = office.run("status").stdout
    assert "Sign-ups for weekly today: 3 asked, 1 of them confirmed; nothing was sent to 1: " in shown
    assert "1 asked a short time before." in shown
    [stands] = rows(office, "newsletters", "status")
    counts = stands["sign_ups"]
    assert isinstance(counts, dict)
    assert (counts["asked"], counts["confirmed"]) == (3, 1)
    assert {key: many for key, many in counts["nothing_sent"].items() if many > 0} == {"repeated": 1}


def test_the_id_of_an_issue_is_the_one_of_its_message(sending: Newspaper) -> None:
    async def message(open_: OpenNewsletter) -> str:
        return queue_id_text((await open_.store.issues("weekly", None, 1))[0].message)

    assert "issue 1 of weekly" in sending.run("queue", "show", sending.inside(message)).stdout


def test_an_issue_is_shown_by_provider_with_the_last_answer_of_each(sending: Newspaper) -> None:
    attempt(sending, Lane.ISSUES, made)
    sending.run("providers", "pause", "mx.reader.example", "--reason", "they are moving")
    [others] = rows(sending, "providers", "issue", "status")
    figures = {
        key: others[key] for key in ("accepted", "waiting", "deferred", "bounced", "expired", "unknown")
    }
    assert figures == {"accepted": 1, "waiting": 0, "deferred": 1, "bounced": 1, "expired": 1, "unknown": 1}
    assert (others["provider"], others["accepted_5_minutes"], others["accepted_hour"]) == ("others", 1, 1)
    last = others["last"]
    assert isinstance(last, dict)
    assert last["host"] == "mx.reader.example[192.0.2.9]"
    assert [pause["detail"] for pause in rows_of(others, "pauses")] == ["they are moving"]
    shown = sending.run("issue", "status").stdout
    assert "all others" in shown
    assert "PAUSED for" in shown
    assert "Last answers (" in shown
    assert f"mx.reader.example[192.0.2.9]: {last['reply']}" in shown
    assert "Of 1 reader it is not known whether they have it" in shown
    assert "secondpost issue retry --unknown weekly 1" in shown


def test_the_status_names_the_paused_providers(sending: Newspaper) -> None:
    assert rows(sending, "paused_providers", "status") == []
    sending.run("providers", "pause", "yahoo", "--reason", "they are moving")
    [paused] = rows(sending, "paused_providers", "status")
    assert (paused["provider"], paused["name"], paused["cause"]) == ("yahoo", "Yahoo and AOL", "owner")
    assert (paused["detail"], paused["next_trial"]) == ("they are moving", None)
    assert "issues to yahoo (by you: they are moving)" in sending.run("status").stdout


def rows_of(document: dict[str, object], key: str) -> list[dict[str, object]]:
    found = document[key]
    assert isinstance(found, list)
    return found
