"""No question from outside leads to another file of the store."""

import pytest

from secondpost.mail.own_certificate import (
    HOST_CHARACTERS_MAX,
    TOKEN_CHARACTERS_MAX,
    alpn_answer,
    http_answer,
)


def test_each_answer_has_a_file_of_its_own() -> None:
    assert http_answer("DGyRejmCefe7v4NfDGDKfA_-1") == "acme/http-01/DGyRejmCefe7v4NfDGDKfA_-1"
    assert alpn_answer("MX.example.net.") == "acme/tls-alpn-01/mx.example.net.pem"


@pytest.mark.parametrize(
    "token", ["", ".", "..", "../account.pem", "a/b", "a\0b", "ä", "a\n", "x" * (TOKEN_CHARACTERS_MAX + 1)]
)
def test_what_is_no_token_names_no_file(token: str) -> None:
    assert http_answer(token) is None


@pytest.mark.parametrize(
    "host", ["", ".", "..", "../server", "a/b", "a..b", "a\0", "ä.example", "a" * 64, "a." * 127 + "a"]
)
def test_what_is_no_host_names_no_file(host: str) -> None:
    assert alpn_answer(host) is None


def test_the_longest_host_has_a_file() -> None:
    host = ".".join(["a" * 61] * 4) + ".bc.de"
    assert len(host) == HOST_CHARACTERS_MAX
    assert alpn_answer(host) is not None
