"""What dialogues cannot show of logins: names and passwords of all kinds, and a server of SCRAM."""

import hashlib
import hmac
from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.mail.outcome import Cause
from secondpost.mail.reply import Reply
from secondpost.protocols.sasl.credentials import Credentials, LoginFault, Salting
from secondpost.protocols.sasl.saslprep import CannotPrepare, prepared
from secondpost.protocols.sasl.scram import ITERATIONS_MIN, ScramMechanism
from secondpost.protocols.smtp.client import Broken, ClientState, Event, Extensions, SaltingWanted, SmtpClient
from secondpost.protocols.smtp.lines import OutOfTurn

NONCE = "rOprNGfwEbeRWgbNEkqO"
TEXTS = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        # The examples of RFC 4013 §3.
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        # Others.
        ("a\u00a0b\u3000c", "a b c"),
        ("e\u0301", "\u00e9"),
        ("\u0627\u0628\u0629", "\u0627\u0628\u0629"),
        ("\u05d01\u05d0", "\u05d01\u05d0"),
        ("\U0001f511", "\U0001f511"),  # unassigned in Unicode 3.2: allowed in a query
    ],
)
def test_texts_that_look_the_same_are_prepared_alike(text: str, result: str) -> None:
    assert prepared(text) == result


@pytest.mark.parametrize(
    "text",
    [
        "\x07",  # RFC 4013 §3
        "\u06271",  # RFC 4013 §3: does not end from right to left
        "1\u0627",
        "\u0627a\u0627",
        "a\x7f",
        "\ue000",
        "\ufffd",
        "\ufdd0",
        "\U000e0001",
    ],
)
def test_characters_that_are_prohibited(text: str) -> None:
    with pytest.raises(CannotPrepare) as fault:
        prepared(text)
    assert text not in str(fault.value)


class ScramServer:
    """A server of SCRAM-SHA-256, written from RFC 5802; it knows the password as a text."""

    def __init__(self, username: str, password: str, salt: bytes, iterations: int) -> None:
        self._username = username
        self._salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
        self._salt = salt
        self._iterations = iterations
        self._said = ""

    def challenge(self, first: str) -> str:
        assert first.startswith("n,,")
        name, nonce = (attribute[2:] for attribute in first.removeprefix("n,,").split(","))
        assert name.replace("=2C", ",").replace("=3D", "=") == self._username
        self._nonce = f"{nonce}theirs"
        challenge = f"r={self._nonce},s={b64encode(self._salt).decode()},i={self._iterations}"
        self._said = f"{first.removeprefix('n,,')},{challenge}"
        return challenge

    def final(self, last: str) -> str | None:
        """The server's proof; None if the client's is wrong."""
        without_proof, _, proof = last.partition(",p=")
        assert without_proof == f"c=biws,r={self._nonce}"
        said = f"{self._said},{without_proof}".encode()
        stored = hashlib.sha256(self._key(b"Client Key")).digest()
        signature = hmac.digest(stored, said, "sha256")
        client_key = bytes(a ^ b for a, b in zip(b64decode(proof), signature, strict=True))
        if hashlib.sha256(client_key).digest() != stored:
            return None
        return f"v={b64encode(hmac.digest(self._key(b'Server Key'), said, 'sha256')).decode()}"

    def _key(self, name: bytes) -> bytes:
        return hmac.digest(self._salted, name, "sha256")


def last_message(mechanism: ScramMechanism, server: ScramServer) -> str:
    first = mechanism.respond("")
    assert isinstance(first, bytes)
    salting = mechanism.respond(in_base64(server.challenge(first.decode())))
    assert isinstance(salting, Salting)
    return mechanism.salted(salting.salted_password()).decode()


def in_base64(text: str) -> str:
    return b64encode(text.encode()).decode()


@given(TEXTS, TEXTS, st.binary(min_size=1, max_size=40))
def test_client_and_server_of_scram_prove_themselves(username: str, password: str, salt: bytes) -> None:
    mechanism = ScramMechanism(Credentials(username, password, NONCE))
    server = ScramServer(username, password, salt, ITERATIONS_MIN)
    final = server.final(last_message(mechanism, server))
    assert final is not None
    with pytest.raises(LoginFault):
        mechanism.end()
    assert mechanism.respond(in_base64(final)) == b""
    mechanism.end()


@given(TEXTS, TEXTS, st.binary(min_size=1, max_size=40))
def test_who_does_not_know_the_password_proves_nothing(one: str, other: str, salt: bytes) -> None:
    mechanism = ScramMechanism(Credentials("user", one, NONCE))
    server = ScramServer("user", other, salt, ITERATIONS_MIN)
    final = server.final(last_message(mechanism, server))
    assert (final is None) == (one != other)


