"""What a bounce means: the replies of hosts and the resulting verdict."""

import pytest

from secondpost.bounce.judge import kind_of
from secondpost.mail.bounce_kind import BounceKind
from secondpost.protocols.dsn.notification import Action, RecipientReport

SAID = [
    ("5.1.1", "550 5.1.1 <reader@example.org>: Recipient address rejected: User unknown", BounceKind.DEAD),
    ("5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", BounceKind.DEAD),
    ("5.1.2", "Host or domain name not found", BounceKind.DEAD),
    ("5.0.0", "550 No such user here", BounceKind.DEAD),
    ("", "unrouteable address: unknown user", BounceKind.DEAD),
    ("5.5.0", "550 Requested action not taken: mailbox unavailable", BounceKind.OTHER),
    ("5.2.2", "552 5.2.2 The email account that you tried to reach is over quota", BounceKind.FULL),
    ("4.2.2", "452 4.2.2 mailbox full", BounceKind.FULL),
    ("5.2.1", "550 5.2.1 The account is disabled", BounceKind.FULL),
    ("5.0.0", "552 Quota exceeded (mailbox for user is full)", BounceKind.FULL),
    ("4.4.7", "delivery time expired", BounceKind.TEMPORARY),
    ("4.1.1", "450 4.1.1 unverified address: unknown user", BounceKind.TEMPORARY),
    ("5.4.4", "Unable to route", BounceKind.TEMPORARY),
    (
        "5.7.1",
        "550 5.7.1 Unauthenticated email is not accepted due to domain's DMARC policy",
        BounceKind.SENDER,
    ),
    (
        "5.7.26",
        "550-5.7.26 This mail has been blocked because the sender is unauthenticated",
        BounceKind.SENDER,
    ),
    ("5.1.1", "554 5.1.1 192.0.2.7 is listed at Spamhaus", BounceKind.SENDER),
    ("5.0.0", "554 Message blocked due to the reputation of its sender", BounceKind.SENDER),
    ("5.3.4", "552 5.3.4 Message too big for system", BounceKind.CONTENT),
    ("5.6.0", "550 5.6.0 Lone CR or LF in headers", BounceKind.CONTENT),
    ("5.0.0", "554 transaction failed", BounceKind.OTHER),
]


@pytest.mark.parametrize(("status", "diagnostic", "kind"), SAID)
def test_a_bounce_is_judged_by_its_subject_and_words(status: str, diagnostic: str, kind: BounceKind) -> None:
    report = RecipientReport("reader@example.org", "", Action.FAILED, status, diagnostic, "")
    assert kind_of(report) is kind


def test_what_speaks_of_us_never_says_that_an_address_is_dead() -> None:
    for words in ("blocked by blocklist", "your reputation is low", "SPF check failed", "rate limited: spam"):
        report = RecipientReport("", "", Action.FAILED, "5.1.1", f"550 user unknown or {words}", "")
        assert kind_of(report) is BounceKind.SENDER
