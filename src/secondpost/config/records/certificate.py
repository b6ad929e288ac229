"""The certificate, and the authority that it is got from."""

from dataclasses import dataclass
from typing import Annotated

from secondpost.config import addresses, forms
from secondpost.config.file_readers import ACME_READERS, CERTIFICATE_READERS
from secondpost.config.key import FileContent, FileForm, Key, ValueForm
from secondpost.config.values import AcmeChallenge
from secondpost.mail.sts_policy import StsMode

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"


def _acme_contact(value: object) -> str:
    return str(addresses.mailbox(value))


@dataclass(frozen=True, slots=True)
class Tls:
    """The certificate, and the policy that asks other servers to demand it."""

    acme: Annotated[
        str | None,
        Key(
            ValueForm("a mail address", _acme_contact),
            "Your address for a certificate authority: the certificate is got and renewed by itself. "
            "To give it is to agree to the authority's terms.",
            '"me@example.net"',
            default="none",
        ),
    ] = None
    certificate: Annotated[
        str | None,
        Key(
            FileForm(FileContent.CERTIFICATE, CERTIFICATE_READERS),
            "The file with the certificate and its chain, in PEM form; it is read again when it changes.",
            '"/etc/secondpost/certificate.pem"',
            default="none",
        ),
    ] = None
    key: Annotated[
        str | None,
        Key(
            FileForm(FileContent.PRIVATE_KEY, CERTIFICATE_READERS),
            "The file with the certificate's private key, in PEM form; no other user should be able "
            "to read it.",
            '"/etc/secondpost/key.pem"',
            default="none",
        ),
    ] = None
    mta_sts: Annotated[
        StsMode | None,
        Key(
            forms.choice(StsMode),
            "The mode of the MTA-STS policies that this server serves for your domains (RFC 8461): "
            '`"testing"`, in which senders report failures and deliver all the same; `"enforce"`, '
            'once no report shows one; `"none"`, for two days before you stop.',
            '"enforce"',
            default='`"testing"` with `acme`, otherwise no policy is served',
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class Acme:
    """The certificate authority that `acme` of `[tls]` gets the certificate from."""

    directory: Annotated[
        str,
        Key(
            ValueForm('"https://" and the rest of an address', addresses.https_url),
            "The authority's directory. For trying it out, Let's Encrypt has a staging directory, "
            "whose certificates no one trusts.",
            '"https://acme-staging-v02.api.letsencrypt.org/directory"',
            default="that of Let's Encrypt",
        ),
    ] = LETS_ENCRYPT
    challenge: Annotated[
        AcmeChallenge | None,
        Key(
            forms.choice(AcmeChallenge),
            'How you prove that the names are yours: `"http-01"` needs port 80, `"tls-alpn-01"` port '
            "443, both open to the internet.",
            '"tls-alpn-01"',
            default="those whose port is in `listen` of `[web]`, in turn",
        ),
    ] = None
    root: Annotated[
        str | None,
        Key(
            FileForm(FileContent.CERTIFICATE, ACME_READERS),
            "The file with the root certificate of an authority of your own, in PEM form; it alone is "
            "then trusted for ACME.",
            '"/etc/secondpost/certificate.pem"',
            default="the system's",
        ),
    ] = None
    key_id: Annotated[
        str | None,
        Key(
            forms.TEXT,
            "The key identifier of the account that the authority gave you beforehand, if it wants "
            "one (external account binding).",
            '"kid-1"',
            default="none",
        ),
    ] = None
    key_file: Annotated[
        str | None,
        Key(
            FileForm(FileContent.SECRET, ACME_READERS),
            "The file with that account's HMAC key in base64url, on its first line.",
            '"/etc/secondpost/password"',
            default="none",
        ),
    ] = None
