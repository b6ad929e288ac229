"""TLS for this machine: our certificate, and the contexts for both sides of a handshake.

Opportunistic TLS does not verify certificates (RFC 7435): even with a wrong one it is better than
plain text. Where a valid certificate is demanded, it is checked against the system's CAs.
"""

import os
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass

from secondpost.config.files import PEM_OCTETS_MAX, OpenToRead, open_to_read
from secondpost.world.ports import NetError

OLDEST_VERSION = ssl.TLSVersion.TLSv1_2  # RFC 8996: 1.0 and 1.1 are obsolete
LOOK_SECONDS = 5.0  # how often handshakes check whether the certificate files changed


class CertificateError(Exception):
    """The files are not a certificate and its key. The text is fit for the log."""


@dataclass(frozen=True, slots=True)
class _Stamp:
    """Changes when one of the two files is written or replaced."""

    certificate: tuple[int, int, int]
    key: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class PemCopies:
    """The two files as they were when they were last known to be good."""

    certificate: bytes
    key: bytes


class ServerCertificate:
    """Our certificate chain and key, reloaded when the files change unless they are broken.

    Connections that are open keep the certificate with which they began.
    """

    def __init__(
        self,
        certificate_path: str,
        key_path: str,
        copies: PemCopies | None = None,
        open_file: OpenToRead = open_to_read,
        *,
        is_awaited: bool = False,
        protocols: Sequence[str] = (),
    ) -> None:
        """`copies` are used while the files are broken; `is_awaited`: the files may come later;
        `protocols`: what is spoken over TLS, for ALPN. Raises CertificateError.
        """
        self._certificate_path = certificate_path
        self._key_path = key_path
        self._open_file = open_file
        self._protocols = protocols
        self.fault: str | None = None  # why the current files are not used
        self._looked = time.monotonic()
        self._stamp: _Stamp | None = None
        self._context: ssl.SSLContext | None = None
        try:
            stamp = self._look()
            self._context = self._loaded()
            self._stamp = stamp
        except CertificateError as error:
            if copies is None and not is_awaited:
                raise
            self.fault = str(error)
            if copies is not None:
                self._context = self._context_of(copies)

    def context(self) -> ssl.SSLContext | None:
        """The context for one handshake, None while the certificate is awaited. The files are looked at
        in each handshake until there is a certificate, and then at most every LOOK_SECONDS.
        """
        if self._context is None or time.monotonic() - self._looked >= LOOK_SECONDS:
            self.reload()
        return self._context

    def reload(self) -> bool:
        """Load the certificate if its files changed; True if loaded. A broken one is not used."""
        self._looked = time.monotonic()
        try:
            stamp = self._look()
            if stamp == self._stamp:
                return False
            # A new context, since adding the certificate to the old one would go on offering an RSA
            # certificate beside the ECDSA one that replaced it.
            self._context = self._loaded()
        except CertificateError as error:
            self.fault = str(error)
            return False
        self._stamp, self.fault = stamp, None
        return True

    def _look(self) -> _Stamp:
        return _Stamp(_file_stamp(self._certificate_path), _file_stamp(self._key_path))

    def _loaded(self) -> ssl.SSLContext:
        try:
            pair = read_pair(self._certificate_path, self._key_path, self._open_file)
        except OSError as error:
            raise self._unusable(error) from error
        return self._context_of(pair)

    def _context_of(self, copies: PemCopies) -> ssl.SSLContext:
        context = server_context(self._protocols)
        try:
            # OpenSSL would ask for a password on the terminal: a key with one is a fault instead.
            load_pair(context, copies)
        except (OSError, ValueError) as error:
            raise self._unusable(error) from error
        return context

    def _unusable(self, error: Exception) -> CertificateError:
        names = f"{self._certificate_path} and {self._key_path}"
        return CertificateError(f"{names} are not a certificate and its key: {tls_text(error)}")


# With forward secrecy alone. Named here, as Debian builds its Python with OpenSSL's whole list.
SERVER_CIPHERS = "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM"


