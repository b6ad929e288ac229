"""Postfix's smtp-source sends all the time while Secondpost is reloaded: it ends at the first fault.

Each message that it handed over reaches the next hop once.
"""

import json
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.load import Load, LoadFailed, LoadTools, Sink
from bench.ours import DOMAIN, Secondpost
from bench.ready import free_port
from tests.against.sending import READER, SENDER

RELOADS = 3
MESSAGES = 2000  # of one run of smtp-source
SESSIONS = 20
ANOTHER = """
[[backup]]
domain  = "another.example"
primary = ["127.0.0.1:{port}"]
"""


@pytest.mark.parametrize("keep_open", [True, False], ids=["kept", "new"])
def test_no_connection_is_refused_or_broken_and_no_message_lost_or_doubled(
    place: Path, keep_open: bool
) -> None:
    tools = LoadTools.prepared(place)
    load = Load(MESSAGES, 4096, SESSIONS, keep_open)
    over = threading.Event()
    faults: list[str] = []
    runs: list[float] = []

    def send() -> None:
        while not over.is_set() and len(faults) == 0:
            try:
                runs.append(tools.send(load, secondpost.port, SENDER, READER))
            except LoadFailed as failed:
                faults.append(str(failed))

    with ExitStack() as ends:
        sink = ends.enter_context(Sink(tools, free_port()))
        secondpost = ends.enter_context(Secondpost(place / "ours", free_port(), sink.port))
        without = secondpost.config.read_text()
        sending = threading.Thread(target=send)
        sending.start()
        try:
            for number in range(RELOADS):
                more = ANOTHER.format(port=sink.port) if number % 2 == 0 else ""
                secondpost.config.write_text(without + more)
                document = json.loads(secondpost.run("reload", "--json"))
                changed = "new" if number % 2 == 0 else "gone"
                assert document["changes"] == [f"backup another.example: {changed}"]
        finally:
            over.set()
            sending.join()
        assert faults == [], secondpost.trouble()
        assert len(runs) > 0
        sink.wait_for(len(runs) * MESSAGES)
        assert sink.counted == len(runs) * MESSAGES
        assert "maybe-duplicate" not in secondpost.output.read_text()
    print(f"{len(runs) * MESSAGES} messages for {DOMAIN} during {RELOADS} reloads")
