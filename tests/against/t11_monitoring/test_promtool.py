"""`promtool` reads the figures and the example rules."""

import re
import subprocess
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.request import Request, urlopen

from bench import peers
from tests.crash.postoffice import RECIPIENT
from tests.newsletter.writing import atom
from tests.service.newsroom import BY_HAND, EVERYTHING, Newsroom
from tests.service.primary import Client, Primary
from tests.service.test_hard_times import message, until
from tests.test_tidy import ROOT
from tests.world.web_server import WebServer, answer

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def promtool(*words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    prometheus = peers.find("prometheus")
    return subprocess.run(
        [str(prometheus.file("usr/bin/promtool")), *words],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env=prometheus.environment,
    )


def read(url: str, accept: str) -> tuple[str, str]:
    with urlopen(Request(url, headers={"accept": accept}), timeout=10) as response:
        return response.headers["content-type"], response.read().decode()


def test_promtool_has_nothing_to_say_of_a_service_that_has_worked(tmp_path: Path) -> None:
    """Mail was accepted, refused, held, and delivered, and an issue sent."""
    with ExitStack() as ends:
        primary, readers = ends.enter_context(Primary()), ends.enter_context(Primary())
        blog = ends.enter_context(WebServer({"/weekly": answer("200 OK", atom((1, 2)))}).in_a_thread())
        room = Newsroom(tmp_path, blog, readers.port, {"weekly": f"{EVERYTHING}\n{BY_HAND}"}, primary.port)
        ends.callback(room.end)
        room.have_readers({"weekly": ("ada@crowd.example", "bob@crowd.example")})
        room.start()
        room.wait_for_roles()
        client = ends.enter_context(closing(Client(room.port)))
        assert client.send(message(1), RECIPIENT).startswith("250 ")
        assert client.send(message(2), "x@elsewhere.example").startswith("550 ")
        until("it is passed on", lambda: len(primary.taken) == 1)
        assert room.run("issue", "send", "weekly", "--json").returncode == 0
        until("the issue is done", lambda: room.is_done("weekly", 1))
        primary.close()
        assert client.send(message(3), RECIPIENT).startswith("250 ")
        until("the site is down", lambda: "site-down" in room.log.read_text())
        kind, page = read(f"{room.monitor}/metrics", "text/plain")
        assert kind.startswith("text/plain; version=")
        for shown in (
            'secondpost_queue_deliveries{domain="example.org",lane="relay",standing="held (primary)"} 1.0',
            'secondpost_primary_up{domain="example.org"} 0.0',
            'secondpost_issue_mails{newsletter="weekly",outcome="delivered"} 2.0',
            "secondpost_site_down_since_timestamp_seconds ",
        ):
            assert f"\n{shown}" in page
        checked = promtool("check", "metrics", given=page)
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
        kind, page = read(f"{room.monitor}/metrics", OPENMETRICS)
        assert kind.startswith("application/openmetrics-text")
        assert page.endswith("# EOF\n")


def test_promtool_finds_a_fault_where_there_is_one() -> None:
    assert promtool("check", "metrics", given="# TYPE a counter\na 1\n").returncode != 0


def test_the_example_rules_are_rules_of_metrics_that_exist(tmp_path: Path) -> None:
    manual = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (rules,) = re.findall(r"```yaml\n(groups:.*?)```", manual, re.DOTALL)
    (tmp_path / "rules.yml").write_text(rules)
    checked = promtool("check", "rules", str(tmp_path / "rules.yml"))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    listed = set(re.findall(r"^\| `(secondpost_\w+)", manual, re.MULTILINE))
    used = {name.removesuffix("_bucket") for name in re.findall(r"secondpost_\w+", rules)}
    assert used - listed == set()
