"""The commands that `init` shows at its end fit the machine."""

from dataclasses import replace

import pytest

from secondpost.config.reading import parse_config
from secondpost.config.records import Config
from secondpost.mail.address import Endpoint
from secondpost.setup.answers import Answers, BackupAnswer
from secondpost.setup.config_file import config_text
from secondpost.setup.next_steps import NextStep, next_steps
from secondpost.setup.surroundings import PortHolder, Surroundings

SYSTEM = "/etc/secondpost/secondpost.toml"
ROOT = Surroundings("mx2.example.net", frozenset({"5.9.8.7"}), is_root=True, has_systemd=True, low_port=0)
USER = replace(ROOT, is_root=False, low_port=1024)
ANSWERS = Answers(
    "mx2.example.net", "/var/lib/secondpost", ("me@elsewhere.example",), (BackupAnswer("example.net"),)
)


def config(path: str = SYSTEM, listen: tuple[str, ...] = ()) -> Config:
    return parse_config(config_text(replace(ANSWERS, listen=listen)).encode(), path)


def commands(
    config: Config, here: Surroundings, *, has_user: bool = True, is_found: bool = True
) -> list[str]:
    return [step.command for step in next_steps(config, here, has_user=has_user, is_found=is_found)]


def test_root_with_systemd_and_a_user() -> None:
    assert commands(config(), ROOT) == [
        "secondpost init --wait --yes",
        "secondpost check all",
        "secondpost systemd --install",
        "secondpost serve",
    ]


def test_root_without_a_user_makes_one_first() -> None:
    made = "adduser --system --group --no-create-home secondpost && chown -R secondpost: /var/lib/secondpost"
    assert commands(config(), ROOT, has_user=False)[0] == made
    assert made not in commands(config("/srv/trial/secondpost.toml"), ROOT, has_user=False)


@pytest.mark.parametrize(
    ("program", "name"), [("exim4", "exim4"), ("master", "postfix"), ("smtpd", "opensmtpd")]
)
def test_a_mail_server_on_port_25_is_stopped(program: str, name: str) -> None:
    here = replace(ROOT, port_holders=(PortHolder(Endpoint("127.0.0.1", 25), program),))
    assert f"systemctl disable --now {name}" in commands(config(), here)
    assert f"systemctl disable --now {name}" not in commands(config(listen=("127.0.0.1:2525",)), here)


def test_another_program_is_not_stopped_by_a_guess() -> None:
    here = replace(ROOT, port_holders=(PortHolder(Endpoint("127.0.0.1", 25), "python3"),))
    assert not any("systemctl" in command for command in commands(config(), here))


def last_step(config: Config) -> NextStep:
    return list(next_steps(config, USER, has_user=True, is_found=True))[-1]


def test_another_user_needs_root_for_port_25_alone() -> None:
    assert last_step(config()) == NextStep("secondpost serve", "as root: runs the service, until Ctrl-C")
    elsewhere = last_step(config(listen=("127.0.0.1:2525",)))
    assert elsewhere == NextStep("secondpost serve", "runs the service, until Ctrl-C")


def test_a_running_service_reloads() -> None:
    here = replace(ROOT, port_holders=(PortHolder(Endpoint("::", 25), "secondpost"),))
    assert commands(config(), here)[-1] == "secondpost reload"
    assert "secondpost serve" not in commands(config(), here)


def test_a_file_that_commands_do_not_find_is_named() -> None:
    shown = commands(config("/srv/my mail/secondpost.toml"), USER, is_found=False)
    assert shown[1] == "secondpost check all --config '/srv/my mail/secondpost.toml'"
