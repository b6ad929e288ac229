"""A reload that is refused changes nothing, and one that is cut short leaves nothing behind."""

import os
import signal
import stat
from functools import partial
from pathlib import Path

import pytest

from tests.crash.postoffice import RECIPIENT, PostOffice, Victim, changed, free_port
from tests.newsletter.writing import atom
from tests.service.conftest import Call, MakeOffice
from tests.service.newsroom import Newsroom, ask
from tests.service.primary import Primary
from tests.service.test_hard_times import message, until
from tests.service.test_reload import certified, domain_of, faults_of, reload, served_name
from tests.world.certificates import make_pair
from tests.world.web_server import WebServer, answer


def hang_up(office: PostOffice) -> None:
    os.kill(office.supervisor, signal.SIGHUP)


def lines_with(office: PostOffice, word: str) -> list[str]:
    return [line for line in office.log.read_text().splitlines() if f" {word}" in line]


def reloads(office: PostOffice) -> int:
    return len(lines_with(office, "supervisor reloaded "))


def reasons(office: PostOffice) -> int:
    """In all refusals."""
    return len(lines_with(office, "not-reloaded fault="))


# ---------------------------------------------------------------- refused whole


def test_a_wrong_file_is_refused_whole_with_every_reason(
    make_office: MakeOffice, call: Call, primary: Primary
) -> None:
    """By the command and by SIGHUP; a good part of the file is not taken either."""
    primary.open()
    office = make_office()
    office.start()
    processes = office.running()
    good = changed(
        office,
        ("[receive]", '[receive]\ntimeot = "1 minute"'),
        ('"me@elsewhere.example"', '"me"'),
        ('probe = "1 second"', 'probe = "soon"'),
        more=domain_of(office, "new.example"),
    )
    done = office.run("reload")
    assert done.returncode == 1
    shown = done.stderr.splitlines()
    assert [line.removeprefix(f"{office.config}:").split(": ")[:2] for line in shown[:-1]] == [
        ["4", "owner[1]"],
        ["12", "receive.timeot"],
        ["19", "deliver.probe"],
    ]
    assert "did you mean timeout?" in shown[1]
    assert shown[-1] == f"{office.config}: not reloaded; the service goes on as it was"
    hang_up(office)
    until("it is refused", lambda: reasons(office) == 3)
    logged = lines_with(office, "not-reloaded fault=")
    assert len(logged) == 3
    assert [word in line for word, line in zip(("owner", "timeot", "probe"), logged, strict=True)] == [
        True
    ] * 3
    assert office.running() == processes
    assert call(office).send(message(1), "reader@new.example").startswith("550 ")

    def is_back(victim: Victim, before: int) -> bool:
        return office.roles().get(victim, before) != before

    # The service goes on with what it had, also when a role has to be started again.
    for victim in (Victim.RECEIVE, Victim.DELIVER):
        before = office.roles()[victim]
        assert office.kill(victim)
        until("it is back", partial(is_back, victim, before))
    until("both serve again", lambda: office.log.read_text().count("role-started") == 4)
    assert call(office).send(message(2), RECIPIENT).startswith("250 ")
    until("mail arrives", lambda: len(primary.taken) == 1)
    office.config.unlink()
    assert office.kill(Victim.RECEIVE)
    until("it serves again", lambda: office.log.read_text().count("role-started") == 5)

    office.config.write_text(good)
    hang_up(office)
    until("the old file is taken", lambda: reloads(office) == 1)
    assert len(lines_with(office, "alarm about=not-reloaded")) == 1
    assert len(lines_with(office, "alarm-over about=not-reloaded")) == 1
    assert "exit code 3" not in office.log.read_text()
    assert office.stop() == 0


def test_broken_files_are_refused_and_their_copies_used_by_a_role_that_dies(
    make_office: MakeOffice, call: Call, primary: Primary, tmp_path: Path
) -> None:
    """The certificate, its key and a list of recipients, each broken in its own way."""
    primary.open()
    office = make_office()
    pair, other = make_pair(tmp_path, "good.example"), make_pair(tmp_path, "other.example")
    recipients = tmp_path / "recipients"
    recipients.write_text("reader\n")
    certified(office, pair)
    changed(office, ('["any"]', f'["file:{recipients}"]'))
    good_key = Path(pair.key).read_bytes()
    office.start()
    # The key of another certificate: only loading both shows it.
    Path(pair.key).write_bytes(Path(other.key).read_bytes())
    [fault] = faults_of(reload(office, 1))
    assert "the receive role cannot start" in fault
    assert "key values mismatch" in fault
    Path(pair.key).write_text("nothing\n")
    recipients.write_text("reader\nno such@thing@here\n")
    faults = faults_of(reload(office, 1))
    assert len(faults) == 2
    assert "tls.key" in faults[0]
    assert f"{recipients}:2:" in faults[1]
    assert office.kill(Victim.RECEIVE)
    until("it is back", lambda: office.log.read_text().count("receive role-started") == 2)
    assert served_name(office, pair.certificate) == "good.example"
    assert call(office).send(message(1), RECIPIENT).startswith("250 ")
    assert call(office).send(message(1), "other@example.org").startswith("550 5.1.1")
    Path(pair.key).write_bytes(good_key)
    recipients.write_text("other\n")
    reload(office)
    assert call(office).send(message(1), "other@example.org").startswith("250 ")
    assert call(office).send(message(1), RECIPIENT).startswith("550 5.1.1")
    assert office.stop() == 0


