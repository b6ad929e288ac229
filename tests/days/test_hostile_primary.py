"""Hostile primaries: one bad message or host must not delay other mail."""

from errno import ENOSPC

import pytest

from secondpost.config.records import (
    LearnedRecipients,
    RecipientSource,
)
from secondpost.deliver.pool import LINGER_SECONDS
from secondpost.mail.attack import AttackCount
from secondpost.roles.parts import Parts, opened
from secondpost.spool.attack_tally import STORE_SECONDS
from simulation.internet.talk import Talk
from simulation.people.letters import compose
from simulation.service import RESTART_SECONDS
from tests.days.town import ANYBODY, DOMAIN, MINUTE, OTHER, OURS, READER, Primary, Town


def held_behind_a_bad_one(town: Town, letters: int = 10) -> Primary:
    """A primary that is down, and mail for it, the first of which is bad."""
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    town.start(DOMAIN)
    town.post("bad", READER)
    for number in range(letters):
        town.post(f"good{number}", READER)
    assert len(town.log.of("site-down")) == 1
    return primary


@pytest.mark.parametrize("how", ["hangs", "shuts", "garbles", "refuses_early"])
def test_a_message_that_upsets_the_primary_holds_up_nobody_behind_it(town: Town, how: str) -> None:
    primary = held_behind_a_bad_one(town)
    getattr(primary, how).add("bad")
    primary.open()
    assert town.until(lambda: len(primary.taken) == 10, 3 * MINUTE)
    first = min(seconds for _, _, seconds in primary.taken)
    assert max(seconds for _, _, seconds in primary.taken) - first < MINUTE
    town.post("late", READER)
    assert town.until(lambda: len(primary.taken) == 11, 2 * MINUTE)


def test_a_refusal_in_the_midst_of_the_content_is_no_fault_of_the_site(town: Town) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    primary.refuses_early.add("bad")
    primary.open()
    town.start(DOMAIN)
    town.post("bad", READER)
    town.pass_by(MINUTE)
    assert len(town.log.of("site-down")) == 0


def test_messages_that_hang_take_one_place_more_than_there_are_while_others_get_through(town: Town) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    town.start(DOMAIN, connections=2)
    for number in range(2):
        primary.hangs.add(f"bad{number}")
        town.post(f"bad{number}", READER)
    for number in range(5):
        town.post(f"good{number}", READER)
    primary.open()
    assert town.until(lambda: len(primary.taken) == 5, 3 * MINUTE)
    assert primary.connections_peak <= 2 + 1


def test_a_site_that_was_down_drains_though_an_old_message_still_hangs(town: Town) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    primary.hangs.add("bad")
    primary.open()
    town.start(DOMAIN)
    town.post("bad", READER)
    assert town.until(lambda: primary.hanging == 1, MINUTE)
    primary.busy = True
    town.post("good0", READER)
    # A reset may arrive before its 421 at first: a lost connection alone does not prove that the
    # site is down.
    assert town.until(lambda: len(town.log.of("site-down")) > 0, 10 * MINUTE)
    town.pass_by(5.0)
    primary.busy = False
    assert town.until(lambda: len(primary.taken) == 1, MINUTE)


def test_a_primary_that_goes_away_after_each_message_gets_the_next_one_at_once(town: Town) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    town.start(DOMAIN)
    for number in range(30):
        town.post(f"good{number}", READER)
    primary.messages_max = 1
    primary.open()
    assert town.until(lambda: len(primary.taken) == 30, MINUTE)
    assert len({sender for sender, _, _ in primary.taken}) == 30


def test_a_primary_that_looks_long_at_each_recipient_still_gets_the_message_once(town: Town) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    primary.pipelining = False
    primary.recipient_seconds = 10.0
    primary.open()
    town.start(DOMAIN)
    town.post("many", *(f"reader{number}@{DOMAIN}" for number in range(60)))
    town.pass_by(30 * MINUTE)
    assert [len(recipients) for _, recipients, _ in primary.taken] == [60]


def test_each_domain_of_a_site_that_is_down_is_looked_at(town: Town) -> None:
    """Two domains share a dead primary; the owner moves one of them to a new one."""
    town.primary("mx.a.example", "198.51.100.1", DOMAIN, OTHER)
    new = town.primary("mx.new.example", "198.51.100.2")
    new.open()
    town.start(DOMAIN, OTHER)
    town.post("one", READER)
    town.post("two", f"reader@{OTHER}")
    town.pass_by(5 * MINUTE)
    town.dns.mx[OTHER] = [(10, "mx.new.example"), (50, OURS)]
    assert town.until(lambda: len(new.taken) == 1, MINUTE)
    town.dns.mx[DOMAIN] = [(10, "mx.new.example"), (50, OURS)]
    assert town.until(lambda: len(new.taken) == 2, MINUTE)
    assert town.until(lambda: len(town.log.of("site-up")) + len(town.log.of("delivered")) >= 2, MINUTE)


def test_a_disk_that_was_full_when_a_site_had_done_its_work_leaves_the_site_free_for_the_next(
    town: Town,
) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    primary.open()
    town.start(DOMAIN)
    town.post("one", READER)
    assert town.until(lambda: len(primary.taken) == 1, MINUTE)
    town.pass_by(LINGER_SECONDS / 2)  # its outcome is written, its lease is not given back
    town.machine.disk.fail_at(1, ENOSPC)
    town.pass_by(2 * MINUTE)
    town.machine.disk.heal()
    town.post("two", READER)
    assert town.until(lambda: len(primary.taken) == 2, MINUTE)
    assert len(town.log.of("role-ended")) == 0


