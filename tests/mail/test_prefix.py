"""The network of an address."""

import pytest

from secondpost.mail.network import caller_prefix, site_prefix


@pytest.mark.parametrize(
    ("address", "link", "site"),
    [
        ("192.0.2.77", "192.0.2.0/24", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("", "", ""),
        ("nonsense", "", ""),
    ],
)
def test_an_address_belongs_to_a_link_and_a_site(address: str, link: str, site: str) -> None:
    assert (caller_prefix(address), site_prefix(address)) == (link, site)