def test_what_needs_a_restart_says_so(make_office: MakeOffice, tmp_path: Path) -> None:
    """The store and the user; and a port that this service has under another address."""
    office = make_office()
    office.start()
    good = changed(office, ("user     =", "# user ="))
    [fault] = faults_of(reload(office, 1))
    assert "systemctl restart secondpost" in fault
    office.config.write_text(good)
    changed(office, (f'"127.0.0.1:{office.port}"', f'"0.0.0.0:{office.port}"'))
    [fault] = faults_of(reload(office, 1))
    assert "already in use" in fault
    assert "systemctl restart secondpost" in fault
    office.config.write_text(good)
    changed(office, (f'store    = "{office.store}"', f'store    = "{tmp_path / "elsewhere"}"'))
    hang_up(office)
    until("it is refused", lambda: reasons(office) == 3)
    assert "store: this is read only when the service starts" in lines_with(office, "not-reloaded fault=")[-1]
    assert not (tmp_path / "elsewhere").exists()
    assert office.stop() == 0


def test_a_key_that_cannot_be_used_is_found_before_any_role_changes(tmp_path: Path, primary: Primary) -> None:
    """By the successors of the roles that need it; the new port of the web role is closed again."""
    with WebServer({"/weekly": answer("200 OK", atom((1,)))}).in_a_thread() as blog:
        room = Newsroom(tmp_path, blog, primary.port, {"weekly": ""}, primary.port)
        try:
            room.start()
            room.wait_for_roles()
            processes = room.running()
            [key] = (room.store / "keys" / "links").glob("links.keys")
            key.chmod(stat.S_IRUSR | stat.S_IROTH)
            port = free_port()
            web = room.web.removeprefix("http://")
            changed(room, (f'listen = ["{web}"]', f'listen = ["{web}", "127.0.0.1:{port}"]'))
            faults = faults_of(reload(room, 1))
            assert ["the deliver role" in faults[0], "the web role" in faults[1]] == [True, True]
            assert f"others can read {key}; type: chmod 600 {key}" in faults[0]
            assert room.running() == processes
            assert ask(f"{room.web}/weekly/").status == 200
            with pytest.raises(ConnectionRefusedError):
                ask(f"http://127.0.0.1:{port}/weekly/")
            key.chmod(stat.S_IRUSR | stat.S_IWUSR)
            assert reload(room)["changes"] == ["web.listen"]
            assert ask(f"http://127.0.0.1:{port}/weekly/").status == 200
            assert room.stop() == 0
        finally:
            room.end()


# ---------------------------------------------------------------- one after the other, and cut short


def test_hang_ups_during_a_reload_are_one_further_reload(make_office: MakeOffice, call: Call) -> None:
    """And what the file says then is in force afterwards."""
    office = make_office()
    office.start()
    office.wait_for_roles()
    hang_up(office)
    until("it is under way", lambda: len(office.running()) == 5)
    changed(office, more=domain_of(office, "new.example"))
    for _ in range(10):
        hang_up(office)
    until("it was reloaded again", lambda: reloads(office) == 2)
    assert call(office).send(message(1), "reader@new.example").startswith("250 ")
    until("old processes are gone", lambda: len(office.running()) == 3)
    assert office.stop() == 0
    assert reloads(office) == 2


def test_a_role_that_dies_around_a_reload_has_one_process_afterwards(
    make_office: MakeOffice, call: Call, primary: Primary
) -> None:
    """Killed before it, when its pause is longest, and while its successor prepares itself."""
    primary.open()
    office = make_office()
    office.start()
    office.wait_for_roles()
    assert office.kill(Victim.DELIVER)
    assert office.kill(Victim.RECEIVE)
    changed(office, more=domain_of(office, "new.example"))
    reload(office)
    until("one process each", lambda: len(office.running()) == 3)
    assert call(office).send(message(1), "reader@new.example").startswith("250 ")
    until("mail arrives", lambda: len(primary.taken) == 1)
    hang_up(office)
    until("it is under way", lambda: len(office.running()) == 5)
    for pid in office.running():
        if pid != office.supervisor:
            os.kill(pid, signal.SIGKILL)
    until("the reload has failed", lambda: reasons(office) > 0)
    until("one process each", lambda: len(office.running()) == 3)
    assert call(office).send(message(2), "reader@new.example").startswith("250 ")
    until("mail arrives", lambda: len(primary.taken) == 2)
    assert office.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_end_of_the_service_in_mid_reload_leaves_nothing_behind(
    make_office: MakeOffice, call: Call, primary: Primary, number: signal.Signals
) -> None:
    office = make_office()
    office.start()
    office.wait_for_roles()
    assert call(office).send(message(1), RECIPIENT).startswith("250 ")
    hang_up(office)
    until("it is under way", lambda: len(office.running()) == 5)
    os.kill(office.supervisor, number)
    assert office.wait(30) == (0 if number is signal.SIGTERM else -signal.SIGKILL)
    until("no process is left", lambda: office.running() == [])
    assert office.run("reload").returncode == 4
    primary.open()
    office.start()
    until("mail arrives", lambda: len(primary.taken) == 1)
    reload(office)
    assert office.stop() == 0
    assert not (office.store / "service.socket").exists()
