"""The owner sees which providers get issues, and pauses and resumes them."""

import json

from secondpost.mail.daily import day_of
from secondpost.mail.duration import HOUR_MS
from secondpost.owner.newsletter_desk import OpenNewsletter
from secondpost.store.provider_ports import PauseCause, ProviderPause
from tests.cli.newspaper import Newspaper


def test_a_provider_is_paused_and_goes_on(paper: Newspaper) -> None:
    paused = paper.run("providers", "pause", "google", "--reason", "I ask them first").output
    assert "providers resume google" in paused
    assert "paused already" in paper.run("providers", "pause", "Google").output
    shown = paper.run("providers", "list").output
    assert "PAUSED for" in shown
    assert "issues to google (by you: by command)" in shown
    documents = json.loads(paper.run("providers", "list", "--json").stdout)
    [google] = [each for each in documents if each["provider"] == "google"]
    assert [each["cause"] for each in google["pauses"]] == ["owner"]
    assert "Goes on: google" in paper.run("providers", "resume", "google").output
    assert paper.json_of("providers", "pause", "mx.example.net")["provider"] == "mx.example.net"
    assert paper.json_of("providers", "resume", "mx.example.net")["pauses"] == []
    assert "PAUSED" not in paper.run("providers", "list").output


def test_the_breakers_pause_is_shown_with_its_words_and_next_trial(paper: Newspaper) -> None:
    async def trip(open_: OpenNewsletter) -> None:
        now_ms = open_.clock.now_ms()
        detail = "mx: 550 5.7.1 very low reputation"
        pause = ProviderPause("yahoo", PauseCause.BREAKER, now_ms, detail, now_ms + HOUR_MS)
        await open_.store.pause_provider(pause)
        assert await open_.store.provider_days(day_of(now_ms)) == []

    paper.inside(trip)
    shown = paper.run("providers", "list").output
    assert "No mail of an issue was sent today." in shown
    assert "very low reputation" in shown
    assert "next trial mail in" in shown
    assert "Goes on: yahoo" in paper.run("providers", "resume", "yahoo").output


def test_what_is_no_provider_or_not_paused_is_said(paper: Newspaper) -> None:
    assert "is no provider; it is one of google" in paper.run("providers", "pause", "gogle", code=2).output
    assert "is no provider" in paper.run("providers", "pause", "a." + "b" * 600, code=2).output
    assert "google is not paused" in paper.run("providers", "resume", "google", code=1).output
