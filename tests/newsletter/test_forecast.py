"""How long an issue will take, said before it is frozen."""

from datetime import UTC, datetime

from secondpost.mail.duration import DAY_MS, HOUR_MS
from secondpost.mail.provider import OTHERS
from secondpost.mail.warm_up import day_bound
from secondpost.newsletter.forecast import Forecast, SlowedBy, forecast
from secondpost.store.provider_ports import ProviderDay

NOW_MS = 1000 * DAY_MS
WARM_UP = SlowedBy(warm_up=True)
NEW_LIST = {"google": 12_000, "gmx": 3_000, OTHERS: 5_000}  # 20,000 readers, 60 % at one provider


def shares(found: Forecast) -> dict[str, int]:
    return {share.provider: share.today for share in found.today}


def test_twenty_thousand_readers_imported_on_day_one_take_nine_days() -> None:
    found = forecast(NEW_LIST, [], WARM_UP, NOW_MS)
    assert (found.readers, found.days) == (20_000, 9)
    assert shares(found) == {"google": 200, OTHERS: 5_000, "gmx": 200}
    assert found.ends_ms(NOW_MS) == NOW_MS + 9 * DAY_MS
    assert found.sentence() == (
        "An issue to 20,000 readers takes about 9 days. "
        "Today it reaches 200 of 12,000 at Google, 200 of 3,000 at GMX and WEB.DE."
    )


def test_what_was_forecast_is_what_the_calendar_then_allows() -> None:
    """Day for day, with a forecast anew each morning as after a restart, over both changes of the clocks."""
    for begun in (datetime(2026, 3, 25, tzinfo=UTC), datetime(2026, 10, 21, tzinfo=UTC)):
        day, counts, left, sent = int(begun.timestamp()) // 86_400, list[ProviderDay](), 12_000, list[int]()
        promised = forecast({"google": left}, counts, WARM_UP, day * DAY_MS).days
        while left > 0:
            found = forecast({"google": left}, counts, WARM_UP, day * DAY_MS)
            assert promised is not None
            assert found.days == promised - len(sent)
            bound = day_bound(counts, "google", day)
            assert bound is not None
            assert shares(found) == {"google": min(bound, left)}
            sent.append(min(bound, left))
            left -= sent[-1]
            counts.append(ProviderDay("google", day, delivered=sent[-1]))
            day += 1
        assert sent == [200, 300, 450, 675, 1012, 1518, 2277, 3415, 2153]


def test_a_small_list_takes_a_day_at_most_and_nothing_more_is_said() -> None:
    found = forecast({"google": 150, OTHERS: 50}, [], WARM_UP, NOW_MS)
    assert found.sentence() == "An issue to 200 readers takes a day at most."


def test_a_list_without_readers_takes_no_day() -> None:
    assert forecast({}, [], WARM_UP, NOW_MS) == Forecast(0, 0, ())
    assert forecast({"google": 0}, [], WARM_UP, NOW_MS).sentence() == ""


def test_without_warm_up_it_takes_a_day() -> None:
    assert forecast(NEW_LIST, [], SlowedBy(warm_up=False), NOW_MS).days == 1


def test_what_a_provider_had_today_is_not_given_again() -> None:
    found = forecast({"google": 500}, [ProviderDay("google", 1000, delivered=150)], WARM_UP, NOW_MS)
    assert shares(found) == {"google": 50}
    assert found.days == 3  # 50, 300, 150


def test_the_rate_bounds_all_providers_together_and_today_only_what_is_left_of_it() -> None:
    limits = SlowedBy(warm_up=False, mails_per_day=1_000)
    found = forecast({"google": 1_500, OTHERS: 500}, [], limits, NOW_MS + 12 * HOUR_MS)
    assert shares(found) == {"google": 375, OTHERS: 125}
    assert found.days == 3  # 500, 1000, 500


def test_a_paused_provider_waits_and_is_named() -> None:
    limits = SlowedBy(warm_up=True, paused=frozenset({"google"}))
    found = forecast({"google": 12_000, OTHERS: 10}, [], limits, NOW_MS)
    assert (found.days, shares(found)) == (1, {"google": 0, OTHERS: 10})
    assert found.sentence() == (
        "An issue to 12,010 readers takes a day at most. "
        "Mail to Google is paused, and its 12,000 readers wait."
    )


def test_a_rate_that_would_take_for_ever_says_so() -> None:
    found = forecast({OTHERS: 1_000_000}, [], SlowedBy(warm_up=True, mails_per_day=24), NOW_MS)
    assert (found.days, found.ends_ms(NOW_MS)) == (None, None)
    assert found.sentence().startswith("An issue to 1,000,000 readers would take more than 366 days.")


def test_a_million_readers_are_forecast_at_once() -> None:
    audience = {"google": 600_000, "outlook": 100_000, "yahoo": 100_000, "gmx": 100_000, OTHERS: 100_000}
    assert forecast(audience, [], WARM_UP, NOW_MS).days == 19
