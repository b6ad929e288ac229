"""A test copy for the owner: what a reader would get, marked, with links of no reader."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from secondpost.deliver.marks import CommitMarks
from secondpost.mail.address import Domain
from secondpost.mail.authentication import AuthResult
from secondpost.mail.delivery import Claimed, State
from secondpost.mail.envelope import Lane
from secondpost.mail.issue_content import IssueContent
from secondpost.mail.signed_mail import SignedMail
from secondpost.mail.subscriber import NO_SUBSCRIBER
from secondpost.owner.newsletter_desk import OpenNewsletter
from secondpost.protocols.tokens import KEY_OCTETS, KeyRing, Purpose, Ring, Token
from secondpost.protocols.verp import Signed, parse_local_part, read
from secondpost.signing.assembly import OwnAddresses, ReaderKeys
from secondpost.signing.orders import MailSigner
from secondpost.signing.pool import SigningPool
from secondpost.signing.reader_mails import ReaderMails
from secondpost.store.owner_ports import Selection
from secondpost.store.ports import Settlement
from secondpost.world.real.clock import RealClock
from secondpost.world.real.work import RealWork
from simulation.signatures import dkim_results
from tests.alarms import unlogged_alarms
from tests.cli.newspaper import CONFIRMED, Newspaper
from tests.protocols.dkim_keys import keys

OWNER = "Me+Test@elsewhere.example"
ADDRESSES = KeyRing(Ring.ADDRESSES, {1: b"a" * KEY_OCTETS})
KEYS = ReaderKeys(keys().signing, KeyRing(Ring.LINKS, {1: b"l" * KEY_OCTETS}), ADDRESSES)


def delivered(paper: Newspaper) -> list[SignedMail]:
    """Deliver all waiting mail of lane own; return the mails as the deliver role makes them."""

    async def work(open_: OpenNewsletter) -> list[SignedMail]:
        async def confirmation(claimed: Claimed) -> IssueContent:
            raise AssertionError("nobody is asked to confirm")

        store, now_ms, threads = open_.store, open_.clock.now_ms(), RealWork(1)
        own = OwnAddresses(None, Domain("mx2.example.net"))
        readers = ReaderMails(
            store, SigningPool(MailSigner(KEYS, own), threads, None, lambda: False), confirmation
        )
        marks = CommitMarks(store, unlogged_alarms(), lambda coroutine: None)
        lease = await store.lease(Lane.OWN, "unsorted")
        assert lease is not None
        claimed = await store.claim(lease, now_ms, 10)
        mails = await readers.sign(claimed)
        assert await readers.sign(claimed) == mails, "every attempt makes the same mail"
        assert all(marks.mark(lease, one).may_send for one in claimed), "a copy may come twice"
        await store.settle(lease, [Settlement(one.id, State.DELIVERED, now_ms) for one in claimed])
        await store.give_back(lease)
        threads.close()
        made = [mail for mail in mails if isinstance(mail, SignedMail)]
        assert len(made) == len(mails), mails
        return made

    return paper.inside(work)


def test_a_copy_is_what_a_reader_would_get_and_is_marked(paper: Newspaper) -> None:
    paper.writes(1, 2)
    shown = paper.json_of("issue", "test", OWNER)
    assert (shown["sent"], shown["articles"], shown["address"]) == (True, 2, OWNER)
    assert shown["subject"] == "[Test] Article 2 · Article 1"
    [mail] = delivered(paper)
    message = message_from_bytes(mail.data, policy=default)
    assert isinstance(message, EmailMessage)
    assert message["Subject"] == shown["subject"]
    assert message["To"] == OWNER
    results = dkim_results(mail.data, keys().records_of, RealClock().now_ms() // 1000)
    assert results == [AuthResult.PASS, AuthResult.PASS]
    for part in message.iter_parts():
        text = part.get_content()
        assert "Article 1" in text
        assert "https://www.example.net/posts/2" in text
        assert not any(0xFDD0 <= ord(c) < 0xFDF0 for c in text)


def test_the_links_of_a_copy_are_nobodys(paper: Newspaper) -> None:
    paper.writes(1, 2)
    paper.run("subscribers", "add", OWNER, *CONFIRMED)
    paper.run("issue", "test", OWNER)
    [mail] = delivered(paper)
    for local, purpose in ((mail.sender.local, Purpose.BOUNCE), (leave_of(mail), Purpose.LEAVE_BY_MAIL)):
        signed = parse_local_part(local)
        assert isinstance(signed, Signed)
        assert read(ADDRESSES, signed) == Token(purpose, NO_SUBSCRIBER, 0)
    assert paper.json_of("subscribers", "show", OWNER)["mails"] == [], "what becomes of it is no reader's"


def leave_of(mail: SignedMail) -> str:
    field = str(message_from_bytes(mail.data, policy=default)["List-Unsubscribe"])
    return field.partition("<mailto:")[2].partition("@")[0]


def test_a_copy_uses_nothing_up(paper: Newspaper) -> None:
    paper.writes(1, 2)
    paper.run("subscribers", "add", "ada@reader.example", *CONFIRMED)
    before = paper.json_of("issue", "next")
    for _ in range(3):
        assert f"A copy with 2 articles is being sent to {OWNER}." in paper.run("issue", "test", OWNER).stdout
    assert paper.json_of("issue", "next") == before
    assert paper.json_of("issue", "list")["issues"] == []
    assert len({mail.message_id for mail in delivered(paper)}) == 3
    sent = paper.json_of("issue", "send")
    assert (sent["number"], sent["articles"]) == (1, 2)
    assert paper.json_of("issue", "status")["planned"] == 1
    # While one issue is under way the next one can be previewed.
    refused = paper.run("issue", "test", OWNER, code=1).stderr
    assert "nothing was sent: 0 of 2 articles wait. Issue 1 is not finished" in refused
    paper.writes(1, 2, 3, 4)
    shown = paper.json_of("issue", "test", OWNER)
    assert shown["subject"] == "[Test] Article 4 · Article 3"
    assert "Issue 1 is not finished" in str(shown["reason"])


def test_a_copy_with_too_few_articles_does_not_go(paper: Newspaper) -> None:
    for numbers in ((), (1,)):
        paper.writes(*numbers)
        refused = paper.run("issue", "test", OWNER, code=1).stderr
        assert f"nothing was sent: {len(numbers)} of 2 articles" in refused
        assert "secondpost issue preview weekly" in refused
        shown = paper.json_of("issue", "test", OWNER, code=1)
        assert (shown["sent"], shown["id"], shown["articles"], shown["minimum"]) == (
            False,
            None,
            len(numbers),
            2,
        )
    assert paper.inside(everything) == []


async def everything(open_: OpenNewsletter) -> list[str]:
    return [one.recipient for one in await open_.store.listed(Selection(), None, 10)]


def test_a_copy_goes_to_nobody_whom_a_rule_keeps_out(paper: Newspaper) -> None:
    paper.writes(1, 2)
    paper.run("subscribers", "suppress", OWNER)
    assert "is suppressed" in paper.run("issue", "test", OWNER.lower(), code=1).stderr
    text = paper.config.read_text()
    paper.config.write_text(text.replace("[send]\n", '[send]\nonly_to = ["*@example.net"]\n'))
    assert "only_to" in paper.run("issue", "test", "me@example.org", code=1).stderr
    assert paper.inside(everything) == []
    paper.run("issue", "test", "me@Example.net")
    assert paper.inside(everything) == ["me@example.net"]
    assert "not an address" in paper.run("issue", "test", "me", code=2).stderr
    paper.run("issue", "test", code=2)


def test_who_sends_a_copy_hears_that_nobody_delivers_it(paper: Newspaper) -> None:
    paper.writes(1, 2)
    assert "The service is NOT RUNNING" in paper.run("issue", "test", OWNER).stdout