def read_pair(certificate_path: str, key_path: str, open_file: OpenToRead) -> PemCopies:
    """Raises OSError."""
    return PemCopies(_octets(certificate_path, open_file), _octets(key_path, open_file))


def _octets(path: str, open_file: OpenToRead) -> bytes:
    with open(open_file(path), "rb") as file:
        return file.read(PEM_OCTETS_MAX)


def server_context(protocols: Sequence[str] = ()) -> ssl.SSLContext:
    """A context that refuses every handshake until it gets a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = OLDEST_VERSION
    context.set_ciphers(SERVER_CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    if len(protocols) > 0:
        context.set_alpn_protocols(list(protocols))
    return context


def load_pair(context: ssl.SSLContext, copies: PemCopies) -> None:
    """Raises OSError and ValueError. OpenSSL reads only files: these are in memory and have no name."""
    descriptors = [os.memfd_create("secondpost-pem", os.MFD_CLOEXEC) for _ in range(2)]
    try:
        for descriptor, octets in zip(descriptors, (copies.certificate, copies.key), strict=True):
            with open(descriptor, "wb", closefd=False) as file:
                file.write(octets)
        certificate, key = (f"/proc/self/fd/{descriptor}" for descriptor in descriptors)
        context.load_cert_chain(certificate, key, password=_no_password)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _no_password() -> str:
    raise ValueError("the key is encrypted with a password")


def _file_stamp(path: str) -> tuple[int, int, int]:
    try:
        facts = os.stat(path)
    except OSError as error:
        raise CertificateError(f"{path}: {os.strerror(error.errno or 0)}") from error
    return facts.st_ino, facts.st_mtime_ns, facts.st_size


# Where the files lie to which the links in OpenSSL's folder lead: Debian, Fedora, Arch.
AUTHORITIES = (
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/etc/pki/ca-trust",
    "/etc/pki/tls",
    "/etc/ca-certificates",
)


def authority_paths() -> list[str]:
    """The files and folders in which OpenSSL looks for this machine's authorities, some only when it
    verifies a certificate.
    """
    paths = ssl.get_default_verify_paths()
    file = os.environ.get(paths.openssl_cafile_env, paths.openssl_cafile)
    folder = os.environ.get(paths.openssl_capath_env, paths.openssl_capath)
    return [file, folder, *AUTHORITIES]


class ClientContexts:
    """The two client contexts, created when first needed, since loading the CAs takes time."""

    def __init__(self, authorities_path: str | None = None) -> None:
        """`authorities_path`: a PEM file of trusted CAs; None means the system's."""
        self._authorities_path = authorities_path
        self._verified: ssl.SSLContext | None = None
        self._opportunistic: ssl.SSLContext | None = None

    def context(self, verify: bool) -> ssl.SSLContext:
        """The context for a connection. Raises NetError if the CAs cannot be read."""
        if verify:
            if self._verified is None:
                self._verified = self._make_verified()
            return self._verified
        if self._opportunistic is None:
            self._opportunistic = _make_opportunistic()
        return self._opportunistic

    def _make_verified(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self._authorities_path)
        except OSError as error:
            raise NetError(f"the trusted authorities cannot be read: {tls_text(error)}") from error
        context.minimum_version = OLDEST_VERSION
        context.options |= ssl.OP_NO_RENEGOTIATION
        return context


def _make_opportunistic() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = OLDEST_VERSION
    context.options |= ssl.OP_NO_RENEGOTIATION  # writing never has to wait for reading
    # Level 2, Debian's default, refuses short keys and old signatures; mail would go in plain text.
    context.set_ciphers("DEFAULT:@SECLEVEL=1")
    return context


def tls_text(error: Exception) -> str:
    """The text of a TLS or socket error for the log, without OpenSSL's file and line numbers."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate was refused: {error.verify_message}"
    if isinstance(error, ssl.SSLError) and error.reason is not None:
        return error.reason.lower().replace("_", " ")
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    if isinstance(error, ConnectionResetError):
        return "the other side closed the connection"
    return str(error) if len(str(error)) > 0 else type(error).__name__
