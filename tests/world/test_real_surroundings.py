"""What is seen of this machine, and of one made of files."""

import os
import socket
from pathlib import Path

from secondpost.mail.address import Endpoint
from secondpost.setup.surroundings import FoundCertificate, PortHolder
from secondpost.world.real.port_holders import port_holders, program_name, running
from secondpost.world.real.surroundings import look_around_here

NGINX = frozenset({"nginx", "caddy"})


def test_our_own_open_port_is_seen_with_our_own_program() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        ours = PortHolder(Endpoint("127.0.0.1", port), program_name("/proc", str(os.getpid())))
        assert ours in look_around_here().port_holders
    assert port not in {one.endpoint.port for one in look_around_here().port_holders}


def test_the_dual_stack_port_is_seen_as_ipv6() -> None:
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as door:
        assert Endpoint("::", door.getsockname()[1]) in {one.endpoint for one in port_holders()}


def test_this_machine_is_seen_as_it_is() -> None:
    here = look_around_here()
    assert "127.0.0.1" in here.addresses
    assert here.is_root is (os.geteuid() == 0)


def made(root: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(root)


def test_a_machine_of_files(tmp_path: Path) -> None:
    nodename = os.uname().nodename.partition(".")[0]
    root = made(
        tmp_path,
        {
            "etc/hosts": f"127.0.0.1 localhost\n127.0.1.1 {nodename}.example.net {nodename}  # this one\n",
            "etc/resolv.conf": "nameserver 127.0.0.1\nnameserver 192.0.2.53\n",
            "etc/letsencrypt/live/mx2.example.net/fullchain.pem": "",
            "etc/letsencrypt/live/mx2.example.net/privkey.pem": "",
            "etc/letsencrypt/live/README": "",
        },
    )
    (tmp_path / "etc/localtime").symlink_to("/usr/share/zoneinfo/Europe/Oslo")
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    here = look_around_here(root)
    folder = f"{root}/etc/letsencrypt/live/mx2.example.net"
    if "." not in os.uname().nodename:
        assert here.name == f"{nodename}.example.net"
    assert here.resolvers == (Endpoint("127.0.0.1", 53), Endpoint("192.0.2.53", 53))
    assert here.has_own_resolver
    assert here.certificates == (
        FoundCertificate("mx2.example.net", f"{folder}/fullchain.pem", f"{folder}/privkey.pem"),
    )
    assert here.timezone == "Europe/Oslo"
    assert here.has_systemd


def test_a_machine_of_which_nothing_can_be_seen(tmp_path: Path) -> None:
    here = look_around_here(str(tmp_path))
    assert here.timezone == "UTC"
    assert here.certificates == ()
    assert not here.has_systemd
    assert port_holders(str(tmp_path)) == ()
    assert running(NGINX, str(tmp_path)) == frozenset()


TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1
   1: 0100007F:0019 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4712 1
   2: 0100007F:C350 0100007F:0019 01 00000000:00000000 00:00000000 00000000     0        0 4713 1
"""


def test_a_table_of_the_kernel(tmp_path: Path) -> None:
    proc = made(tmp_path, {"net/tcp": TCP, "77/comm": "nginx\n", "88/comm": "python3\n", "self/comm": "x"})
    (tmp_path / "88/cmdline").write_bytes(b"python3\0/opt/bin/secondpost\0serve\0")
    for pid, inode in ((77, 4711), (88, 4712)):
        (tmp_path / f"{pid}/fd").mkdir()
        (tmp_path / f"{pid}/fd/3").symlink_to(f"socket:[{inode}]")
    assert port_holders(proc) == (
        PortHolder(Endpoint("0.0.0.0", 80), "nginx"),
        PortHolder(Endpoint("127.0.0.1", 25), "secondpost"),
    )
    assert running(NGINX, proc) == frozenset({"nginx"})
