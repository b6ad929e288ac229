"""The certificate that `tls` names: the host it is for, its days, its chain and the strength of its key."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from secondpost.config.records import Config
from secondpost.mail.duration import DAY_MS
from secondpost.mail.own_certificate import SERVER_PEM
from secondpost.setup.certificate_alarm import NOW_STEP, SOON_STEP, Validity
from secondpost.setup.diagnosis import Check, Diagnosis, Grade

RSA_BITS_MIN = 2048
CURVE_BITS_MIN = 224
WEAK_HASHES = ("md5", "sha1")


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """One certificate, as far as a mail server cares."""

    names: tuple[str, ...]  # DNS names that it covers, lower case
    issuer: str
    begins_ms: int
    ends_ms: int
    key_kind: str  # "RSA", "EC", "Ed25519" or another word
    key_bits: int
    signature_hash: str  # such as "sha256"; "" for a signature that has none of its own
    is_self_signed: bool
    fingerprint: str  # SHA-256 of its DER form, hexadecimal

    def covers(self, host: str) -> bool:
        """RFC 6125 §6.4.3: a wildcard stands for one whole first label."""
        parent = host.partition(".")[2]
        return host in self.names or f"*.{parent}" in self.names


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """What the files of `tls` hold."""

    certificate: CertificateFacts
    is_key_right: bool
    # Why a client would not trust the chain, for the certificate's own first name; "" if it would.
    distrust: str


@dataclass(frozen=True, slots=True)
class BrokenFiles:
    """The files cannot be used, or not be opened by the user that looks."""

    why: str
    is_hidden: bool = False


def examine_certificate(
    config: Config, files: CertificateFiles | BrokenFiles | None, now_ms: int
) -> Iterator[Diagnosis]:
    """`files`: None if `tls` names none."""
    path = config.tls.certificate or SERVER_PEM
    if files is None and config.tls.acme is not None:
        text = "There is no certificate yet: other servers hand their mail over in the clear until it comes."
        yield Diagnosis(Check.CERTIFICATE, str(config.hostname), Grade.WARNING, text, "secondpost tls show")
        return
    if files is None:
        text = "There is no certificate: other servers hand their mail over in the clear."
        remedy = f'[tls] acme = "{config.owner[0] if len(config.owner) > 0 else "you@…"}" in {config.path}'
        yield Diagnosis(Check.CERTIFICATE, str(config.hostname), Grade.WARNING, text, remedy)
        return
    renew = _renewal(config)
    if isinstance(files, BrokenFiles) and files.is_hidden:
        text = f"The certificate was not looked at: {files.why}."
        yield Diagnosis(Check.CERTIFICATE, path, Grade.NOTE, text, "as root: secondpost check security")
        return
    if isinstance(files, BrokenFiles):
        yield Diagnosis(Check.CERTIFICATE, path, Grade.FAULT, f"{files.why}.", renew)
        return
    facts = files.certificate
    if not files.is_key_right:
        text = f"{config.tls.key} is not the key of {path}: no connection can be encrypted."
        yield Diagnosis(Check.CERTIFICATE, path, Grade.FAULT, text, f"name both of one pair in {config.path}")
    else:
        yield Diagnosis(Check.CERTIFICATE, path, Grade.WELL, "The certificate and its key belong together.")
    yield _names(config, path, facts)
    yield _days(path, facts, now_ms, renew)
    yield _chain(path, files, renew)
    yield _strength(config, path, facts)


def _renewal(config: Config) -> str:
    """The command that gets another certificate."""
    return "secondpost tls renew" if config.tls.acme is not None else f"certbot certonly -d {config.hostname}"


def _names(config: Config, path: str, facts: CertificateFacts) -> Diagnosis:
    missing = [host for host in (config.hostname.name,) if not facts.covers(host)]
    if len(missing) > 0:
        covered = ", ".join(facts.names) if len(facts.names) > 0 else "no name"
        text = f"The certificate is for {covered}, not for {missing[0]}."
        return Diagnosis(Check.CERTIFICATE_NAMES, path, Grade.FAULT, text, _renewal(config))
    return Diagnosis(Check.CERTIFICATE_NAMES, path, Grade.WELL, f"It is for {config.hostname}.")


def _days(path: str, facts: CertificateFacts, now_ms: int, renew: str) -> Diagnosis:
    check = Check.CERTIFICATE_DAYS
    if now_ms < facts.begins_ms:
        days = -((now_ms - facts.begins_ms) // DAY_MS)
        return Diagnosis(check, path, Grade.FAULT, f"It is valid only in {_days_text(days)}.", "date")
    days = (facts.ends_ms - now_ms) // DAY_MS
    if days < 0:
        return Diagnosis(check, path, Grade.FAULT, f"It expired {_days_text(-days)} ago.", renew)
    step = Validity(facts.begins_ms, facts.ends_ms).step(now_ms)
    if step in (SOON_STEP, NOW_STEP):
        grade = Grade.FAULT if step == NOW_STEP else Grade.WARNING
        return Diagnosis(check, path, grade, f"It expires in {_days_text(days)}.", renew)
    return Diagnosis(check, path, Grade.WELL, f"It is valid for {_days_text(days)}.")


def _days_text(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


def _chain(path: str, files: CertificateFiles, renew: str) -> Diagnosis:
    check = Check.CERTIFICATE_CHAIN
    if files.certificate.is_self_signed:
        text = "No authority has signed it: it encrypts, and proves nothing to a sender that asks who we are."
        return Diagnosis(check, path, Grade.NOTE, text, renew)
    if len(files.distrust) > 0:
        text = f"A sender that asks who we are would not trust it: {files.distrust}."
        remedy = "name the file with the whole chain (certbot calls it fullchain.pem)"
        return Diagnosis(check, path, Grade.WARNING, text, remedy)
    return Diagnosis(check, path, Grade.WELL, f"Its chain is complete ({files.certificate.issuer}).")


def _strength(config: Config, path: str, facts: CertificateFacts) -> Diagnosis:
    least = {"RSA": RSA_BITS_MIN, "EC": CURVE_BITS_MIN}.get(facts.key_kind, 0)
    weak = _weaknesses(facts, least)
    if len(weak) > 0:
        text = f"It is weak: {' and '.join(weak)}."
        remedy = f"certbot certonly --key-type ecdsa -d {config.hostname}"
        return Diagnosis(Check.CERTIFICATE_STRENGTH, path, Grade.WARNING, text, remedy)
    what = f"{facts.key_kind} {facts.key_bits}"
    return Diagnosis(Check.CERTIFICATE_STRENGTH, path, Grade.WELL, f"Its key is strong ({what}).")


def _weaknesses(facts: CertificateFacts, bits_min: int) -> Sequence[str]:
    weak: list[str] = []
    if facts.key_bits < bits_min:
        weak.append(f"its {facts.key_kind} key has {facts.key_bits} bits, and {bits_min} are the least")
    if facts.signature_hash in WEAK_HASHES:
        weak.append(f"it is signed with {facts.signature_hash}")
    return weak
