"""What monitoring systems see of the real service."""

import json
import os
import re
import signal
from contextlib import ExitStack, closing
from functools import partial
from itertools import pairwise
from pathlib import Path

from tests.crash.postoffice import RECIPIENT, PostOffice, Victim
from tests.newsletter.writing import atom
from tests.service.conftest import MakeOffice
from tests.service.newsroom import BY_HAND, EVERYTHING, ROLES, Newsroom, ask
from tests.service.primary import Client, Primary
from tests.service.test_hard_times import message, until
from tests.test_tidy import ROOT
from tests.world.web_server import WebServer, answer

RELOADS = 4
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


def figures(monitor: str) -> dict[str, float]:
    """Each sample of the page, such as `secondpost_role_up{role="web"}`."""
    page = ask(f"{monitor}/metrics")
    assert page.status == 200
    return {f"{name}{{{labels}}}": float(value) for name, labels, value in SAMPLE.findall(page.body)}


def gained(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """What counters gained, histograms left aside."""
    return {
        name: value - before.get(name, 0)
        for name, value in after.items()
        if name.partition("{")[0].endswith("_total") and value != before.get(name, 0)
    }


APPROVAL_MAILS = 'secondpost_attempts_total{lane="own",level="none",outcome="delivered"}'


def test_the_figures_are_what_was_really_done(tmp_path: Path) -> None:
    """Mail accepted, refused and delivered, and an issue sent, by five processes."""
    with ExitStack() as ends:
        primary, readers = ends.enter_context(Primary()), ends.enter_context(Primary())
        blog = ends.enter_context(WebServer({"/weekly": answer("200 OK", atom((1, 2)))}).in_a_thread())
        room = Newsroom(tmp_path, blog, readers.port, {"weekly": EVERYTHING + "\n" + BY_HAND}, primary.port)
        ends.callback(room.end)
        room.have_readers({"weekly": ("ada@crowd.example", "bob@crowd.example")})
        room.start()
        room.wait_for_roles()
        until("it is ready", lambda: json.loads(ask(f"{room.monitor}/ready").body)["ready"])
        before = figures(room.monitor)
        for role in ROLES:
            assert before[f'secondpost_role_up{{role="{role}"}}'] == 1
        client = ends.enter_context(closing(Client(room.port)))
        assert client.send(message(1), RECIPIENT).startswith("250 ")
        assert client.send(message(2), "x@elsewhere.example").startswith("550 5.7.1")
        until("it is passed on", lambda: len(primary.taken) == 1)
        assert room.run("issue", "send", "weekly", "--json").returncode == 0
        until("the issue is done", lambda: room.is_done("weekly", 1))
        more = gained(before, figures(room.monitor))
        octets = more.pop('secondpost_accepted_bytes_total{lane="relay"}')
        assert octets == len(primary.taken[0])  # with our Received field
        more.pop(APPROVAL_MAILS, None)  # the owner is asked to approve, if the publish role saw it first
        assert more == {
            "secondpost_smtp_connections_total{}": 1,
            'secondpost_messages_accepted_total{lane="relay",tls="none"}': 1,
            'secondpost_refused_total{class="permanent",reason="not-ours",stage="rcpt"}': 1,
            'secondpost_attempts_total{lane="relay",level="none",outcome="delivered"}': 1,
            'secondpost_attempts_total{lane="issues",level="none",outcome="delivered"}': 2,
            "secondpost_reader_mails_signed_total{}": 2,
        }
        now = figures(room.monitor)
        assert now['secondpost_issue_mails{newsletter="weekly",outcome="delivered"}'] == 2
        assert now['secondpost_issue_number{newsletter="weekly",state="done"}'] == 1
        assert now['secondpost_readers{newsletter="weekly",state="active"}'] == 2
        assert now["secondpost_smtp_connections_open{}"] == 1
        assert now['secondpost_primary_up{domain="example.org"}'] == 1
        text = ask(f"{room.monitor}/metrics").body
        manual = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
        listed = dict(re.findall(r"^\| `(secondpost_\w+)` \| (\w+) \|", manual, re.MULTILINE))
        assert dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE)) == listed
        assert "crowd.example" not in text
        assert "elsewhere.example" not in text


def test_a_reload_counts_nothing_twice_and_forgets_nothing(make_office: MakeOffice, primary: Primary) -> None:
    """Each series, read as Prometheus reads counters: a fall is a beginning from zero."""
    office = make_office()
    office.start()
    office.wait_for_roles()
    accepted = 'secondpost_messages_accepted_total{lane="relay",tls="none"}'
    seen = [0.0]
    for number in range(1, RELOADS + 1):
        with closing(Client(office.port)) as client:
            assert client.send(message(number), RECIPIENT).startswith("250 ")
        if number % 2 == 0:  # one message before each reload is read off in time, one is not
            until("it is counted", partial(_has, office, accepted))
            seen.append(figures(office.monitor)[accepted])
        assert office.run("reload").returncode == 0
        until("it answers", partial(_has, office, "secondpost_smtp_listening{}"))
        seen.append(figures(office.monitor).get(accepted, 0.0))
    # Each predecessor states what it counted last when it leaves.
    replaced = 'reason="replaced by a successor"'
    until("all have left", lambda: office.log.read_text().count(replaced) == RELOADS * office.roles_max)
    seen.append(figures(office.monitor).get(accepted, 0.0))
    grown = sum(new - old if new >= old else new for old, new in pairwise(seen))
    assert grown == RELOADS


def test_a_role_that_died_is_counted_and_what_it_stated_stays(make_office: MakeOffice) -> None:
    office = make_office()
    office.start()
    office.wait_for_roles()
    with closing(Client(office.port)) as client:
        assert client.send(message(1), RECIPIENT).startswith("250 ")
    accepted = 'secondpost_messages_accepted_total{lane="relay",tls="none"}'
    until("it is counted", partial(_has, office, accepted))
    office.kill(Victim.RECEIVE)
    restarted = 'secondpost_role_restarts_total{role="receive"}'
    until("the death is counted", partial(_has, office, restarted))
    until("it answers again", lambda: figures(office.monitor)['secondpost_role_up{role="receive"}'] == 1)
    assert figures(office.monitor)[accepted] == 1


def test_it_is_ready_while_it_can_take_mail(make_office: MakeOffice) -> None:
    """While the receive role does not answer, or the disk is full up to the reserve, it is not."""
    office = make_office()
    office.start()
    office.wait_for_roles()
    until("it is ready", lambda: ask(f"{office.monitor}/ready").status == 200)
    assert json.loads(ask(f"{office.monitor}/ready").body) == {"ready": True, "reasons": []}
    receiver = office.roles()[Victim.RECEIVE]
    os.kill(receiver, signal.SIGSTOP)
    answer = ask(f"{office.monitor}/ready")
    os.kill(receiver, signal.SIGCONT)
    assert answer.status == 503
    assert json.loads(answer.body) == {"ready": False, "reasons": ["the receive role does not answer"]}
    assert json.loads(ask(f"{office.monitor}/health").body)["status"] == "ok"
    office.config.write_text(office.config.read_text().replace('"1 MB"', '"1 TB"'))
    assert office.run("reload").returncode == 0
    reasons = {"ready": False, "reasons": ["the disk is full up to the reserve"]}
    until("it is not", lambda: json.loads(ask(f"{office.monitor}/ready").body) == reasons)


def _has(office: PostOffice, name: str) -> bool:
    return figures(office.monitor).get(name, 0) > 0
