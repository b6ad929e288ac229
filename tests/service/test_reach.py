"""The running service asks through its fetch role from elsewhere, rings, and goes on after a kill."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.cli.test_check_dns import Dns
from tests.crash.postoffice import PostOffice, Victim
from tests.service.conftest import MakeOffice
from tests.service.primary import Primary
from tests.service.test_hard_times import until
from tests.watch.reach.elsewhere import Elsewhere

ZONE = ("example.org. 60 IN MX 10 mx1.provider.example.", "mx1.provider.example. 60 IN A 192.0.2.25")
WATCH = """
[reach]
countries = ["RU"]
sources = [
  "globalping:http://127.0.0.1:{port}", "ooni:http://127.0.0.1:{port}", "z-i:http://127.0.0.1:{port}/z-i",
]
globalping_token_file = "token"

[fetch]
allow_private = true

[dns]
servers = ["127.0.0.1:{dns}"]
"""
REGISTER = ["Updated: 2029-01-05 09:00:00 +0000\n192.0.2.0/24;;;ФНС;27-31;2029-01-04\n".encode("cp1251")] * 2


@contextmanager
def served(elsewhere: Elsewhere) -> Iterator[int]:
    """The services over HTTP; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say("GET", b"")

        def do_POST(self) -> None:
            self._say("POST", self.rfile.read(int(self.headers["Content-Length"])))

        def _say(self, method: str, body: bytes) -> None:
            key = self.headers.get("Authorization", "")
            status, headers, said = elsewhere.answer(method, self.path, body, key)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(said))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


class Office(PostOffice):
    roles_max = 3  # receive, deliver, fetch

    def round(self) -> dict[str, Any]:
        """Make one at once; returns the view from RU, by the document."""
        done = self.run("watch", "reach", "--now", "--json")
        assert done.returncode == 0, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document


def lines(office: PostOffice, what: str) -> list[str]:
    text = office.log.read_text()
    return [line for line in text.splitlines() if f" {what} about=blocked-abroad " in line]


def test_two_blocked_networks_ring_over_a_kill_and_end(tmp_path: Path, primary: Primary) -> None:
    elsewhere = Elsewhere({"RU": "1- 2- 3+", "DE": "90+ 91+"}, register=REGISTER, looks_until_finished=1)
    dns = Dns()
    dns.lines = ZONE
    with served(elsewhere) as port, dns.running() as dns_port:
        office = Office(tmp_path, primary.port)
        (tmp_path / "token").write_text("the-token\n")
        text = office.config.read_text() + WATCH.format(port=port, dns=dns_port)
        # Our own address is private, so that one is left to look at.
        office.config.write_text(text.replace("[web]", 'addresses = ["10.0.0.1"]\n[web]', 1))
        try:
            office.start()
            office.wait_for_roles()
            assert [view["verdict"] for view in office.round()["views"]] == ["suspected"]
            assert lines(office, "alarm") == []
            document = office.round()
            assert [view["verdict"] for view in document["views"]] == ["blocked"]
            [view] = document["views"]
            assert (view["address"], view["host"]) == ("192.0.2.25", "mx1.provider.example")
            assert view["domains"] == ["example.org"]
            assert view["context"][-1] == (
                "the register has 192.0.2.25: 192.0.2.0/24 (ФНС, 27-31, 2029-01-04)"
            )
            assert len(lines(office, "alarm")) == 1
            assert set(elsewhere.keys) == {"Bearer the-token"}
            assert "the-token" not in office.log.read_text()

            assert office.kill(Victim.DELIVER)
            until("it rings again", lambda: len(lines(office, "alarm")) == 2)
            elsewhere.probes["RU"] = "1+ 2+ 3+"
            office.round()
            assert lines(office, "alarm-over") == []
            assert [view["verdict"] for view in office.round()["views"]] == ["open"]
            assert len(lines(office, "alarm-over")) == 1
            assert office.stop() == 0
            # Without a service the command asks by itself.
            office.round()
            assert len(elsewhere.documents) == 5
        finally:
            office.end()


def test_without_countries_no_one_is_asked_and_no_fetch_role_runs(make_office: MakeOffice) -> None:
    office = make_office()
    office.start()
    office.wait_for_roles()
    assert "fetch" not in office.processes()
    assert office.run("watch", "reach").stdout.startswith("It is off: no one is asked")
    assert office.stop() == 0
