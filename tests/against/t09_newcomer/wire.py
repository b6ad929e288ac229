"""Two network namespaces joined by a wire: a TUN device at each end, and a process between them.

The town is the namespace of the calling process; the newcomer's machine has another one, so that
both may listen on port 25 of all their addresses.

`python -m tests.against.t09_newcomer.wire FAR TOWN ADDRESS…` is that process: FAR is the descriptor
of the town's device; the near one is made in the namespace in which the process runs.
"""

import fcntl
import os
import select
import struct
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

TUNSETIFF: Final = 0x400454CA
IFF_TUN_WITHOUT_HEADER: Final = 0x0001 | 0x1000
PACKET_OCTETS_MAX: Final = 65_535
READY_SECONDS_MAX: Final = 10.0


def open_end(name: str) -> int:
    """A TUN device in this namespace; the descriptor of its packets."""
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH14x", name.encode(), IFF_TUN_WITHOUT_HEADER))
    return device


def raise_end(name: str, addresses: Sequence[str], others: Sequence[str]) -> None:
    """Give an end its addresses; all others are behind the wire."""
    commands = ["link set lo up", f"link set {name} up"]
    for address in addresses:
        family, bits, nodad = ("-6", 128, " nodad") if ":" in address else ("-4", 32, "")
        commands.append(f"{family} address add {address}/{bits} dev {name}{nodad}")
    commands += [f"{'-6' if ':' in other else '-4'} route add {other} dev {name}" for other in others]
    for command in commands:
        subprocess.run(["ip", *command.split()], check=True)


class Wire:
    """From the town to the namespace of the process `there`, whose end has `addresses`."""

    def __init__(self, there: int, addresses: Sequence[str], town: Sequence[str]) -> None:
        far = open_end("out")
        raise_end("out", town, [*addresses])
        inside = ["nsenter", f"--net=/proc/{there}/ns/net", sys.executable, "-m"]
        module = "tests.against.t09_newcomer.wire"
        self._process = subprocess.Popen(
            [*inside, module, str(far), ",".join(town), *addresses], pass_fds=[far], stdout=subprocess.PIPE
        )
        os.close(far)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"up\n"

    def cut(self) -> None:
        self._process.kill()
        self._process.wait()


def carry(one: int, other: int) -> None:
    """Copy packets in both directions, for ever."""
    while True:
        ready, _, _ = select.select([one, other], [], [])
        for end in ready:
            os.write(other if end == one else one, os.read(end, PACKET_OCTETS_MAX))


def main(arguments: Sequence[str]) -> None:
    far, town, *addresses = arguments
    near = open_end("eth0")
    raise_end("eth0", addresses, town.split(","))
    print("up", flush=True)
    carry(int(far), near)


if __name__ == "__main__":
    main(sys.argv[1:])
