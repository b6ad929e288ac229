"""Which servers are queried, according to resolv.conf and its changes."""

import os
from pathlib import Path

from secondpost.mail.address import Endpoint
from secondpost.world.real.dns_servers import FALLBACK, Servers, parse_resolv_conf, reaches_ipv6


def test_the_first_three_addresses_of_resolv_conf_are_the_servers() -> None:
    text = (
        "# made by hand\nsearch example.net\nnameserver 192.0.2.1\n"
        "nameserver 2001:db8::1 \nnameserver\nnameserver dns.example\nnameserver fe80::1%eth0\n"
        "nameserver 192.0.2.3\nnameserver 192.0.2.4\n"
    )
    hosts = [server.host for server in parse_resolv_conf(text)]
    assert hosts[:2] == ["192.0.2.1", "2001:db8::1"]
    assert len(hosts) == 3


def test_when_none_is_named_it_is_this_machine() -> None:
    assert parse_resolv_conf("") == (FALLBACK,)


def test_a_changed_file_is_read_again_and_a_missing_one_leaves_what_was_known(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    servers = Servers((), str(path))
    assert servers.now() == (FALLBACK,)
    path.write_text("nameserver 192.0.2.1\n")
    assert servers.now() == (Endpoint("192.0.2.1", 53),)
    (tmp_path / "new").write_text("nameserver 192.0.2.2\n")
    os.replace(tmp_path / "new", path)
    assert servers.now() == (Endpoint("192.0.2.2", 53),)
    path.unlink()
    assert servers.now() == (Endpoint("192.0.2.2", 53),)


def test_configured_servers_need_no_file(tmp_path: Path) -> None:
    configured = (Endpoint("127.0.0.1", 5300),)
    assert Servers(configured, str(tmp_path / "none")).now() == configured


def test_the_road_for_ipv6_is_found_out_without_an_error() -> None:
    assert reaches_ipv6() in (True, False)
