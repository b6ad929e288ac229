"""`tls roll` beside a real Knot whose signed zone has the record `3 1 1`: senders that check DANE through a
real Unbound, with its cache, connect all the time, and each finds a record that matches.
"""

import ssl
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import dns.rdatatype
from cryptography import x509

from secondpost.world.real.certificate_key import key_of
from tests.against.t11_certificates.service import HOST, Callers, Place, served, shown_by_smtp
from tests.against.t11_certificates.test_renewed_under_load import until_shown

CALLERS = 3


def published(it: Place) -> set[str]:
    """The digests of the validated records, as a sender's resolver has them."""
    asked = dns.message.make_query(f"_25._tcp.{HOST}", dns.rdatatype.TLSA, want_dnssec=True)
    answer = dns.query.udp(asked, "127.0.0.1", 10, it.dns_port)
    assert answer.flags & dns.flags.AD != 0
    lines = [str(record) for found in answer.answer if found.rdtype == dns.rdatatype.TLSA for record in found]
    assert all(line.startswith("3 1 1 ") for line in lines)
    return {line.removeprefix("3 1 1 ") for line in lines}


def deliver(it: Place, context: ssl.SSLContext) -> str:
    """What a sender does that uses DANE: the digest of the key that it accepted."""
    records = published(it)
    digest = key_of(x509.load_der_x509_certificate(shown_by_smtp(it.secondpost.port, context))).digest
    assert digest in records, f"{digest} is not in {records}"
    return digest


def test_senders_that_check_the_record_never_find_a_mismatch(place: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # RFC 7672 §3.1.1: 3 1 1 needs no name and no authority
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with served(place) as it:
        first = it.wait("the first certificate", lambda shown: shown["ends"] is not None)
        it.publish(first["record"])
        until_shown(it, context)
        calls = {f"sender {number}": lambda: deliver(it, context) for number in range(CALLERS)}
        with Callers(calls) as callers:
            it.secondpost.run("tls", "roll")
            waiting = it.wait("a word about the record", lambda shown: shown["to_do"] != "")
            assert waiting["stage"] == "publish"
            assert waiting["to_do"] == f"add beside the record that is there: {waiting['next_record']}"
            it.publish(first["record"], waiting["next_record"])
            changed = it.wait("the change", lambda shown: str(shown["to_do"]).startswith("the new key"))
            assert (changed["stage"], changed["record"]) == ("leave", waiting["next_record"])
            it.publish(changed["record"])
            over = it.wait("the end", lambda shown: shown["stage"] == "in-use")
        assert callers.faults == []
        digests = {digest for seen in callers.seen.values() for digest in seen}
        assert {str(first["record"])[-64:], str(over["record"])[-64:]} == digests
        print(sum(map(len, callers.seen.values())), "senders, none found a mismatch")
