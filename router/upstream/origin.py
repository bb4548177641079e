"""URL -> where to connect and what to ask for."""

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

_HOST = re.compile(r"[A-Za-z0-9._\-]+|\[[0-9A-Fa-f:.%]+\]")


@dataclass(frozen=True, slots=True)
class Origin:
    """A place to connect to. Exactly one of `host` and `unix_path`."""

    host: str | None
    port: int
    tls: bool
    unix_path: str | None = None
    grpc: bool = False  # HTTP/2 and calls of gRPC, rather than HTTP/1.1

    @property
    def authority(self) -> str:
        """The Host header."""
        if self.host is None:
            return "localhost"
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.tls else 80
        return host if self.port == default else f"{host}:{self.port}"

    def __str__(self) -> str:
        if self.unix_path is not None:
            return f"unix:{self.unix_path}"
        protocol = "grpc" if self.grpc else "http"
        return f"{protocol}{'s' if self.tls else ''}://{self.authority}"


def parse_origin(text: str) -> Origin:
    """`http://host[:port]`, `https://`, `grpc://`, `grpcs://...` or `unix:/path/to/socket`. Raises
    ValueError.
    """
    if text.startswith("unix:"):
        return Origin(None, 0, False, text.removeprefix("unix:"))
    return parse_url(text)[0]


def parse_url(url: str) -> tuple[Origin, bytes]:
    """The origin of an http(s) or grpc(s) URL, and its path with query, ready for a request line.
    Raises ValueError.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https", "grpc", "grpcs"}:
        raise ValueError(f"not an http, https, grpc or grpcs URL: {url!r}")
    tls = parts.scheme.endswith("s")
    host = parts.hostname
    shown = f"[{host}]" if host and ":" in host else host
    if not shown or not _HOST.fullmatch(shown):
        raise ValueError(f"no valid host in {url!r}")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=-._~")
    if parts.query:
        path += "?" + quote(parts.query, safe="/?%:@!$&'()*+,;=-._~")
    port = (443 if tls else 80) if parts.port is None else parts.port
    return Origin(host, port, tls, grpc=parts.scheme.startswith("grpc")), path.encode()
