"""An issue is held, goes on and is tried again by command; bounces that wait are listed."""

from tests.cli.newspaper import CONFIRMED, Newspaper


def sent(paper: Newspaper) -> None:
    paper.run("subscribers", "add", "ada@reader.example", *CONFIRMED)
    paper.run("subscribers", "add", "bob@reader.example", *CONFIRMED)
    paper.writes(1, 2)
    paper.run("issue", "send")


def test_an_issue_is_held_and_goes_on(paper: Newspaper) -> None:
    sent(paper)
    held = paper.run("issue", "hold", "1", "--reason", "a wrong link").stdout
    assert held.startswith("Held: issue 1 of ")
    assert "2 planned" in held or "2 readers" in held, held
    assert "on its way at this moment still arrives" in held
    assert "secondpost issue resume" in held
    assert "held: a wrong link" in paper.run("issue", "show", "1").stdout
    assert "held already" in paper.run("issue", "hold", "1", code=1).stderr
    assert "is held (a wrong link)" in paper.run("issue", "next").stdout
    resumed = paper.json_of("issue", "resume", "1")
    assert resumed["state"] in ("frozen", "sending")
    assert "not held" in paper.run("issue", "resume", "1", code=1).stderr
    paper.run("issue", "hold", "1")
    assert paper.json_of("issue", "stop", "1")["state"] == "stopped"


def test_what_does_not_exist_or_is_not_unknown_is_refused(paper: Newspaper) -> None:
    assert "no issue 1" in paper.run("issue", "hold", "1", code=1).stderr
    sent(paper)
    refused = paper.run("issue", "retry", "--unknown", "1", code=1)
    assert "issue 1 is frozen, and cannot be sent once more" in refused.stderr
    stranger = paper.run("issue", "retry", "--unknown", "--reader", "eve@reader.example", "1", code=1)
    assert "is no reader of" in stranger.stderr


def test_no_bounces_wait_where_none_came(paper: Newspaper) -> None:
    assert paper.run("subscribers", "bounces").stdout == "No bounces wait for you.\n"
    assert paper.json_of("subscribers", "bounces") == {"bounces": []}
    refused = paper.run("subscribers", "bounces", "--forgive", code=1).stderr
    assert "there are no bounces to decide on" in refused
