"""The judge of a crash, without a crash: each kind of broken promise is detected."""

from secondpost.mail.delivery import State
from secondpost.mail.queue_id import QueueId
from tests.crash.story import ACCEPTED, CLAIMED, Found, Seen, Step, Story, complaints

DELIVERED = Seen(State.DELIVERED, False)
ID = QueueId(7)


def story(*steps: Step) -> dict[QueueId, Story]:
    return {ID: Story(ID, b"whole", None, {1: list(steps)})}


def judged(
    stories: dict[QueueId, Story], seen: Seen, upto: int, content: bytes | None = b"whole"
) -> list[str]:
    return complaints(stories, {ID: Found({1: seen}, content)}, upto)


def test_an_acknowledged_message_must_be_there() -> None:
    accepted = story(Step(ACCEPTED, 10, 20))
    assert complaints(accepted, {}, 19) == []
    assert "lost" in complaints(accepted, {}, 20)[0]
    assert judged(accepted, ACCEPTED, 20) == []


def test_a_message_on_its_way_may_be_there_or_not_but_whole() -> None:
    begun = story(Step(ACCEPTED, 10))
    assert complaints(begun, {}, 15) == []
    assert judged(begun, ACCEPTED, 15) == []
    assert "content is lost" in judged(begun, ACCEPTED, 15, b"who")[0]
    assert "half a message" in complaints(begun, {ID: Found({}, b"whole")}, 15)[0]
    assert "before it was offered" in judged(begun, ACCEPTED, 9)[0]


def test_an_invented_message_is_seen() -> None:
    assert "invented" in judged({}, ACCEPTED, 1)[0]


def test_a_claimed_row_comes_back_as_maybe_duplicate() -> None:
    claimed = story(Step(ACCEPTED, 10, 20), Step(CLAIMED, 30, 40))
    assert judged(claimed, ACCEPTED, 35) == []
    assert judged(claimed, CLAIMED, 35) == []
    assert judged(claimed, CLAIMED, 40) == []
    assert len(judged(claimed, ACCEPTED, 40)) == 1
    assert len(judged(claimed, CLAIMED, 25)) == 1


def test_a_promised_outcome_stands() -> None:
    settled = story(Step(ACCEPTED, 10, 20), Step(CLAIMED, 30, 40), Step(DELIVERED, 50, 60))
    assert judged(settled, DELIVERED, 55, None) == []
    assert judged(settled, CLAIMED, 55) == []
    assert "outcome is lost" in judged(settled, CLAIMED, 60)[0]
    assert judged(settled, DELIVERED, 60, None) == []
    assert len(judged(settled, DELIVERED, 45, None)) == 1
