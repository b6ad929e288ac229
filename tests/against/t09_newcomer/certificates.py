"""A certificate authority that this town trusts."""

import datetime
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


class Authority:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Town CA")])
        self._begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
        self.certificate = self._sign(self._name, self._key.public_key(), ())
        self.file.write_bytes(self._pem(self.certificate))

    @property
    def file(self) -> Path:
        """The authority's own certificate, which everyone trusts."""
        return self._folder / "authority.pem"

    def issue(self, host: str, *more: str) -> tuple[Path, Path]:
        """A certificate with its chain, and its key; as files, for `host` and `more` names."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        certificate = self._sign(name, key.public_key(), (host, *more))
        chain, secret = self._folder / f"{host}.pem", self._folder / f"{host}.key"
        chain.write_bytes(self._pem(certificate) + self._pem(self.certificate))
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        secret.chmod(0o600)
        return chain, secret

    def postfix_settings(self, host: str) -> dict[str, str]:
        chain, key = self.issue(host)
        return {
            "smtpd_tls_security_level": "may",
            "smtpd_tls_cert_file": str(chain),
            "smtpd_tls_key_file": str(key),
        }

    def _sign(
        self, name: x509.Name, public: ec.EllipticCurvePublicKey, hosts: Sequence[str]
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._begin)
            .not_valid_after(self._begin + datetime.timedelta(days=90))
            .add_extension(x509.BasicConstraints(ca=len(hosts) == 0, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )
        if len(hosts) > 0:
            names = x509.SubjectAlternativeName([x509.DNSName(host) for host in sorted(set(hosts))])
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
            builder = builder.add_extension(names, critical=False).add_extension(usage, critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def _pem(self, certificate: x509.Certificate) -> bytes:
        return certificate.public_bytes(serialization.Encoding.PEM)
