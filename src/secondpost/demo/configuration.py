"""Writes the configuration for the real Secondpost: loopback only, with short intervals."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

from secondpost.demo.service import user_name

NEWSLETTER = "weekly"
DAYS_AWAY = 3  # the next scheduled issue is never near: in the demo the owner sends it
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY_SECONDS = 86_400
WATCH_SPEED = 40_000  # an hour in 90 ms: what is usual is known after some seconds

CONFIG = """\
version  = 3
hostname = "{hostname}"
store    = {store}
owner    = ["ada@elsewhere.example"]
reserve  = "1 MB"
{user}
[web]
url    = "{pages}"
listen = ["{web}"]

[receive]
listen = ["{receive}"]

[dns]
servers = ["{names}"]

[deliver]
port  = {port}
probe = "1 second"
connections_per_site = 1

[fetch]
allow_private = true

[send]
unverified = true

[watch]
networks = {networks}
speed    = {speed}

[[backup]]
domain     = "{domain}"
recipients = {recipients}

[[newsletter]]
name         = "{newsletter}"
from         = "Ada's blog <newsletter@{domain}>"
feeds        = ["{feed}"]
every        = "{day} 09:00"
min_articles = 2
start        = "everything"
settle       = "0 minutes"
undo         = "0 minutes"
"""


@dataclass(frozen=True, slots=True)
class Setup:
    hostname: str
    receive: str  # ADDRESS:PORT, like the next two
    web: str
    names: str
    port: int  # of the demo's mail servers
    domain: str
    recipients: tuple[str, ...]
    feed: str
    networks: str  # a table of them

    @property
    def pages(self) -> str:
        """The URL of the public pages."""
        return f"http://{self.web}"


def write_configuration(folder: Path, setup: Setup) -> Path:
    user = user_name()
    path, networks = folder / "secondpost.toml", folder / "networks.tsv"
    networks.write_text(setup.networks)
    path.write_text(
        CONFIG.format(
            hostname=setup.hostname,
            store=json.dumps(str(folder / "store")),
            user="" if user is None else f"user     = {json.dumps(user)}\n",
            pages=setup.pages,
            web=setup.web,
            receive=setup.receive,
            names=setup.names,
            port=setup.port,
            domain=setup.domain,
            recipients=json.dumps(setup.recipients),
            newsletter=NEWSLETTER,
            feed=setup.feed,
            networks=json.dumps(f"file:{networks}"),
            speed=WATCH_SPEED,
            day=DAYS[time.gmtime(time.time() + DAYS_AWAY * DAY_SECONDS).tm_wday],
        )
    )
    return path
