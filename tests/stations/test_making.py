"""Readers' mails made to order, in octets as they go to another process and come back."""

from secondpost.deliver.assemble import Assembly
from secondpost.deliver.making import Batch, MadeBatch, MailMaker, made_of, order_octets
from tests.stations.test_assemble import KEYS, TEXT, WITH_WEB, issue, reader

MAKER = MailMaker(KEYS, WITH_WEB)
ANN, BEN = reader(1, 12, "ann@reader.example"), reader(2, 12, '"b.e.n"@[192.0.2.1]')


def test_mails_come_back_as_the_content_makes_them() -> None:
    batches = (Batch(issue().encode(), (ANN, BEN)), Batch(issue(text=f"Other {TEXT}").encode(), (BEN,)))
    made = made_of(MAKER.answer(order_octets(batches)))
    assert made == MAKER.make(batches)
    first, second = made
    assembly = Assembly(issue(), KEYS, WITH_WEB)
    assert first == MadeBatch((assembly.mail_for(ANN), assembly.mail_for(BEN)), None)
    assert b"Other" in second.mails[0].stuffed


def test_content_that_nobody_can_read_is_a_fault_of_its_own_batch() -> None:
    order = (Batch(b'{"version": 99}', (ANN,)), Batch(issue().encode(), (ANN,)))
    unreadable, good = made_of(MAKER.answer(order_octets(order)))
    assert unreadable == MadeBatch((), "the content of this issue has format 99, not 1")
    assert len(good.mails) == 1
    assert good.fault is None
