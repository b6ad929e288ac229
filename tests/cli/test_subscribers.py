"""The owner manages readers by command, in a real store."""

import subprocess
import sys
from pathlib import Path

from secondpost.mail.address import Mailbox
from secondpost.mail.envelope import Lane
from secondpost.mail.subscriber import SubscriberState
from secondpost.mail.subscriber_states import Reason
from secondpost.owner.newsletter_desk import OpenNewsletter
from secondpost.store.subscriber_ports import SignedUp
from tests.cli.closed_pipe import into_a_closed_pipe
from tests.cli.newspaper import CONFIRMED, Newspaper, listed

ADA, BOB = "ada@reader.example", "bob@reader.example"


def state(paper: Newspaper, address: str) -> object:
    return paper.json_of("subscribers", "show", address)["state"]


def confirmations(paper: Newspaper) -> int:
    """The number of waiting confirmation mails."""

    async def count(open_: OpenNewsletter) -> int:
        return sum(each.deliveries for each in await open_.store.counts() if each.lane is Lane.OWN)

    return paper.inside(count)


def test_who_is_added_is_asked_unless_somebody_says_where_they_agreed(paper: Newspaper) -> None:
    assert f"{ADA} is pending" in paper.run("subscribers", "add", ADA).stdout
    assert (state(paper, ADA), confirmations(paper)) == ("pending", 1)
    assert f"{BOB} is now a reader" in paper.run("subscribers", "add", BOB, *CONFIRMED).stdout
    assert confirmations(paper) == 1
    assert "already a reader" in paper.run("subscribers", "add", BOB).stdout
    shown = paper.json_of("subscribers", "show", BOB)
    assert isinstance(shown["agreed"], dict)
    assert (shown["agreed"]["where"], shown["agreed"]["how"]) == (CONFIRMED[1], "owner")
    assert paper.json_of("subscribers", "add", "weekly", BOB)["changed"] is False
    assert "Say where" in paper.run("subscribers", "add", ADA, "--confirmed", " ", code=2).stderr
    assert "not an address" in paper.run("subscribers", "add", "ada", code=2).stderr


def test_an_address_of_ours_is_no_readers(paper: Newspaper) -> None:
    for words in ((), CONFIRMED):
        refused = paper.run("subscribers", "add", "me@mx2.example.net", *words, code=1)
        assert "cannot be a reader: mx2.example.net is this server itself" in refused.stderr
    assert "has no reader" in paper.run("subscribers", "show", "me@mx2.example.net", code=1).stderr
    assert confirmations(paper) == 0


def test_a_confirmation_for_somebody_needs_a_consent(paper: Newspaper) -> None:
    assert "has no reader" in paper.run("subscribers", "confirm", ADA, *CONFIRMED, code=1).stderr
    paper.run("subscribers", "add", ADA)
    paper.run("subscribers", "confirm", ADA, code=2)
    assert state(paper, ADA) == "pending"
    shown = paper.json_of("subscribers", "confirm", ADA, *CONFIRMED)
    assert (shown["changed"], shown["state"]) == (True, "active")
    assert paper.json_of("subscribers", "confirm", ADA, *CONFIRMED)["changed"] is False


def test_who_is_removed_comes_back_by_nobodys_hand_but_their_own(paper: Newspaper, tmp_path: Path) -> None:
    paper.run("subscribers", "add", ADA, *CONFIRMED)
    assert "no longer" in paper.run("subscribers", "remove", ADA).stdout
    assert state(paper, ADA) == "left"
    assert "left" in paper.run("subscribers", "remove", ADA, code=1).stderr
    assert f"{ADA} left on 20" in paper.run("subscribers", "show", ADA).stdout
    again = paper.run("subscribers", "add", ADA, *CONFIRMED, code=1)
    assert "only come back by signing up again" in again.stderr
    file = tmp_path / "list.csv"
    file.write_text(f"email\n{ADA}\n")
    assert paper.json_of("subscribers", "import", str(file), *CONFIRMED)["known"] == 1
    assert state(paper, ADA) == "left"


def test_the_suppressed_get_nothing_until_that_is_lifted(paper: Newspaper) -> None:
    assert f"{ADA} is suppressed for weekly" in paper.run("subscribers", "suppress", ADA).stdout
    assert "already suppressed" in paper.run("subscribers", "suppress", ADA).stdout
    refused = paper.run("subscribers", "add", ADA, *CONFIRMED, code=1)
    assert "suppress --lift weekly" in refused.stderr
    assert "the address is suppressed" in paper.run("subscribers", "show", ADA, code=1).stderr
    assert paper.json_of("subscribers", "show")["suppressed"] == 1
    paper.run("subscribers", "suppress", "--lift", ADA)
    assert "not suppressed" in paper.run("subscribers", "suppress", "--lift", ADA, code=1).stderr
    paper.run("subscribers", "add", ADA, *CONFIRMED)
    everywhere = paper.json_of("subscribers", "suppress", ADA, "--everywhere")
    assert (everywhere["newsletter"], everywhere["suppressed"], everywhere["state"]) == ("", True, "active")
    assert "--everywhere" in paper.run("subscribers", "suppress", "--lift", ADA, code=1).stderr
    assert "and the address is suppressed" in paper.run("subscribers", "show", ADA).stdout


