"""An import is previewed before anything is written, by command, in a real store."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from secondpost.cli import subscribers_import
from secondpost.cli.command import CommandWaits
from secondpost.cli.subscribers_import import LONG_IMPORT_MS, tell_of_import
from secondpost.config.reading import read_config
from secondpost.mail.alarm import AlarmKind
from secondpost.newsletter.turns import PUBLISH
from secondpost.owner.newsletter_desk import OpenNewsletter
from secondpost.roles.desk import open_newsletter
from secondpost.store.subscriber_ports import BATCH_READERS_MAX
from secondpost.subscribers.import_report import ImportReport
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.net import RealNet
from secondpost.world.room_disk import make_rooms
from secondpost.world.sockets.alarms import ALARMS
from tests.alarms import unlogged_alarms
from tests.cli.newspaper import CONFIRMED, Newspaper
from tests.world.test_alarm_socket import Ear

LIST = """\
email,name,status,tags,joined at
ann@reader.example,Ann,Subscribed,vip,2024-01-05
bob@reader.example,Bob,Unsubscribed,,2024-01-05
cid@reader.example,Cid,Cleaned,,2024-01-05
dan@reader.example,Dan,Lapsed,,2024-01-05
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "readers.csv"
    path.write_text(LIST)
    return path


def counts(paper: Newspaper) -> dict[str, object]:
    return {
        what: many for what, many in paper.json_of("subscribers", "show").items() if many not in (0, "weekly")
    }


def test_a_dry_run_shows_what_each_column_is_and_writes_nothing(paper: Newspaper, file: Path) -> None:
    shown = paper.run("subscribers", "import", str(file), "--dry-run", *CONFIRMED).stdout
    assert [" ".join(line.split()) for line in shown.splitlines()] == [
        "readers.csv: a list; 4 lines.",
        "is column says",
        "address email",
        "name name",
        "state status Subscribed (1): active; Unsubscribed (1): left; Cleaned (1): suppressed; "
        "Lapsed (1): unclear",
        "date joined at",
        "kept tags",
        "What will happen to them:",
        "1 readers",
        "1 left: no mail until they sign up again",
        "1 suppressed: bounced, complained or were blocked there",
        "1 left out: it is not clear what the list says about them",
        'Not understood: "Lapsed". These people are left out until you say what it means, such as:',
        '--word "Lapsed=left" (or active, pending, suppressed, nothing)',
        "Nothing was written: this was a dry run. To import the list, leave out --dry-run.",
    ]
    assert counts(paper) == {}
    found = paper.json_of("subscribers", "import", str(file), "--dry-run")
    assert (found["written"], found["stops"], found["lines"], found["added"]) == (False, False, 4, 0)
    [part] = json.loads(paper.run("subscribers", "import", str(file), "--dry-run", "--json").stdout)["files"]
    assert part["becomes"] == {"active": 1, "left": 1, "suppressed": 1, "unclear": 1}
    assert part["columns"][2]["words"][3] == {"word": "Lapsed", "lines": 1, "becomes": "unclear"}


def test_the_same_is_shown_before_a_list_is_brought_in(paper: Newspaper, file: Path) -> None:
    shown = paper.run("subscribers", "import", str(file), *CONFIRMED).stdout
    assert shown.index("Lapsed (1): unclear") < shown.index("weekly: 4 lines; 1 new")
    assert "1 unsubscribed elsewhere, 1 now suppressed, 1 left out." in shown
    assert counts(paper) == {"active": 1, "left": 1, "suppressed": 1}
    assert paper.json_of("subscribers", "show", "bob@reader.example")["state"] == "left"
    found = paper.json_of("subscribers", "import", str(file), "--word", "Lapsed=active", *CONFIRMED)
    assert (found["added"], found["known"], found["gone"], found["unclear"]) == (1, 2, 0, 0)
    assert found["suppressed"] == 1  # one address, which the first import suppressed
    assert counts(paper) == {"active": 2, "left": 1, "suppressed": 1}


def test_a_dry_run_says_what_makes_readers_of_those_who_would_be_pending(
    paper: Newspaper, tmp_path: Path
) -> None:
    path = tmp_path / "both.csv"
    path.write_text("email,status\nada@reader.example,subscribed\nbob@reader.example,pending\n")
    shown = {
        options: [
            " ".join(line.split())
            for line in paper.run(
                "subscribers", "import", str(path), "--dry-run", *options
            ).stdout.splitlines()
            if line.startswith("  ")
        ]
        for options in ((), CONFIRMED, ("--invite",))
    }
    waits = "1 pending: did not confirm there, and get nothing, unless you add --invite"
    assert shown == {
        (): ["1 pending: get nothing, unless you add --confirmed or --invite", waits],
        CONFIRMED: ["1 readers", waits],
        ("--invite",): ["1 pending: will be asked to confirm"] * 2,
    }


