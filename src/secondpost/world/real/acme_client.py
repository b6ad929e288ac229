"""Gets a certificate from an authority that speaks ACME (RFC 8555), by the library `acme`.

`obtain` blocks for minutes and runs in a thread. Everything that comes from the authority is data: what
it says is passed on as text, and its certificates are judged by the role that ordered them.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from acme import challenges, client, errors, messages
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from josepy.jwk import JWKEC

from secondpost.config.records import AcmeChallenge
from secondpost.mail.own_certificate import ACCOUNT_PEM
from secondpost.protocols.certificate_questions import (
    CertificateIssued,
    CertificateNotIssued,
    CertificateOrder,
    CertificateResult,
)
from secondpost.world.ports import Fetched, FetchError
from secondpost.world.real.acme_answers import AcmeAnswers, AnswerRefused
from secondpost.world.real.acme_network import AcmeNetwork, AcmeRequests, OrderStopped, TlsAlpn01
from secondpost.world.real.files import replace_in_room

ORDER_SECONDS_MAX = 300.0
POLL_SECONDS = 2.0  # if the authority does not say when to ask again
POLL_SECONDS_MAX = 30.0
PIECE_SECONDS = 2.0  # of waiting for the certificate inside the library, which cannot be stopped
KEY_OCTETS_MAX = 64 * 1024
NO_ACCOUNT = "accountDoesNotExist"  # RFC 8555 §7.3.1


@dataclass(frozen=True, slots=True)
class ExternalAccount:
    """The account at the authority to which ours is bound (RFC 8555 §7.3.4)."""

    key_id: str
    key: str  # base64url


@dataclass(frozen=True, slots=True)
class AcmeAccount:
    directory: str  # its URL
    contact: str  # a mail address
    challenges: Sequence[AcmeChallenge]  # the ones that can be answered, best first
    names: frozenset[str]  # for which a certificate may be ordered
    external: ExternalAccount | None = None


class _OrderRefused(Exception):
    def __init__(self, reason: str, host: str = "") -> None:
        super().__init__(reason)
        self.host = host


class AcmeClient:
    def __init__(self, store: str, account: AcmeAccount, sending: AcmeRequests) -> None:
        self._store = store
        self._account = account
        self._sending = sending
        self._answers = AcmeAnswers(store)

    def obtain(self, order: CertificateOrder) -> CertificateResult:
        """One order from its beginning to its end. Blocks. Raises nothing but OSError of our own files."""
        key = self._key()
        network = AcmeNetwork(key, self._sending.send)
        try:
            return CertificateIssued(self._obtained(order, key, network))
        except _OrderRefused as refused:
            return CertificateNotIssued(str(refused), host=refused.host)
        except OrderStopped:
            return CertificateNotIssued("the fetch role ends")
        except (FetchError, AnswerRefused) as error:
            return CertificateNotIssued(str(error))
        except messages.Error as error:
            return CertificateNotIssued(problem_text(error), _retry_of(network.refused))
        except errors.TimeoutError:
            return CertificateNotIssued(f"the authority did not finish in {ORDER_SECONDS_MAX:g} seconds")
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001  the library raises anything for a document it did not expect
            text = f"its answer makes no sense: {type(error).__name__}: {error}"
            return CertificateNotIssued(text, _retry_of(network.refused))
        finally:
            self._answers.clear()

    def _obtained(self, order: CertificateOrder, key: JWKEC, network: AcmeNetwork) -> str:
        ends = time.monotonic() + ORDER_SECONDS_MAX
        names = self._names(order.request)
        self._answers.clear()
        directory = client.ClientV2.get_directory(self._account.directory, network)
        acme = client.ClientV2(directory, network)
        self._register(acme, key)
        placed = acme.new_order(order.request.encode("ascii"))
        for authorization in placed.authorizations:
            if authorization.body.identifier.value not in names:
                raise _OrderRefused("it wants a proof for a name that was not asked for")
            if authorization.body.status != messages.STATUS_VALID:
                self._answer(acme, key, authorization, order.attempt)
        for authorization in placed.authorizations:
            self._await(acme, authorization, ends)
        return self._finalized(acme, placed, ends)

    def _names(self, request: str) -> frozenset[str]:
        """The names of a signing request, of which each must be one of ours."""
        extension = x509.load_pem_x509_csr(request.encode("ascii")).extensions
        listed = extension.get_extension_for_class(x509.SubjectAlternativeName).value
        names = frozenset(listed.get_values_for_type(x509.DNSName))
        if not names <= self._account.names:
            raise _OrderRefused("a name in the request is not one of this server's")
        return names

    def _key(self) -> JWKEC:
        """The key of our account, made at the first order. Raises OSError."""
        path = os.path.join(self._store, ACCOUNT_PEM)
        if not os.path.exists(path):
            made = generate_private_key(SECP256R1())
            pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            replace_in_room(path, pem)
        with open(path, "rb") as file:
            key = load_pem_private_key(file.read(KEY_OCTETS_MAX), password=None)
        assert isinstance(key, EllipticCurvePrivateKey), f"{path} has another kind of key"
        return JWKEC(key=key)

    def _register(self, acme: client.ClientV2, key: JWKEC) -> None:
        """Find our account at the authority, or open it: to order is to agree to its terms."""
        contact = (f"mailto:{self._account.contact}",)
        known = messages.RegistrationResource(body=messages.Registration(contact=contact))
        try:
            acme.query_registration(known)
            return
        except messages.Error as error:
            if error.code != NO_ACCOUNT:
                raise
        binding = None
        if self._account.external is not None:
            external = self._account.external
            binding = messages.ExternalAccountBinding.from_data(
                key.public_key(), external.key_id, external.key, acme.directory
            )
        elif acme.external_account_required():
            raise _OrderRefused("it needs an account of its own: set key_id and key_file in [acme]")
        acme.new_account(
            messages.NewRegistration(
                contact=contact, terms_of_service_agreed=True, external_account_binding=binding
            )
        )

    def _answer(
        self, acme: client.ClientV2, key: JWKEC, authorization: messages.AuthorizationResource, attempt: int
    ) -> None:
        """Put the answer to one of the challenges in place, and have the authority look at it."""
        host = authorization.body.identifier.value
        offered = {
            challenge.chall.typ: challenge
            for challenge in authorization.body.challenges
            if isinstance(challenge.chall, challenges.HTTP01 | TlsAlpn01)
        }
        usable = [kind for kind in self._account.challenges if kind in offered]
        if len(usable) == 0:
            wanted = ", ".join(self._account.challenges)
            raise _OrderRefused(
                f"it offers no challenge for {host} that can be answered here ({wanted})", host
            )
        kind = usable[attempt % len(usable)]
        challenge = offered[kind]
        text = challenge.chall.key_authorization(key)
        if kind is AcmeChallenge.HTTP:
            self._answers.put_http(challenge.chall.encode("token"), text)
        else:
            self._answers.put_alpn(host, text)
        acme.answer_challenge(challenge, challenge.response(key))

    def _await(
        self, acme: client.ClientV2, authorization: messages.AuthorizationResource, ends: float
    ) -> None:
        while True:
            looked, response = acme.poll(authorization)
            if looked.body.status == messages.STATUS_VALID:
                return
            if looked.body.status not in (messages.STATUS_PENDING, messages.STATUS_PROCESSING):
                host = authorization.body.identifier.value
                raise _OrderRefused(_failed_text(host, looked), host)
            if time.monotonic() > ends:
                raise errors.TimeoutError
            asked = retry_seconds(response.headers.get("retry-after", ""))
            self._sending.wait(POLL_SECONDS if asked is None else min(asked, POLL_SECONDS_MAX))

    def _finalized(self, acme: client.ClientV2, placed: messages.OrderResource, ends: float) -> str:
        try:
            placed = acme.begin_finalization(placed)
        except messages.Error as error:
            if error.code != "orderNotReady":
                raise
        while True:
            try:
                # The library compares it with the local time without a zone.
                now = datetime.now(UTC).astimezone().replace(tzinfo=None)
                until = now + timedelta(seconds=PIECE_SECONDS)
                chain: str = acme.poll_finalization(placed, until).fullchain_pem
                return chain
            except errors.TimeoutError:
                if time.monotonic() > ends:
                    raise
                self._sending.wait(0)


def problem_text(problem: messages.Error) -> str:
    """A problem document (RFC 7807) in one line, with those of single names."""
    texts = [str(text) for text in (problem.detail or problem.title or problem.typ,)]
    for part in problem.subproblems or ():
        about = "" if part.identifier is None else f"{part.identifier.value}: "
        texts.append(f"{about}{part.detail or part.typ}")
    return " ".join("; ".join(texts).split())


def _failed_text(host: str, looked: messages.AuthorizationResource) -> str:
    problems = [challenge.error for challenge in looked.body.challenges if challenge.error is not None]
    if len(problems) == 0:
        return f"it did not accept the proof for {host}"
    return f"it did not accept the proof for {host}: {problem_text(problems[0])}"


def _retry_of(refused: Fetched | None) -> int | None:
    return None if refused is None else retry_seconds(refused.headers.get("retry-after", ""))


def retry_seconds(written: str) -> int | None:
    """The value of Retry-After: seconds, or a date (RFC 9110 §10.2.3). None: neither."""
    written = written.strip()
    if written.isdecimal() and len(written) < 9:
        return int(written)
    try:
        return max(0, int(parsedate_to_datetime(written).timestamp() - time.time()))
    except (ValueError, OverflowError):
        return None
