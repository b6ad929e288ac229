"""Reloading the real service: whole or not at all, and no client notices."""

import asyncio
import json
import re
import smtplib
import ssl
import threading
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import pytest

from tests.crash.ledger import Ledger
from tests.crash.postoffice import RECIPIENT, PostOffice, changed, free_port
from tests.crash.sink import Sink
from tests.newsletter.writing import atom
from tests.service.conftest import Call, MakeOffice
from tests.service.newsroom import BY_HAND, EVERYTHING, ROLES, Newsroom, ask
from tests.service.primary import Client, Primary
from tests.service.steady import Steady
from tests.service.test_hard_times import message, until
from tests.world.certificates import Pair, make_pair
from tests.world.web_server import WebServer, answer

RELOADS = 3
KEPT, NEW = 20, 4  # clients
DRAIN_SECONDS_MAX = 60.0
REPLACED = 'reason="replaced by a successor"'
DOMAIN = """
[[backup]]
domain     = "{name}"
primary    = ["127.0.0.1:{port}"]
recipients = ["any"]
"""


def domain_of(office: PostOffice, name: str) -> str:
    """A further [[backup]] at the office's primary."""
    port = re.findall(r"primary    = \[\"127.0.0.1:(\d+)\"\]", office.config.read_text())[0]
    return DOMAIN.format(name=name, port=port)


def reload(office: PostOffice, code: int = 0) -> dict[str, list[str]]:
    """Type `secondpost reload`; returns its document."""
    done = office.run("reload", "--json")
    assert done.returncode == code, (done.stdout, done.stderr, office.log.read_text())
    document: dict[str, list[str]] = json.loads(done.stdout)
    return document


def faults_of(document: dict[str, list[str]]) -> list[str]:
    return [json.dumps(fault) for fault in document["faults"]]


# ---------------------------------------------------------------- under load


def test_under_load_nothing_is_refused_nothing_breaks_and_nothing_is_lost(tmp_path: Path) -> None:
    """Kept and new connections to both ports over several reloads, each with a new domain, which is
    taken at once.
    """
    asyncio.run(_under_load(tmp_path))


async def _under_load(folder: Path) -> None:
    ledger = Ledger()
    sink = Sink(ledger)
    await sink.open()
    with ExitStack() as ends:
        blog = ends.enter_context(WebServer({"/weekly": answer("200 OK", atom((1,)))}).in_a_thread())
        room = Newsroom(folder, blog, free_port(), {"weekly": ""}, sink.port)
        ends.callback(room.end)
        await asyncio.to_thread(room.start)
        await asyncio.to_thread(room.wait_for_roles)
        steady = Steady(room.port, ledger, RECIPIENT)
        load = asyncio.create_task(steady.run(KEPT, NEW, int(room.web.rpartition(":")[2])))
        for number in range(RELOADS):
            name = f"d{number}.example"
            changed(room, more=domain_of(room, name))
            seen = steady.messages, steady.pages
            document = await asyncio.to_thread(reload, room)
            assert document["changes"] == [f"backup {name}: new"]
            assert await asyncio.to_thread(_is_taken, room, f"reader@{name}", ledger)
            assert steady.messages > seen[0]
            assert steady.pages > seen[1]
            assert len(steady.faults) == 0, (steady.faults, room.log.read_text()[-20_000:])
        steady.stopping = True
        await load
        replaced = RELOADS * len(ROLES)
        async with asyncio.timeout(DRAIN_SECONDS_MAX):
            while len(ledger.missing) > 0 or room.log.read_text().count(REPLACED) < replaced:
                await asyncio.sleep(0.1)
        assert await asyncio.to_thread(room.stop) == 0
        sink.close()
    log = room.log.read_text()
    assert steady.faults == []
    assert ledger.faults() == []
    assert ledger.duplicates == 0
    assert "maybe-duplicate" not in log
    assert "role-died" not in log
    assert log.count(REPLACED) == replaced
    assert room.running() == []
    print(f"{len(ledger.acknowledged)} messages, {steady.pages} pages, {RELOADS} reloads")


def _is_taken(office: PostOffice, recipient: str, ledger: Ledger) -> bool:
    id = f"<{recipient}>"
    content = f"Message-ID: {id}\r\n\r\nnew\r\n".encode()
    ledger.offer(id, content)
    client = Client(office.port)
    taken = client.send(content, recipient).startswith("250 ")
    client.close()
    if taken:
        ledger.acknowledge(id)
    return taken