def test_a_server_that_refuses_without_end_is_answered_once() -> None:
    mechanism = ScramMechanism(Credentials("user", "pencil", NONCE))
    last_message(mechanism, ScramServer("user", "pencil", b"salt", ITERATIONS_MIN))
    refusal = in_base64("e=invalid-proof")
    assert mechanism.respond(refusal) == b""
    with pytest.raises(LoginFault):
        mechanism.respond(refusal)
    with pytest.raises(LoginFault):
        mechanism.end()


@given(st.binary(max_size=200))
def test_no_challenge_upsets_scram(challenge: bytes) -> None:
    for text in (b64encode(challenge).decode(), challenge.decode("latin-1")):
        mechanism = ScramMechanism(Credentials("user", "pencil", NONCE))
        mechanism.respond("")
        with pytest.raises(LoginFault):
            mechanism.respond(text)


def test_no_secret_is_in_a_representation() -> None:
    credentials = Credentials("user", "pencil", NONCE)
    salting = Salting(b"pencil", b"salt", ITERATIONS_MIN)
    shown = repr((credentials, salting, SaltingWanted(salting)))
    assert "pencil" not in shown
    assert NONCE not in shown


@pytest.mark.parametrize("offered", [b"AUTH PLAIN", b"AUTH SCRAM-SHA-256"])
def test_a_login_that_no_line_can_carry_is_not_begun(offered: bytes) -> None:
    username = "\ufdfa" * 4000  # prepared it is eighteen times as long
    client = with_login(Credentials(username, "pencil", NONCE))
    (broken,) = client.feed(b"250-smtp.example\r\n250 %b\r\n" % offered)
    assert isinstance(broken, Broken)
    assert broken.cause is Cause.LOGIN
    assert "more than 12288 octets" in broken.reply.text


def test_a_salted_password_is_of_use_only_when_it_was_asked_for() -> None:
    client = at_the_login(b"AUTH PLAIN")
    with pytest.raises(OutOfTurn):
        client.salted(b"x" * 32)
    assert isinstance(next(client.feed(b"535 5.7.8 No\r\n")), Broken)
    client.salted(b"x" * 32)
    assert client.data_to_send() == b""


def with_login(credentials: Credentials) -> SmtpClient:
    client = SmtpClient(
        "mx2.example.net", wants_tls=True, requires_tls=True, tls_first=True, credentials=credentials
    )
    assert list(client.feed(b"220 smtp.example\r\n")) == []
    return client


def at_the_login(offered: bytes) -> SmtpClient:
    client = with_login(Credentials("user", "pencil", NONCE))
    assert list(client.feed(b"250-smtp.example\r\n250 %b\r\n" % offered)) == []
    client.data_to_send()
    return client


@given(
    st.sampled_from([b"AUTH PLAIN", b"AUTH LOGIN", b"AUTH SCRAM-SHA-256"]), st.lists(st.binary(max_size=40))
)
def test_no_server_gets_a_session_without_a_235(offered: bytes, said: list[bytes]) -> None:
    client = at_the_login(offered)
    events: list[Event] = []
    for data in said:
        events += client.feed(data.replace(b"235", b"234"))
    assert client.state in (ClientState.AUTH, ClientState.SALTING, ClientState.CLOSED)
    assert all(isinstance(event, Broken | SaltingWanted) for event in events)


@pytest.mark.parametrize(
    "reply", [b"235 2.7.0 Ok", b"334 ", b"535 5.7.8 No", b"250 Ok", b"AUTH PLAIN AHVzZXIAcGVuY2ls"]
)
def test_after_a_reply_to_the_login_no_secret_is_shown(reply: bytes) -> None:
    for event in at_the_login(b"AUTH PLAIN").feed(reply + b"\r\n"):
        assert "AHVzZXIAcGVuY2ls" not in repr(event)
        assert "pencil" not in repr(event)
        assert not isinstance(event, Broken) or event.cause in (Cause.LOGIN, Cause.GARBLED)


@pytest.mark.parametrize(
    ("lines", "mechanisms"),
    [
        (("AUTH PLAIN LOGIN",), {"PLAIN", "LOGIN"}),
        (("AUTH=PLAIN LOGIN",), {"PLAIN", "LOGIN"}),
        (("auth plain", "AUTH=LOGIN"), {"PLAIN", "LOGIN"}),
        (("AUTH",), set()),
        (("AUTH=",), set()),
        (("AUTHENTICATE PLAIN", "X-AUTH PLAIN"), set()),
        (("AUTH SCRAM-SHA-256 pla\u00efn " + "X" * 21,), {"SCRAM-SHA-256"}),
    ],
)
def test_the_mechanisms_of_all_lines_count(lines: tuple[str, ...], mechanisms: set[str]) -> None:
    assert Extensions.parse(Reply(250, "", ("smtp.example", *lines))).mechanisms == mechanisms
