"""What dialogues cannot show of the client core: misuse by our side, and its state."""

import pytest

from secondpost.mail.address import NULL_PATH, Domain, Mailbox
from secondpost.mail.outcome import Cause
from secondpost.protocols.smtp.client import (
    RECIPIENTS_MAX,
    BodyWanted,
    Broken,
    ClientState,
    Extensions,
    RecipientResult,
    SessionReady,
    SmtpClient,
)
from secondpost.protocols.smtp.lines import OutOfTurn

BERT = Mailbox("bert", Domain("example.org"))


def ready(*, smtputf8: bool = False) -> SmtpClient:
    client = SmtpClient("mx2.example.net", wants_tls=False, requires_tls=False)
    assert list(client.feed(b"220 mx.example.org\r\n")) == []
    also = b"250-SMTPUTF8\r\n" if smtputf8 else b""
    hello = b"250-mx.example.org\r\n%b250 PIPELINING\r\n" % also
    assert next(client.feed(hello)) == SessionReady(Extensions(pipelining=True, smtputf8=smtputf8))
    client.data_to_send()
    return client


def at_the_body() -> SmtpClient:
    client = ready()
    client.send_message(NULL_PATH, [BERT], 7, False)
    assert next(client.feed(b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go ahead\r\n")) == BodyWanted()
    client.data_to_send()
    return client


@pytest.mark.parametrize("count", [0, RECIPIENTS_MAX + 1])
def test_a_message_has_some_recipients_but_not_too_many(count: int) -> None:
    client = ready()
    with pytest.raises(OutOfTurn):
        client.send_message(NULL_PATH, [BERT] * count, 7, False)
    assert client.state is ClientState.READY


@pytest.mark.parametrize("local", ["bert\r\nDATA", "bert\n", "b\0", "bé\r\nDATA", "bé\x85", "bé\u2028"])
def test_no_address_can_carry_a_command(local: str) -> None:
    client = ready(smtputf8=True)
    with pytest.raises(OutOfTurn):
        client.send_message(NULL_PATH, [Mailbox(local, Domain("example.org"))], 7, False)
    assert client.data_to_send() == b""


def test_bytes_of_which_no_event_was_taken_are_not_lost() -> None:
    client = SmtpClient("mx2.example.net", wants_tls=False, requires_tls=False)
    client.feed(b"220 mx.example.org\r\n")
    assert list(client.feed()) == []
    assert client.data_to_send() == b"EHLO mx2.example.net\r\n"


def test_verbs_out_of_turn_are_our_own_fault() -> None:
    client = ready()
    for verb in (client.end_body, client.tls_started):
        with pytest.raises(OutOfTurn):
            verb()
    with pytest.raises(OutOfTurn):
        client.send_body(b"Hello")
    client.send_message(NULL_PATH, [BERT], 7, False)
    with pytest.raises(OutOfTurn):
        client.send_message(NULL_PATH, [BERT], 7, False)
    with pytest.raises(OutOfTurn):
        client.quit()


def dot_sent(client: SmtpClient) -> bool:
    return client.dot_sent


def test_the_outcome_is_unknown_only_between_the_dot_and_its_reply() -> None:
    client = at_the_body()
    client.send_body(b"Hello\r\n")
    assert not dot_sent(client)
    client.end_body()
    assert dot_sent(client)
    assert client.replies_so_far() == (None,)
    assert len(list(client.feed(b"250 2.0.0 Ok\r\n"))) == 1
    assert not dot_sent(client)
    assert client.replies_so_far() == ()


def test_no_dot_goes_to_a_server_that_spoke_before_it() -> None:
    """Otherwise its early 250 would count as acceptance of a message it had not seen completely."""
    client = ready()
    client.send_message(NULL_PATH, [BERT], 7, False)
    client.data_to_send()
    assert (
        next(client.feed(b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go ahead\r\n250 2.0.0 Ok\r\n")) == BodyWanted()
    )
    client.send_body(b"Hello\r\n")
    client.end_body()
    assert not client.dot_sent
    assert client.data_to_send() == b"Hello\r\n"
    broken = next(client.feed())
    assert isinstance(broken, Broken)
    assert broken.cause is Cause.GARBLED


@pytest.mark.parametrize(
    ("early", "cause"),
    [
        (b"421 4.3.2 Closing\r\n", Cause.SHUTDOWN),
        (b"552 5.3.4 Too much\r\n", Cause.MESSAGE),
        (b"552", Cause.GARBLED),
    ],
)
def test_what_came_before_the_dot_is_heard_before_it(early: bytes, cause: Cause) -> None:
    client = at_the_body()
    client.feed(early)
    client.end_body()
    broken = next(client.feed())
    assert isinstance(broken, Broken)
    assert broken.cause is cause
    assert client.data_to_send() == b""


def test_after_the_end_nothing_is_heard_or_said() -> None:
    client = ready()
    assert isinstance(next(client.feed(b"421 4.3.2 Closing\r\n")), Broken)
    assert list(client.feed(b"250 Ok\r\n")) == []
    assert client.data_to_send() == b""
    with pytest.raises(OutOfTurn):
        client.quit()


def test_what_is_settled_is_known_before_the_message_is_done() -> None:
    client = ready()
    client.send_message(NULL_PATH, [BERT, BERT], 7, False)
    assert list(client.feed(b"250 2.1.0 Ok\r\n550 5.1.1 No such mailbox\r\n")) == []
    first, second = client.replies_so_far()
    assert isinstance(first, RecipientResult)
    assert first.reply.code == 550
    assert second is None