def test_lines_that_cannot_be_read_are_named_with_the_reason_in_a_dry_run_too(
    paper: Newspaper, tmp_path: Path
) -> None:
    file = tmp_path / "list.txt"
    file.write_text(
        "ann@reader.example\ncarl@list.example, dora@list.example\nm\u00fcller@beispiel.example\n"
        "dora@beispiel\nreply@bounces.reader.example\nnothing of the kind\n"
    )
    dry = paper.run("subscribers", "import", str(file), "--dry-run", *CONFIRMED)
    assert "list.txt: a list; 6 lines, 4 of them cannot be read." in dry.stdout
    assert dry.stderr.splitlines() == [
        "line 2: it has more than one address: write each on a line of its own",
        "line 3: its address has characters before the @ that many servers cannot mail to",
        "line 4: the domain of its address is not a full one, such as example.org",
        "line 6: there is no address",
    ]
    shown = json.loads(paper.run("subscribers", "import", str(file), "--dry-run", "--json").stdout)
    assert shown["bad"] == len(shown["bad_rows"]) == 4
    assert paper.run("subscribers", "import", str(file), *CONFIRMED).stderr == dry.stderr
    assert counts(paper) == {"active": 2}


def test_a_dry_run_of_a_list_that_has_no_readable_line_ends_as_the_import_does(
    paper: Newspaper, tmp_path: Path
) -> None:
    file = tmp_path / "list.csv"
    file.write_text("email\nAnn\n")
    for more in ((), ("--dry-run",)):
        assert (
            "no line of list.csv could be read"
            in paper.run("subscribers", "import", str(file), *more, code=1).stderr
        )


def test_a_word_in_doubt_stops_the_import_until_the_owner_says_what_it_means(
    paper: Newspaper, file: Path
) -> None:
    file.write_text(LIST.replace(",vip,", ',"vip, unsubscribed",'))
    for more in ((), ("--dry-run",)):
        stopped = paper.run("subscribers", "import", str(file), *more, *CONFIRMED, code=1)
        assert 'The column "tags" is not understood' in stopped.stdout
        assert "unsubscribed (1)" in stopped.stdout
        assert "nothing was imported from readers.csv" in stopped.stderr
    found = paper.json_of("subscribers", "import", str(file), code=1)
    assert (found["written"], found["stops"]) == (False, True)
    assert counts(paper) == {}
    answers = (("--word", "unsubscribed=left"), ("--column", "state=tags"), ("--column", "keep=tags"))
    active = []
    for answer in answers:
        shown = paper.run("subscribers", "import", str(file), "--dry-run", "--json", *answer).stdout
        active.append(json.loads(shown)["files"][0]["becomes"].get("active", 0))
    assert active == [0, 0, 1]
    paper.run("subscribers", "import", str(file), "--word", "unsubscribed=left", *CONFIRMED)
    assert counts(paper) == {"left": 2, "suppressed": 1}


def test_all_of_a_list_may_be_said_to_have_left_or_to_be_suppressed(paper: Newspaper, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("ann@reader.example\nbob@reader.example\n")
    assert paper.json_of("subscribers", "import", str(file), *CONFIRMED)["added"] == 2
    file.write_text("ann@reader.example\ncid@reader.example\n")
    assert paper.json_of("subscribers", "import", str(file), "--as", "left")["left"] == 2
    assert counts(paper) == {"active": 1, "left": 2}
    file.write_text("dan@reader.example\n")
    assert paper.json_of("subscribers", "import", str(file), "--as", "suppressed")["gone"] == 1
    assert counts(paper) == {"active": 1, "left": 2, "suppressed": 1}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--column", "state"), "WHAT=NAME"),
        (("--column", "colour=status"), "WHAT=NAME"),
        (("--word", "Lapsed"), "WORD=WHAT"),
        (("--word", "Lapsed=perhaps"), "WORD=WHAT"),
        (("--as", "pending"), "--as"),
    ],
)
def test_what_the_owner_says_of_a_list_must_be_understood(
    paper: Newspaper, file: Path, words: tuple[str, ...], said: str
) -> None:
    assert said in paper.run("subscribers", "import", str(file), *words, code=2).stderr


def test_a_column_that_is_not_there_is_a_slip(paper: Newspaper, file: Path) -> None:
    refused = paper.run("subscribers", "import", str(file), "--column", "state=Statsu", code=1)
    assert "it has no column 'Statsu'; it has email, name, status, tags, joined at" in refused.stderr


