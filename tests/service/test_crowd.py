"""Good mail from twenty networks beside a thousand silent connections and ten guessers.

The silent ones are from one /64; the guessers try recipients without end. Real sockets, in a
network namespace.
"""

import json
import subprocess
import sys
from pathlib import Path
from statistics import median

from tests.service.crowd import TIMEOUT_SECONDS, Figures

NAMESPACE = ("unshare", "--user", "--map-root-user", "--net")
SECONDS_MAX = 120.0
LOG_OCTETS_MAX = 400_000  # most of which are lines of good mail
GROWN_KILOBYTES_MAX = 30_000


def test_good_mail_goes_on_beside_a_crowd_that_says_nothing_and_one_that_guesses(tmp_path: Path) -> None:
    played = subprocess.run(
        [*NAMESPACE, sys.executable, "-m", "tests.service.crowd", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert played.returncode == 0, played.stderr
    figures = Figures(**json.loads(played.stdout.splitlines()[-1]))
    print(
        f"good: median {median(figures.good_seconds):.3f} s, longest {max(figures.good_seconds):.3f} s, "
        f"{len(figures.good_seconds)} taken, {figures.good_refused} refused; "
        f"idle: {len(figures.idle_stayed)} let in, {figures.idle_refused} refused, "
        f"longest {max(figures.idle_stayed):.1f} s; {len(figures.guesses_answered)} guessing sessions; "
        f"log {figures.log_octets} octets, grown by {figures.grown_kilobytes} kB"
    )
    assert figures.good_refused == 0
    assert median(figures.good_seconds) < 1.0
    assert len(figures.idle_stayed) == 50
    assert figures.idle_refused == 950
    assert max(figures.idle_stayed) < TIMEOUT_SECONDS + 10
    assert len(figures.guesses_answered) > 10
    assert set(figures.guesses_answered) == {20}
    assert figures.log_octets < LOG_OCTETS_MAX
    assert figures.grown_kilobytes < GROWN_KILOBYTES_MAX
