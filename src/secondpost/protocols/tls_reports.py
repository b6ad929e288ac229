"""TLS-RPT: the TXT record that says where reports about TLS go (RFC 8460 §3)."""


class TlsReportsFault(ValueError):
    """A record that senders do not understand. The text is the reason."""


def is_tls_reports(text: str) -> bool:
    """Whether a TXT record at _smtp._tls is meant as TLS-RPT, if only almost."""
    return text.lstrip().lower().startswith("v=tlsrpt")


def check_tls_reports(text: str) -> None:
    """Raises TlsReportsFault."""
    first, *rest = [part.strip() for part in text.split(";")]
    if first != "v=TLSRPTv1":
        raise TlsReportsFault("it does not begin with v=TLSRPTv1;")
    for part in rest:
        name, _, value = part.partition("=")
        if name.strip() == "rua":
            for uri in value.split(","):
                _check_uri(uri.strip())
            return
    raise TlsReportsFault("it has no rua=")


def _check_uri(uri: str) -> None:
    is_mail = uri.startswith("mailto:") and "@" in uri
    if not is_mail and not uri.startswith("https://"):
        raise TlsReportsFault(f"{uri[:60]!r} is neither mailto: with an address nor https://")
