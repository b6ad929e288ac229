"""Received fields of real servers; what counts is the address that the server itself saw."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.protocols.received import ReceivedHop, parse_received

US, AT = "mx2.example.net", "192.0.2.5"
REAL = {
    "google": (
        f"from {US} ({US}. [{AT}]) by mx.google.com with ESMTPS id a.12 for <a@b>; d",
        US,
        AT,
        "mx.google.com",
    ),
    "microsoft": (
        f"from {US} ({AT}) by DB5.mail.protection.outlook.com (10.1.1.1) with Microsoft SMTP Server id 1; d",
        US,
        AT,
        "db5.mail.protection.outlook.com",
    ),
    "exim": (
        f"from [{AT}] (helo={US}) by host.example with esmtps (Exim 4.96) id 1a-b; d",
        US,
        AT,
        "host.example",
    ),
    "exim with a name": (
        f"from {US} ([{AT}] helo=other) by host.example with esmtps id 1; d",
        US,
        AT,
        "host.example",
    ),
    "yahoo": (f"from {AT} (EHLO {US}) by 10.222.142.150 with SMTPs; d", US, AT, "10.222.142.150"),
    "gmx": (
        f"from {US} ([{AT}]) by mx-ha.gmx.net (mxgmx114 [212.227.17.5]) with ESMTPS id 1; d",
        US,
        AT,
        "mx-ha.gmx.net",
    ),
    "postfix over IPv6": (
        f"from {US} (x [IPv6:2001:db8::5]) by host.example (Postfix) id 1; d",
        US,
        "2001:db8::5",
        "host.example",
    ),
    "in capitals": (f"FROM {US} (x [{AT}]) By host.example ID 5.1; d", US, AT, "host.example"),
    "a link-local address": (f"from {US} ([fe80::1%eth0]) by host.example; d", US, "fe80::1", "host.example"),
}


@pytest.mark.parametrize("name", REAL)
def test_what_real_servers_write_is_read(name: str) -> None:
    value, client, address, by = REAL[name]
    hop = parse_received(value)
    assert (hop.client, hop.address, hop.by) == (client, address, by)
    assert hop.has_from


def test_a_step_inside_a_server_has_no_client() -> None:
    assert not parse_received("by 2002:a05:6a10 with SMTP id x; d").has_from
    assert parse_received("(qmail 1 invoked from network); d") == ReceivedHop("", "", "", "", has_from=False)


@pytest.mark.parametrize(
    "value",
    [
        f"from [{AT}] (forger.example [198.51.100.7]) by host.example; d",
        f"from forger.example ([198.51.100.7] helo=[{AT}]) by host.example; d",
        f"from forger.example (HELO [{AT}]) ([198.51.100.7]) by host.example; d",
        "from by (forger.example [198.51.100.7]) by host.example; d",
    ],
)
def test_an_address_given_with_helo_is_not_taken_for_the_clients(value: str) -> None:
    hop = parse_received(value)
    assert (hop.address, hop.by) == ("198.51.100.7", "host.example")


@given(st.text(st.sampled_from('from by id[]()";.:12 \\='), max_size=80))
def test_any_text_is_read_without_an_error(text: str) -> None:
    parse_received(text)
