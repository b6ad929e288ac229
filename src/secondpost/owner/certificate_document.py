"""The document of `secondpost tls show`."""

from dataclasses import dataclass

from secondpost.mail.duration import DAY_MS
from secondpost.mail.moment import utc_text
from secondpost.setup.certificate_keeper import change_text, record_line
from secondpost.setup.own_certificate import StoredCertificate, change_ms, order_ms, renewal_ms, stage_of
from secondpost.setup.wanted import tlsa_name


@dataclass(frozen=True, slots=True)
class CertificateDocument:
    names: list[str]
    issuer: str
    ends: str | None
    days_left: int | None
    renewed: str | None
    record: str | None
    stage: str
    next_record: str | None
    old_record: str | None
    changes: str | None
    to_do: str
    failure: str
    tried: str | None


def certificate_document(
    stored: StoredCertificate, host: str, now_ms: int, *, is_acme: bool
) -> CertificateDocument:
    """`is_acme`: the certificate is got and renewed by itself."""
    in_use, log, name = stored.in_use, stored.log, tlsa_name(host)
    validity = None if in_use is None else in_use.validity
    ready_ms = change_ms(log) if stored.next_digest is not None else None
    has_failed = len(log.reason) > 0
    return CertificateDocument(
        names=[] if in_use is None else list(in_use.names),
        issuer="" if in_use is None else in_use.issuer,
        ends=None if validity is None else utc_text(validity.ends_ms),
        days_left=None if validity is None else (validity.ends_ms - now_ms) // DAY_MS,
        renewed=None if validity is None or not is_acme else utc_text(renewal_ms(validity)),
        record=None if in_use is None else record_line(name, in_use.digest),
        stage=stage_of(stored, now_ms).value if is_acme else "file",
        next_record=None if stored.next_digest is None else record_line(name, stored.next_digest),
        old_record=record_line(name, log.old_digest) if len(log.old_digest) > 0 else None,
        changes=None if ready_ms is None else utc_text(ready_ms),
        to_do=change_text(stored, name, now_ms) or "",
        failure=log.reason,
        tried=utc_text(max(now_ms, order_ms(log, now_ms))) if has_failed else None,
    )