def test_who_complained_comes_back_only_by_writing_to_the_owner(paper: Newspaper) -> None:
    paper.run("subscribers", "add", ADA, *CONFIRMED)

    async def complain(open_: OpenNewsletter) -> bool:
        found = await open_.store.find("weekly", Mailbox.parse(ADA))
        assert found is not None
        return await open_.store.complain(found.id, open_.clock.now_ms(), "report")

    assert paper.inside(complain)
    refused = paper.run("subscribers", "confirm", ADA, *CONFIRMED, code=1)
    assert "suppress --lift weekly" in refused.stderr
    paper.run("subscribers", "suppress", "--lift", ADA)
    assert state(paper, ADA) == "complained"
    unasked = paper.run("subscribers", "add", ADA, code=1)
    assert f"subscribers confirm weekly {ADA} --confirmed" in unasked.stderr
    assert confirmations(paper) == 0
    shown = paper.json_of("subscribers", "confirm", ADA, "--confirmed", "their mail of 3 May 2026")
    assert (shown["changed"], shown["state"]) == (True, "active")


def test_a_list_comes_in_and_its_bad_rows_are_named(paper: Newspaper, tmp_path: Path) -> None:
    file = tmp_path / "readers.csv"
    file.write_bytes(f"email,city\n{ADA},Malm\xf6\nnobody,Oslo\n{ADA},Malm\xf6\n".encode("cp1252"))
    first = paper.run("subscribers", "import", str(file))
    assert "The new ones are pending, and get nothing" in first.stdout
    assert "3 lines; 1 new, 1 already known, 1 could not be read" in first.stdout
    assert "line 3: " in first.stderr
    assert "nobody" not in first.stderr
    assert state(paper, ADA) == "pending"
    assert paper.json_of("subscribers", "show", ADA)["attributes"] == {"city": "Malmö"}
    assert confirmations(paper) == 0
    shown = paper.json_of("subscribers", "import", "weekly", str(file))
    assert (shown["lines"], shown["known"], shown["bad"]) == (3, 2, 1)
    confirmed = paper.run("subscribers", "import", str(file), *CONFIRMED)
    assert "3 lines; 0 new, 1 changed from pending to reader, 1 already known" in confirmed.stdout
    assert state(paper, ADA) == "active"
    file.write_text(f"{BOB}\n")
    paper.run("subscribers", "import", str(file))
    assert (
        "1 person is asked to confirm by mail."
        in paper.run("subscribers", "import", str(file), "--invite").stdout
    )
    assert paper.json_of("subscribers", "import", str(file), "--invite")["asked"] == 0
    assert (state(paper, BOB), confirmations(paper)) == ("pending", 1)
    file.write_text("email,status\ndan@reader.example,abgemeldet\n")
    unclear = paper.run("subscribers", "import", str(file), *CONFIRMED)
    assert 'Not understood: "abgemeldet". These people are left out' in unclear.stdout
    assert "has no reader" in paper.run("subscribers", "show", "dan@reader.example", code=1).stderr
    file.write_text("carol@reader.example\n")
    paper.run("subscribers", "import", str(file), *CONFIRMED)
    assert state(paper, "carol@reader.example") == "active"


