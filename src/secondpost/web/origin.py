"""Whether a form was posted from another site, as far as the browser says.

A page elsewhere can make its visitors' browsers post to our forms, each from a network of its own.
Programs that are not browsers send no such headers, but are counted by network.
"""

from urllib.parse import urlsplit

from starlette.requests import Request

DEFAULT_PORTS = {"http": ":80", "https": ":443"}  # browsers leave them out
NEAR = ("same-origin", "same-site", "none")  # `none`: the person did it, not a page


def is_from_elsewhere(request: Request, url: str | None) -> bool:
    """Whether the form came from another site; `url` is our configured one, the client may know us
    by another.

    Browsers from before 2023, and all without https, send only Origin or Referer.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site.lower() not in NEAR
    page = request.headers.get("origin", request.headers.get("referer"))
    if page is None:
        return False
    host = _host(page)
    named = _host(f"{page.partition(':')[0]}://{request.headers.get('host', '')}")
    return host is None or host not in (named, None if url is None else _host(url))


def _host(url: str) -> str | None:
    """Host and port of a URL, without the default port; None if it has no host, like the origin
    "null".
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    host = parts.netloc.lower().removesuffix(DEFAULT_PORTS.get(parts.scheme, ""))
    return host if len(host) > 0 else None