# ---------------------------------------------------------------- what is taken over


def test_a_client_that_was_there_goes_on_and_is_refused_nothing_for_good(
    make_office: MakeOffice, call: Call, primary: Primary
) -> None:
    """In the middle of a message, and afterwards: its process still has the old settings."""
    primary.open()
    office = make_office()
    office.start()
    client = call(office)
    for line in ("EHLO client.example", "MAIL FROM:<a@elsewhere.example>", f"RCPT TO:<{RECIPIENT}>", "DATA"):
        assert client.say(line)[:1] in "23"
    client.socket.sendall(b"Subject: long\r\n\r\n")
    changed(office, more=domain_of(office, "new.example"))
    reload(office)
    reload(office)
    client.socket.sendall(b"the end\r\n.\r\n")
    assert client.reply().startswith("250 ")
    assert client.send(message(1), "reader@new.example").startswith("451 4.3.2 Settings have changed")
    assert client.send(message(2), RECIPIENT).startswith("250 ")
    assert call(office).send(message(3), "reader@new.example").startswith("250 ")
    until("all has arrived", lambda: len(primary.taken) == 3)
    assert client.say("QUIT").startswith("221 ")
    until("only the successors are left", lambda: len(office.running()) == 3)
    assert office.stop() == 0


def test_of_many_reloads_only_the_latest_processes_stay(
    make_office: MakeOffice, call: Call, primary: Primary
) -> None:
    """Each has a client that stays; beyond the bound the oldest process ends and its client gets 421."""
    office = make_office()
    office.start()
    clients = []
    for _ in range(5):
        clients.append(call(office))
        assert clients[-1].say("EHLO client.example").startswith("250")
        assert "reloaded" in str(reload(office))
    assert clients[0].reply().startswith("421 4.3.2")
    until("the oldest is gone", lambda: len(office.running()) == 1 + 2 + 4)
    for client in clients[1:]:
        assert client.say("NOOP").startswith("250 ")
    assert office.stop() == 0


def certified(office: PostOffice, pair: Pair) -> None:
    changed(
        office, ("[receive]", f'[tls]\ncertificate = "{pair.certificate}"\nkey = "{pair.key}"\n\n[receive]')
    )


def served_name(office: PostOffice, trusted: str) -> str:
    """The name in the certificate that STARTTLS shows, if `trusted` signed it."""
    context = ssl.create_default_context(cafile=trusted)
    context.check_hostname = False
    with smtplib.SMTP("127.0.0.1", office.port, timeout=20) as client:
        client.starttls(context=context)
        assert isinstance(client.sock, ssl.SSLSocket)
        certificate = client.sock.getpeercert()
        assert certificate is not None
        return str(certificate["subject"][0][0][1])


def test_a_certificate_comes_and_changes_and_its_files_may_change_under_an_unchanged_file(
    make_office: MakeOffice, tmp_path: Path
) -> None:
    office = make_office()
    first, second = make_pair(tmp_path, "first.example"), make_pair(tmp_path, "second.example")
    office.start()
    certified(office, first)
    assert reload(office)["changes"] == ["tls.certificate", "tls.key"]
    assert served_name(office, first.certificate) == "first.example"
    Path(first.certificate).write_bytes(Path(second.certificate).read_bytes())
    Path(first.key).write_bytes(Path(second.key).read_bytes())
    assert reload(office)["changes"] == []
    assert served_name(office, second.certificate) == "second.example"
    assert office.stop() == 0


def test_a_port_is_opened_and_another_closed(make_office: MakeOffice, call: Call) -> None:
    office = make_office()
    office.start()
    staying = call(office)
    port = free_port()
    changed(office, (f'"127.0.0.1:{office.port}"', f'"127.0.0.1:{port}"'))
    assert reload(office)["changes"] == ["receive.listen"]
    with closing(Client(port)) as client:
        assert client.say("EHLO client.example").startswith("250")
    with pytest.raises(ConnectionRefusedError):
        Client(office.port)
    assert staying.say("EHLO client.example").startswith("250")
    assert office.stop() == 0
    listening = re.findall(r" listening role=receive address=127\.0\.0\.1:(\d+)\n", office.log.read_text())
    assert listening == [str(office.port), str(port)]


