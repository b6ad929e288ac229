"""The comparison of engines detects differences and names the row."""

import apsw
import pytest

from secondpost.mail.address import Mailbox
from secondpost.store.ports import Learned
from tests.store.contract import Engines, on_each_engine
from tests.store.left_rows import Dump, Table, differences
from tests.store.letters import Letters
from tests.store.place import Place, SqlitePlace
from tests.store.postgres.place import PostgresPlace

ANNA = Mailbox.parse("anna@example.org")


def events(*numbered: tuple[int, int, str]) -> Dump:
    rows = [(id, message, 1, what) for id, message, what in numbered]
    return {"mail.db": {"event": Table(("id", "message", "number", "what"), rows)}}


def readers(*rows: tuple[int, str, int]) -> Dump:
    return {"newsletter.db": {"subscriber": Table(("id", "key", "since_event"), rows)}}


def delivery(number: int, issue: int | None, octets: int, ended_ms: int | None) -> Dump:
    columns = ("message", "number", "issue", "octets", "ended_ms")
    return {"newsletter.db": {"delivery": Table(columns, [(1, number, issue, octets, ended_ms)])}}


def test_a_value_that_differs_is_named_with_its_table_and_row() -> None:
    assert differences(readers((1, "ann", 1)), readers((1, "bob", 1))) == [
        "newsletter.db subscriber: - id=1, key='ann', since_event=1",
        "newsletter.db subscriber: + id=1, key='bob', since_event=1",
    ]


def test_a_row_and_a_table_that_only_one_has_are_named() -> None:
    twice = readers((1, "ann", 1), (1, "ann", 1))
    assert differences(twice, readers((1, "ann", 1))) == [
        "newsletter.db subscriber: - id=1, key='ann', since_event=1"
    ]
    assert differences(twice, {}) == ["newsletter.db subscriber: only in one of them"]


def test_columns_that_differ_are_named() -> None:
    other = {"newsletter.db": {"subscriber": Table(("id", "key", "event"), [])}}
    assert differences(readers(), other) == [
        "newsletter.db subscriber: ('id', 'key', 'since_event') and ('id', 'key', 'event')"
    ]


def test_holes_in_given_numbers_are_no_difference_and_another_order_is() -> None:
    one = readers((1, "ann", 1), (2, "bob", 2))
    assert differences(one, readers((1, "ann", 4), (7, "bob", 9))) == []
    assert len(differences(one, readers((2, "ann", 1), (1, "bob", 2)))) == 4


def test_events_keep_their_order_delivery_by_delivery() -> None:
    one = events((1, 5, "held"), (2, 5, "released"), (3, 6, "held"))
    assert differences(one, events((1, 6, "held"), (8, 5, "held"), (9, 5, "released"))) == []
    assert len(differences(one, events((1, 5, "released"), (2, 5, "held"), (3, 6, "held")))) == 4


def test_octets_of_what_waits_differ_and_of_what_has_ended_do_not() -> None:
    assert differences(delivery(1, None, 7, 1), delivery(1, None, 0, 1)) == []
    assert len(differences(delivery(1, None, 7, None), delivery(1, None, 0, None))) == 2


def test_a_delivery_has_the_number_of_its_reader_only_in_an_issue() -> None:
    assert differences(delivery(4, 3, 0, None), delivery(9, 3, 0, None)) == []
    assert len(differences(delivery(4, None, 0, None), delivery(9, None, 0, None))) == 2


def test_the_numbers_of_each_database_are_apart() -> None:
    def domains(mail: int, newsletter: int) -> Dump:
        return {
            "mail.db": {"domain": Table(("id", "name"), [(mail, "a.example")])},
            "newsletter.db": {"domain": Table(("id", "name"), [(newsletter, "b.example")])},
        }

    assert differences(domains(1, 2), domains(2, 1)) == []


def test_a_story_that_ends_otherwise_on_one_engine_fails(place: Engines) -> None:
    async def learned(place: Place) -> None:
        how = "asked" if isinstance(place, SqlitePlace) else "guessed"
        await place.open().learn(ANNA, Learned(True, 5, how))

    with pytest.raises(
        AssertionError, match=r"mail\.db learned: \+ mailbox='anna@example.org', .*how='guessed'"
    ):
        on_each_engine(learned, place)


def test_a_story_that_fails_on_one_engine_says_on_which(place: Engines) -> None:
    async def opened(place: Place) -> None:
        place.open()
        assert not isinstance(place, PostgresPlace)

    with pytest.raises(AssertionError) as failed:
        on_each_engine(opened, place)
    assert failed.value.__notes__ == ["on postgresql"]


def test_a_wrong_tally_is_found_by_the_recount_of_each_engine(place: Engines) -> None:
    async def miscounted(place: Place) -> None:
        await Letters(place, place.open()).send("one@example.net")
        wrong = "UPDATE tally SET deliveries = 2"
        if isinstance(place, SqlitePlace):
            apsw.Connection(f"{place.folder}/mail/mail.db").execute(wrong)
        else:
            assert isinstance(place, PostgresPlace)
            await place.run(wrong)

    for name, place_of in place.items():
        with pytest.raises(AssertionError, match="tallies 1"):
            on_each_engine(miscounted, {name: place_of})
