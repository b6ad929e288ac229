"""Who sent a message is found out as it arrives: DNS is a dict, and deliver may be silent."""

import asyncio
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from secondpost.config.records import AnyRecipient, Authenticate, Backup
from secondpost.mail.address import Domain
from secondpost.mail.authentication import AuthResult
from secondpost.mail.content import IN_TABLE_OCTETS_MAX, InFile
from secondpost.mail.dns_questions import AddressRecords
from secondpost.mail.envelope import Arrival
from secondpost.mail.network import site_prefix
from secondpost.mail.questions import AddressAnswer, Finding, Txt, TxtAnswer
from secondpost.protocols.dkim.arrival import SIGNATURES_MAX
from secondpost.protocols.mime.arriving_header import HEADER_OCTETS_MAX
from secondpost.protocols.role_questions import PublicAnswer, PublicQuestion
from secondpost.receive.authenticating import EVALUATION_SECONDS_MAX, POLICY_SECONDS_MAX
from secondpost.receive.names import OPEN_OF_NETWORK_MAX, MessageNames
from tests.protocols import dkimpy_says
from tests.protocols.dkim_keys import keys
from tests.protocols.test_arc import sealed
from tests.stations.test_receive import BODY, DOMAIN, ENVELOPE, Office, content_of, in_office

ADDRESS = "192.0.2.77"  # of the client
MESSAGE = (
    b"From: Ann <ann@elsewhere.example>\r\nTo: anna@example.net\r\nSubject: hello\r\n"
    b"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@elsewhere.example>\r\n\r\nHello.\r\n"
)
FORGED = b"Authentication-Results: mx2.example.net;\r\n\tspf=pass smtp.mailfrom=bank.example\r\n"


def found(*texts: str) -> TxtAnswer:
    return TxtAnswer(Finding.FOUND, texts)


def zone(policy: str = "reject") -> dict[PublicQuestion, PublicAnswer]:
    """elsewhere.example publishes everything; its mail leaves from ADDRESS."""
    return {
        Txt("elsewhere.example"): found("v=spf1 a:out.elsewhere.example -all"),
        AddressRecords("out.elsewhere.example", 4): AddressAnswer(Finding.FOUND, (ADDRESS,)),
        Txt("sp-rsa._domainkey.elsewhere.example"): found(keys().records["sp-rsa"]),
        Txt("_dmarc.elsewhere.example"): found(f"v=DMARC1; p={policy}"),
    }


def signed(message: bytes) -> bytes:
    forms = ("relaxed", "simple")
    key = keys().rsa_pem
    return (
        dkimpy_says.signature_of(message, "sp-rsa", "elsewhere.example", key, "rsa-sha256", forms) + message
    )


def stuffed(message: bytes) -> bytes:
    return message.replace(b"\r\n.", b"\r\n..") + b".\r\n"


async def sent(
    office: Office, message: bytes, address: str = ADDRESS, split: int = 0, envelope: bytes = ENVELOPE
) -> str:
    """The reply to the dot; with `split` the message comes in pieces of so many octets."""
    client = office.call(address)
    await client.say(envelope + b"DATA\r\n")
    client.wire.out = b""
    octets = stuffed(message)
    for at in range(0, len(octets), split or len(octets)):
        client.protocol.data_received(octets[at : at + (split or len(octets))])
    while len(client.wire.out) == 0:
        await client.settle()
    return client.wire.out.decode().splitlines()[-1]


def results_in(arrival: Arrival) -> str:
    """What our field says, unfolded."""
    received, _, results = arrival.prefix.partition(b"Authentication-Results: ")
    assert received.startswith(b"Received: from ")
    assert results.endswith(b"\r\n")
    assert arrival.authentication.results.encode() == results.removesuffix(b"\r\n")
    return " ".join(results.decode().split())


def taken(office: Office) -> Arrival:
    [(arrival, _)] = office.intake.taken
    return arrival


def test_what_was_found_stands_below_our_received_field_and_the_content_is_unchanged(tmp_path: Path) -> None:
    message = signed(MESSAGE)

    async def story(office: Office) -> None:
        assert (await sent(office, message)).startswith("250 ")

    arrival = taken(in_office(tmp_path, story, authenticate=Authenticate.RECORD, zone=zone()))
    results = results_in(arrival)
    assert results.startswith("mx2.example.net; spf=pass smtp.mailfrom=elsewhere.example; dkim=pass ")
    assert "header.d=elsewhere.example" in results
    assert "; dmarc=pass (p=reject) header.from=elsewhere.example; arc=none" in results
    assert content_of(arrival) == arrival.prefix + message
    assert arrival.size == len(content_of(arrival))
    assert arrival.authentication.seal is None


