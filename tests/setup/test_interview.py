"""The interview of `init`, with dicts as its world."""

from secondpost.mail.address import Domain
from secondpost.mail.dns_questions import Ptr, PtrAnswer
from secondpost.mail.questions import AddressAnswer, Addresses, Finding, Mx, MxAnswer, MxRecord
from secondpost.setup.answers import Answers, BackupAnswer
from tests.setup.interviewing import Names, interviewed

OWNER = ("me@elsewhere.example",)
BACKUP = {"--backup": ("example.net",), "--owner": OWNER}

PROVIDER: Names = {
    Mx(Domain("example.net")): MxAnswer(Finding.FOUND, (MxRecord(10, "mx1.provider.example"),)),
    Addresses("mx1.provider.example"): AddressAnswer(Finding.FOUND, ("5.5.5.5",)),
    Addresses("mx2.example.net"): AddressAnswer(Finding.FOUND, ("5.9.8.7",)),
    Ptr("5.9.8.7"): PtrAnswer(Finding.FOUND, ("mx2.example.net",)),
}


def test_a_server_in_a_data_centre_is_asked_little() -> None:
    held = interviewed(BACKUP, names=PROVIDER, answering=frozenset({"5.5.5.5"}))
    assert held.asked == ["--hostname", "--backup", "--recipients", "--feed", "--owner"]
    assert held.missing == []
    assert held.warnings == []
    assert held.answers == Answers(
        "mx2.example.net", "/var/lib/secondpost", OWNER, (BackupAnswer("example.net"),)
    )
    assert "example.net: mail goes to mx1.provider.example (10)." in held.notes