def test_what_is_no_list_brings_nothing(paper: Newspaper, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("milk, bread\n")
    refused = paper.run("subscribers", "import", str(file), code=1).stderr
    assert "cannot be imported: it has no column called" in refused
    file.write_text("email\nnobody\n")
    assert "no line of notes.txt" in paper.run("subscribers", "import", str(file), code=1).stderr
    assert "cannot be read" in paper.run("subscribers", "import", str(tmp_path / "no"), code=1).stderr
    paper.run("subscribers", "import", str(file), "--invite", *CONFIRMED, code=2)
    file.write_bytes(b"\xff\xfe" + f"email\n{ADA}\n".encode("utf-16-le") + b"\0")
    torn = paper.run("subscribers", "import", str(file), code=1).stderr
    assert "mixes several encodings" in torn
    assert "is in" not in torn  # none of them is in the list
    assert "has no reader" in paper.run("subscribers", "show", ADA, code=1).stderr
    file.write_bytes(b"email,city\n" + b"nobody,Oslo\n" * 10_000 + b"%s,Malm\xf6, \xc3\xa5\n" % ADA.encode())
    assert "save it as UTF-8" in paper.run("subscribers", "import", str(file), code=1).stderr
    file.write_text("")
    assert "has no addresses" in paper.run("subscribers", "import", str(file), code=1).stderr


def test_a_list_comes_through_a_pipe(paper: Newspaper) -> None:
    words = [sys.executable, "-m", "secondpost", "--config", str(paper.config), "subscribers", "import", "-"]
    done = subprocess.run(words, input=f"{ADA}\n", capture_output=True, text=True, timeout=30, check=True)
    assert "1 new" in done.stdout
    assert state(paper, ADA) == "pending"


def test_an_export_that_is_read_no_further_ends_without_a_word(paper: Newspaper) -> None:
    paper.run("subscribers", "add", ADA, *CONFIRMED)
    ended = into_a_closed_pipe("--config", str(paper.config), "subscribers", "export")
    assert (ended.returncode, ended.stderr) == (1, "")


def test_what_goes_out_comes_in_again(paper: Newspaper, tmp_path: Path) -> None:
    paper.run("subscribers", "add", ADA, *CONFIRMED)
    paper.run("subscribers", "add", BOB)
    printed = paper.run("subscribers", "export").stdout
    assert ADA in printed
    assert BOB in printed
    only = paper.run("subscribers", "export", "weekly", "-", "--state", "active").stdout
    assert ADA in only
    assert BOB not in only
    file = tmp_path / "out.csv"
    assert "Wrote 2 lines" in paper.run("subscribers", "export", str(file)).stdout
    assert file.read_text().splitlines() == printed.splitlines()
    assert file.stat().st_mode & 0o777 == 0o600
    assert "already exists" in paper.run("subscribers", "export", str(file), code=1).stderr
    assert paper.json_of("subscribers", "import", str(file))["known"] == 2


def test_readers_are_counted_and_one_is_shown(paper: Newspaper) -> None:
    paper.run("subscribers", "add", ADA, *CONFIRMED)
    paper.run("subscribers", "add", BOB)
    assert paper.json_of("subscribers", "show") == {
        "newsletter": "weekly",
        "active": 1,
        "pending": 1,
        "left": 0,
        "suspended": 0,
        "complained": 0,
        "suppressed": 0,
    }
    assert "weekly has 1 reader." in paper.run("subscribers", "show").stdout
    shown = paper.run("subscribers", "show", BOB.upper()).stdout
    assert "has been pending since" in shown
    assert "confirmation" in shown
    assert "has no reader" in paper.run("subscribers", "show", "carol@reader.example", code=1).stderr

    async def found(open_: OpenNewsletter) -> SubscriberState | None:
        reader = await open_.store.find("weekly", Mailbox.parse(ADA))
        return None if reader is None else reader.state

    assert paper.inside(found) is SubscriberState.ACTIVE


def test_a_sign_up_that_brought_nothing_can_be_seen_of_whomever(paper: Newspaper) -> None:
    stranger, trapped = Mailbox.parse("stranger@reader.example"), Mailbox.parse(ADA)

    async def sign_up(open_: OpenNewsletter) -> None:
        await open_.store.suppress("", [stranger], Reason.COMPLAINED, open_.clock.now_ms(), "report")
        for _ in range(2):
            await open_.sign_ups.ask("weekly", stranger, "/weekly/", "You get it.", "192.0.2.1")
        await open_.sign_ups.note("weekly", trapped, SignedUp.TRAPPED)
        await open_.sign_ups.ask("weekly", Mailbox.parse(BOB), "/weekly/", "You get it.", "192.0.2.1")
        await open_.sign_ups.ask("weekly", Mailbox.parse(BOB), "/weekly/", "You get it.", "192.0.2.1")

    paper.inside(sign_up)
    shown = paper.run("subscribers", "show", str(stranger), code=1)
    found = "asked to sign up by form; nothing was sent, because the address is suppressed."
    assert shown.stdout.count(found) == 2
    assert "suppressed for all newsletters: complained, report." in shown.stdout
    assert "has no reader" in shown.stderr
    document = paper.json_of("subscribers", "show", str(trapped), code=1)
    assert (document["state"], document["suppressed"]) == (None, False)
    assert [(one["how"], one["outcome"]) for one in listed(document, "sign_ups")] == [("form", "trapped")]
    assert "asked to confirm less than a day earlier" in paper.run("subscribers", "show", BOB).stdout
    assert [one["outcome"] for one in listed(paper.json_of("subscribers", "show", BOB), "sign_ups")] == [
        "confirm", "repeated",
    ]  # fmt: skip
    assert paper.run("subscribers", "show", "nobody@reader.example", code=1).stdout == ""
