"""`status --watch`: what fits on a screen, and a real terminal."""

import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from rich.cells import cell_len

from secondpost.cli.live_lines import live_lines
from secondpost.config.reading import parse_config
from secondpost.config.records import Config
from secondpost.mail.address import Domain
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import Issue, IssueId, IssueKind, IssueState, Reckoning
from secondpost.mail.owner_notice import AlarmRecord
from secondpost.mail.queue_id import QueueId
from secondpost.owner.live import HELD_PRIMARY, KEPT, WAITING, IssueProgress, LaneQueue, LiveLook
from secondpost.owner.primaries import PrimaryStands
from secondpost.store.owner_ports import SiteDown
from secondpost.store.sqlite import SqliteStore
from tests.cli.newcomer import Terminal
from tests.cli.office import CONFIG, Office, served

CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
HOME = "\x1b[H"  # begins each frame
ALTERNATE, BACK = "\x1b[?1049h", "\x1b[?1049l"
LONG = "451 4.4.1 keine Verbindung möglich zu 邮件服务器 " * 9
SECONDS_MAX = 30.0


@pytest.fixture
def config() -> Config:
    return parse_config(CONFIG.format(store="/var/lib/secondpost").encode(), "secondpost.toml")


def look(at_ms: int, primaries: int = 1, alarms: int = 0, passed_on: int = 0, sent: int = 0) -> LiveLook:
    issue = Issue(
        IssueId(1),
        "weekly",
        12,
        IssueKind.LETTER,
        IssueState.SENDING,
        "",
        QueueId(1),
        "s",
        "b",
        0,
        0,
        2_000,
        0,
    )
    down = SiteDown("mx", 0, "connect", LONG, 0, 0)
    queue = LaneQueue(Counter({WAITING: 1_234_567, HELD_PRIMARY: 100_000, KEPT: 31}), 10**12, 0)
    return LiveLook(
        at_ms,
        frozenset({"deliver", "receive"}),
        dict.fromkeys(Lane, queue),
        [PrimaryStands(Domain(f"d{n}.example.net"), "mx", down, None, {}, 0) for n in range(primaries)],
        [
            AlarmRecord(AlarmKind.NO_ROUTE, f"d{n}.example.net", "deliver", 0, LONG, 0, 0, 0)
            for n in range(alarms)
        ],
        [IssueProgress(issue, Reckoning(2_000, delivered=sent, unknown=3), 7)],
        412,
        passed_on,
    )


@pytest.mark.parametrize(("primaries", "alarms"), [(0, 0), (1, 1), (3, 40), (40, 3), (40, 40)])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (60, 18), (200, 60)])
def test_nothing_is_wider_or_higher_than_the_screen(
    config: Config, primaries: int, alarms: int, width: int, height: int
) -> None:
    lines = live_lines(look(90_061_000, primaries, alarms), None, config, width, height)
    assert len(lines) <= height
    assert max(cell_len(line.text) for line in lines) <= width
    text = "\n".join(line.text for line in lines)
    shown = text.count(" DOWN for "), text.count("ALARM for ")
    more = [int(many) for many in re.findall(r"… (\d+) more", text)]
    assert sum(shown) + sum(more) == primaries + alarms
    assert primaries == 0 or shown[0] > 0 or alarms > 0


def test_at_80_columns_every_figure_is_whole(config: Config) -> None:
    lines = live_lines(look(90_061_000), look(90_059_000), config, 80, 24)
    assert [line.text for line in lines][:11] == [
        "mx2.example.net  1970-01-02T01:01:01Z  (q ends)",
        "The service runs: deliver, receive.",
        "lane         waiting  held (primary)  held (owner)    kept     size      oldest",
        "relay      1,234,567         100,000             0      31     1 TB     1 d 1 h",
        "unverified 1,234,567         100,000             0      31     1 TB     1 d 1 h",
        "issues     1,234,567         100,000             0      31     1 TB     1 d 1 h",
        "own        1,234,567         100,000             0      31     1 TB     1 d 1 h",
        "to readers       412",
        "4 TB stored; 0.0/s passed on, 0.0/s of issues",
        "Issue 12 of weekly sending: [------------------------] 0%, 3 of 2,000",
        "  7 deferred, 3 unknown",
    ]


