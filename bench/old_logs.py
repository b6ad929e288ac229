"""`python -m bench.old_logs`: a million lines of old logs through `watch attacks scan`.

Lines as an ordinary server writes them, of all servers that are understood, with guesses at passwords
and some attacks among them. Prints one line of JSON; exit code 1 above the bars.
"""

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LINES: Final = 1_000_000
KINDS: Final = 20_000  # different lines, repeated
ATTACK_EVERY: Final = 1_000
SECONDS_MAX: Final = 20.0
MEBIOCTETS_MAX: Final = 120.0  # most of it is Python and its libraries


def line_of(dice: random.Random, number: int) -> str:
    ip = ".".join(str(dice.randrange(1, 250)) for _ in range(4))
    host, who, queue_id = (
        f"mail{number}.example.org",
        f"user.{number}@example.org",
        f"{dice.getrandbits(44):X}",
    )
    session, exim = f"{dice.getrandbits(64):016x}", f"1xXl9B-{number:06d}-0W"
    syslog = f"Nov {1 + number * 28 // KINDS:2d} {number % 24:02d}:{number % 60:02d}:00 mx "
    day = f"2026-11-{1 + number * 28 // KINDS:02d} 10:11:12 "
    if number % ATTACK_EVERY == 0:
        return f"{day}H=(x) [{ip}] F=<> rejected RCPT <root+${{run{{id}}}}@x.example>: no"
    return dice.choice(
        (
            f"{syslog}postfix/smtpd[7]: connect from {host}[{ip}]",
            f"{syslog}postfix/smtpd[7]: {queue_id}: client={host}[{ip}]",
            f"{syslog}postfix/cleanup[7]: {queue_id}: message-id=<000001d9${number:x}$9f2a@{host}>",
            f"{syslog}postfix/qmgr[7]: {queue_id}: from=<{who}>, size=182, nrcpt=1 (queue active)",
            f"{syslog}postfix/smtp[7]: {queue_id}: to=<{who}>, relay=mx.example.net[{ip}]:25, delay=0.5, "
            "delays=0.1/0/0.2/0.2, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued)",
            f"{syslog}postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[{ip}]: 554 5.7.1 Service "
            f"unavailable; Client host [{ip}] blocked using zen.example; from=<{who}> to=<a@b.example> "
            "proto=ESMTP helo=<x>",
            f"{syslog}postfix/smtpd[7]: warning: unknown[{ip}]: SASL LOGIN authentication failed: x",
            f"{day}{exim} <= {who} H={host} [{ip}] P=esmtps X=TLS1.3 CV=no S=182 id=x@{host}",
            f'{day}{exim} => a <{who}> R=dnslookup T=remote_smtp H={host} [{ip}] X=TLS1.3 CV=yes C="250 OK"',
            f"{syslog}smtpd[7]: {session} smtp connected address={ip} host={host}",
            f'{syslog}smtpd[7]: {session} smtp failed-command command="RCPT TO:<{who}>" result="550 no"',
            f"{syslog}sendmail[7]: 6ATK6ti1{number:06d}: from=<{who}>, size=14, class=0, nrcpts=1, "
            f"proto=ESMTP, daemon=MTA, relay={host} [{ip}]",
        )
    )


def lines() -> Iterator[str]:
    dice = random.Random(1)
    kinds = [line_of(dice, number) for number in range(KINDS)]
    for number in range(LINES):
        yield kinds[number % KINDS]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("w") as file:
            file.writelines(f"{line}\n" for line in lines())
        begun = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "secondpost", "watch", "attacks", "scan", "--json", str(log)],
            stdout=subprocess.PIPE,
            check=False,
        )
        seconds = time.monotonic() - begun
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    document = json.loads(done.stdout)
    figures = {
        "lines": sum(each["lines"] for each in document["logs"]),
        "attempts": sum(each["attempts"] for each in document["attacks"]),
        "seconds": round(seconds, 2),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
        "mebioctets": round(used.ru_maxrss / 1024, 1),
    }
    print(json.dumps(figures))
    return 0 if seconds <= SECONDS_MAX and figures["mebioctets"] <= MEBIOCTETS_MAX else 1


if __name__ == "__main__":
    sys.exit(main())
