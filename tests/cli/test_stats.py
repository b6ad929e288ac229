"""`stats`: what became of issues and readers, as a table, as JSON and as a picture."""

import shutil
from pathlib import Path

from tests.cli.newspaper import CONFIRMED, Newspaper, listed


def test_a_newsletter_without_readers_and_issues_has_numbers_too(paper: Newspaper) -> None:
    shown = paper.run("stats").stdout
    assert "weekly has 0 readers." in shown
    assert "No issue was sent yet" in shown
    assert paper.json_of("stats") == {
        "newsletter": "weekly",
        "readers": 0,
        "issues": [],
        "older": False,
        "months": [],
    }
    assert "No issue was sent yet." in paper.run("stats", "--svg", "-").stdout


def sent(paper: Newspaper, *articles: int) -> None:
    paper.writes(*articles)
    paper.run("issue", "send")


def test_readers_are_counted_with_the_newest_issue_of_their_time(paper: Newspaper, tmp_path: Path) -> None:
    for name in ("ada", "bob", "eve"):
        paper.run("subscribers", "add", f"{name}@reader.example", *CONFIRMED)
    sent(paper, 1, 2)
    document = paper.json_of("stats")
    [issue] = listed(document, "issues")
    assert (issue["number"], issue["readers"], issue["delivered"], issue["joined"]) == (1, 3, 0, 3)
    [month] = listed(document, "months")
    assert (month["joined"], month["net"], month["readers"]) == (3, 3, 3)
    paper.run("subscribers", "remove", "eve@reader.example")
    [month] = listed(paper.json_of("stats"), "months")
    assert (month["left"], month["net"], month["readers"]) == (1, 2, 2)
    shown = paper.run("stats").stdout
    assert all(len(line) <= 80 for line in shown.splitlines()), shown
    assert "weekly has 2 readers." in shown
    picture = tmp_path / "numbers.svg"
    for _ in range(2):  # a picture is made again and again
        assert paper.run("stats", "--svg", str(picture)).stdout == f"Wrote {picture}.\n"
    assert "newsletter" in paper.json_of("stats", "--svg", str(picture))
    assert "0 of 3 delivered" in picture.read_text(encoding="utf-8")
    assert paper.run("stats", "--svg", "-").stdout == picture.read_text(encoding="utf-8")


def test_the_mails_of_a_stopped_issue_add_up(paper: Newspaper) -> None:
    for name in ("ada", "bob"):
        paper.run("subscribers", "add", f"{name}@reader.example", *CONFIRMED)
    sent(paper, 1, 2)
    paper.run("issue", "stop", "1")
    [issue] = listed(paper.json_of("stats"), "issues")
    assert (issue["readers"], issue["delivered"], issue["stopped"]) == (2, 0, 2)
    [head, row, *_] = paper.run("stats").stdout.splitlines()[2:]
    assert dict(zip(head.split(), row.split(), strict=True))["stopped"] == "2"
    assert "0 of 2 delivered, 2 stopped" in paper.run("stats", "--svg", "-").stdout


def test_a_picture_that_cannot_be_written_is_a_sentence(paper: Newspaper, tmp_path: Path) -> None:
    refused = paper.run("stats", "--svg", str(tmp_path), code=1).stderr
    assert f"{tmp_path} cannot be written" in refused
    fresh = tmp_path / "fresh.svg"
    shutil.rmtree(tmp_path / "store")
    # The file is opened first, by root, which may write where the store's owner may not.
    assert "cannot be written" in paper.run("stats", "--svg", str(tmp_path), code=1).stderr
    assert "there is no store" in paper.run("stats", "--svg", str(fresh), code=4).stderr
    assert not fresh.exists()
    assert "name a file" in paper.run("stats", "--svg", "-", "--json", code=2).stderr
    assert "500" in paper.run("stats", "--limit", "501", code=2).stderr
