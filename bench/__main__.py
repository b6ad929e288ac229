"""`python -m bench`: compares Secondpost with Debian's Postfix and with RSA signatures.

Accept and relay run against Postfix in the same run, an issue to many readers against this
machine's own RSA signatures. Prints one line of JSON per figure to stdout, progress to stderr.
Needs root: it runs in a network namespace that has only loopback, with a tmpfs of its own.
"""

import argparse
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from bench import detector, fanout, figures, importing, peers
from bench.detector import DetectorBench
from bench.fanout import FanOutBench
from bench.figures import Bench, Figure, Mode, Side, Work, as_json
from bench.importing import ImportBench
from bench.load import LoadTools
from bench.newsletter import MAIL_OCTETS

INSIDE: Final = "SECONDPOST_BENCH_INSIDE"
ROUNDS: Final = 5
IFF_UP: Final = 1
SIOCGIFFLAGS: Final = 0x8913
SIOCSIFFLAGS: Final = 0x8914

# The limits of a full run: (figure, key, value, whether that is the most or the least).
BARS: Final = (
    (Figure(Work.ACCEPT, 4096, Mode.KEPT_OPEN, "disk"), "ratio", 5.0, "at least"),
    (Figure(Work.RELAY, 4096, Mode.KEPT_OPEN, "disk"), "ratio", 5.0, "at least"),
    (Figure(Work.ACCEPT, 4096, Mode.KEPT_OPEN, "tmpfs"), "cpu_ratio", 0.25, "at most"),
    (Figure(Work.FANOUT, MAIL_OCTETS, Mode.HUNDRED_DOMAINS, "disk"), "ratio", 0.4, "at least"),
    (Figure(Work.FANOUT, MAIL_OCTETS, Mode.ONE_DOMAIN, "disk"), "ratio", 0.4, "at least"),
    (Figure(Work.BESIDE, 4096, Mode.ONE_DOMAIN, "disk"), "ratio", 0.5, "at least"),
    (Figure(Work.IMPORT, 4096, Mode.HUNDRED_DOMAINS, "disk"), "lock_ms", 50.0, "at most"),
    (Figure(Work.DETECTOR, 4096, Mode.KEPT_OPEN, "tmpfs"), "loss_upper", 0.05, "at most"),
    (Figure(Work.DETECTOR, 4096, Mode.PER_CONNECTION, "tmpfs"), "loss_upper", 0.05, "at most"),
    (Figure(Work.IMPORT, 4096, Mode.HUNDRED_DOMAINS, "disk"), "rss_growth", 1.2, "at most"),
    (Figure(Work.IMPORT, 4096, Mode.HUNDRED_DOMAINS, "disk"), "accept_ratio", 0.9, "at least"),
)


def arguments_of(line: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--short", action="store_true", help="one round, few messages, no bars")
    parser.add_argument("--rounds", type=int, help=f"rounds per figure (default {ROUNDS}, short 1)")
    parser.add_argument("--readers", type=int, help="length of the list that --only import imports")
    parser.add_argument("--only", choices=[each.value for each in Work])
    parser.add_argument("--size", type=int, choices=[4096, 51200])
    parser.add_argument("--mode", choices=[each.value for each in Mode])
    parser.add_argument("--spool", choices=["disk", "tmpfs"])
    parser.add_argument("--side", choices=[each.value for each in Side], help="measure one side alone")
    parser.add_argument(
        "--against-tree",
        type=Path,
        metavar="FOLDER",
        help="accept, relay and fanout in turn with the service of another tree (its .venv in it), "
        "in the place of Postfix and the machine's signatures; no bars",
    )
    parser.add_argument("--disk", type=Path, default=Path("/var/tmp"), help="a folder on the disk to measure")
    return parser.parse_args(line)


def enter_the_room(line: Sequence[str]) -> NoReturn:
    """Execute this program again in a namespace without any network but loopback."""
    command = ["unshare", "--net", "--mount", sys.executable, "-m", "bench", *line]
    os.execvpe(command[0], command, {**os.environ, INSIDE: "1"})


def leave(_number: int, _frame: FrameType | None) -> NoReturn:
    """On SIGTERM, exit through every `finally`, so that no server or folder is left."""
    sys.exit(1)


def raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def chosen(arguments: argparse.Namespace) -> list[Figure]:
    of_two_trees = (*figures.OF_MAIL, Work.FANOUT)
    return [
        figure
        for figure in (
            *figures.grid(arguments.short),
            *fanout.grid(arguments.short),
            *importing.grid(arguments.short),
            *detector.grid(arguments.short),
        )
        if arguments.only in (None, figure.work.value)
        and (arguments.against_tree is None or figure.work in of_two_trees)
        and arguments.size in (None, figure.size)
        and arguments.mode in (None, figure.mode.value)
        and arguments.spool in (None, figure.spool)
    ]


def run(arguments: argparse.Namespace, folder: Path) -> int:
    spools = {"disk": folder / "disk", "tmpfs": folder / "tmpfs"}
    for place in (*spools.values(), folder / "tools"):
        place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "bench", str(spools["tmpfs"])], check=True)
    tools = LoadTools.prepared(folder / "tools")
    tree = None if arguments.against_tree is None else arguments.against_tree.absolute()
    sides: tuple[Side, ...] = (Side.OURS, Side.POSTFIX if tree is None else Side.TREE)
    if arguments.side is not None:
        sides = tuple(side for side in sides if side.value == arguments.side)
    rounds = arguments.rounds or (1 if arguments.short else ROUNDS)
    mail = Bench(tools, spools, sides, rounds, arguments.short, tree)
    issues = FanOutBench.prepared(tools, spools, rounds, arguments.short, tree)
    lists = ImportBench(spools, rounds, arguments.short, arguments.readers)
    measured_by: dict[Work, FanOutBench | ImportBench | DetectorBench] = {
        Work.DETECTOR: DetectorBench(tools, spools, rounds, arguments.short),
        Work.FANOUT: issues,
        Work.BESIDE: issues,
        Work.IMPORT: lists,
    }
    below = []
    try:
        for figure in chosen(arguments):
            measured = measured_by.get(figure.work)
            line = mail.measure(figure) if measured is None else measured.measure(figure)
            print(as_json(line), flush=True)
            if not arguments.short and tree is None:
                below += falls_short(figure, line)
    finally:
        subprocess.run(["umount", str(spools["tmpfs"])], check=False)
    for sentence in below:
        print(sentence, file=sys.stderr)
    return 1 if len(below) > 0 else 0


def falls_short(figure: Figure, line: dict[str, object]) -> list[str]:
    found = []
    for held_to, key, bar, sense in BARS:
        value = line.get(key)
        if held_to != figure or not isinstance(value, float):
            continue
        if value < bar if sense == "at least" else value > bar:
            found.append(f"{figure.work} {figure.mode} on {figure.spool}: {key} {value}, {sense} {bar}")
    return found


def main(line: Sequence[str]) -> int:
    arguments = arguments_of(line)
    try:
        peers.need_root()
        peers.find("postfix")
    except peers.PeerMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    if INSIDE not in os.environ:
        enter_the_room(line)
    signal.signal(signal.SIGTERM, leave)
    raise_loopback()
    folder = Path(tempfile.mkdtemp(prefix="secondpost-bench-", dir=arguments.disk))
    folder.chmod(0o755)
    try:
        return run(arguments, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
