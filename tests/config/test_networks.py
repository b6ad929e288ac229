"""Tables of networks: both formats, compressed or not, faults with their line."""

import gzip
from pathlib import Path

import pytest

from secondpost.config.faults import Wrong
from secondpost.config.networks import check_networks, parse_networks, read_networks
from secondpost.mail.arrivals import NetworkOrigin

IP2ASN = b"""\
1.0.0.0\t1.0.0.255\t13335\tUS\tCLOUDFLARENET
1.0.1.0\t1.0.3.255\t0\tNone\tNot routed
1.0.4.0\t1.0.7.255\t38803\tAU\tGTELECOM-AUSTRALIA Gtelecom Pty Ltd
2001:200::\t2001:200:5ff:ffff:ffff:ffff:ffff:ffff\t2500\tJP\tWIDE-BB WIDE Project
2001:200:600::\t2001:200:6ff:ffff:ffff:ffff:ffff:ffff\t7667\tNone\tKDDLAB
"""
PREFIX2AS = b"""\
10.0.0.0\t8\t64500
10.1.0.0\t16\t64501_64502
10.1.2.0\t24\t64503,64504
10.1.2.0\t25\t64505
10.2.0.0\t16\t64506
2001:db8::\t32\t64507
"""


def test_ip2asn_has_names_and_countries() -> None:
    table = parse_networks(IP2ASN.splitlines(keepends=True))
    assert len(table) == 4
    assert table.origin("1.0.0.0/24") == NetworkOrigin(13335, "CLOUDFLARENET", "US")
    assert str(table.origin("1.0.6.0/24")) == "AS38803 GTELECOM-AUSTRALIA Gtelecom Pty Ltd (AU)"
    assert table.origin("2001:200:17::/48") == NetworkOrigin(2500, "WIDE-BB WIDE Project", "JP")
    assert table.origin("2001:200:650::/48") == NetworkOrigin(7667, "KDDLAB", "")
    nowhere = ("1.0.2.0/24", "0.9.9.0/24", "1.0.8.0/24", "2001:200:700::/48", "::/48", "255.255.255.0/24")
    assert [table.origin(network) for network in nowhere] == [None] * 6


def test_of_prefixes_within_prefixes_the_longest_counts() -> None:
    table = parse_networks(PREFIX2AS.splitlines())
    networks = ("10.0.9.0/24", "10.1.9.0/24", "10.1.2.0/24", "10.1.3.0/24", "10.2.255.0/24", "10.3.0.0/24")
    found = [table.origin(network) for network in (*networks, "10.255.255.0/24", "2001:db8:ffff::/48")]
    numbers = [None if origin is None else origin.number for origin in found]
    assert numbers == [64500, 64501, 64505, 64501, 64506, 64500, 64500, 64507]
    assert table.origin("11.0.0.0/24") is None


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], "no networks"),
        ([b"1.0.0.0\t1.0.0.255\t0\tNone\tNot routed"], "no networks"),
        ([b"1.0.0.0/24,13335,CLOUDFLARENET"], "line 1 is no network"),
        ([b"10.0.0.0\t8\t64500", b"9.0.0.0\t8\t64501"], "line 2 .* not in order"),
        ([b"10.0.0.0\t8\t64500", b"10.0.0.300\t24\t64501"], "line 2"),
        ([b"10.0.0.0\t33\t64500"], "line 1"),
        ([b"10.0.0.9\t10.0.0.1\t64500\tUS\tX"], "line 1"),
        ([b"10.0.0.0\t8\t99999999999"], "line 1"),
        ([b"10.0.0.0\t10.0.0.255\t64500\tUSA\tX"], "line 1"),
        ([b"\xff\t8\t64500"], "line 1"),
    ],
)
def test_a_fault_names_its_line(lines: list[bytes], reason: str) -> None:
    with pytest.raises(Wrong, match=reason):
        parse_networks(lines)


def test_a_name_is_cut_and_has_nothing_that_controls_a_terminal() -> None:
    table = parse_networks([b"10.0.0.0\t10.255.255.255\t64500\tNO\t\x1b[31m" + b"x" * 500 + b"\xff"])
    origin = table.origin("10.0.0.0/24")
    assert origin is not None
    assert origin.name == "[31m" + "x" * 56


def test_a_file_may_be_compressed_and_is_checked_by_its_beginning(tmp_path: Path) -> None:
    plain, packed = tmp_path / "table.tsv", tmp_path / "table.tsv.gz"
    plain.write_bytes(IP2ASN)
    packed.write_bytes(gzip.compress(IP2ASN))
    for path in (plain, packed):
        check_networks(str(path))
        assert len(read_networks(str(path))) == 4
    packed.write_bytes(gzip.compress(IP2ASN * 40)[:-20])
    with pytest.raises(Wrong, match=r"damaged|order"):
        read_networks(str(packed))
    plain.write_bytes(IP2ASN + b"0.0.0.0\t8\t1\n")
    with pytest.raises(Wrong, match=r"line 6"):
        read_networks(str(plain))
    with pytest.raises(Wrong, match="cannot be read: No such file"):
        check_networks(str(tmp_path / "missing"))
    with pytest.raises(Wrong, match="cannot be read: Is a directory"):
        check_networks(str(tmp_path))
