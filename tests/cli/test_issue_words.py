"""The owner writes to the readers: letters by hand, and a foreword for the next issue."""

from pathlib import Path

import pytest

from tests.cli.newspaper import CONFIRMED, Newspaper

LETTER = "# We are sorry\n\nThe last issue was *empty*.\n"


def written(folder: Path, text: str | bytes) -> str:
    path = folder / "letter.md"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def with_a_reader(paper: Newspaper) -> None:
    paper.run("subscribers", "add", "ada@reader.example", *CONFIRMED)


def test_a_letter_goes_to_all_readers_and_uses_no_article_up(paper: Newspaper, tmp_path: Path) -> None:
    with_a_reader(paper)
    paper.writes(1, 2)
    sent = paper.json_of("issue", "write", written(tmp_path, LETTER), "--yes")
    assert (sent["sent"], sent["number"], sent["readers"]) == (True, 1, 1)
    assert sent["subject"] == "We are sorry"
    shown = paper.json_of("issue", "show", "1")
    assert shown["words"] == LETTER
    issue = shown["issue"]
    assert isinstance(issue, dict)
    assert (issue["kind"], issue["articles"], issue["subject"]) == ("letter", 0, "We are sorry")
    assert paper.json_of("issue", "next")["articles"] == 2


def test_a_preview_of_a_letter_sends_nothing(paper: Newspaper, tmp_path: Path) -> None:
    with_a_reader(paper)
    shown = paper.run("issue", "write", written(tmp_path, LETTER), "--preview")
    assert "Subject: We are sorry" in shown.stdout
    assert "The last issue was empty." in shown.stdout
    assert "1 reader" in shown.stderr
    assert paper.json_of("issue", "list")["issues"] == []


def test_without_a_terminal_a_letter_needs_a_yes(paper: Newspaper, tmp_path: Path) -> None:
    with_a_reader(paper)
    assert "--yes" in paper.run("issue", "write", written(tmp_path, LETTER), code=2).stderr
    assert paper.json_of("issue", "list")["issues"] == []


def test_the_subject_is_given_or_of_the_front_matter_or_the_first_heading(
    paper: Newspaper, tmp_path: Path
) -> None:
    path = written(tmp_path, f'---\nsubject: "News: we move"\n---\n{LETTER}')
    assert paper.json_of("issue", "write", path, "--preview")["subject"] == "News: we move"
    given = paper.json_of("issue", "write", path, "--preview", "--subject", "Hello")
    assert given["subject"] == "Hello"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "no words"),
        (" \n\ufeff\n", "no words"),
        ("# A\n\n![river](https://www.example.net/river.jpg)\n[a](b)", "line 4"),
        ("![river](https://www.example.net/river.jpg)", "no words"),
        ("Hello", "no subject"),
        ("# Hello\n\n<script>x</script>", "line 3"),
        (b"# Hello\n\nna\xefve", "line 3: this is not UTF-8"),
        ("# Hello\0", "zero bytes"),
        ("# " + "long " * 60, "shorten"),
        ("# Hello\n" + "word " * 20_000, "larger than 65,536"),
        ("---\nsubject: Hello\n", "has no end"),
        ("---\nsubject: Hello\ndate: today\n---\nHello", "line 3"),
        ("---\nsubject: Hello\n---\n\n[a](b)", "line 5"),
    ],
)
def test_what_cannot_be_sent_is_named_and_nothing_is_sent(
    paper: Newspaper, tmp_path: Path, text: str | bytes, names: str
) -> None:
    """catalogue rule R1: an empty letter cannot exist"""
    with_a_reader(paper)
    assert names in paper.run("issue", "write", written(tmp_path, text), "--yes", code=1).stderr
    assert paper.json_of("issue", "list")["issues"] == []


def test_a_file_that_cannot_be_read_is_named(paper: Newspaper, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.md"):
        assert f"{path} cannot be read" in paper.run("issue", "write", str(path), "--yes", code=1).stderr


def test_a_letter_waits_for_no_other_issue_and_for_readers(paper: Newspaper, tmp_path: Path) -> None:
    path = written(tmp_path, LETTER)
    assert "no readers yet" in paper.run("issue", "write", path, "--yes", code=1).stderr
    with_a_reader(paper)
    paper.run("issue", "write", path, "--yes")
    again = paper.run("issue", "write", path, "--yes", "--again", code=1)
    assert "Issue 1 is not finished" in again.stderr
    assert "goes into the next issue" not in paper.run("issue", "stop", "1").stdout
    assert paper.json_of("issue", "write", path, "--yes")["number"] == 2


def test_a_foreword_begins_the_next_issue_and_comes_back_when_it_is_stopped(
    paper: Newspaper, tmp_path: Path
) -> None:
    with_a_reader(paper)
    paper.writes(1, 2)
    paper.run("issue", "note", written(tmp_path, "It was a *wet* week."))
    assert paper.json_of("issue", "note", "--show")["words"] == "It was a *wet* week."
    assert "foreword" in paper.run("issue", "next").stdout
    assert "<em>wet</em>" in str(paper.json_of("issue", "preview")["html"])
    paper.run("issue", "send")
    assert "no foreword" in paper.run("issue", "note", "--show", code=1).stderr
    paper.run("issue", "stop", "1")
    assert paper.json_of("issue", "note", "--show")["words"] == "It was a *wet* week."
    assert "It was a *wet* week." in paper.run("issue", "note", "--remove").stdout
    assert "no foreword" in paper.run("issue", "note", "--remove", code=1).stderr


def test_a_newer_foreword_stays_when_an_issue_is_stopped(paper: Newspaper, tmp_path: Path) -> None:
    with_a_reader(paper)
    paper.writes(1, 2)
    paper.run("issue", "note", written(tmp_path, "Old."))
    paper.run("issue", "send")
    paper.run("issue", "note", written(tmp_path, "New."))
    paper.run("issue", "stop", "1")
    assert paper.json_of("issue", "note", "--show")["words"] == "New."


def test_an_empty_foreword_is_refused_and_the_earlier_one_stays(paper: Newspaper, tmp_path: Path) -> None:
    paper.run("issue", "note", written(tmp_path, "Stays."))
    assert "no words" in paper.run("issue", "note", written(tmp_path, " \n"), code=1).stderr
    refused = paper.run("issue", "note", written(tmp_path, "---\nsubject: x\n---\nHello"), code=1)
    assert "a foreword has no subject" in refused.stderr
    assert paper.json_of("issue", "note", "--show")["words"] == "Stays."


def test_a_letter_that_was_just_sent_is_not_sent_again_by_a_second_command(
    paper: Newspaper, tmp_path: Path
) -> None:
    with_a_reader(paper)
    path = written(tmp_path, LETTER)
    paper.run("issue", "write", path, "--yes")
    refused = paper.run("issue", "write", path, "--yes", code=1).stderr
    assert "this letter was sent already: it is issue 1, made at 20" in refused
    assert "add --again" in refused
    paper.run("issue", "write", path, "--preview")
    paper.run("issue", "stop", "1")
    paper.run("issue", "write", path, "--yes")  # issue 1 was stopped before a reader had it
    assert "it is issue 2" in paper.run("issue", "write", path, "--yes", code=1).stderr
    refused = paper.run("issue", "write", path, "--yes", "--again", code=1).stderr
    assert "Issue 2 is not finished" in refused


def test_a_foreword_without_a_file_asks_for_it(paper: Newspaper) -> None:
    assert "Name the file with the foreword" in paper.run("issue", "note", code=2).stderr
