"""Our client and server understand each other, for any mail and any split on the wire."""

from hypothesis import given, settings
from hypothesis import strategies as st

from secondpost.mail.address import NULL_PATH, Domain, Mailbox
from secondpost.protocols.smtp.client import RECIPIENTS_MAX, Phase
from tests.protocols.pair import ConnectionPair
from tests.protocols.reference import with_crlf

BODY_PIECES = st.lists(
    st.one_of(
        st.sampled_from([b"\r", b"\n", b".", b"\r\n", b"\r\n.", b"\r\n.\r\n", b"..", b"\0"]),
        st.binary(max_size=20),
    ),
    max_size=20,
)
CUTS = st.lists(st.integers(min_value=1, max_value=60), min_size=1, max_size=10)
EXAMPLE = Domain("example.net")
ANNA = Mailbox("anna", Domain("example.org"))
BERT = Mailbox("bert", EXAMPLE)
LOCAL_PARTS = st.sampled_from(["bert", "carl", "refused", "later"])


def arrived(pieces: list[bytes]) -> bytes:
    content, _ = with_crlf(b"".join(pieces))
    return content if len(content) == 0 or content.endswith(b"\r\n") else content + b"\r\n"


@settings(max_examples=300)
@given(BODY_PIECES, CUTS, st.booleans(), st.booleans())
def test_any_content_arrives_as_it_was_sent(
    pieces: list[bytes], cuts: list[int], pipelining: bool, tls: bool
) -> None:
    pair = ConnectionPair(cuts, pipelining=pipelining, tls=tls)
    results = pair.send(ANNA, [BERT], pieces)
    assert results is not None
    assert [(result.phase, result.reply.code) for result in results] == [(Phase.DOT, 250)]
    assert pair.server.messages == [arrived(pieces)]
    assert not pair.client.dot_sent


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["anna", "refused", "later", ""]),
            st.lists(LOCAL_PARTS, min_size=1, max_size=5),
            BODY_PIECES,
        ),
        max_size=4,
    ),
    CUTS,
    st.booleans(),
)
def test_each_recipient_learns_its_own_fate_message_after_message(
    messages: list[tuple[str, list[str], list[bytes]]], cuts: list[int], pipelining: bool
) -> None:
    pair = ConnectionPair(cuts, pipelining=pipelining, tls=False)
    expected = []
    for sender, locals_, pieces in messages:
        assert pair.client.ready
        path = NULL_PATH if sender == "" else Mailbox(sender, EXAMPLE)
        results = pair.send(path, [Mailbox(local, EXAMPLE) for local in locals_], pieces)
        assert results is not None
        code = {"refused": 550, "later": 451}
        if sender in code:
            fates = [(Phase.MAIL, code[sender])] * len(locals_)
        else:
            fates = [(Phase.RCPT, code[local]) if local in code else (Phase.DOT, 250) for local in locals_]
        assert [(result.phase, result.reply.code) for result in results] == fates
        if (Phase.DOT, 250) in fates:
            expected.append(arrived(pieces))
    assert pair.server.messages == expected
    pair.quit()
    assert pair.bye


def test_the_longest_list_of_recipients_goes_in_one_group() -> None:
    pair = ConnectionPair([1 << 20], pipelining=True, tls=False)
    results = pair.send(ANNA, [Mailbox(f"reader{n}", EXAMPLE) for n in range(RECIPIENTS_MAX)], [b"Hello\r\n"])
    assert results is not None
    assert len(results) == RECIPIENTS_MAX
    assert pair.server.messages == [b"Hello\r\n"]