def test_an_import_leads_so_that_no_issue_is_frozen_in_the_middle_of_it(paper: Newspaper, file: Path) -> None:
    paper.waits = CommandWaits(lead=0.2)

    async def led_by_the_service(open_: OpenNewsletter) -> None:
        lease = await open_.store.lead(PUBLISH)
        assert lease is not None
        refused = await asyncio.to_thread(paper.run, "subscribers", "import", str(file), *CONFIRMED, code=4)
        assert "just preparing an issue; try again" in refused.stderr
        await asyncio.to_thread(paper.run, "subscribers", "import", str(file), "--dry-run")
        await open_.store.give_back(lease)
        await asyncio.to_thread(paper.run, "subscribers", "import", str(file), *CONFIRMED)
        again = await open_.store.lead(PUBLISH)  # the command gave it back
        assert again is not None

    paper.inside(led_by_the_service)
    assert counts(paper) == {"active": 1, "left": 1, "suppressed": 1}


def test_a_list_that_cannot_be_read_twice_is_kept_meanwhile(paper: Newspaper, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(LIST,))
    writer.start()
    assert paper.json_of("subscribers", "import", str(pipe), *CONFIRMED)["added"] == 1
    writer.join()
    words = [sys.executable, "-m", "secondpost", "--config", str(paper.config), "subscribers", "import", "-"]
    done = subprocess.run(
        [*words, "--json"], input=LIST, capture_output=True, text=True, timeout=30, check=True
    )
    assert json.loads(done.stdout)["known"] == 2


def test_a_list_moves_to_a_new_machine(paper: Newspaper, file: Path, tmp_path: Path) -> None:
    paper.run("subscribers", "import", str(file), *CONFIRMED)
    paper.run("subscribers", "suppress", "--everywhere", "eve@reader.example")
    out, again = tmp_path / "out.csv", tmp_path / "again.csv"
    assert "Wrote 4 lines" in paper.run("subscribers", "export", str(out)).stdout
    (paper.folder / "store").rename(paper.folder / "old")
    (paper.folder / "store").mkdir(mode=0o700)
    shown = paper.run("subscribers", "import", str(out)).stdout
    assert "out.csv: Secondpost, readers; 4 lines." in shown
    assert "2  suppressed: not readers, known only by a hash" in shown
    assert "pending" not in shown
    paper.run("subscribers", "export", str(again))
    assert again.read_bytes() == out.read_bytes()
    assert "is suppressed" in paper.run("subscribers", "add", "eve@reader.example", code=1).stderr
    assert "is suppressed" in paper.run("subscribers", "add", "cid@reader.example", code=1).stderr


def test_only_a_long_import_is_news() -> None:
    alarms = unlogged_alarms()
    report = ImportReport(added=1_000_000, known=5)
    tell_of_import(alarms, "weekly", report, LONG_IMPORT_MS - 1)
    assert alarms.standing() == ()
    tell_of_import(alarms, "weekly", report, LONG_IMPORT_MS + 5_000)
    (news,) = alarms.standing()
    assert (news.kind, news.subject) == (AlarmKind.IMPORT_FINISHED, "weekly")
    assert news.detail == "1,000,005 lines; 1,000,000 new, 5 already known. It took 1 min 5 s."


def test_a_command_states_its_news_when_it_ends_and_nothing_that_a_role_states(paper: Newspaper) -> None:
    """It knows nothing of the end of a role's alarms."""

    async def story() -> None:
        config, net, ear = read_config(str(paper.config)), RealNet(), Ear()
        make_rooms(RealDisk(config.store))
        door = await ear.listener.open(net, os.path.join(config.store, ALARMS))
        try:
            async with open_newsletter(config) as open_:
                open_.news.begin(AlarmKind.IMPORT_FINISHED, "weekly", "5 lines; 5 new.")
                open_.news.begin(AlarmKind.NO_ROUTE, "example.net", "not of a command")
            async with asyncio.timeout(10):
                await ear.until_ended(1)
            assert ear.said == [("command", AlarmKind.IMPORT_FINISHED, "weekly")]
        finally:
            door.close()
            net.close()

    asyncio.run(story())


@pytest.mark.parametrize("content", ["", "\n\n\n", "email,name\n"])
def test_a_list_without_addresses_is_not_taken_for_imported(
    paper: Newspaper, tmp_path: Path, content: str
) -> None:
    path = tmp_path / "empty.csv"
    path.write_text(content)
    for more in ((), ("--dry-run",), ("--json",)):
        refused = paper.run("subscribers", "import", str(path), *more, code=1)
        assert refused.stderr == "secondpost: empty.csv has no addresses: export it again\n"
        assert refused.stdout == ""


