"""An issue by provider: every mail is in one count, and each provider has its own last answer."""

import pytest

from secondpost.mail.delivery import State
from secondpost.mail.subscriber import SubscriberId
from secondpost.owner.issue_progress import LatestAnswer, ProgressCounts, kind_of
from secondpost.store.provider_ports import PauseCause, ProviderPause
from secondpost.store.statistics_ports import DomainMail, LastAnswer

GMAIL = "gmail-smtp-in.l.google.com"
FIRST, SECOND = SubscriberId(10), SubscriberId(20)


DOMAINS = {"gmail.com": 1, "googlemail.com": 2, "example.net": 3}


def mails(name: str, site: str, state: State, many: int, answered_ms: int | None = None) -> DomainMail:
    return DomainMail(DOMAINS[name], name, site, state, False, many, 0, 0, answered_ms)


@pytest.mark.parametrize("state", [state for state in State if state is not State.KEPT])
def test_every_state_of_a_readers_mail_is_in_one_count(state: State) -> None:
    counts = ProgressCounts()
    counts.add([mails("example.net", "mx.example.net", state, 7)], SubscriberId(0), FIRST)
    [others] = counts.progress({}, [])
    figures = (others.accepted, others.waiting, others.deferred, others.failed)
    assert sum((*figures, others.expired, others.unknown, others.unsent)) == 7


def test_mail_that_was_put_off_waits_apart() -> None:
    put_off = DomainMail(1, "example.net", GMAIL, State.WAITING, True, 1, 0, 0, None)
    assert kind_of(put_off) == "deferred"
    assert kind_of(mails("example.net", GMAIL, State.WAITING, 1)) == "waiting"


def test_domains_of_one_provider_count_together_page_by_page() -> None:
    counts = ProgressCounts()
    page = [
        mails("gmail.com", GMAIL, State.DELIVERED, 5, 100),
        mails("googlemail.com", "unsorted", State.WAITING, 2),  # no mail yet: known by its name
        mails("example.net", "mx.example.net", State.DELIVERED, 1, 90),
    ]
    counts.add(page, SubscriberId(0), FIRST)
    counts.add([mails("gmail.com", GMAIL, State.FAILED, 1, 300)], FIRST, SECOND)
    counts.add([mails("gmail.com", GMAIL, State.DELIVERED, 1, 200)], SECOND, SubscriberId(30))
    assert counts.latest["google"] == LatestAnswer(300, FIRST, SECOND, 1)
    pauses = [
        ProviderPause("google", PauseCause.OWNER, 1, "wait"),
        ProviderPause("mx.example.net", PauseCause.BREAKER, 2, "550", 3),
        ProviderPause("yahoo", PauseCause.OWNER, 1, "wait"),
    ]
    google, others = counts.progress({"google": LastAnswer(300, GMAIL, "550 no")}, pauses)
    assert (google.key, google.name, google.accepted, google.waiting, google.failed) == (
        "google", "Google", 6, 2, 1,
    )  # fmt: skip
    assert google.last == LastAnswer(300, GMAIL, "550 no")
    assert google.pauses == (pauses[0],)
    assert (others.key, others.accepted, others.last, others.pauses) == ("others", 1, None, (pauses[1],))
