"""Whether a refusal is about the sender or about the reader, when both are refused with the same words."""

import time

import pytest

from secondpost.bounce.judge import Refusal, RefusalStage, judged, kind_of
from secondpost.mail.bounce_kind import BounceKind
from secondpost.mail.outcome import Cause
from secondpost.mail.reply import Reply

OURS = "b-aeaqcaqbaeaqcaqbaeaqcaqbaeaqcaqbae@mx2.example.net"
ABOUT_A_READER = (BounceKind.DEAD, BounceKind.VAGUE, BounceKind.DOMAIN, BounceKind.FULL)
JUDGEMENT_SECONDS_MAX = 0.05  # a few milliseconds on an idle machine


def at_rcpt(text: str, status: str = "") -> BounceKind:
    return kind_of(Refusal(RefusalStage.RECIPIENT, 550, status, text))


@pytest.mark.parametrize(
    "text",
    [
        "Anti-forgery: sender address user unknown at example.net",
        "From domain does not exist",
        "Header From domain unknown",
        "Mail From address does not exist",
        "mail from: unknown user",
        "invalid return path: no such user",
        "The return address is invalid",
        "Reply-To address does not exist",
        "Sender is not known here.",
        "Sender's domain is not known",
        "Sender account does not exist",
        "sender account is suspended",
        "Invalid address of sender",
        "Address verification required: sender not known to recipient",
        "The domain of your address has no MX record",
        "Your domain does not exist",
        "your hostname does not exist",
        "Your mail server is unknown",
        "No valid DNS record for your host",
        "Can't verify your domain",
        "Message rejected: your server's name does not resolve",
        "192.0.2.1 is not known to us",
        "[192.0.2.1]: host unknown in DNS",
        "unknown host 192.0.2.1",
        "Host unknown: your HELO mx2.example.net does not resolve",
        "EHLO name unknown",
        "unknown HELO",
        "HELO: domain not found",
        "Sender unbekannt",
        "Absenderadresse ungültig / unbekannt",
        "L'expéditeur est inconnu",
        "domaine expediteur inconnu",
        "Mittente sconosciuto",
        "Remitente desconocido",
        "Your account is suspended from sending",
        "mail from must have valid MX; no MX for example.net",
        "Sender has null MX",
        "Your domain has null MX, does not accept mail",
        "the sending domain does not exist",
        "Unknown sending host",
        "connecting host unknown",
        "originator address does not exist",
        "Author domain not found",
        "user unknown (sender)",
        "Sender mailbox is full",
        "Die Absenderdomain existiert nicht",
        "El remitente no existe",
        "nadawca nieznany",
        f"rejected, unknown user: {OURS}",
        f"<{OURS}>: User unknown",
        f"<{OURS}> does not exist",
    ],
)
@pytest.mark.parametrize("stage", [RefusalStage.RECIPIENT, RefusalStage.MESSAGE, RefusalStage.REPORT])
def test_a_sender_who_is_the_subject_is_at_fault(stage: RefusalStage, text: str) -> None:
    for status in ("", "5.0.0", "5.1.1"):
        assert kind_of(Refusal(stage, 550, status, text)) is BounceKind.SENDER


@pytest.mark.parametrize(
    "text",
    [
        f"recipient <reader@example.org> does not exist; your message from <{OURS}>",
        f"<reader@example.org>: User unknown, message sent from <{OURS}>",
        f"message from <{OURS}> to <reader@example.org>: user not found",
        f"User unknown (HELO mx2.example.net, MAIL FROM:<{OURS}>)",
        "<b-smith@example.org>: User unknown",
        "<sender@example.org>: Recipient address rejected: User unknown",
        "user unknown. Sender: please stop mailing",
        "Return to sender: addressee unknown",
        "Returned to sender user unknown",
        "Dear sender, the user you wrote to does not exist",
        "No such user. The sender was told",
        "Your message was not delivered: mailbox does not exist",
        "User unknown; check your address book",
        "[192.0.2.4] User unknown",
        "192.0.2.4 does not like recipient. Remote host said: 550 5.1.1 unknown user",
        "User unknown; a message that your server sent cannot be delivered",
        "Your server asked for a mailbox that does not exist: no such user here",
        "The recipient does not exist at our domain, in reply to your server",
        "Empfänger unbekannt, bitte Absender informieren",
        "destinataire inconnu (message de l'expéditeur)",
    ],
)
def test_a_mailbox_is_dead_though_the_sender_is_named_too(text: str) -> None:
    assert [at_rcpt(text, status) for status in ("", "5.1.1")] == [BounceKind.DEAD] * 2


