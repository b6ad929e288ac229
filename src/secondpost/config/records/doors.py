"""Where mail, readers and monitoring come in."""

from dataclasses import dataclass
from typing import Annotated

from secondpost.config import addresses, forms
from secondpost.config.addresses import SMTP_PORT
from secondpost.config.key import Key, ListForm, OwnForm, ValueForm
from secondpost.config.values import BareNewlines, DoorSpeech, WebDoor
from secondpost.mail.address import Endpoint
from secondpost.mail.duration import HOUR_MS, SECOND_MS

HTTPS_PORT, HTTP_PORT = 443, 80
RECIPIENTS_LEAST = 100  # RFC 5321 §4.5.3.1.8
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
    ] = 300_000  # RFC 5321 §4.5.3.2.7


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
