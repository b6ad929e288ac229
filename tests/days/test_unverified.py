"""The first blackout of a new server: its handling of mail for unknown addresses."""

import pytest

from secondpost.config.records import LearnedRecipients
from secondpost.deliver.refusal_budget import REFUSALS_PER_CONNECTION_MAX, REFUSALS_PER_MINUTE_MAX
from simulation.people.letters import compose
from tests.days.calm import CALM_RHYTHMS
from tests.days.town import DOMAIN, MINUTE, Primary, Town

DAY = 24 * 60 * MINUTE
PEOPLE = tuple(f"person{number}" for number in range(5))
INVENTED = tuple(f"invented{number}" for number in range(50))


def newcomer(town: Town) -> Primary:
    """The configuration of docs/install.md on a new store, without a reachable primary."""
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    primary.mailboxes = {*PEOPLE, "postmaster"}
    town.start(DOMAIN, recipients=LearnedRecipients())
    return primary


def give(town: Town, *locals_: str) -> None:
    """Send a letter to each, with a sender address that identifies it at the primary."""
    for local in locals_:
        town.crowd.give(
            compose(town.dice.faults, local, f"{local}@sender.example", (f"{local}@{DOMAIN}",), 500)
        )


def accepted(town: Town) -> int:
    return len(town.log.of("accepted"))


def kept_as_refused(town: Town) -> int:
    return len([line for line in town.log.of("kept") if "why=refused" in line.text])


def most_within(seconds: list[float], span: float) -> int:
    return max((sum(at <= each < at + span for each in seconds) for at in seconds), default=0)


def test_the_first_blackout_holds_everything_and_the_primary_sorts_it_out(town: Town) -> None:
    primary = newcomer(town)
    give(town, *INVENTED[:25], *PEOPLE, *INVENTED[25:])
    assert town.until(lambda: accepted(town) == 55, 10 * MINUTE)
    town.pass_by(60 * MINUTE)
    downs = len(town.log.of("site-down"))
    assert downs == 1
    primary.open()
    assert town.until(lambda: len(primary.taken) == 5 and kept_as_refused(town) == 50, 30 * MINUTE)
    assert sorted(sender for sender, _, _ in primary.taken) == sorted(PEOPLE)
    assert len(town.log.of("site-down")) == downs, "a refusal says nothing about the site"
    assert most_within(primary.refused_at, MINUTE) <= REFUSALS_PER_MINUTE_MAX + REFUSALS_PER_CONNECTION_MAX
    town.pass_by(60 * MINUTE)
    assert len(primary.taken) == 5
    # The town's DNS does not know the owner, who is mailed about the outage.
    assert [line for line in town.log.of("failed") if "to=owner@" not in line.text] == []
    assert [line for line in town.log.of("accepted") if "lane=own" in line.text] == []


def test_mail_for_known_people_goes_before_all_guesses(town: Town) -> None:
    primary = newcomer(town)
    primary.open()
    give(town, "person0")
    assert town.until(lambda: len(primary.taken) == 1, 10 * MINUTE)
    primary.shut()
    town.pass_by(10 * MINUTE)
    give(town, *INVENTED[:20])
    assert town.until(lambda: accepted(town) == 21, 30 * MINUTE)
    for _ in range(3):
        town.post("person0", f"person0@{DOMAIN}")
    primary.asked.clear()
    primary.open()
    assert town.until(lambda: len(primary.taken) == 4, 10 * MINUTE)
    named = [local for _, local in primary.asked]
    assert named[:3] == ["person0"] * 3
    assert town.until(lambda: kept_as_refused(town) == 20, 60 * MINUTE)


@pytest.mark.parametrize("refusals_max", [1, 3])
def test_a_primary_that_parts_after_refusals_is_not_down_and_is_asked_more_slowly(
    town: Town, refusals_max: int
) -> None:
    primary = newcomer(town)
    primary.refusals_max = refusals_max
    give(town, *INVENTED[:12], *PEOPLE)
    assert town.until(lambda: accepted(town) == 17, 10 * MINUTE)
    primary.open()
    assert town.until(lambda: len(primary.taken) == 5 and kept_as_refused(town) == 12, 4 * 60 * MINUTE)
    downs = town.log.of("site-down")
    # A refusal may be lost with the connection that it ends: then it looks like a broken
    # connection.
    lost = len([line for line in downs if "cause=lost" in line.text])
    assert len(downs) - lost == 1
    # The invented ones once each except for lost refusals, and one that cannot exist.
    assert 12 <= len(primary.refused_at) <= 12 + 1 + lost


def test_a_primary_that_takes_every_address_teaches_nothing_and_is_tried_once_a_day(town: Town) -> None:
    town.rhythms = CALM_RHYTHMS
    primary = newcomer(town)
    primary.mailboxes = None
    primary.open()
    give(town, *PEOPLE)
    assert town.until(lambda: len(primary.taken) == 5, 10 * MINUTE)
    town.pass_by(1.1 * DAY)
    strange = [local for _, local in primary.asked if local not in (*PEOPLE, "postmaster")]
    assert len(strange) == 2
    primary.shut()
    town.pass_by(10 * MINUTE)
    give(town, "person0")
    assert town.until(lambda: accepted(town) == 6, 30 * MINUTE)
    primary.asked.clear()
    primary.open()
    assert town.until(lambda: len(primary.taken) == 6, 10 * MINUTE)


def test_one_flood_of_guesses_leaves_the_primary_to_answer_for_others(town: Town) -> None:
    primary = newcomer(town)
    primary.open()
    town.pass_by(2 * MINUTE)
    begun = town.timeline.now
    give(town, *INVENTED)
    town.pass_by(20.0)
    other = town.stranger("203.0.113.7")
    other.give(compose(town.dice.faults, "person1", "x@other.example", (f"person1@{DOMAIN}",), 500))
    assert town.until(lambda: len(primary.taken) == 1, MINUTE)
    by_then = [line.text for line in town.log.of("accepted") if "peer=203.0.113.7" in line.text]
    assert len(by_then) == 1
    refused = [at for at in primary.refused_at if at >= begun]
    assert most_within(refused, MINUTE) <= REFUSALS_PER_MINUTE_MAX + REFUSALS_PER_CONNECTION_MAX
    assert primary.connections_peak <= 3
