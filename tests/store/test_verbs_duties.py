"""The verbs of duties: which queries they run."""

from secondpost.store.duty_ports import DutyProof
from secondpost.store.verbs.duties import DutiesVerbs
from secondpost.store.verbs.steps import Query
from tests.store.recording import RecordingEngine, over

PROOF = DutyProof("example.net", 9, None, "no record")


async def test_a_proof_is_written_and_read() -> None:
    engine = RecordingEngine(
        [("duties.write", 1), ("duties.proof", [(9, None, "no record")]), ("duties.proof", [])]
    )
    store = over(engine, DutiesVerbs)
    await store.write_duty_proof(PROOF)
    assert await store.duty_proof("example.net") == PROOF
    assert await store.duty_proof("example.org") is None
    assert engine.finished()[0] == Query("duties.write", ("example.net", 9, None, "no record"))
