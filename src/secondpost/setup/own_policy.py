"""The MTA-STS policies that this server serves itself, made from DNS and the configuration. Pure.

The id of a policy, which stands in DNS, is made from its text: so `init`, `check` and the service agree on
it without a word, and it changes if and only if the policy does.
"""

from hashlib import sha256

from secondpost.config.records import Config
from secondpost.mail.address import Domain
from secondpost.mail.questions import Asking, Finding, Mx, MxAnswer
from secondpost.mail.sts_policy import StsMode
from secondpost.protocols.mta_sts import Policy

NULL_MX = "."
POLICY_AGE_SECONDS = 604_800  # a week: RFC 8461 §3.2 advises weeks
ID_CHARACTERS = 20
# RFC 8461 §8.3: before a policy is removed, senders have to see one that asks for nothing.
NONE_AGE_SECONDS = 86_400


def ask_policy(config: Config, domain: Domain) -> Asking[Policy | None]:
    """The policy of a domain of `policy_domains`; None while its mail hosts are not known."""
    return own_policy(config, domain, (yield from Mx(domain).ask()))


def own_policy(config: Config, domain: Domain, answer: MxAnswer) -> Policy | None:
    """It names us before our MX record is published, since senders keep a policy for long (RFC 8461
    §8.3), and never us alone while the others are not known: their mail would be refused.
    """
    mode = StsMode.NONE if config.policy_mode is None else config.policy_mode
    us = config.hostname.name
    hosts = [record.host for record in sorted(answer.records) if record.host not in (us, NULL_MX)]
    is_ours = domain in (config.hostname, config.bounces)
    if answer.finding is Finding.FAILED or (len(hosts) == 0 and not is_ours):
        return None
    if is_ours or config.backup_for(domain) is not None:
        hosts.append(us)
    if mode is StsMode.NONE:
        return Policy(mode, NONE_AGE_SECONDS)
    return Policy(mode, POLICY_AGE_SECONDS, tuple(hosts))


def policy_id(text: str) -> str:
    """The id of a policy that is served here (RFC 8461 §3.1), whichever line ends it came with."""
    return sha256("\n".join(text.splitlines()).encode()).hexdigest()[:ID_CHARACTERS]
