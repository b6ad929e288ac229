"""Profiles of providers keep to what the providers publish."""

import pytest

from secondpost.mail.plan import UNSORTED
from secondpost.mail.provider import PROFILES, ProviderProfile, provider_of_place


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.key)
def test_no_profile_asks_more_of_a_provider_than_it_publishes(profile: ProviderProfile) -> None:
    published = profile.published
    if published is None:
        # Nothing is known of its limits: no more than what a provider without a profile gets.
        assert profile.connections <= 10
        assert profile.mails_per_connection <= 100
        return
    assert published.url.startswith("https://")
    assert published.connections is None or profile.connections <= published.connections
    mails = published.mails_per_connection
    assert mails is None or profile.mails_per_connection <= mails


def test_a_domain_that_was_routed_counts_by_its_site_and_before_by_its_name() -> None:
    assert provider_of_place("gmail.com", UNSORTED).key == "google"
    assert provider_of_place("example.net", "gmail-smtp-in.l.google.com").key == "google"
    assert provider_of_place("gmail.com", "mx.example.net").key == "mx.example.net"
