"""Orders for readers' mails, encoded for another process and decoded."""

from secondpost.mail.signed_mail import Unsignable
from secondpost.signing.assembly import Assembly
from secondpost.signing.orders import MailSigner, SigningOrder, orders_octets, signed_of
from tests.stations.test_assembly import KEYS, TEXT, WITH_WEB, issue, reader

SIGNER = MailSigner(KEYS, WITH_WEB)
ANN, BEN = reader(1, 12, "ann@reader.example"), reader(2, 12, '"b.e.n"@[192.0.2.1]')


def test_mails_come_back_as_the_content_makes_them() -> None:
    orders = (
        SigningOrder(issue().encode(), (ANN, BEN)),
        SigningOrder(issue(text=f"Other {TEXT}").encode(), (BEN,)),
    )
    signed = signed_of(SIGNER.answer(orders_octets(orders)))
    assert signed == SIGNER.sign(orders)
    first, second = signed
    assembly = Assembly(issue(), KEYS, WITH_WEB)
    assert first == (assembly.mail_for(ANN), assembly.mail_for(BEN))
    assert isinstance(second, tuple)
    assert b"Other" in second[0].stuffed


def test_content_that_cannot_be_read_is_a_fault_of_its_own_order() -> None:
    orders = (SigningOrder(b'{"version": 99}', (ANN,)), SigningOrder(issue().encode(), (ANN,)))
    unreadable, good = signed_of(SIGNER.answer(orders_octets(orders)))
    assert unreadable == Unsignable("the content of this issue has format 99, not 1")
    assert isinstance(good, tuple)
    assert len(good) == 1
