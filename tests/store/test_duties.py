"""The proofs of a sender's duties."""

from secondpost.store.duty_ports import DutyProof
from tests.store.place import Place


async def test_a_look_that_proves_nothing_keeps_the_time_of_the_last_proof(place: Place) -> None:
    store = place.open_newsletter()
    assert await store.duty_proof("example.net") is None
    await store.write_duty_proof(DutyProof("example.net", 5, 5, ""))
    await store.write_duty_proof(DutyProof("example.org", 6, None, "no record"))
    await store.write_duty_proof(DutyProof("example.net", 9, None, "it is gone"))
    assert await store.duty_proof("example.net") == DutyProof("example.net", 9, 5, "it is gone")
    assert await store.duty_proof("example.org") == DutyProof("example.org", 6, None, "no record")
