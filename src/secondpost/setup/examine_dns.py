"""Compares DNS with what the server and its newsletters need. Pure: it yields questions.

The content of an SPF, DMARC or MTA-STS record is the owner's choice as long as it works: it is judged
by what it does, not compared with ours.
"""

from collections.abc import Sequence

from secondpost.config.records import Config
from secondpost.mail.dns_questions import AskingZone
from secondpost.setup.diagnosis import Diagnosis
from secondpost.setup.dmarc_records import examine_dmarc
from secondpost.setup.examination import Examination
from secondpost.setup.facts import DkimKey, Facts, look_around
from secondpost.setup.host_names import examine_host
from secondpost.setup.mail_hosts import examine_backup, examine_bounces
from secondpost.setup.signatures import examine_signatures
from secondpost.setup.spf_records import examine_spf
from secondpost.setup.strict_tls import (
    examine_policy,
    examine_tls_reports,
    examine_tlsa,
    examine_tlsa_of_others,
)
from secondpost.setup.wanted import records_wanted
from secondpost.setup.zones import examine_zones


def examine(config: Config, keys: Sequence[DkimKey], known: Facts) -> AskingZone[tuple[Diagnosis, ...]]:
    """`known`: what is known without DNS."""
    facts = yield from look_around(config, known)
    it = Examination(config, tuple(keys), facts, records_wanted(config, keys, facts))
    found = list((yield from examine_host(it)))
    for backup in config.backups:
        found += yield from examine_backup(it, backup)
        found += examine_policy(it, backup)
        found += yield from examine_tls_reports(it, backup)
    found += yield from examine_bounces(it)
    found += yield from examine_spf(it)
    found += yield from examine_signatures(it)
    found += yield from examine_dmarc(it)
    found += yield from examine_tlsa(it)
    found += yield from examine_tlsa_of_others(it)
    found += yield from examine_zones(it)
    return tuple(dict.fromkeys(found))