def test_the_first_newsletter_brings_its_roles_and_the_last_one_takes_them_along(
    tmp_path: Path, primary: Primary
) -> None:
    primary.open()
    with WebServer({"/weekly": answer("200 OK", atom((1,)))}).in_a_thread() as blog:
        room = Newsroom(tmp_path, blog, primary.port, {"weekly": ""}, primary.port)
        with_newsletter = room.config.read_text()
        [table] = re.findall(r"\n\[\[newsletter\]\]\n(?:\w.*\n)*", with_newsletter)
        without = with_newsletter.replace(table, "")
        room.config.write_text(without)
        try:
            room.start()
            assert set(room.processes()) == {"receive", "deliver"}
            room.config.write_text(with_newsletter)
            assert reload(room)["changes"] == ["newsletter weekly: new"]
            assert set(room.processes()) == set(ROLES)
            assert ask(f"{room.web}/weekly/").status == 200
            signed_up = ask(f"{room.web}/weekly/", "POST", "email=ada@reader.example")
            assert signed_up.status == 200
            until("she is asked to confirm", lambda: len(primary.mails) == 1)
            room.config.write_text(without)
            assert reload(room)["changes"] == ["newsletter weekly: gone"]
            until("their roles are gone", lambda: set(room.processes()) == {"receive", "deliver"})
            with pytest.raises(OSError):
                ask(f"{room.web}/weekly/")
            assert "role-died" not in room.log.read_text()
            assert room.stop() == 0
        finally:
            room.end()


def got_it(primary: Primary) -> list[str]:
    """The readers who got a mail; the owner may get an alarm meanwhile."""
    recipients = [mail.recipients[0] for mail in primary.mails]
    return [each for each in recipients if each.endswith("@reader.example")]


def test_another_rate_counts_at_once_for_an_issue_under_way(tmp_path: Path, primary: Primary) -> None:
    """One mail in half an hour, and after a reload all the others; each reader gets it once."""
    primary.open()
    readers = [f"reader{n}@reader.example" for n in range(12)]
    with WebServer({"/weekly": answer("200 OK", atom((1, 2)))}).in_a_thread() as blog:
        room = Newsroom(tmp_path, blog, primary.port, {"weekly": f"{EVERYTHING}\n{BY_HAND}"}, primary.port)
        changed(room, ("unverified = true", 'unverified = true\nrate = "2 an hour"'))
        room.have_readers({"weekly": readers})
        try:
            room.start()
            assert room.json_of("issue", "send")["readers"] == len(readers)
            until("the first mail leaves", lambda: len(got_it(primary)) == 1)
            changed(room, ('rate = "2 an hour"', 'rate = "0 an hour"'))
            assert "send.rate" in str(reload(room, code=1)["faults"])
            assert len(got_it(primary)) == 1
            changed(room, ('rate = "0 an hour"', 'rate = "1000 a second"'))
            assert reload(room)["changes"] == ["send.rate"]
            until("everyone has it", lambda: room.is_done("weekly", 1))
            assert sorted(got_it(primary)) == sorted(readers)
            assert room.stop() == 0
        finally:
            room.end()


def test_the_primary_is_asked_about_recipients_throughout(make_office: MakeOffice, primary: Primary) -> None:
    """With `unknown = "reject"` an answer that gets lost would be a refusal for good."""
    primary.open()
    office = make_office({'["any"]': '["learn"]\nunknown    = "reject"'})
    office.start()
    office.wait_for_roles()
    refused: list[str] = []
    asked: list[str] = []
    over = threading.Event()

    def ask_on(name: str) -> None:
        """Name new recipients, which only the primary knows."""
        with closing(Client(office.port)) as client:
            while not over.is_set():
                asked.append(f"{name}-{len(asked)}@example.org")
                reply = client.send(message(1), asked[-1])
                if not reply.startswith("250 "):
                    refused.append(reply)
                    return

    def has_asked_more(before: int) -> bool:
        return len(asked) > before + 20 or len(refused) > 0

    asking = [threading.Thread(target=ask_on, args=(f"r{n}",)) for n in range(4)]
    for each in asking:
        each.start()
    try:
        for _ in range(RELOADS):
            seen = len(asked)
            reload(office)
            until("more were asked about", partial(has_asked_more, seen))
    finally:
        over.set()
        for each in asking:
            each.join()
    assert refused == [], office.log.read_text()[-3000:]
    assert office.stop() == 0
