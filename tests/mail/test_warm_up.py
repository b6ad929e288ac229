"""The calendar of a new sending address."""

from secondpost.mail.provider import OTHERS
from secondpost.mail.warm_up import day_bound
from secondpost.store.provider_ports import ProviderDay


def test_a_new_address_begins_small() -> None:
    assert day_bound([], "google", 100) == 200


def test_small_providers_have_no_bound() -> None:
    assert day_bound([], OTHERS, 100) is None


def test_it_grows_by_half_after_a_day_that_went_well() -> None:
    assert day_bound([ProviderDay("google", 99, delivered=200)], "google", 100) == 300


def test_it_grows_from_what_was_delivered_and_not_from_what_was_allowed() -> None:
    """A small list notices nothing, and one that grows a little does not wait."""
    assert day_bound([ProviderDay("google", 99, delivered=150)], "google", 100) == 225
    assert day_bound([ProviderDay("google", 99, delivered=20)], "google", 100) == 200


def test_it_stands_still_after_a_day_that_went_badly() -> None:
    days = [
        ProviderDay("google", 97, delivered=1000),
        ProviderDay("google", 98, delivered=900, deferred=600, sender_fault=600),
    ]
    assert day_bound(days, "google", 99) == 1000
    better = [*days, ProviderDay("google", 99, delivered=1000, failed=20, sender_fault=20)]
    assert day_bound(better, "google", 100) == 1500


def test_failures_that_are_not_the_senders_do_not_hold_it_back() -> None:
    """An imported list has dead addresses."""
    days = [ProviderDay("google", 99, delivered=180, failed=20)]
    assert day_bound(days, "google", 100) == 270


def test_days_without_mail_do_not_grow_it() -> None:
    days = [ProviderDay("google", 93, delivered=200)]
    assert {day_bound(days, "google", today) for today in range(94, 154)} == {300}


def test_after_two_months_without_mail_it_begins_anew() -> None:
    assert day_bound([ProviderDay("google", 39, delivered=5000)], "google", 100) == 200


def test_todays_mail_does_not_move_todays_bound() -> None:
    days = [ProviderDay("google", 99, delivered=200), ProviderDay("google", 100, delivered=299)]
    assert day_bound(days, "google", 100) == 300


def test_what_one_provider_took_says_nothing_of_another() -> None:
    assert day_bound([ProviderDay("yahoo", 99, delivered=9000)], "google", 100) == 200
