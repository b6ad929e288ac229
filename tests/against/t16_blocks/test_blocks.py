"""Four networks are cut off from the primary, one after the other and each in another way: an alarm names
that network and no other, and ends when the block ends. All mail arrives, each once.
"""

import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import pytest

from bench.ours import DOMAIN
from bench.peers import PROJECT, need_root
from tests.against.t16_blocks.days import AlarmList, Result
from tests.against.t16_blocks.internet import NOTICE
from tests.against.t16_blocks.networks import NETWORKS, PROVIDER, Network, Way

DAYS_SECONDS_MAX: Final = 400
# What a sender hears from the primary, by the way in which it is cut off.
HEARD: Final = {
    Way.DROP: f"{PROVIDER.address}]:25: Connection timed out",
    Way.REJECT: f"{PROVIDER.address}]:25: No route to host",
    Way.RESET: f"{PROVIDER.address}]:25: Connection reset by peer",
    Way.POISON: f"{NOTICE}]:25: Connection refused",
}


def played(folder: Path) -> Result:
    need_root()
    own = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    days = [sys.executable, "-m", "tests.against.t16_blocks.days", str(folder)]
    done = subprocess.run(
        ["unshare", *own, *days],
        cwd=PROJECT,
        timeout=DAYS_SECONDS_MAX,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    return msgspec.json.decode((folder / "result.json").read_bytes(), type=Result)


@pytest.fixture(scope="module")
def result() -> Iterator[Result]:
    folder = Path(tempfile.mkdtemp(prefix="secondpost-blocks-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        found = played(folder)
        print(found.seconds)
        yield found
    finally:
        shutil.rmtree(folder)


def subject_of(network: Network) -> str:
    return f"{DOMAIN} from {network.word}"


def standing(alarms: AlarmList) -> list[str]:
    return [one.subject for one in alarms.standing]


def test_what_strays_here_in_ordinary_days_rings_no_alarm(result: Result) -> None:
    assert result.before == AlarmList([], [])


@pytest.mark.parametrize("network", NETWORKS, ids=[network.way for network in NETWORKS])
def test_the_alarm_names_the_blocked_network_and_no_other(result: Result, network: Network) -> None:
    block = result.blocks[network.way]
    assert HEARD[network.way] in block.failures
    assert set(block.came_round) == {network.way}
    assert set(block.came_directly) == {other.way for other in NETWORKS if other is not network}

    assert standing(block.found) == standing(block.at_the_end) == [subject_of(network)]
    assert f"servers of {network.name} bring mail for {DOMAIN} here" in block.found.standing[0].detail
    assert block.blocked == [network.word]


@pytest.mark.parametrize("network", NETWORKS, ids=[network.way for network in NETWORKS])
def test_the_alarm_ends_when_the_block_ends(result: Result, network: Network) -> None:
    over = result.blocks[network.way].over
    assert standing(over) == []
    until_now = NETWORKS[: NETWORKS.index(network) + 1]
    assert Counter(one.subject for one in over.ended) == Counter(map(subject_of, until_now))
    [ended] = [one for one in over.ended if one.subject == subject_of(network)]
    assert ended.how == f"hardly any mail comes here from {network.name}"


def test_every_mail_arrives_once(result: Result) -> None:
    assert Counter(result.stored) == Counter(result.submitted)
