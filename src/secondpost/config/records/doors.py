"""Where mail and readers come in, and the certificate."""

from dataclasses import dataclass
from typing import Annotated

from secondpost.config import addresses, forms
from secondpost.config.addresses import SMTP_PORT
from secondpost.config.file_readers import ACME_READERS, CERTIFICATE_READERS
from secondpost.config.key import FileContent, FileForm, Key, ListForm, OwnForm, ValueForm
from secondpost.config.values import AcmeChallenge, BareNewlines, DoorSpeech, WebDoor
from secondpost.mail.address import Endpoint
from secondpost.mail.duration import HOUR_MS, SECOND_MS
from secondpost.mail.sts_policy import StsMode

HTTPS_PORT, HTTP_PORT = 443, 80
RECIPIENTS_LEAST = 100  # RFC 5321 §4.5.3.1.8
LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
USUAL_METRICS = (Endpoint("127.0.0.1", 9725),)
DOOR = ValueForm("an IP address of this machine and a port", addresses.door)


@dataclass(frozen=True, slots=True)
class Web:
    """The pages for readers."""

    url: Annotated[
        str | None,
        Key(
            ValueForm('"https://" and a host, or "none"', addresses.web_url, none="none"),
            'The address of the pages, without a path; `"none"` means that readers confirm and leave '
            "by mail alone.",
            '"https://news.example.net"',
            default="https:// and the hostname",
        ),
    ]
    listen: Annotated[
        tuple[WebDoor, ...],
        Key(
            ListForm(
                ValueForm(
                    'an IP address of this machine and a port, "https://" or "http://" before it or not',
                    addresses.web_door,
                ),
                'write listen = ["[::]:443"]',
            ),
            "Where the pages are served: IP addresses of this machine, with ports. Port 443 speaks "
            "HTTPS; port 80 leads to it and answers the certificate authority. Any other port serves "
            "the pages without encryption, for a proxy in front, unless `https://` or `http://` "
            "stands before it and makes it like port 443 or 80.",
            '["https://[::]:8443", "http://[::]:8080"]',
        ),
    ] = (WebDoor(Endpoint("::", HTTPS_PORT)), WebDoor(Endpoint("::", HTTP_PORT)))
    trusted_proxies: Annotated[
        tuple[str, ...],
        Key(
            ListForm(ValueForm("an IP address or a network", addresses.network)),
            "Addresses or networks of the proxies in front. Their `X-Forwarded-For` is trusted, and "
            "they may have any number of connections.",
            '["127.0.0.1"]',
        ),
    ] = ()

    @property
    def doors(self) -> tuple[Endpoint, ...]:
        return tuple(door.endpoint for door in self.listen)

    @property
    def has_https(self) -> bool:
        """Whether the web role itself speaks TLS, and needs a certificate."""
        return any(self.speech(door) is DoorSpeech.HTTPS for door in self.listen)

    def speech(self, door: WebDoor) -> DoorSpeech:
        """Port 443 speaks https, and port 80 leads there, unless `url` is http, as on loopback."""
        if door.written is not None:
            return door.written
        is_plain = self.url is not None and self.url.startswith("http:")
        if door.endpoint.port == HTTPS_PORT and not is_plain:
            return DoorSpeech.HTTPS
        # Port 80 alone has nothing to lead to: then it is for a proxy as any other port.
        return DoorSpeech.REDIRECT if door.endpoint.port == HTTP_PORT and self.has_https else DoorSpeech.PAGES


def _acme_contact(value: object) -> str:
    return str(addresses.mailbox(value))


@dataclass(frozen=True, slots=True)
class Tls:
    """The certificate, and the policy that asks other servers to demand it."""

    acme: Annotated[
        str | None,
        Key(
            ValueForm("an address", _acme_contact),
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


@dataclass(frozen=True, slots=True)
class Receive:
    """How mail comes in."""

    listen: Annotated[
        tuple[Endpoint, ...],
        Key(
            ListForm(DOOR, 'write listen = ["[::]:25"]'),
            "Where mail is accepted: IP addresses of this machine, with ports. `[::]` means every "
            "address, IPv4 included. Other servers deliver to port 25 only.",
            '["192.0.2.25:25"]',
        ),
    ] = (Endpoint("::", SMTP_PORT),)
    bare_newlines: Annotated[
        BareNewlines,
        Key(
            forms.choice(BareNewlines),
            'What is done with a message whose lines do not end in CRLF: `"normalize"` corrects and '
            'logs it, `"refuse"` refuses it.',
            '"refuse"',
        ),
    ] = BareNewlines.NORMALIZE
    connections: Annotated[
        int,
        Key(
            forms.number(1, 100_000),
            "How many connections may be open at once, of all clients together; see below.",
            "200",
        ),
    ] = 1000
    connections_per_client: Annotated[
        int, Key(forms.number(1, 100_000), "How many connections one address may have open at once.", "20")
    ] = 100
    recipients: Annotated[
        int,
        Key(
            forms.number(RECIPIENTS_LEAST, 10_000),
            "How many recipients one message may have; the standard demands at least 100.",
            "100",
        ),
    ] = 1000
    timeout_ms: Annotated[
        int,
        Key(
            forms.duration(SECOND_MS, HOUR_MS),
            "How long a client may be silent before the connection is closed; less when connections "
            "run short.",
            '"1 minute"',
        ),
    ] = 300_000


@dataclass(frozen=True, slots=True)
class Metrics:
    """Where figures and health are shown to a monitoring system; empty for "none"."""

    listen: Annotated[
        tuple[Endpoint, ...],
        Key(
            OwnForm('a list; each element is an IP address of this machine and a port; or "none"'),
            "Where they are shown, without encryption or password: IP addresses of this machine, with "
            'ports; `"none"` shows nothing. If another program has the port of the default, the '
            "service starts without them, and the log says `not-monitored`.",
            '"none"',
        ),
    ] = USUAL_METRICS

    @property
    def is_usual(self) -> bool:
        """Whether another program may have the port: then the service starts without it."""
        return self.listen == USUAL_METRICS
