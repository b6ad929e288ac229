"""The real service in trouble: no acknowledged mail is missing, and nothing is left behind."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from secondpost.world.real.local import UNFINISHED
from secondpost.world.sockets.alarms import ALARMS
from secondpost.world.sockets.tallies import TALLIES
from tests.crash.ledger import relayed
from tests.crash.postoffice import RECIPIENT, PostOffice, Victim
from tests.service.conftest import Call, MakeOffice
from tests.service.primary import Client, Primary

SECONDS_MAX = 30.0


def until(what: str, is_so: Callable[[], bool], seconds: float = SECONDS_MAX) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"after {seconds:g} s it is not so that {what}"
        time.sleep(0.05)


def message(number: int, octets: int = 200) -> bytes:
    head = f"Subject: {number}\r\n\r\n".encode()
    line = b"." + b"x" * 70 + b"\r\n"
    return head + line * max(1, octets // len(line))


def bodies(primary: Primary) -> list[bytes]:
    """The arrived mails without what we added."""
    return [relayed(content).content for content in primary.taken]


def test_mail_is_passed_on_at_once_and_byte_for_byte(
    make_office: MakeOffice, call: Call, primary: Primary
) -> None:
    primary.open()
    office = make_office()
    office.start()
    sent = [
        message(1),
        message(2, 50_000),
        message(3, 3_000_000),
        b"\r\nno header\r\n",
        b"Subject:\xff\x00\r\n\r\n",
    ]
    client = call(office)
    for content in sent:
        assert client.send(content, RECIPIENT).startswith("250 ")
    until("all has arrived", lambda: len(primary.taken) == len(sent))
    assert sorted(bodies(primary)) == sorted(sent)


def test_mail_is_held_and_listed_while_the_primary_is_down_and_goes_out_when_it_is_back(
    make_office: MakeOffice, call: Call, primary: Primary
) -> None:
    office = make_office()
    office.start()
    client = call(office)
    sent = [message(number) for number in range(30)]
    for content in sent:
        assert client.send(content, RECIPIENT).startswith("250 ")
    until("the primary is known to be down", lambda: "site-down" in office.log.read_text())
    listed = json.loads(office.command("queue", "list", "--json"))
    assert json.dumps(listed).count("held (primary)") == len(sent)
    primary.open()
    until("all has arrived", lambda: len(primary.taken) == len(sent))
    assert sorted(bodies(primary)) == sorted(sent)
    until("the store is empty", lambda: "held (primary)" not in office.command("queue", "list", "--json"))


def half_a_command(client: Client) -> None:
    client.socket.sendall(b"EHL")


def an_endless_line(client: Client) -> None:
    try:
        for _ in range(200):
            client.socket.sendall(b"A" * 10_000)
    except ConnectionError:
        pass  # closed by the server, as expected


def nul_bytes(client: Client) -> None:
    client.socket.sendall(b"\0\0\0\r\nMAIL FROM:<\0@x>\r\n")
    client.reply()


def a_reset_in_mid_data(client: Client) -> None:
    begin_data(client)
    client.socket.sendall(b"x" * 100_000)
    client.reset()


def a_reset_in_a_large_body(client: Client) -> None:
    begin_data(client)
    client.socket.sendall((b"x" * 998 + b"\r\n") * 3_000)
    client.reset()


def gone_before_the_dot_is_answered(client: Client) -> None:
    begin_data(client)
    client.reset()


def data_without_a_recipient(client: Client) -> None:
    assert client.say("EHLO x").startswith("250 ")
    assert client.say("MAIL FROM:<>").startswith("250 ")
    assert client.say("DATA")[:4] in ("503 ", "554 ")


def commands_before_the_greeting_is_over(client: Client) -> None:
    client.socket.sendall(b"RCPT TO:<x@y>\r\nDATA\r\n.\r\n" * 50)
    client.reply()


def http(client: Client) -> None:
    client.socket.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    while len(client.reply()) > 0:
        pass


def a_tls_hello(client: Client) -> None:
    client.socket.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(500))
    while len(client.reply()) > 0:
        pass


def a_body_that_never_ends(client: Client) -> None:
    begin_data(client)
    client.socket.sendall(b"\n.\n\r.\r\n.\r\r\n" * 1000)


def mail_after_mail(client: Client) -> None:
    client.say("EHLO x")
    for _ in range(30):
        client.say("MAIL FROM:<a@b.example>")


def begin_data(client: Client) -> None:
    for line in ("EHLO x.example", "MAIL FROM:<a@b.example>", f"RCPT TO:<{RECIPIENT}>", "DATA"):
        assert client.say(line)[:1] in ("2", "3")


BROKEN = (
    half_a_command,
    an_endless_line,
    nul_bytes,
    a_reset_in_mid_data,
    a_reset_in_a_large_body,
    gone_before_the_dot_is_answered,
    data_without_a_recipient,
    commands_before_the_greeting_is_over,
    http,
    a_tls_hello,
    a_body_that_never_ends,
    mail_after_mail,
)


def open_files(office: PostOffice) -> int:
    return len(os.listdir(f"/proc/{office.roles()[Victim.RECEIVE]}/fd"))


def callers_at(office: PostOffice, name: str) -> int:
    """How many connections a Unix socket of the store has."""
    path, connected = f"{office.store / name}{UNFINISHED}", "03"  # proc_net(5); the name it was bound to
    sockets = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()]
    return sum(one[-1] == path and one[5] == connected for one in sockets)


def test_broken_clients_leave_nothing_behind(make_office: MakeOffice, call: Call, primary: Primary) -> None:
    primary.open()
    office = make_office()
    office.start()
    first = call(office)
    assert first.send(message(0), RECIPIENT).startswith("250 ")
    until("the first client is gone", lambda: len(primary.taken) == 1)
    # From now on the role, and the supervisor, state alarms and counts to the deliver role.
    until("they are connected", lambda: [callers_at(office, at) for at in (ALARMS, TALLIES)] == [2, 2])
    time.sleep(0.3)
    before = open_files(office)
    for broken in BROKEN:
        for _ in range(3):
            client = call(office)
            broken(client)
            client.close()
    until("every connection and file is closed again", lambda: open_files(office) <= before)
    until("no file is left", lambda: list((office.store / "mail" / "content").iterdir()) == [])
    assert json.loads(office.command("status", "--json")) is not None
    last = call(office)
    assert last.send(message(1), RECIPIENT).startswith("250 ")
    until("honest mail still arrives", lambda: len(primary.taken) == 2)
    assert "role-died" not in office.log.read_text()


LOCK = """
import apsw, sys, time
db = apsw.Connection(sys.argv[1])
db.set_busy_timeout(20_000)  # the service writes, too
db.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
time.sleep(5)
db.execute("ROLLBACK")
"""


def test_a_store_locked_by_another_process_delays_mail_and_loses_none(
    make_office: MakeOffice, call: Call, primary: Primary
) -> None:
    primary.open()
    office = make_office()
    office.start()
    locker = subprocess.Popen(
        [sys.executable, "-c", LOCK, f"{office.store}/mail/mail.db"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert locker.stdout is not None
    assert locker.stdout.readline() == "locked\n"
    clients = [call(office) for _ in range(5)]
    for number, client in enumerate(clients):
        begin_data(client)
        client.socket.sendall(message(number).replace(b"\r\n.", b"\r\n..") + b".\r\n")
    assert locker.poll() is None
    replies = [client.reply() for client in clients]
    assert all(reply.startswith("250 ") for reply in replies), replies
    assert locker.wait(10) == 0
    locker.stdout.close()
    until("all has arrived", lambda: len(primary.taken) == len(clients))
    assert sorted(bodies(primary)) == sorted(message(number) for number in range(len(clients)))


SMALL_DISK = 'mkdir -p {store} && mount -t tmpfs -o size=24m,mode=700 tmpfs {store} && exec "$@"'


@pytest.mark.parametrize("reserve", ["2 MB", "0 B"])
def test_a_full_disk_is_said_and_loses_nothing(
    make_office: MakeOffice, call: Call, primary: Primary, tmp_path: Path, reserve: str
) -> None:
    mount = SMALL_DISK.format(store=tmp_path / "store")
    namespace = ("unshare", "--mount", "--user", "--map-root-user", "sh", "-c", mount, "sh")
    office = make_office(
        {'reserve  = "1 MB"': f'reserve  = "{reserve}"', "user     =": "# user ="}, namespace
    )
    office.start()
    client = call(office)
    acknowledged: list[bytes] = []
    replies: list[str] = []
    for number in range(400):
        content = message(number, 100_000 if number % 3 else 900_000)
        replies.append(client.send(content, RECIPIENT))
        if replies[-1].startswith("250 "):
            acknowledged.append(content)
        elif len(replies) - len(acknowledged) > 5:
            break
    refused = [reply for reply in replies if not reply.startswith("250 ")]
    assert len(refused) > 0
    assert len(acknowledged) > 10
    assert all(reply.startswith("452 4.3.1") for reply in refused), refused
    primary.open()
    until("all that was acknowledged has arrived", lambda: len(primary.taken) >= len(acknowledged))
    assert sorted(bodies(primary)) == sorted(acknowledged)
    until("there is room again", lambda: client.send(message(999), RECIPIENT).startswith("250 "))
    assert "role-died" not in office.log.read_text()


def test_a_role_that_is_killed_is_started_again_with_an_alarm(
    make_office: MakeOffice, call: Call, primary: Primary
) -> None:
    primary.open()
    office = make_office()
    office.start()
    until("both roles run", lambda: office.log.read_text().count("role-started") == 2)
    for victim in (Victim.RECEIVE, Victim.DELIVER):
        assert office.kill(victim)
        until(f"{victim} is back", lambda victim=victim: victim in office.roles())  # type: ignore[misc]
    until("both run again", lambda: office.log.read_text().count("role-started") == 4)
    client = call(office)
    assert client.send(message(1), RECIPIENT).startswith("250 ")
    until("mail arrives", lambda: len(primary.taken) == 1)
    assert office.log.read_text().count("alarm about=role-died") == 2
    assert office.stop() == 0


def test_a_hang_up_without_a_supervisor_stops_no_mail_and_says_what_to_do_instead(
    make_office: MakeOffice, call: Call, primary: Primary
) -> None:
    office = make_office()
    office.start("--single")
    os.kill(office.supervisor, signal.SIGHUP)
    until("it says so", lambda: office.log.read_text().count("alarm about=not-reloaded") == 1)
    assert call(office).send(message(1), RECIPIENT).startswith("250 ")
    done = office.run("reload")
    assert done.returncode == 4
    assert "systemctl restart secondpost" in done.stderr
    assert office.stop() == 0


def test_a_terminal_that_is_closed_takes_the_service_with_it(make_office: MakeOffice) -> None:
    office = make_office()
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "secondpost", "--config", str(office.config), "serve"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while shown.count(b"role-started") < 2:
            shown += os.read(ours, 65_536)
        process.send_signal(signal.SIGHUP)
        assert process.wait(SECONDS_MAX) == 0
    os.close(ours)


def test_when_told_to_stop_it_finishes_the_message_under_way(
    make_office: MakeOffice, call: Call, primary: Primary
) -> None:
    primary.open()
    office = make_office()
    office.start()
    client = call(office)
    begin_data(client)
    client.socket.sendall(b"Subject: late\r\n\r\n")
    os.kill(office.supervisor, 15)
    time.sleep(0.5)
    client.socket.sendall(b"the end\r\n.\r\n")
    assert client.reply().startswith("250 ")
    assert client.reply().startswith("421 ")
    assert office.stop() == 0
    office.start()
    until("what it took at the end has arrived", lambda: len(primary.taken) == 1)


def test_recipients_are_asked_about_learned_and_known_while_the_primary_is_down(
    make_office: MakeOffice, call: Call, primary: Primary
) -> None:
    primary.mailboxes = frozenset({RECIPIENT})
    primary.open()
    office = make_office({'recipients = ["any"]': 'recipients = ["learn"]'})
    office.start()
    until("the deliver role can be asked", lambda: "deliver role-started" in office.log.read_text())
    client = call(office)
    assert client.send(message(1), RECIPIENT).startswith("250 ")
    assert client.send(message(2), "nobody@example.org").startswith("550 5.1.1")
    until("it has arrived", lambda: len(primary.taken) == 1)
    primary.close()
    assert client.send(message(3), RECIPIENT).startswith("250 ")
    assert client.send(message(4), "stranger@example.org").startswith("250 ")
    assert client.send(message(5), "nobody@example.org").startswith("550 5.1.1"), "known not to be there"
    primary.open()
    until("the known one's mail has arrived", lambda: len(primary.taken) == 2)
    until("the stranger's is kept", lambda: "why=refused" in office.log.read_text())


def test_all_roles_run_in_one_process_too(
    make_office: MakeOffice, call: Call, primary: Primary, tmp_path: Path
) -> None:
    primary.open()
    office = make_office()
    config = tmp_path / "secondpost.toml"
    with office.log.open("ab") as log:
        single = subprocess.Popen(
            [sys.executable, "-m", "secondpost", "--config", str(config), "serve", "--single"], stderr=log
        )
    try:
        until("it listens", lambda: "role-started" in office.log.read_text())
        client = call(office)
        assert client.send(message(1), RECIPIENT).startswith("250 ")
        until("mail arrives", lambda: len(primary.taken) == 1)
    finally:
        single.terminate()
        assert single.wait(SECONDS_MAX) == 0


def test_a_wrong_configuration_does_not_start(make_office: MakeOffice, tmp_path: Path) -> None:
    office = make_office({'owner    = ["me@elsewhere.example"]': "ownr = 5", '"any"': '"any", "learn"'})
    done = subprocess.run(
        [sys.executable, "-m", "secondpost", "serve", "--config", str(tmp_path / "secondpost.toml")],
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 3
    for part in ("ownr", "owner", "recipients", "secondpost.toml:"):
        assert part in done.stderr
    assert not office.store.exists()
