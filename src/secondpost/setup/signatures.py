"""The public keys in DNS, compared with those that this server signs with. Pure."""

from secondpost.mail.address import Domain
from secondpost.mail.dns_questions import AskingZone
from secondpost.mail.questions import Finding, Txt
from secondpost.protocols.dkim.signing import Algorithm
from secondpost.protocols.dkim.verifying import DkimFault, parse_key, tags_of
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.examination import Examination, no_answer, txt_line, well
from secondpost.setup.facts import DkimKey
from secondpost.setup.wanted import signing_domains


def examine_signatures(it: Examination) -> AskingZone[tuple[Diagnosis, ...]]:
    found: list[Diagnosis] = []
    for domain in signing_domains(it.config):
        for key in it.keys:
            found.append((yield from _key(it, domain, key)))
    return tuple(found)


def _key(it: Examination, domain: Domain, key: DkimKey) -> AskingZone[Diagnosis]:
    name = f"{key.selector}._domainkey.{domain}"
    answer = yield from Txt(name).ask()
    if answer.finding is Finding.FAILED:
        return no_answer(name, f"the key {name}")
    line = txt_line(name, key.text)
    grade = _grade(it, domain, key)
    if len(answer.texts) == 0:
        text = f"There is no key at {name}: the signature cannot be checked."
        return Diagnosis(Check.DKIM_RECORD, name, grade, text, line)
    if len(answer.texts) > 1:
        text = f"There are {len(answer.texts)} TXT records at {name}: receivers use any one of them."
        return Diagnosis(Check.DKIM_RECORD, name, grade, text, f"Keep only: {line}")
    return _compared(name, answer.texts[0], key, grade, line)


def _grade(it: Examination, domain: Domain, key: DkimKey) -> Grade:
    """RSA is what every receiver knows, and mail to readers depends on it. Ed25519 comes on top, and the
    server's own mail is little.
    """
    is_own = domain == it.config.hostname
    is_rsa = parse_key(key.text).algorithm is Algorithm.RSA
    return Grade.FAULT if is_rsa and not is_own else Grade.WARNING


def _compared(name: str, text: str, key: DkimKey, grade: Grade, line: str) -> Diagnosis:
    try:
        tags = tags_of(text)
        if "".join(tags.get("p", "x").split()) == "":
            said = f"The key at {name} is revoked: its p= is empty."
            return Diagnosis(Check.DKIM_REVOKED, name, grade, said, line)
        found = parse_key(text)
    except DkimFault as fault:
        said = f"The record at {name} is no usable key: {fault}."
        return Diagnosis(Check.DKIM_SYNTAX, name, grade, said, line)
    if found != parse_key(key.text):
        said = f"{name} has another key than the one that this server signs with."
        return Diagnosis(Check.DKIM_KEY, name, grade, said, line)
    if "y" in [flag.strip() for flag in tags.get("t", "").split(":")]:
        said = f"The key at {name} is in test mode (t=y)."
        return Diagnosis(Check.DKIM_TESTING, name, Grade.WARNING, said, line)
    return well(Check.DKIM_KEY, name, f"{name} has the key that this server signs with.")
