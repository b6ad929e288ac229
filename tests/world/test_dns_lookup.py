"""The decisions of a look-up, without sockets or clock: the test plays every server."""

from collections.abc import Callable, Sequence

from secondpost.mail.questions import Finding
from secondpost.protocols.dns.lookup import (
    CHAIN_MAX,
    FAILED,
    LOOKUP_SECONDS_MAX,
    Ask,
    Carrier,
    DnsAnswer,
    DnsQuestion,
    Leads,
    RecordType,
    Silence,
    TimedReply,
    TruncatedReply,
    Unhelpful,
    UpstreamReply,
    look_up,
)

QUESTION = DnsQuestion("mx.example.net", RecordType.A)
FOUND = DnsAnswer(Finding.FOUND, ("192.0.2.1",), 300)
NO_NAME = DnsAnswer(Finding.NO_NAME, (), 60)


def play(
    reply_to: Callable[[Ask], UpstreamReply], servers: Sequence[int] = (0,)
) -> tuple[DnsAnswer, list[Ask]]:
    """The answer and all queries. A silent server uses the whole time-out."""
    asked: list[Ask] = []
    decision = look_up(QUESTION, servers)
    try:
        ask = next(decision)
        while True:
            asked.append(ask)
            reply = reply_to(ask)
            ask = decision.send(TimedReply(reply, ask.seconds if isinstance(reply, Silence) else 0.01))
    except StopIteration as stop:
        answer: DnsAnswer = stop.value
        return answer, asked


def test_one_answer_is_enough() -> None:
    answer, asked = play(lambda _: FOUND, (0, 1))
    assert answer == FOUND
    assert asked == [Ask(0, QUESTION, Carrier.UDP, 2.0)]


def test_that_there_is_no_such_name_is_an_answer_too() -> None:
    answer, asked = play(lambda _: NO_NAME, (0, 1))
    assert answer == NO_NAME
    assert len(asked) == 1


def test_a_lone_silent_server_is_asked_three_times_ever_longer() -> None:
    answer, asked = play(lambda _: Silence())
    assert answer == FAILED
    assert [ask.seconds for ask in asked] == [2.0, 3.0, 4.0]


def test_a_lost_packet_is_made_good_by_the_next_server_and_then_the_first_again() -> None:
    answer, asked = play(lambda ask: FOUND if ask.seconds == 3.0 else Silence(), (1, 0))
    assert answer == FOUND
    assert [ask.server for ask in asked] == [1, 0, 1]


def test_however_many_are_silent_the_whole_is_bounded() -> None:
    answer, asked = play(lambda _: Silence(), range(10))
    assert answer == FAILED
    assert sum(ask.seconds for ask in asked) == LOOKUP_SECONDS_MAX


def test_an_unhelpful_server_is_not_asked_again() -> None:
    answer, asked = play(lambda ask: Unhelpful("SERVFAIL") if ask.server == 0 else Silence(), (0, 1))
    assert answer == FAILED
    assert [ask.server for ask in asked] == [0, 1, 1, 1]


def test_all_unhelpful_is_a_failure_at_once() -> None:
    answer, asked = play(lambda _: Unhelpful("REFUSED"), (0, 1, 2))
    assert answer == FAILED
    assert len(asked) == 3


def test_what_is_too_much_for_udp_is_asked_over_tcp() -> None:
    answer, asked = play(lambda ask: TruncatedReply() if ask.carrier is Carrier.UDP else FOUND)
    assert answer == FOUND
    assert [ask.carrier for ask in asked] == [Carrier.UDP, Carrier.TCP]


def test_a_server_that_truncates_over_tcp_too_is_given_up() -> None:
    answer, asked = play(lambda _: TruncatedReply(), (0, 1))
    assert answer == FAILED
    assert len(asked) == 4


def test_a_cname_is_followed_and_the_shortest_life_counts() -> None:
    world: dict[str, UpstreamReply] = {
        "mx.example.net": Leads("a.example.org", 30),
        "a.example.org": Leads("b.example.org", 600),
        "b.example.org": FOUND,
    }
    answer, asked = play(lambda ask: world[ask.question.name])
    assert answer == DnsAnswer(Finding.FOUND, ("192.0.2.1",), 30)
    assert [ask.question.name for ask in asked] == list(world)


def test_cnames_in_a_circle_end() -> None:
    answer, asked = play(lambda ask: Leads("mx.example.net", 30))
    assert answer == FAILED
    assert len(asked) == CHAIN_MAX + 1


def test_without_servers_nothing_is_known() -> None:
    assert play(lambda _: FOUND, ()) == (FAILED, [])
