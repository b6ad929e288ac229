"""Advisories in a real service: the deliver role asks through the fetch role, behind all walls, and rings."""

import json

from tests.crash.postoffice import changed
from tests.service.conftest import MakeOffice
from tests.service.primary import Primary
from tests.service.test_hard_times import until
from tests.watch.osv import REAL, Osv
from tests.watch.osv_server import osv_served

MADE_UP = json.dumps(
    {
        "id": "TEST-1",
        "modified": "2026-01-01T00:00:00Z",
        "summary": "Names make it slow",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": "idna"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}],
            }
        ],
    }
).encode()


def test_a_hole_in_what_runs_rings_and_is_listed(make_office: MakeOffice, primary: Primary) -> None:
    primary.open()
    osv = Osv((*REAL, "TEST-1"), {**REAL, "TEST-1": MADE_UP})
    office = make_office()
    with osv_served(osv) as address:
        watch = f'[watch]\nadvisories = true\nadvisories_url = "{address}"\n[fetch]\nallow_private = true\n'
        changed(office, more=watch)
        office.start()
        until("it rings", lambda: "alarm about=vulnerable" in office.log.read_text())
        document = json.loads(office.run("watch", "advisories", "--json").stdout)
        assert [(one["hole"], one["open"]) for one in document["holes"] if one["hole"] == "TEST-1"] == [
            ("TEST-1", True)
        ]
        assert document["answered"] == document["tried"]
        queries = json.loads(osv.asked[0].body or b"")["queries"]
        names = {query["package"]["name"] for query in queries}
        assert names >= {"secondpost", "starlette", "https://github.com/sqlite/sqlite.git"}
        # The list of the machine's packages reached the role, which may not open it.
        ecosystems = {one["ecosystem"].partition(":")[0] for one in document["installed"]}
        assert {one.partition(":")[0] for one in (q["package"]["ecosystem"] for q in queries)} == ecosystems
        assert office.stop() == 0