def test_a_primary_that_is_slow_to_tell_whom_it_has_brings_nobody_down(town: Town) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    primary.recipient_seconds = 20.0
    primary.open()
    town.start(DOMAIN, recipients=LearnedRecipients())
    letter = compose(town.dice.faults, "one", "one@sender.example", (READER,), 500)
    town.sender.give(letter)
    town.pass_by(2 * MINUTE)
    assert len(primary.taken) == 1, "it was held without waiting for the primary's word"
    assert len(town.log.of("role-ended")) == 0


def test_a_primary_that_blocks_us_is_offered_a_few_messages_and_then_left_alone(town: Town) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    town.start(DOMAIN)
    for number in range(40):
        town.post(f"good{number}", READER)
    primary.refusal = "550 5.7.1 your address is on a list"
    primary.open()
    town.pass_by(10 * MINUTE)
    assert 3 <= primary.offered <= 6
    assert len([line for line in town.log.of("alarm") if "domain-paused" in line.text]) == 1
    primary.refusal = ""
    assert town.until(lambda: len(primary.taken) == 40, 20 * MINUTE)


def test_messages_that_a_primary_refuses_by_policy_stop_no_others_and_ring_no_alarm(town: Town) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    town.start(DOMAIN)
    for number in range(30):
        town.post(f"unwelcome{number}", READER)
    town.post("good", READER)
    primary.open()
    assert town.until(lambda: len(primary.taken) == 1, 5 * MINUTE)
    assert len([line for line in town.log.of("alarm") if "domain-paused" in line.text]) == 0


def test_a_service_that_starts_does_not_wait_for_the_next_round_to_look_at_a_primary(town: Town) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    town.start(DOMAIN)
    town.post("good0", READER)
    town.pass_by(MINUTE)
    assert town.until(lambda: len(town.log.of("site-down")) == 1, MINUTE)
    begun = town.timeline.now
    town.service.stop_gracefully("deliver")
    primary.open()
    assert town.until(lambda: len(primary.taken) == 1, MINUTE)
    assert town.timeline.now - begun < RESTART_SECONDS + 2.0


def test_whoever_guesses_addresses_brings_few_connections_upon_the_primary(town: Town) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    primary.recipient_seconds = 1.0
    primary.refusal = "550 5.1.1 there is no such mailbox"
    primary.open()
    town.start(DOMAIN, recipients=LearnedRecipients())
    for number in range(60):
        name = f"guess{number}"
        letter = compose(town.dice.faults, name, f"{name}@sender.example", (f"{name}@{DOMAIN}",), 500)
        town.crowd.give(letter)
    town.pass_by(MINUTE)
    assert primary.connections_peak <= 3  # a question, a look at the primary, and one that is closing
    # Fifty may come from one network at once, and use up the primary's questions of a minute.
    assert town.until(lambda: len(town.log.of("refused")) > 0, 20 * MINUTE)


def test_a_primary_that_flees_from_the_tls_it_offers_gets_its_mail_in_the_clear(town: Town) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    primary.flees_tls = True
    primary.open()
    town.start(DOMAIN)
    town.post("one", READER)
    assert town.until(lambda: len(primary.taken) == 1, MINUTE)


@pytest.mark.parametrize("recipients", [ANYBODY, LearnedRecipients()])
def test_a_primary_that_takes_so_many_messages_a_connection_gets_the_next_ones_over_another(
    town: Town, recipients: RecipientSource
) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    primary.mails_max = 3
    town.start(DOMAIN, connections=2, recipients=recipients)
    for number in range(20):
        town.post(f"good{number}", READER)
    primary.open()
    assert town.until(lambda: len(primary.taken) == 20, 3 * MINUTE)
    assert len(town.log.of("deferred")) <= 1, "the one that found it down"


def test_a_primary_that_parts_after_refusals_is_not_down_for_the_good_mail_behind_them(town: Town) -> None:
    """With `recipients = ["any"]` mail for unknown addresses is sent like all mail."""
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    primary.mailboxes = {"reader"}
    primary.refusals_max = 10  # OpenSMTPD closes after ten
    town.start(DOMAIN, connections=1)
    for number in range(40):
        town.post(f"spam{number}", f"guess{number}@{DOMAIN}")
    for number in range(5):
        town.post(f"good{number}", READER)
    primary.open()
    assert town.until(lambda: len(primary.taken) == 5, 2 * MINUTE)
    assert len(primary.refused_at) == 40
    assert len(town.log.of("site-down")) == 1  # before it was opened


class HostileReply(Primary):
    """Answers MAIL with the reply of CVE-2020-8794."""

    async def _conversation(self, talk: Talk) -> None:
        for reply in (b"220 there\r\n", b"250 there\r\n", b"553-\r\n553 \ntype: mda\nmda-exec: sh\n"):
            talk.transport.write(reply)
            await talk.line()


def test_what_a_next_server_tries_is_stored_for_the_owner(town: Town) -> None:
    delivering: list[Parts] = []

    def wiring(role: str, parts: Parts) -> Parts:
        if role == "deliver":
            delivering.append(parts)
        return parts

    town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    HostileReply(town, "mx.a.example", "198.51.100.1").open()
    town.start(DOMAIN, wiring=wiring)
    town.post("anna", READER)
    assert town.until(lambda: len(town.log.of("attack")) > 0, MINUTE)
    town.pass_by(2 * STORE_SECONDS)
    stored: list[AttackCount] = []

    async def read() -> None:
        stored.extend(await opened(delivering[0].mail).attacks(since_day=0))

    town.internet.loop.create_task(read())
    assert town.until(lambda: len(stored) > 0, MINUTE)
    (count,) = stored
    assert (count.rule, count.client, count.place) == ("hostile-reply", "198.51.100.1", "reply")
    assert count.times == len(town.log.of("attack"))
    assert len(town.log.of("failed")) == 0, "mail for a primary is ended by nothing that it says here"
