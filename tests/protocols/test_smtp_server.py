"""What dialogues cannot show of the server core: misuse by our side, and limits."""

import pytest

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.lines import OutOfTurn
from secondpost.protocols.smtp.server import SmtpServer
from secondpost.protocols.smtp.server_events import (
    BodyEnd,
    BodyPiece,
    BodyRefused,
    DataBegin,
    Event,
    Hello,
    MailFrom,
    MustSend,
    RcptTo,
    StartTls,
)
from secondpost.protocols.smtp.server_limits import Limits
from secondpost.protocols.smtp.server_states import ServerState

HOST = Domain.parse("mx.example.net")
OK = Reply.of(250, "2.0.0", "Ok")
GO_AHEAD = Reply.of(354, "", "Go ahead")
CLOSING = Reply.of(421, "4.3.2", "Closing")
NO_ROOM = Reply.of(452, "4.3.1", "No room")
GROUP = b"MAIL FROM:<anna@example.org> SIZE=9\r\nRCPT TO:<bert@example.net>\r\nDATA\r\n"


def first_event(server: SmtpServer, data: bytes = b"") -> Event | None:
    """The first event; the others wait for the next call."""
    return next(server.feed(data), None)


def greeted(*, offers_tls: bool = False) -> SmtpServer:
    server = SmtpServer(HOST, Limits(size_max=1000), offers_tls=offers_tls, refuse_bare_newlines=False)
    server.greeting()
    assert list(server.feed(b"EHLO client.example\r\n")) == [Hello("client.example", True)]
    server.data_to_send()
    return server


def in_the_body() -> SmtpServer:
    server = greeted()
    events = server.feed(GROUP)
    assert next(events) == MailFrom(Mailbox("anna", Domain("example.org")), 9, False)
    server.answer(OK)
    assert next(events) == RcptTo(Mailbox("bert", Domain("example.net")))
    server.answer(OK)
    assert server.recipients == 1
    assert next(events) == DataBegin()
    server.answer(GO_AHEAD)
    server.data_to_send()
    return server


def test_nothing_is_read_while_an_answer_is_awaited() -> None:
    server = greeted()
    events = server.feed(GROUP)
    assert isinstance(next(events), MailFrom)
    assert list(events) == []
    assert list(server.feed(b"more")) == []
    assert server.octets_waiting == len(GROUP) - len(b"MAIL FROM:<anna@example.org> SIZE=9\r\n") + 4
    assert server.data_to_send() == b""
    server.answer(OK)
    assert isinstance(first_event(server), RcptTo)


def test_bytes_are_kept_though_no_event_is_taken() -> None:
    server = greeted()
    server.feed(GROUP[:10])
    server.feed(GROUP[10:])
    assert isinstance(first_event(server), MailFrom)


def test_the_replies_to_a_group_leave_in_one_write() -> None:
    server = greeted()
    for _ in server.feed(GROUP):
        server.answer(GO_AHEAD if server.state is ServerState.DATA_ASKED else OK)
    assert server.data_to_send() == b"250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n354 Go ahead\r\n"
    assert server.data_to_send() == b""


def test_an_answer_to_no_question_is_our_own_fault() -> None:
    server = greeted()
    with pytest.raises(OutOfTurn):
        server.answer(OK)
    with pytest.raises(OutOfTurn):
        server.greeting()
    with pytest.raises(OutOfTurn):
        server.tls_started()
    assert server.data_to_send() == b""


def test_only_354_opens_a_body() -> None:
    server = greeted()
    for _ in server.feed(GROUP):
        server.answer(OK)
    assert server.state is ServerState.READY
    assert server.recipients == 0


def test_a_refusal_between_the_last_piece_and_the_end_is_not_too_late() -> None:
    server = in_the_body()
    events = server.feed(b"Hello\r\n.\r\nNOOP\r\n")
    assert next(events) == BodyPiece(b"Hello\r\n")
    server.refuse_body(NO_ROOM)
    server.refuse_body(CLOSING)
    assert list(events) == [BodyRefused(NO_ROOM, 0, 0)]
    assert server.data_to_send() == b"452 4.3.1 No room\r\n250 2.0.0 Ok\r\n"


def test_a_late_refusal_of_a_body_that_is_over_is_ignored() -> None:
    server = in_the_body()
    assert list(server.feed(b"Hello\r\n.\r\n")) == [BodyPiece(b"Hello\r\n"), BodyEnd(7, 0, 0)]
    server.refuse_body(NO_ROOM)
    assert server.state is ServerState.END_ASKED
    server.answer(OK)
    server.refuse_body(NO_ROOM)
    assert server.data_to_send() == b"250 2.0.0 Ok\r\n"


def test_abandoning_says_421_once_and_forgets_what_was_to_come() -> None:
    server = in_the_body()
    events = server.feed(b"Hello\r\n.\r\n")
    server.abandon(CLOSING)
    server.abandon(CLOSING)
    assert list(events) == []
    assert list(server.feed(b"NOOP\r\n")) == []
    assert server.data_to_send() == b"421 4.3.2 Closing\r\n"
    assert server.octets_waiting == 0


def test_nothing_is_said_in_the_clear_once_a_handshake_has_begun() -> None:
    server = greeted(offers_tls=True)
    assert list(server.feed(b"STARTTLS\r\n")) == [StartTls()]
    server.data_to_send()
    server.abandon(CLOSING)
    assert server.data_to_send() == b""


def test_after_the_handshake_the_client_is_a_stranger() -> None:
    server = greeted(offers_tls=True)
    assert (server.hello, server.extended, server.tls) == ("client.example", True, False)
    assert list(server.feed(b"STARTTLS\r\n")) == [StartTls()]
    server.tls_started()
    assert (server.hello, server.extended, server.tls) == (None, False, True)


def test_a_long_pipeline_is_read_in_linear_time() -> None:
    server = SmtpServer(
        HOST,
        Limits(size_max=1000, recipients_max=10),
        offers_tls=False,
        refuse_bare_newlines=False,
    )
    server.greeting()
    pipelined = b"EHLO client.example\r\nMAIL FROM:<>\r\n" + b"RCPT TO:<bert@example.net>\r\n" * 20_000
    questions, replies, unsent_max = 0, 0, 0
    for event in server.feed(pipelined):
        if isinstance(event, MustSend):
            said = server.data_to_send()
            replies += said.count(b"452 4.5.3 ")
            unsent_max = max(unsent_max, said.count(b"\r\n"))
        elif isinstance(event, MailFrom | RcptTo):
            questions += 1
            server.answer(OK)
    assert questions == 1 + 10
    assert replies + server.data_to_send().count(b"452 4.5.3 ") == 20_000 - 10
    assert unsent_max < 120, "no more is read than may be answered at once"


def test_nothing_more_is_read_before_the_replies_are_sent() -> None:
    limits = Limits(size_max=1000, idle_commands_max=1000)
    server = SmtpServer(HOST, limits, offers_tls=False, refuse_bare_newlines=False)
    server.greeting()
    server.data_to_send()
    assert list(server.feed(b"NOOP\r\n" * 100 + b"EHLO client.example\r\n")) == [MustSend()]
    assert list(server.feed()) == [MustSend()]
    server.data_to_send()
    assert list(server.feed()) == [Hello("client.example", True)]
