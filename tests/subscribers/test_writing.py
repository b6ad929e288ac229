"""Readers who write mail instead of clicking, over a real store."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from secondpost.mail.address import NULL_PATH, Domain, Mailbox, ReversePath
from secondpost.mail.inside_mail import InsideMail
from secondpost.mail.queue_id import QueueId, QueueIds
from secondpost.mail.subscriber import Subscriber, SubscriberState
from secondpost.protocols.tokens import Purpose, Token
from secondpost.store.newsletter_store_ports import NewsletterStore
from secondpost.subscribers.reader_desk import ReadersDesk
from secondpost.subscribers.signup import SignUps
from secondpost.subscribers.writing import BY_A_PROGRAM, ReadersWriting
from tests.store.place import SqlitePlace

ANN = Mailbox.parse("ann@example.org")
BOUNCES = Domain("mx2.example.net")


def not_crowded(newsletter: str, domain: Domain, at_ms: int) -> None:
    raise AssertionError("these are few")


class Post:
    """Mail from readers, in order of arrival."""

    def __init__(self, store: NewsletterStore, place: SqlitePlace) -> None:
        self.store = store
        self.hints: list[int] = []
        ids, own = QueueIds(store.worker), frozenset((BOUNCES,))
        sign_ups = SignUps(store, place.clock, ids, lambda: self.hints.append(1), own, not_crowded)
        self.writing = ReadersWriting(sign_ups, ReadersDesk(store, place.clock), BOUNCES)
        self._id = 0

    def mail(self, header: str, sender: ReversePath = ANN) -> InsideMail:
        self._id += 1
        return InsideMail(QueueId(self._id), sender, "192.0.2.7", f"{header}\r\n\r\nyes\r\n".encode())

    async def ann(self) -> Subscriber:
        found = await self.store.find("weekly", ANN)
        assert found is not None
        return found


def told(folder: Path, story: Callable[[Post], Awaitable[None]]) -> None:
    async def telling() -> None:
        place = SqlitePlace(str(folder))
        try:
            async with asyncio.timeout(30):
                await story(Post(place.open_newsletter(), place))
        finally:
            await place.close()

    asyncio.run(telling())


def test_a_reader_joins_confirms_and_leaves_by_mail_alone(tmp_path: Path) -> None:
    async def story(post: Post) -> None:
        joined = await post.writing.joins("weekly", post.mail("From: Ann <ann@example.org>\r\nSubject: join"))
        assert joined == "asked to join weekly: confirm"
        assert (await post.ann()).state is SubscriberState.PENDING
        assert len(post.hints) == 1
        token = Token(Purpose.CONFIRM_BY_MAIL, (await post.ann()).id, 0)
        answer = post.mail("From: Ann <ann@example.org>\r\nSubject: Re: Please confirm")
        assert await post.writing.confirms(token, answer) == "the reader confirmed"
        assert await post.writing.confirms(token, answer) == "is already a reader"
        consent = (await post.ann()).consent
        assert consent is not None
        assert (consent.text, consent.address_prefix) == ("Subject: Re: Please confirm", "192.0.2.0/24")
        leaving = Token(Purpose.LEAVE_BY_MAIL, (await post.ann()).id, 1)
        away = post.mail("Auto-Submitted: auto-generated", NULL_PATH)
        assert await post.writing.leaves(leaving, away) == "the reader left"
        assert await post.writing.leaves(leaving, away) == "the reader had already left"
        assert (await post.ann()).state is SubscriberState.LEFT

    told(tmp_path, story)


def test_an_answering_machine_neither_joins_nor_confirms(tmp_path: Path) -> None:
    async def story(post: Post) -> None:
        await post.writing.joins("weekly", post.mail("From: ann@example.org"))
        token = Token(Purpose.CONFIRM_BY_MAIL, (await post.ann()).id, 0)
        machine = "From: ann@example.org\r\nAuto-Submitted: auto-replied"
        assert await post.writing.confirms(token, post.mail(machine)) == BY_A_PROGRAM
        assert await post.writing.joins("weekly", post.mail(machine)) == BY_A_PROGRAM
        assert (await post.ann()).state is SubscriberState.PENDING

    told(tmp_path, story)


def test_nobody_at_our_own_domains_is_made_a_reader(tmp_path: Path) -> None:
    async def story(post: Post) -> None:
        said = await post.writing.joins("weekly", post.mail("From: join-weekly@mx2.example.net"))
        assert said == "it does not show who wants to join"
        assert await post.store.find("weekly", Mailbox.parse("join-weekly@mx2.example.net")) is None

    told(tmp_path, story)


def test_nobody_is_asked_to_join_at_a_machine_beside_us(tmp_path: Path) -> None:
    """Such a From can be forged: the confirmation would come back to us and never reach them."""

    async def story(post: Post) -> None:
        for address in ("root@[127.0.0.1]", "root@[IPv6:::1]", "root@localhost", "root@db", "a@1.2.3.4"):
            for mail in (post.mail(f"From: {address}"), post.mail("To: x", Mailbox.parse(address))):
                assert await post.writing.joins("weekly", mail) == "it does not show who wants to join"
            assert await post.store.find("weekly", Mailbox.parse(address)) is None
        assert len(post.hints) == 0

    told(tmp_path, story)


def test_a_mail_without_a_from_that_can_be_read_speaks_for_its_envelope_sender(tmp_path: Path) -> None:
    async def story(post: Post) -> None:
        assert (
            await post.writing.joins("weekly", post.mail("Subject: join")) == "asked to join weekly: confirm"
        )
        assert (await post.ann()).mailbox == ANN

    told(tmp_path, story)


def test_a_mail_that_is_taken_twice_changes_something_once(tmp_path: Path) -> None:
    """The process died after the newsletter's store had it, before the mail's state was written."""

    async def story(post: Post) -> None:
        await post.writing.joins("weekly", post.mail("From: ann@example.org"))
        confirm = Token(Purpose.CONFIRM_BY_MAIL, (await post.ann()).id, 0)
        leave = Token(Purpose.LEAVE_BY_MAIL, (await post.ann()).id, 1)
        answer, away = post.mail("From: ann@example.org"), post.mail("From: ann@example.org")
        await post.writing.confirms(confirm, answer)
        await post.writing.leaves(leave, away)
        again = post.mail("From: ann@example.org")
        await post.writing.joins("weekly", again)
        assert (await post.ann()).state is SubscriberState.PENDING
        await post.writing.leaves(leave, away)
        await post.writing.confirms(confirm, answer)
        assert (await post.ann()).state is SubscriberState.PENDING

    told(tmp_path, story)
