"""Verifies a whole message against key records, as arriving mail is verified."""

from collections.abc import Callable, Generator

from secondpost.mail.authentication import AuthResult
from secondpost.mail.questions import Finding, NameAnswer, NameQuestion, Txt, TxtAnswer
from secondpost.protocols.dkim.arrival import SignatureCheck, SignaturesFound
from secondpost.world.real.keys import proves

RecordsOf = Callable[[str], TxtAnswer]


def records_by_selector(records: dict[str, str]) -> RecordsOf:
    """The records of any domain, by the first label of their name."""
    return lambda name: txt_answer(records.get(name.partition(".")[0]))


def txt_answer(text: str | None) -> TxtAnswer:
    return TxtAnswer(Finding.NO_NAME) if text is None else TxtAnswer(Finding.FOUND, (text,))


def verified(message: bytes, records_of: RecordsOf, now_s: int) -> SignaturesFound:
    header, body = header_and_body(message)
    check = SignatureCheck(header, now_s)
    check.add_body(body)
    return answered(check, records_of)


def dkim_results(message: bytes, records_of: RecordsOf, now_s: int) -> list[AuthResult]:
    return [each.result for each in verified(message, records_of, now_s).dkim]


def header_and_body(message: bytes) -> tuple[bytes, bytes]:
    if message.startswith(b"\r\n"):
        return b"", message[2:]
    header, empty_line, body = message.partition(b"\r\n\r\n")
    return (header + b"\r\n", body) if len(empty_line) > 0 else (message, b"")


def answered(check: SignatureCheck, records_of: RecordsOf) -> SignaturesFound:
    asking: Generator[NameQuestion, NameAnswer, SignaturesFound] = check.found(proves)
    try:
        question = next(asking)
        while True:
            assert isinstance(question, Txt)
            question = asking.send(records_of(question.name))
    except StopIteration as stop:
        found: SignaturesFound = stop.value
        return found