def test_another_client_with_a_changed_message_fails_and_is_taken_all_the_same(tmp_path: Path) -> None:
    message = signed(MESSAGE).replace(b"Hello.", b"Hallo.")

    async def story(office: Office) -> None:
        assert (await sent(office, message, "198.51.100.1")).startswith("250 ")

    results = results_in(taken(in_office(tmp_path, story, authenticate=Authenticate.RECORD, zone=zone())))
    assert "; spf=fail " in results
    assert "; dkim=fail " in results
    assert "; dmarc=fail (p=reject) " in results


def test_the_next_message_of_a_sender_is_judged_by_its_own_from_and_its_own_client(tmp_path: Path) -> None:
    forged = MESSAGE.replace(b"From: Ann <ann@elsewhere.example>", b"From: Bank <us@bank.example>")

    async def story(office: Office) -> None:
        for message, client in (
            (MESSAGE, ADDRESS),
            (MESSAGE, ADDRESS),
            (forged, ADDRESS),
            (MESSAGE, "198.51.100.1"),
        ):
            assert (await sent(office, message, client)).startswith("250 ")

    records = zone() | {Txt("_dmarc.bank.example"): found("v=DMARC1; p=none")}
    office = in_office(tmp_path, story, authenticate=Authenticate.RECORD, zone=records)
    said = [results_in(arrival) for arrival, _ in office.intake.taken]
    assert [("spf=pass" in text, "dmarc=pass" in text) for text in said] == [
        (True, True),
        (True, True),
        (True, False),
        (False, False),
    ]


def test_for_a_domain_that_does_not_want_it_nothing_is_asked_or_added(tmp_path: Path) -> None:
    message = FORGED + signed(MESSAGE)

    async def story(office: Office) -> None:
        assert (await sent(office, message)).startswith("250 ")

    office = in_office(tmp_path, story, authenticate=Authenticate.OFF, zone=zone())
    assert office.asked == []
    assert b"Authentication-Results" not in taken(office).prefix
    assert content_of(taken(office)).endswith(message)


def test_a_silent_deliver_delays_a_message_by_its_bound_and_refuses_none(tmp_path: Path) -> None:
    spent: list[float] = []

    async def story(office: Office) -> None:
        loop_time = asyncio.get_running_loop().time()
        assert (await sent(office, signed(MESSAGE))).startswith("250 ")
        spent.append(asyncio.get_running_loop().time() - loop_time)
        office.names.close()

    office = in_office(
        tmp_path, story, authenticate=Authenticate.RECORD, zone=zone(), deliver_answers=False, enforces=True
    )
    results = results_in(taken(office))
    assert "; spf=temperror " in results
    assert "; dkim=temperror " in results
    assert "dmarc=pass" not in results
    assert spent[0] < EVALUATION_SECONDS_MAX + POLICY_SECONDS_MAX + 1


