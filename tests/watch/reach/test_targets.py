"""Which addresses are looked at: of every MX host, and our own; each once, and none that is private."""

from secondpost.config.records import Backup, Config, Web
from secondpost.mail.address import Domain
from secondpost.mail.questions import (
    AddressAnswer,
    Addresses,
    Finding,
    Mx,
    MxAnswer,
    MxRecord,
    NameAnswer,
    NameQuestion,
)
from secondpost.mail.reach import ReachTarget
from secondpost.watch.reach.targets import TARGETS_MAX, reach_targets
from secondpost.world.asking import answer_from

NET, ORG = Domain("example.net"), Domain("example.org")
HOST = Domain("mx2.example.net")
CONFIG = Config("", HOST, "", (), HOST, Web(None), backups=(Backup(NET), Backup(ORG)))
FAILED, NO_ADDRESS = MxAnswer(Finding.FAILED), AddressAnswer(Finding.NO_NAME)


def mx(*hosts: str) -> MxAnswer:
    return MxAnswer(Finding.FOUND, tuple(MxRecord(10 * place, host) for place, host in enumerate(hosts)))


def at(*addresses: str) -> AddressAnswer:
    return AddressAnswer(Finding.FOUND, addresses)


WORLD: dict[NameQuestion, NameAnswer] = {
    Mx(NET): mx("mx1.example", "mx2.example.net"),
    Mx(ORG): mx("mx1.example", "mx3.example"),
    Addresses("mx1.example"): at("192.0.2.1", "2001:db8::1"),
    Addresses("mx2.example.net"): at("192.0.2.2"),
    Addresses("mx3.example"): at("192.0.2.1", "192.0.2.3"),
}


def test_every_address_of_every_mx_host_and_our_own_once() -> None:
    found = answer_from(WORLD, reach_targets(CONFIG, ("198.51.100.2",)))
    assert found.is_whole
    assert found.targets == (
        ReachTarget("198.51.100.2", "mx2.example.net", ("example.net",)),
        ReachTarget("192.0.2.1", "mx1.example", ("example.net", "example.org")),
        ReachTarget("2001:db8::1", "mx1.example", ("example.net", "example.org")),
        ReachTarget("192.0.2.3", "mx3.example", ("example.org",)),
    )


def test_dns_says_our_address_where_this_machine_does_not_know_it() -> None:
    found = answer_from(WORLD, reach_targets(CONFIG, ()))
    assert found.targets[0] == ReachTarget("192.0.2.2", "mx2.example.net", ("example.net",))


def test_what_dns_does_not_say_is_not_whole_and_what_does_not_exist_is() -> None:
    silent = {**WORLD, Mx(NET): FAILED}
    assert not answer_from(silent, reach_targets(CONFIG, ())).is_whole
    failed = {**WORLD, Addresses("mx3.example"): AddressAnswer(Finding.FAILED)}
    assert not answer_from(failed, reach_targets(CONFIG, ())).is_whole
    gone = {**WORLD, Addresses("mx3.example"): NO_ADDRESS, Addresses("mx2.example.net"): NO_ADDRESS}
    found = answer_from(gone, reach_targets(CONFIG, ()))
    assert found.is_whole
    assert [target.address for target in found.targets] == ["192.0.2.1", "2001:db8::1"]


def test_a_domain_may_be_its_own_mx_or_have_none() -> None:
    world = {
        **WORLD,
        Mx(NET): MxAnswer(Finding.NO_DATA),
        Mx(ORG): mx("."),
        Addresses("example.net"): at("192.0.2.9"),
    }
    targets = answer_from(world, reach_targets(CONFIG, ("192.0.2.2",))).targets
    assert [target.host for target in targets] == ["mx2.example.net", "example.net"]


def test_private_addresses_mean_other_machines_elsewhere() -> None:
    private = at(
        "10.0.0.1", "127.0.0.1", "192.168.1.1", "100.64.0.1", "fd00::1", "fe80::1", "::1", "192.0.2.7"
    )
    world = {**WORLD, Addresses("mx1.example"): private}
    targets = answer_from(world, reach_targets(CONFIG, ("172.16.0.9",))).targets
    assert [target.address for target in targets] == ["192.0.2.7", "192.0.2.1", "192.0.2.3"]


def test_their_number_is_bounded() -> None:
    many = at(*(f"192.0.2.{number}" for number in range(1, 200)))
    world = {**WORLD, Addresses("mx1.example"): many}
    assert len(answer_from(world, reach_targets(CONFIG, ())).targets) == TARGETS_MAX
