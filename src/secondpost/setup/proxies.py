"""What a web server in front of the pages needs: a snippet for nginx, Caddy or Apache. Pure."""

from dataclasses import dataclass
from enum import StrEnum

CERTBOT = "/etc/letsencrypt/live"


class Proxy(StrEnum):
    NGINX = "nginx"
    CADDY = "caddy"
    APACHE = "apache"


PROGRAMS = {"nginx": Proxy.NGINX, "caddy": Proxy.CADDY, "apache2": Proxy.APACHE, "httpd": Proxy.APACHE}


@dataclass(frozen=True, slots=True)
class Snippet:
    path: str  # where to put it
    text: str
    reload: str  # the command that makes it hold
    install: str = ""  # the command to type before; "" if the web server runs already


def snippet(proxy: Proxy, host: str, door: str) -> Snippet:
    """`host`: of the pages; `door`: the address and port where this server has them."""
    match proxy:
        case Proxy.NGINX:
            path = f"/etc/nginx/conf.d/{host}.conf"
            return Snippet(path, _nginx(host, door), "nginx -t && systemctl reload nginx")
        case Proxy.CADDY:
            return Snippet("/etc/caddy/Caddyfile", _caddy(host, door), "systemctl reload caddy")
        case Proxy.APACHE:
            reload = (
                f"a2enmod ssl proxy proxy_http && a2ensite {host} && "
                "apachectl configtest && systemctl reload apache2"
            )
            return Snippet(f"/etc/apache2/sites-available/{host}.conf", _apache(host, door), reload)


def _nginx(host: str, door: str) -> str:
    return f"""\
server {{
    listen 443 ssl;
    listen [::]:443 ssl;
    server_name {host};
    ssl_certificate     {CERTBOT}/{host}/fullchain.pem;
    ssl_certificate_key {CERTBOT}/{host}/privkey.pem;
    location / {{
        proxy_pass http://{door};
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $remote_addr;
    }}
}}
server {{
    listen 80;
    listen [::]:80;
    server_name {host};
    return 301 https://$host$request_uri;
}}
"""


def _caddy(host: str, door: str) -> str:
    return f"""\
{host} {{
    reverse_proxy {door}
}}
"""


def _apache(host: str, door: str) -> str:
    return f"""\
<VirtualHost *:443>
    ServerName {host}
    SSLEngine on
    SSLCertificateFile    {CERTBOT}/{host}/fullchain.pem
    SSLCertificateKeyFile {CERTBOT}/{host}/privkey.pem
    ProxyPreserveHost on
    ProxyPass / http://{door}/
</VirtualHost>
<VirtualHost *:80>
    ServerName {host}
    Redirect permanent / https://{host}/
</VirtualHost>
"""
