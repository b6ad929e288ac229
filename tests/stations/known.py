"""Known facts at a stage for tests of one decision: none, except those of the test."""

from collections.abc import Mapping

from msgspec import structs

from secondpost.mail.address import NULL_PATH, Domain, Mailbox
from secondpost.mail.envelope import Utf8
from secondpost.mail.offered import Offered
from secondpost.mail.questions import PolicyAnswer, PolicyQuestion
from secondpost.mail.verdict import VERDICTS, Verdict
from secondpost.policy.domains import OwnDomains, Recipients
from secondpost.policy.known import AtContent, AtHello, AtMail, AtRcpt, Judgement
from secondpost.world.asking import answer_from

BOUNCES = Domain("mx2.example.net")
OWN = OwnDomains(frozenset({BOUNCES, Domain("mail.example.net")}), BOUNCES, frozenset({"weekly"}))

AT_MAIL = AtMail(
    AtHello("", "client.example"),
    NULL_PATH,
    size=0,
    eight_bit=False,
    utf8=False,
    free=10**12,
    coming=0,
)
AT_CONTENT = AtContent(
    AT_MAIL,
    backups=(),
    offered=(),
    unverified=frozenset(),
    size=0,
    size_passed_on=0,
    received_fields=0,
    utf8=Utf8.NONE,
)


def at_rcpt(
    mailbox: Mailbox,
    recipients: Recipients | None,
    own: OwnDomains = OWN,
    size: int = 0,
    offered: Offered | None = None,
) -> AtRcpt:
    """The first recipient of a message."""
    return AtRcpt(
        structs.replace(AT_MAIL, size=size),
        mailbox,
        recipients,
        offered,
        own,
        way=None,
        is_first_of_domain=True,
        unverified=0,
        is_first_unverified_of_domain=True,
    )


Answers = Mapping[PolicyQuestion, PolicyAnswer]


def judged(answers: Answers, judgement: Judgement) -> Verdict:
    """The verdict, with the answers to what is asked for it."""
    return judgement if isinstance(judgement, VERDICTS) else answer_from(answers, judgement)
