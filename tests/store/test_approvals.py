"""Approvals of issues and the order of the next one, on every engine."""

from secondpost.mail.issue import ArticleId, DigestDraft
from secondpost.store.approval_ports import ApprovalOutcome
from secondpost.store.newsletter_ports import SlotOutcome, SlotRecord
from tests.store.place import Place
from tests.store.readers import WEEKLY, Publisher

ONE, TWO, THREE = ArticleId(1), ArticleId(2), ArticleId(3)


def draft(*articles: ArticleId, slot: str = "ready-1") -> DigestDraft:
    return DigestDraft("weekly", slot, articles, 1)


async def test_an_issue_waits_is_mailed_once_and_is_approved_as_it_was_shown(place: Place) -> None:
    store = place.open_newsletter()
    asked = await store.ask_approval(draft(ONE, TWO), 100, 5)
    assert await store.approvals_to_mail() == [asked]
    await store.set_secret(asked.id, b"h")
    await store.approval_mailed(asked.id, 6)
    changed = await store.ask_approval(draft(THREE, ONE, TWO), 100, 7)
    assert await store.approvals_to_mail() == []
    assert await store.approval_of_secret(b"h") == changed
    assert await store.approval_of_secret(b"x") is None
    assert await store.approve(asked.id, asked.articles, 8) is ApprovalOutcome.CHANGED
    assert await store.approve(asked.id, changed.articles, 101) is ApprovalOutcome.OVER
    assert await store.approve(asked.id, changed.articles, 100) is ApprovalOutcome.APPROVED
    assert await store.approve(asked.id, changed.articles, 100) is ApprovalOutcome.ALREADY
    found = await store.approval("weekly", "ready-1")
    assert found is not None
    assert (found.articles, found.approved_ms) == ((THREE, ONE, TWO), 100)
    # It no longer suffices: the owner is asked, and mailed, once more.
    again = await store.ask_approval(draft(TWO), None, 101)
    assert await store.approvals_to_mail() == [again]
    assert await store.approval_of_secret(b"h") is None


async def test_a_slot_that_was_decided_or_followed_by_another_is_over(place: Place) -> None:
    store = place.open_newsletter()
    first = await store.ask_approval(draft(ONE), None, 5)
    assert not await store.is_approval_over(first.id, 6)
    second = await store.ask_approval(draft(ONE, slot="ready-2"), None, 7)
    assert await store.is_approval_over(first.id, 7)
    assert await store.approvals_to_mail() == [second]
    await store.record_slot(SlotRecord("weekly", "ready-2", SlotOutcome.HELD, 8, "by command"))
    assert await store.approve(second.id, second.articles, 9) is ApprovalOutcome.OVER
    assert await store.approvals_to_mail() == []


async def test_the_owners_order_stands_until_it_is_replaced_or_removed(place: Place) -> None:
    store = place.open_newsletter()
    assert await store.next_order("weekly") == ()
    await store.set_next_order("weekly", (TWO, ONE))
    await store.set_next_order("weekly", (THREE, TWO))
    assert await store.next_order("weekly") == (THREE, TWO)
    await store.set_next_order("weekly", ())
    assert await store.next_order("weekly") == ()


async def stopped(publisher: Publisher, *articles: ArticleId, newer: tuple[ArticleId, ...] = ()) -> None:
    """Make an issue of these articles and stop it; meanwhile the owner may order the next one."""
    draft = DigestDraft(WEEKLY, f"forced-{articles}", articles, 1)
    issue = await publisher.store.create_digest(draft, publisher.id(), publisher.clock.ms)
    assert await publisher.store.next_order(WEEKLY) == (), "the issue uses the order up"
    await publisher.store.set_next_order(WEEKLY, newer)
    await publisher.store.stop(issue.id, publisher.clock.ms, "a wrong picture")


async def test_an_issue_that_no_reader_got_gives_the_owners_order_back(place: Place) -> None:
    publisher = Publisher(place, place.open_newsletter())
    store, (one, two, three) = publisher.store, await publisher.waiting(3)
    await store.set_next_order(WEEKLY, (three, one))
    await stopped(publisher, three, one, two)
    assert await store.next_order(WEEKLY) == (three, one)
    await stopped(publisher, three, one)
    assert await store.next_order(WEEKLY) == (three, one), "as often as it is stopped"


async def test_an_order_given_meanwhile_stands_and_none_is_made_up(place: Place) -> None:
    publisher = Publisher(place, place.open_newsletter())
    store, (one, two) = publisher.store, await publisher.waiting(2)
    await stopped(publisher, one, two)
    assert await store.next_order(WEEKLY) == ()
    await store.set_next_order(WEEKLY, (two,))
    await stopped(publisher, two, one, newer=(one,))
    assert await store.next_order(WEEKLY) == (one,)
