"""Networks asked of Team Cymru in order; what got no answer is left for the next look."""

import asyncio
from collections.abc import Mapping

from secondpost.mail.arrivals import NetworkOrigin
from secondpost.mail.questions import Finding, NameAnswer, NameQuestion, Txt, TxtAnswer
from secondpost.protocols.cymru import NOWHERE
from secondpost.roles.origins import AskedOrigins

NETWORKS = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
FIRST, SECOND, THIRD = (
    Txt(f"{name}.origin.asn.cymru.com") for name in ("0.2.0.192", "0.100.51.198", "0.113.0.203")
)
NAME = Txt("AS64500.asn.cymru.com")
FAILED, NO_NAME = TxtAnswer(Finding.FAILED), TxtAnswer(Finding.NO_NAME)
ANSWERS: Mapping[NameQuestion, NameAnswer] = {
    FIRST: TxtAnswer(Finding.FOUND, ("64500 | 192.0.2.0/24 | RU | ripencc | 2001-01-01",)),
    NAME: TxtAnswer(Finding.FOUND, ("64500 | RU | ripencc | 2001-01-01 | EAST-TELECOM, RU",)),
    SECOND: NO_NAME,
    THIRD: TxtAnswer(Finding.FOUND, ("64501 | 203.0.113.0/24 | NO | ripencc | 2001-01-01",)),
    Txt("AS64501.asn.cymru.com"): FAILED,
}
EAST = NetworkOrigin(64500, "EAST-TELECOM", "RU")


def looked_up(
    answers: Mapping[NameQuestion, NameAnswer],
) -> tuple[Mapping[str, NetworkOrigin], list[NameQuestion]]:
    asked: list[NameQuestion] = []

    async def answer(question: NameQuestion) -> NameAnswer:
        asked.append(question)
        return answers[question]

    return asyncio.run(AskedOrigins(answer).look_up(NETWORKS)), asked


def test_each_network_is_found_or_is_known_to_be_nowhere() -> None:
    found, _ = looked_up(ANSWERS)
    assert found == {
        NETWORKS[0]: EAST,
        NETWORKS[1]: NOWHERE,
        NETWORKS[2]: NetworkOrigin(64501, "", "NO"),
    }


def test_after_a_question_without_an_answer_no_more_are_asked() -> None:
    found, asked = looked_up({**ANSWERS, SECOND: FAILED})
    assert found == {NETWORKS[0]: EAST}
    assert asked == [FIRST, NAME, SECOND]


def test_where_dns_is_silent_nothing_is_found() -> None:
    assert looked_up({FIRST: FAILED}) == ({}, [FIRST])
