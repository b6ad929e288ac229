"""Days of a smart host that wants a login: wrong and changed passwords, two logins at one host."""

from pathlib import Path

from secondpost.config.records import Route
from secondpost.mail.address import Domain, Endpoint
from secondpost.mail.envelope import Lane
from tests.days.town import DOMAIN, MINUTE, OTHER, OURS, READER, Primary, Town

HOST, ADDRESS = "smtp.example", "198.51.100.9"
LETTERS = 10
HOUR = 60 * MINUTE


def smart_host(town: Town, **passwords: str) -> Primary:
    host = town.primary(HOST, ADDRESS)
    for domain in (DOMAIN, OTHER):
        town.dns.mx[domain] = [(50, OURS)]
    host.passwords = dict(passwords)
    return host


def route(folder: Path, domain: str, name: str) -> Route:
    return Route(Domain(domain), Lane.RELAY, Endpoint(HOST, 25), name, str(folder / f"{name}.password"))


def write_password(folder: Path, name: str, password: str) -> None:
    (folder / f"{name}.password").write_text(f"{password}\n")


def refusals_rung(town: Town) -> int:
    return sum("login-refused" in line.text for line in town.log.of("alarm"))


def test_a_wrong_password_is_tried_seldom_and_the_mail_leaves_when_it_is_right(
    town: Town, tmp_path: Path
) -> None:
    host = smart_host(town, me="right")
    host.open()
    write_password(tmp_path, "me", "wrong")
    town.start(DOMAIN, routes=(route(tmp_path, DOMAIN, "me"),))
    for number in range(LETTERS):
        town.post(f"letter{number}", READER)
    town.pass_by(2 * HOUR)
    assert host.taken == []
    assert refusals_rung(town) == 1
    assert 5 <= len(host.logins) <= 11
    first = host.logins[0][0]
    assert sum(seconds < first + 14 * MINUTE for seconds, _ in host.logins) <= 2
    write_password(tmp_path, "me", "right")
    assert town.until(lambda: len(host.taken) == LETTERS, MINUTE)
    assert len({sender for sender, _, _ in host.taken}) == LETTERS, "each once"


def test_a_password_file_that_is_gone_holds_the_mail_with_an_alarm(town: Town, tmp_path: Path) -> None:
    host = smart_host(town, me="right")
    host.open()
    town.start(DOMAIN, routes=(route(tmp_path, DOMAIN, "me"),))
    town.post("letter", READER)
    town.pass_by(10 * MINUTE)
    assert (host.taken, host.logins, refusals_rung(town)) == ([], [], 1)
    write_password(tmp_path, "me", "right")
    assert town.until(lambda: len(host.taken) == 1, MINUTE)


def test_a_password_that_the_provider_changes_rings_once_each_time(town: Town, tmp_path: Path) -> None:
    host = smart_host(town, me="first")
    host.open()
    write_password(tmp_path, "me", "first")
    town.start(DOMAIN, routes=(route(tmp_path, DOMAIN, "me"),))
    for number, password in enumerate(("second", "third"), start=1):
        town.post(f"before{number}", READER)
        town.pass_by(MINUTE)
        host.passwords["me"] = password
        town.pass_by(5 * MINUTE)
        town.post(f"after{number}", READER)
        town.pass_by(5 * MINUTE)
        assert (len(host.taken), refusals_rung(town)) == (2 * number - 1, number)
        write_password(tmp_path, "me", password)
        town.pass_by(MINUTE)
        assert len(host.taken) == 2 * number


def test_a_login_refused_by_a_site_that_was_down_anyway_rings(town: Town, tmp_path: Path) -> None:
    host = smart_host(town, me="right")
    write_password(tmp_path, "me", "wrong")
    town.start(DOMAIN, routes=(route(tmp_path, DOMAIN, "me"),))
    town.post("letter", READER)
    town.pass_by(10 * MINUTE)
    assert refusals_rung(town) == 0
    host.open()
    town.pass_by(2 * MINUTE)
    assert refusals_rung(town) == 1


def test_two_logins_at_one_host_do_not_disturb_each_other(town: Town, tmp_path: Path) -> None:
    host = smart_host(town, me="right", you="right")
    host.open()
    write_password(tmp_path, "me", "wrong")
    write_password(tmp_path, "you", "right")
    town.start(DOMAIN, OTHER, routes=(route(tmp_path, DOMAIN, "me"), route(tmp_path, OTHER, "you")))
    for number in range(LETTERS):
        town.post(f"mine{number}", READER)
        town.post(f"yours{number}", f"reader@{OTHER}")
    town.pass_by(MINUTE)
    assert sorted(sender for sender, _, _ in host.taken) == [f"yours{number}" for number in range(LETTERS)]
    assert refusals_rung(town) == 1