@pytest.mark.parametrize("status", ["", "5.0.0", "5.1.1", "5.1.2", "5.2.1", "5.2.2", "5.4.4", "5.7.1"])
@pytest.mark.parametrize(
    "text", ["user unknown", "mailbox full", "unknown domain", f"<{OURS}>: invalid address", "", "rejected"]
)
def test_a_refusal_of_mail_from_is_never_about_the_reader(status: str, text: str) -> None:
    for cause in (Cause.SENDER, Cause.SENDER_POLICY):
        for code in (550, 552, 553, 556, 450, 452):
            kind = judged(cause, Reply.of(code, status if code > 500 else "4" + status[1:], text))
            assert kind not in ABOUT_A_READER


def test_a_refusal_that_an_old_store_has_without_its_stage_is_judged_by_its_words() -> None:
    assert judged(Cause.MESSAGE, Reply.of(550, "5.1.1", "user unknown")) is BounceKind.DEAD
    assert judged(Cause.MESSAGE, Reply.of(550, "5.1.8", "unknown domain")) is BounceKind.SENDER


def test_mail_from_our_server_is_no_fault_where_status_and_words_name_the_mailbox() -> None:
    text = "Unable to deliver mail from your server: unknown recipient"
    assert at_rcpt(text, "5.1.1") is BounceKind.DEAD
    assert at_rcpt("This mailbox takes no mail from your server") is BounceKind.SENDER


@pytest.mark.parametrize("status", ["5.1.1", "5.1.6", "5.1.10"])
def test_a_loose_word_about_us_does_not_outweigh_status_and_words_of_the_mailbox(status: str) -> None:
    for loose in ("company policy", "Proofpoint", "rejected by recipient verification", "abuse", "no spam"):
        assert at_rcpt(f"user unknown ({loose})", status) is BounceKind.DEAD
    for sure in ("listed at zen.spamhaus.org", "SPF check failed", "your IP is blocked", "rate limited"):
        assert at_rcpt(f"user unknown ({sure})", status) is BounceKind.SENDER


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("#5.7.1 go away", BounceKind.SENDER),
        ("refused (#5.7.1)", BounceKind.SENDER),
        ("5.7.1 go away", BounceKind.SENDER),
        ("sorry, no mailbox here by that name (#5.7.1)", BounceKind.DEAD),
        ("sorry (#5.2.2)", BounceKind.FULL),
        ("refused by Exim 5.7.1", BounceKind.VAGUE),
        ("refused, 5.7.1.9 is no status", BounceKind.VAGUE),
    ],
)
def test_a_status_in_the_text_counts_where_the_reply_has_none(text: str, kind: BounceKind) -> None:
    assert at_rcpt(text) is kind
    if kind is BounceKind.SENDER:
        assert at_rcpt(text, "5.0.0") is not BounceKind.SENDER


PIECES = (
    *(
        "sender ",
        "sender address ",
        "your host ",
        "your mail server's ",
        "192.0.2.1 ",
        "[192.0.2.1]: ",
        "helo ",
    ),
    *(
        "from ",
        "from address ",
        "mail from: ",
        "return path ",
        f"<{OURS}> ",
        "user@",
        "b-" + "a" * 60,
        "unknown ",
    ),
    *(
        "invalid ",
        "no such ",
        "not be ",
        "does not ",
        "mx record for ",
        "quota ",
        "said: 550 5.7.1 ",
        "#5.7.",
        "a",
    ),
    *(
        "mailbox unavailable ",
        "for explanation visit ",
        "host a.b [",
        "ip ",
        "blocked ",
        "tls 1.2 ",
        "compte ",
        "1.",
    ),
)


@pytest.mark.parametrize("piece", PIECES)
def test_hostile_text_is_judged_in_milliseconds(piece: str) -> None:
    text = piece * (64 * 1024 // len(piece))
    for status in ("", "5.1.1", "5.7.1"):
        took = []
        for _ in range(3):
            began = time.thread_time()
            kind_of(Refusal(RefusalStage.REPORT, 550, status, text))
            took.append(time.thread_time() - began)
        assert min(took) < JUDGEMENT_SECONDS_MAX