def test_the_next_message_of_a_sender_asks_nothing_and_waits_for_nothing(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        for _ in range(2):
            await sent(office, signed(MESSAGE))
        asked = list(office.asked)
        await sent(office, signed(MESSAGE))
        assert office.asked == asked

    office = in_office(tmp_path, story, authenticate=Authenticate.RECORD, zone=zone())
    assert len(office.asked) == len(set(office.asked)) == len(zone())


def test_the_null_sender_is_judged_by_the_name_in_helo(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        envelope = b"EHLO out.elsewhere.example\r\nMAIL FROM:<>\r\nRCPT TO:<anna@example.net>\r\n"
        assert (await sent(office, MESSAGE, envelope=envelope)).startswith("250 ")

    helo: dict[PublicQuestion, PublicAnswer] = {Txt("out.elsewhere.example"): found("v=spf1 a -all")}
    office = in_office(tmp_path, story, authenticate=Authenticate.RECORD, zone=zone() | helo)
    assert "; spf=pass smtp.helo=out.elsewhere.example; " in results_in(taken(office))


@pytest.mark.parametrize("split", [0, 1, 2, 3, 7, 64])
def test_results_under_our_name_are_left_out_over_any_split(tmp_path: Path, split: int) -> None:
    other = b"Authentication-Results: mx.other.example; spf=pass\r\n"
    before, after = b"Received: from x.example\r\n\tby y.example; now\r\n", MESSAGE

    async def story(office: Office) -> None:
        message = before + FORGED + other + FORGED.replace(b"mx2.ex", b" (a) MX2.eX") + after
        assert (await sent(office, message, split=split)).startswith("250 ")

    office = in_office(tmp_path, story, authenticate=Authenticate.RECORD, zone=zone())
    arrival = taken(office)
    assert content_of(arrival) == arrival.prefix + before + other + after
    assert "forged-results" in "\n".join(office.lines)
    assert "fields=2" in "\n".join(office.lines)
    assert "smtp.mailfrom=bank.example" not in results_in(arrival)


@pytest.mark.parametrize("split", [0, 1, 2, 3])
@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r", b"\r\r\n"])
def test_a_first_line_that_would_continue_our_field_is_left_out(
    tmp_path: Path, split: int, end: bytes
) -> None:
    lines = b" ; dkim=pass header.d=bank.example;" + end + b"\tdmarc=pass header.from=bank.example" + end

    async def story(office: Office) -> None:
        assert (await sent(office, lines + MESSAGE, split=split)).startswith("250 ")

    office = in_office(tmp_path, story, authenticate=Authenticate.SEAL, zone=zone())
    arrival = taken(office)
    assert content_of(arrival) == arrival.prefix + MESSAGE
    assert "forged-results" in "\n".join(office.lines)


@pytest.mark.parametrize("body", [b"", b"\r\n", b"\r\nbody\r\n"])
def test_a_header_of_nothing_but_a_continued_line_is_none(tmp_path: Path, body: bytes) -> None:
    async def story(office: Office) -> None:
        assert (await sent(office, b" dmarc=pass\r\n" + body)).startswith("250 ")

    arrival = taken(in_office(tmp_path, story, authenticate=Authenticate.RECORD, zone=zone()))
    assert content_of(arrival) == arrival.prefix + body


def test_a_large_message_loses_its_forged_fields_and_nothing_else(tmp_path: Path) -> None:
    message = signed(MESSAGE + b"x" * 70 + b"\r\n") + (b"y" * 70 + b"\r\n") * (IN_TABLE_OCTETS_MAX // 36)
    whole = signed(MESSAGE + message)

    async def story(office: Office) -> None:
        assert (await sent(office, FORGED + whole, split=50_000)).startswith("250 ")

    office = in_office(tmp_path, story, authenticate=Authenticate.SEAL, zone=zone())
    arrival = taken(office)
    assert isinstance(arrival.content, InFile)
    assert office.disk.read(arrival.content.name, 0, 2 * len(whole)) == whole
    assert arrival.content.size == len(whole)
    assert "; dkim=pass " in results_in(arrival)


@pytest.mark.parametrize("message", [BODY, b"Subject: no body\r\n", b"\r\nno header\r\n", b""])
def test_a_message_without_an_author_or_a_header_or_a_body_is_taken_as_it_is(
    tmp_path: Path, message: bytes
) -> None:
    message = message.replace(b"\r\n..", b"\r\n.")

    async def story(office: Office) -> None:
        assert (await sent(office, message)).startswith("250 ")

    arrival = taken(in_office(tmp_path, story, authenticate=Authenticate.SEAL, zone=zone()))
    assert content_of(arrival) == arrival.prefix + message
    assert "; dkim=none; dmarc=" in results_in(arrival)


def test_what_a_seal_needs_is_kept_beside_the_message(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        assert (await sent(office, MESSAGE, split=5)).startswith("250 ")

    seal = taken(in_office(tmp_path, story, authenticate=Authenticate.SEAL, zone=zone())).authentication.seal
    assert seal is not None
    assert (seal.instance, seal.status) == (1, AuthResult.NONE)
    assert seal.body_hash == sha256(b"Hello.\r\n").digest()


def test_a_header_without_an_end_is_refused(tmp_path: Path) -> None:
    line = b"X-Filler: " + b"x" * 80 + b"\r\n"

    async def story(office: Office) -> None:
        reply = await sent(office, line * (HEADER_OCTETS_MAX // len(line) + 2) + MESSAGE, split=40_000)
        assert reply.startswith("552 5.3.4 ")

    office = in_office(tmp_path, story, authenticate=Authenticate.RECORD, zone=zone())
    assert office.intake.taken == []


@pytest.mark.parametrize(("policy", "code"), [("reject", "550 5.7.26 "), ("quarantine", "250 ")])
def test_what_the_authors_domain_asks_to_refuse_is_refused_where_that_is_enforced(
    tmp_path: Path, policy: str, code: str
) -> None:
    async def story(office: Office) -> None:
        assert (await sent(office, MESSAGE, "198.51.100.1")).startswith(code)
        assert (await sent(office, MESSAGE)).startswith("250 ")

    in_office(tmp_path, story, authenticate=Authenticate.RECORD, zone=zone(policy), enforces=True)


def signature(domain: str, selector: str) -> bytes:
    """One with the right hash of the body, so that its key is asked for."""
    body_hash = b64encode(sha256(MESSAGE.partition(b"\r\n\r\n")[2]).digest()).decode()
    return (
        f"DKIM-Signature: v=1; a=rsa-sha256; d={domain}; s={selector}; h=from; bh={body_hash}; b=AAAA\r\n"
    ).encode()


SLOW = b"".join(signature(f"d{number}.silent.example", "s") for number in range(SIGNATURES_MAX - 1))


@pytest.mark.parametrize(
    "forged",
    [SLOW, SLOW + signature("elsewhere.example", "no-such"), SLOW + signature("elsewhere.example", "x" * 64)],
    ids=["his own", "one of the forged domain", "one of a selector that cannot be"],
)
def test_a_forger_whose_own_keys_do_not_answer_is_refused_all_the_same(tmp_path: Path, forged: bytes) -> None:
    async def story(office: Office) -> None:
        assert (await sent(office, forged + MESSAGE, "198.51.100.1")).startswith("550 5.7.26 ")
        office.names.close()

    in_office(tmp_path, story, authenticate=Authenticate.RECORD, zone=zone(), enforces=True)


BESIDE = {
    "one without an answer": "a@silent.example",
    "one below a name without an answer": "a@b.silent.example",
    "four that pass, and it is the fifth": ", ".join(f"a@d{n}.example" for n in range(4)),
    "one that cannot be read": "x@-",
    "more than are looked at": ", ".join(f"a@d{n}.example" for n in range(5)),
}


@pytest.mark.parametrize("others", BESIDE.values(), ids=BESIDE.keys())
def test_a_forged_author_cannot_hide_behind_others(tmp_path: Path, others: str) -> None:
    message = MESSAGE.replace(b"From: ", f"From: {others}, ".encode())

    async def story(office: Office) -> None:
        reply = await sent(office, signature("elsewhere.example", "silent") + message, "198.51.100.1")
        assert reply.startswith("550 5.7.26 ")
        office.names.close()

    policies: dict[PublicQuestion, PublicAnswer] = {
        Txt(f"_dmarc.d{n}.example"): found("v=DMARC1; p=none") for n in range(5)
    }
    domains = zone() | policies
    office = in_office(tmp_path, story, authenticate=Authenticate.RECORD, zone=domains, enforces=True)
    assert office.intake.taken == []


@pytest.mark.parametrize("second", [b"a@elsewhere.example", b"", b"no address"])
def test_a_second_from_field_is_refused_whatever_it_says(tmp_path: Path, second: bytes) -> None:
    async def story(office: Office) -> None:
        assert (await sent(office, MESSAGE)).startswith("250 ")
        assert (await sent(office, b"From: " + second + b"\r\n" + MESSAGE)).startswith("550 5.7.26 ")

    in_office(tmp_path, story, authenticate=Authenticate.RECORD, zone=zone(), enforces=True)


def test_a_forgery_with_a_trusted_seal_whose_key_does_not_come_is_put_off(tmp_path: Path) -> None:
    message = sealed(sealed(MESSAGE, "silent.example"), "list.silent.example")

    async def story(office: Office) -> None:
        assert (await sent(office, message, "198.51.100.1")).startswith("451 4.4.3 ")
        assert "reason=dmarc-unsure" in "\n".join(office.lines)
        office.names.close()

    backup = Backup(
        DOMAIN,
        recipients=(AnyRecipient(),),
        trusted_sealers=(Domain("silent.example"), Domain("list.silent.example")),
    )
    office = in_office(
        tmp_path, story, authenticate=Authenticate.RECORD, zone=zone(), enforces=True, backup=backup
    )
    assert office.intake.taken == []


def test_slow_names_of_a_network_do_not_keep_the_forged_domains_policy_from_being_read(
    tmp_path: Path,
) -> None:
    async def story(office: Office) -> None:
        names = MessageNames(office.names, site_prefix("198.51.100.9"), 1e9)
        many = [names.answer(Txt(f"n{number}.silent.example")) for number in range(OPEN_OF_NETWORK_MAX)]
        waiting = asyncio.gather(*many, return_exceptions=True)
        await asyncio.sleep(0)  # all are asked
        envelope = ENVELOPE.replace(b"a@elsewhere.example", b"a@forger.example")
        reply = await sent(office, MESSAGE, "198.51.100.1", envelope=envelope)
        assert reply.startswith("550 5.7.26 ")
        office.names.close()
        await waiting

    in_office(tmp_path, story, authenticate=Authenticate.RECORD, zone=zone(), enforces=True)


def test_a_client_that_leaves_takes_its_questions_along(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        client = office.call(ADDRESS)
        await client.say(ENVELOPE)
        client.hang_up()
        office.names.close()

    office = in_office(tmp_path, story, authenticate=Authenticate.RECORD, zone=zone(), deliver_answers=False)
    assert office.intake.taken == []
    assert office.failures == []
