"""The owner approves the next issue, and says which article comes first, by command."""

from tests.cli.newspaper import CONFIRMED, Newspaper


def test_nothing_is_approved_where_nothing_waits(paper: Newspaper) -> None:
    paper.run("subscribers", "add", "ada@reader.example", *CONFIRMED)
    paper.writes(1, 2)
    refused = paper.run("issue", "approve", "--yes", code=1)
    assert "no issue of weekly waits for your approval" in refused.stderr


def test_an_article_leads_and_an_order_is_given_and_cleared(paper: Newspaper) -> None:
    paper.run("subscribers", "add", "ada@reader.example", *CONFIRMED)
    paper.writes(1, 2)
    waiting = paper.json_of("issue", "next")["waiting"]
    assert isinstance(waiting, list)
    numbers = [each["article"] for each in waiting]
    ordered = paper.json_of("issue", "order", str(numbers[1]), str(numbers[0]))
    assert ordered["articles"] == [numbers[1], numbers[0]]
    led = paper.json_of("issue", "lead", str(numbers[0]))
    assert led["articles"] == [numbers[0], numbers[1]]
    shown = paper.json_of("issue", "preview")["articles"]
    assert isinstance(shown, list)
    assert shown[0]["title"] == waiting[0]["title"]
    assert paper.json_of("issue", "order", "--clear")["articles"] == []
    paper.run("issue", "skip", str(numbers[0]))
    assert "does not wait" in paper.run("issue", "lead", str(numbers[0]), code=1).stderr
    assert "has no article 999" in paper.run("issue", "lead", "999", code=1).stderr
