"""The certificate of this server, for the roles that show it: receive and web."""

import os
from collections.abc import Mapping, Sequence

from secondpost.config.files import OpenToRead
from secondpost.config.records import Config
from secondpost.mail.own_certificate import SERVER_PEM
from secondpost.world.real.tls import PemCopies, ServerCertificate


def server_certificate(
    config: Config, copies: Mapping[str, bytes], open_file: OpenToRead, protocols: Sequence[str] = ()
) -> ServerCertificate | None:
    """From the files of `tls`, or from the store if it is got by ACME; None without either.

    `copies`: the files as they were when the configuration was accepted; `protocols`: for ALPN.
    Raises CertificateError.
    """
    if config.tls.acme is not None:
        path = os.path.join(config.store, SERVER_PEM)
        return ServerCertificate(path, path, None, open_file, is_awaited=True, protocols=protocols)
    certificate, key = config.tls.certificate, config.tls.key
    if certificate is None or key is None:
        return None
    copied = None
    if certificate in copies and key in copies:
        copied = PemCopies(copies[certificate], copies[key])
    return ServerCertificate(certificate, key, copied, open_file, protocols=protocols)