def test_only_words_that_can_be_typed_are_suggested(paper: Newspaper, tmp_path: Path) -> None:
    path = tmp_path / "readers.csv"
    path.write_text("email,spam score,result\nann@reader.example,c,gone\nbob@reader.example,1,\n")
    stopped = paper.run("subscribers", "import", str(path), code=1).stdout
    assert '--column "keep=spam score".' in stopped
    assert "any value=" not in stopped


def test_only_those_words_are_asked_about_that_leave_people_out(paper: Newspaper, tmp_path: Path) -> None:
    path = tmp_path / "readers.csv"
    path.write_text(
        "email,status,why\nann@reader.example,unsubscribed,c\nbob@reader.example,unsubscribed,1\n"
        "cid@reader.example,subscribed,2\n"
    )
    shown = paper.run("subscribers", "import", str(path), "--dry-run", "--column", "state=why").stdout
    assert 'Not understood: "2".' in shown
    path.write_text("email,status,why\nann@reader.example,unsubscribed,c\n")
    shown = paper.run("subscribers", "import", str(path), "--dry-run", "--column", "state=why").stdout
    assert "1  left" in shown
    assert "Not understood" not in shown


def test_several_values_in_one_cell_are_explained_as_they_are_shown(paper: Newspaper, tmp_path: Path) -> None:
    path = tmp_path / "readers.json"
    path.write_text('[{"email": "ann@reader.example", "status": ["lapsed", "moved"]}]')
    shown = paper.run("subscribers", "import", str(path), "--dry-run").stdout
    assert '--word "lapsed, moved=left"' in shown
    paper.run("subscribers", "import", str(path), "--word", "lapsed, moved=left")
    assert counts(paper) == {"left": 1}


def test_a_word_that_is_not_there_is_a_slip(paper: Newspaper, file: Path) -> None:
    refused = paper.run("subscribers", "import", str(file), "--word", "Un-Subscribd=left", code=1)
    among = "among its words are Lapsed, Subscribed, Unsubscribed, Cleaned"
    assert f"it has no word 'Un-Subscribd'; {among}" in refused.stderr
    assert counts(paper) == {}
    paper.run("subscribers", "import", str(file), "--word", "VIP=nothing", "--word", "lapsed=left")
    assert counts(paper) == {"pending": 1, "left": 2, "suppressed": 1}


@pytest.mark.parametrize(
    ("name", "standing"),
    [
        ("unsubscribed_members_export_0f.csv", "left"),
        ("Non-subscribed.csv", "left"),
        ("cleaned_email_audience_export_0f.csv", "suppressed"),
    ],
)
def test_people_who_get_no_mail_by_the_name_of_their_file_do_not_become_readers(
    paper: Newspaper, tmp_path: Path, name: str, standing: str
) -> None:
    path = tmp_path / name
    path.write_text("Email Address\nann@reader.example\n")
    refused = paper.run("subscribers", "import", str(path), *CONFIRMED, code=1)
    assert "by its name, it holds people who are to get no mail" in refused.stderr
    assert f"--as {standing};" in refused.stderr
    assert counts(paper) == {}
    paper.run("subscribers", "import", str(path), "--as", standing)
    assert paper.json_of("subscribers", "show")["active"] == 0
    path.write_text("Email Address\nbob@reader.example\n")
    paper.run("subscribers", "import", str(path), "--as", "active", *CONFIRMED)
    assert paper.json_of("subscribers", "show")["active"] == 1


@pytest.mark.parametrize("name", ["subscribed_members.csv", "readers-cleaned.csv", "resubscribed.csv"])
def test_a_file_named_after_its_readers_is_imported(paper: Newspaper, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("Email Address\nann@reader.example\n")
    paper.run("subscribers", "import", str(path), *CONFIRMED)
    assert counts(paper) == {"active": 1}


def test_an_interrupted_import_says_how_far_it_came_and_goes_on_when_typed_again(
    paper: Newspaper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "readers.txt"
    many = BATCH_READERS_MAX + 10
    path.write_text("".join(f"reader{number}@reader.example\n" for number in range(many)))

    def interrupt(text: str) -> None:
        if "new" in text:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as context:
        context.setattr(subscribers_import, "progressing", interrupt)
        stopped = paper.run("subscribers", "import", str(path), *CONFIRMED, code=1)
    assert (
        f"interrupted: at least {BATCH_READERS_MAX:,} of the {many:,} lines of readers.txt were imported. "
        "Type the same command again to import the rest" in stopped.stderr
    )
    done = paper.json_of("subscribers", "import", str(path), *CONFIRMED)
    assert done["lines"] == many
    assert counts(paper) == {"active": many}