def test_what_went_out_since_the_last_look_is_shown_per_second(config: Config) -> None:
    before, now = look(1_000, passed_on=100, sent=500), look(3_000, passed_on=124, sent=1_007)
    lines = [line.text for line in live_lines(now, before, config, 80, 24)]
    assert "4 TB stored; 12.0/s passed on, 253.5/s of issues" in lines
    assert "Issue 12 of weekly sending: [############------------] 50%, 1,010 of 2,000" in lines


def test_a_text_from_outside_moves_no_cursor(config: Config) -> None:
    now = look(1_000)
    alarm = AlarmRecord(AlarmKind.NO_ROUTE, "a\x1b[2J", "deliver", 0, "b\x1b]0;c\x07\n", 0, 0, 0)
    bad = LiveLook(1_000, now.served_by, now.lanes, [], [alarm], [], None, 0)
    assert all(line.text.isprintable() for line in live_lines(bad, None, config, 80, 24))


# ---------------------------------------------------------------- a real terminal


def command(office: Office, *words: str) -> list[str]:
    return [sys.executable, "-m", "secondpost", "--config", str(office.config), "status", "--watch", *words]


def frames(terminal: Terminal) -> list[list[str]]:
    """The lines of each frame that is whole."""
    found = [CONTROLS.sub("", frame) for frame in terminal.raw.split(HOME)[1:-1]]
    return [[line.rstrip() for line in frame.splitlines()] for frame in found if len(frame) > 0]


def test_the_screen_is_renewed_resized_and_given_back(office: Office, tmp_path: Path) -> None:
    with Terminal(command(office, "0.5"), tmp_path) as terminal:
        terminal.resize(80, 24)
        terminal.until("NOT RUNNING")
        terminal.until("DOWN for")
        with served(SqliteStore, office.folder):
            terminal.until("The service runs: deliver.")
        terminal.until("NOT RUNNING")
        terminal.resize(50, 9)
        terminal.until("held (owner…")  # the columns that have no room
        terminal.until("NOT RUNNING")
        terminal.press(b"q")
        assert terminal.end() == 0
    for frame in frames(terminal):
        assert max(len(line) for line in frame) <= 80
        assert len(frame) <= 24
    assert max(len(line) for line in frames(terminal)[-1]) <= 50
    assert terminal.raw.count(ALTERNATE) == terminal.raw.count(BACK) == 1
    assert "\x1b[2J" not in terminal.raw  # clearing the screen would flicker


def test_ctrl_c_ends_it_too(office: Office, tmp_path: Path) -> None:
    with Terminal(command(office), tmp_path) as terminal:
        terminal.until("NOT RUNNING")
        terminal.press(b"\x03")
        assert terminal.end() == 0
    assert terminal.raw.count(BACK) == 1


def test_a_store_that_is_away_is_looked_for_again(office: Office, tmp_path: Path) -> None:
    database = office.folder / "store" / "mail" / "mail.db"
    with Terminal(command(office, "0.5"), tmp_path) as terminal:
        terminal.until("NOT RUNNING")
        database.rename(tmp_path / "away")
        terminal.until("cannot be read now")
        (tmp_path / "away").rename(database)
        terminal.until("NOT RUNNING")
        terminal.press(b"q")
        assert terminal.end() == 0


def test_without_a_terminal_there_are_plain_lines_again_and_again(office: Office) -> None:
    watching = subprocess.Popen(command(office, "0.5"), stdout=subprocess.PIPE, text=True)
    assert watching.stdout is not None
    seen = [watching.stdout.readline() for _ in range(24)]
    watching.send_signal(signal.SIGTERM)
    seen += watching.stdout.readlines()
    watching.stdout.close()
    assert watching.wait(SECONDS_MAX) == 0
    assert sum("(q ends)" in line for line in seen) >= 2
    assert "\x1b" not in "".join(seen)
    assert max(len(line) for line in seen) <= 81


def test_a_program_reads_a_document_instead(office: Office) -> None:
    assert "a program reads /metrics" in office.run("status", "--watch", "--json", code=2).output
