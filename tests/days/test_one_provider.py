"""A day on which one provider has all mailboxes: all sites share its connections and pace."""

import pytest

from secondpost.mail import provider
from secondpost.mail.provider import ProviderProfile
from simulation.day import live

EVERYBODYS = ProviderProfile(
    "everybodys", "Everybody's", (".example",), connections=3, mails_per_connection=5, mails_per_minute=60
)
MAILED_MIN = 90  # of an issue to a hundred readers: some leave, and some mailboxes do not exist any more


def test_an_issue_comes_to_all_mailboxes_of_one_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "PROFILES", (EVERYBODYS,))
    report = live(2)
    assert report.violations == ()
    assert report.issues >= 1
    assert report.mailed >= MAILED_MIN
