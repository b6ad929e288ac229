"""Which connections get a place, and which give theirs up."""

from dataclasses import dataclass, field
from ipaddress import ip_network

import pytest

from secondpost.web.guests import Guest, GuestLimits, Guests, GuestTimes, WaitsFor

PROXY = "10.0.0.1"
LIMITS = GuestLimits(in_all=20, of_network=6, of_address=3)


@dataclass
class Door:
    """Clients by name, at a time that the test sets."""

    guests: Guests = field(default_factory=lambda: Guests((ip_network(PROXY),), LIMITS))
    now: float = 0.0
    left: list[str] = field(default_factory=list)

    def enter(self, name: str, address: str) -> Guest | None:
        self.now += 0.001
        return self.guests.enter(address, lambda: self.left.append(name), self.now)

    def entered(self, name: str, address: str, waits_for: WaitsFor) -> Guest:
        guest = self.enter(name, address)
        assert guest is not None
        self.guests.move(guest, waits_for, self.now)
        return guest

    def crowd(self, number: int, waits_for: WaitsFor) -> list[Guest]:
        """Clients from one network each."""
        return [self.entered(f"c{n}", f"198.{n}.100.1", waits_for) for n in range(number)]


@pytest.mark.parametrize("address", ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"])
def test_an_address_has_so_many_places_and_its_oldest_that_asks_for_nothing_goes(address: str) -> None:
    door = Door()
    for name in ("a", "b", "c"):
        assert door.enter(name, address) is not None
    assert door.left == []
    assert door.enter("d", address) is not None
    assert door.left == ["a"]
    assert len(door.guests) == 3


def test_a_network_has_so_many_beside_its_addresses() -> None:
    for addresses in (
        [f"192.0.2.{n}" for n in range(7)],
        [f"2001:db8:1:2:{n}::1" for n in range(7)],
    ):
        door = Door()
        for n, address in enumerate(addresses):
            assert door.enter(str(n), address) is not None
        assert door.left == ["0"]
        assert door.enter("beside", "2001:db8:1:3::1") is not None
        assert door.left == ["0"]


def test_callers_behind_a_proxy_or_on_loopback_share_an_address_and_are_not_counted_by_it() -> None:
    for address in (PROXY, "127.0.0.1", "::1", "::ffff:127.0.0.1", ""):
        door = Door()
        for n in range(LIMITS.in_all):
            assert door.enter(str(n), address) is not None
        assert door.left == []
        assert door.enter("one more", address) is not None
        assert door.left == ["0"]


def test_those_without_a_whole_head_go_before_those_who_wait_and_those_who_send() -> None:
    door = Door()
    door.crowd(5, WaitsFor.BODY)
    for n in range(5):
        door.entered(f"idle{n}", f"198.1{n}.100.1", WaitsFor.IDLE)
    for n in range(9):
        door.entered(f"answered{n}", f"198.2{n}.100.1", WaitsFor.ANSWER)
    door.entered("half", "203.0.113.1", WaitsFor.HEAD)
    assert len(door.guests) == LIMITS.in_all
    door.now += GuestTimes().fresh
    for n in range(11):
        door.entered(f"new{n}", f"100.{n}.0.1", WaitsFor.ANSWER)
    assert door.left == ["half", *(f"idle{n}" for n in range(5)), *(f"c{n}" for n in range(5))]
    assert door.enter("one too many", "100.11.0.1") is None


def test_newcomers_do_not_push_each_other_out_while_others_hold_all_places() -> None:
    """Between an honest client's connection and its first octets lies at least one round trip."""
    door = Door()
    door.crowd(LIMITS.in_all, WaitsFor.BODY)
    for n in range(10):
        assert door.enter(f"new{n}", f"100.{n}.0.1") is not None
    assert door.left == [f"c{n}" for n in range(10)]


def test_an_answer_that_is_being_made_goes_only_when_it_is_stuck() -> None:
    door = Door()
    door.crowd(LIMITS.in_all, WaitsFor.ANSWER)
    assert door.enter("early", "203.0.113.1") is None
    door.now += GuestTimes().stuck
    assert door.enter("late", "203.0.113.1") is not None
    assert door.left == ["c0"]
    crowd = door.guests.crowd()
    assert (crowd.closed, crowd.turned_away) == (1, 1)
    assert door.guests.crowd().turned_away == 0


def test_the_last_places_are_for_networks_that_have_none() -> None:
    door = Door()
    mine = door.entered("first", "192.0.2.1", WaitsFor.ANSWER)
    door.crowd(17, WaitsFor.ANSWER)
    assert door.enter("second of a network", "192.0.2.2") is None
    assert door.enter("new network", "203.0.113.1") is not None
    door.guests.gone(mine)
    door.guests.gone(mine)
    assert door.enter("no longer the second", "192.0.2.2") is not None
    assert door.left == []


@pytest.mark.parametrize(
    ("waits_for", "seconds"),
    [(WaitsFor.HEAD, 10), (WaitsFor.BODY, 30), (WaitsFor.ANSWER, 60), (WaitsFor.IDLE, 35)],
)
def test_whatever_is_waited_for_ends_when_its_time_is_over(waits_for: WaitsFor, seconds: int) -> None:
    door = Door()
    guest = door.entered("a", "192.0.2.1", waits_for)
    door.guests.end_overdue(guest.since + seconds - 0.1)
    assert door.left == []
    door.guests.end_overdue(guest.since + seconds)
    assert door.left == ["a"]
    assert len(door.guests) == 0
    door.guests.move(guest, WaitsFor.IDLE, door.now)
    assert len(door.guests) == 0


def test_a_proxy_may_keep_a_connection_open_that_it_does_not_need_yet() -> None:
    door = Door()
    door.enter("proxy", PROXY)
    door.guests.end_overdue(180)
    assert door.left == []
    guest = door.entered("proxy that begins", PROXY, WaitsFor.HEAD)
    door.guests.end_overdue(guest.since + 10)
    assert door.left == ["proxy that begins"]
