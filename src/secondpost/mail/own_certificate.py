"""The files of the server's own certificate, got by ACME, and the answers to challenges.

Names are relative to the store. Key and chain are one file, replaced by a rename, so a reader never
sees a key without its certificate:

    tls/server.pem              by deliver: the key in use (ECDSA P-256, PKCS#8), then its chain, leaf first
    tls/next-key.pem            by deliver: the next key, before the first certificate and during a change
    tls/orders.json             by deliver: what it remembers of orders and of a change of the key
    acme/account.pem            by fetch: the key of our account at the authority
    acme/http-01/TOKEN          by fetch: the key authorization (RFC 8555 §8.3), as it is to be sent
    acme/tls-alpn-01/HOST.pem   by fetch: a key of its own, then its certificate (RFC 8737 §3)

OpenSSL loads such a file as chain and key at once: `load_cert_chain(path, path)`. An answer is removed
when its challenge is over, so its reader keeps none.
"""

import re

from secondpost.mail.store_rooms import StoreRoom

SERVER_PEM = f"{StoreRoom.TLS.value.folder}/server.pem"
NEXT_KEY_PEM = f"{StoreRoom.TLS.value.folder}/next-key.pem"
ORDERS_JSON = f"{StoreRoom.TLS.value.folder}/orders.json"
ACCOUNT_PEM = f"{StoreRoom.ACME.value.folder}/account.pem"
HTTP_ANSWERS = f"{StoreRoom.ACME.value.folder}/http-01"
ALPN_ANSWERS = f"{StoreRoom.ACME.value.folder}/tls-alpn-01"

HTTP_ANSWER_PATH = "/.well-known/acme-challenge/"  # RFC 8555 §8.3: below it, the token
ALPN_PROTOCOL = "acme-tls/1"  # RFC 8737 §6.2
ANSWER_OCTETS_MAX = 8_000
TOKEN_CHARACTERS_MAX = 200
HOST_CHARACTERS_MAX = 253

_TOKEN = re.compile(r"[A-Za-z0-9_-]+")  # RFC 8555 §8.3: base64url
_HOST = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")


def http_answer(token: str) -> str | None:
    """The file with the answer to an http-01 challenge; None if no token looks like this."""
    if len(token) > TOKEN_CHARACTERS_MAX or _TOKEN.fullmatch(token) is None:
        return None
    return f"{HTTP_ANSWERS}/{token}"


def alpn_answer(host: str) -> str | None:
    """The file with the certificate that answers a tls-alpn-01 challenge for a host; None if no host
    is called this. `host`: as the client names it (SNI).
    """
    name = host.lower().removesuffix(".")
    if len(name) > HOST_CHARACTERS_MAX or _HOST.fullmatch(name) is None:
        return None
    return f"{ALPN_ANSWERS}/{name}.pem"
