"""A certificate from a real Pebble is renewed several times, with its key, while clients connect anew all the
time: none of them sees a handshake fail, or a certificate that it could not trust.
"""

import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509

from tests.against.t11_certificates.service import (
    HOST,
    PAGES,
    POLICY,
    WAIT_SECONDS_MAX,
    Callers,
    Place,
    served,
    shown_by_https,
    shown_by_smtp,
)

RENEWALS = 3  # with the first order as many as an hour may have
CALLERS = 3  # of each kind


@pytest.mark.parametrize("challenge", ["http-01", "tls-alpn-01"])
def test_no_handshake_fails_while_the_certificate_is_renewed(place: Path, challenge: str) -> None:
    with served(place, f'challenge = "{challenge}"') as it:
        first = it.wait("the first certificate", lambda shown: shown["ends"] is not None)
        assert first["names"] == [HOST, PAGES, POLICY]
        context = ssl.create_default_context(cadata=it.authority.issuing_root())
        until_shown(it, context)
        with Callers(calls(it, context)) as callers:
            until_all_saw(callers, it.certificate())
            for _ in range(RENEWALS):
                renew(it)
                until_all_saw(callers, it.certificate())
        assert callers.faults == []
        seen = {name: len(set(serials)) for name, serials in callers.seen.items()}
        assert set(seen.values()) == {RENEWALS + 1}, seen
        assert it.show()["record"] == first["record"]  # the key stayed
        assert "certificate-refused" not in it.secondpost.output.read_text()
        print(sum(map(len, callers.seen.values())), "handshakes, none failed")


def renew(it: Place) -> None:
    before = it.certificate()
    it.secondpost.run("tls", "renew")
    it.wait("a new certificate", lambda _: it.certificate() != before)


def calls(it: Place, context: ssl.SSLContext) -> dict[str, Callable[[], str]]:
    kinds: dict[str, Callable[[], bytes]] = {
        "SMTP": lambda: shown_by_smtp(it.secondpost.port, context),
        "HTTPS": lambda: shown_by_https(it.authority.tls_port, context),
    }

    def shown(kind: str) -> Callable[[], str]:
        return lambda: serial(x509.load_der_x509_certificate(kinds[kind]()))

    return {f"{kind} {number}": shown(kind) for kind in kinds for number in range(CALLERS)}


def serial(certificate: x509.Certificate) -> str:
    return f"{certificate.serial_number:x}"


def until_shown(it: Place, context: ssl.SSLContext) -> None:
    """Wait until both roles show the first certificate."""
    ends = time.monotonic() + WAIT_SECONDS_MAX
    for call in calls(it, context).values():
        while True:
            try:
                call()
                break
            except (OSError, AssertionError):
                assert time.monotonic() < ends, it.secondpost.trouble()
                time.sleep(0.2)


def until_all_saw(callers: Callers, certificate: x509.Certificate) -> None:
    ends = time.monotonic() + WAIT_SECONDS_MAX
    while not all(serial(certificate) in serials[-5:] for serials in callers.seen.values()):
        assert time.monotonic() < ends, callers.faults
        assert callers.faults == []
        time.sleep(0.2)
