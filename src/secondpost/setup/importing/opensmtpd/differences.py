"""What is not as it was for a rule that is carried over."""

from secondpost.setup.importing.opensmtpd.matching import ReachOfRule
from secondpost.setup.importing.opensmtpd.statements import SmtpdRelay, SmtpdRule
from secondpost.setup.importing.opensmtpd.strangers import DomainWay, Strangers

UNLISTED = (
    "Which addresses it is for cannot be read here, so the primary is asked which exist; that may be others."
)


def differences(rule: SmtpdRule, way: DomainWay, strangers: Strangers) -> list[str]:
    """Sentences; empty if all is as it was. `way`: of a domain that the rule is for."""
    whys = []
    if rule is way.takes_rest and way.only is None and not way.takes_all:
        whys.append(UNLISTED)
    if strangers.reach(rule) is ReachOfRule.MOST:
        whys.append("It was not for all clients or senders; here mail for the domain is taken from all.")
    action = rule.action
    if not isinstance(action, SmtpdRelay):
        return whys
    if action.host is None and action.by_domain is None and action.tls is not None:
        whys.append("TLS was demanded of every MX host; here it is where MTA-STS or DANE demand it.")
    if action.host is not None and len(action.host.entries) > 1:
        whys.append("Of several servers, the first is the primary; add the others to `primary`.")
    if action.backup_name is not None:
        whys.append(
            f"The MX hosts before {action.backup_name} were asked; here those before this server's hostname."
        )
    if action.source is not None or action.helo is not None or action.helo_names is not None:
        whys.append("Address and name of outgoing connections are those of the machine and of `hostname`.")
    if action.mail_from is not None:
        whys.append("The sender's address is not rewritten: mail for a backup domain stays as it is.")
    if action.pki is not None or action.ca is not None:
        whys.append("No certificate of a client is shown, and no authority of its own is trusted.")
    return whys
