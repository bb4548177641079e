"""A file on the web, over aiohttp: its size and validator, and its bytes in ranges where it can.

Not through obstore, which follows redirects with no word of ours and takes no query: signed URLs
have one. Headers from Secrets go to the host they are for, never to where it redirects. Bodies are
taken as they are sent; an encoding nobody asked for is refused, because it would be kept.
"""

import json
import re
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from controller.storage.checksum import from_headers
from controller.storage.credentials import HEADERS_SUFFIX, Credentials
from controller.storage.locations import WebFile, redacted
from controller.storage.outcome import Fault, Reason
from controller.storage.settings import StorageSettings
from controller.storage.source import Item

HeadersFor = Callable[[str], Mapping[str, str]]  # of a URL

MOST_REDIRECTS = 8
_CHUNK_BYTES = 1024 * 1024
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@asynccontextmanager
async def open_session(
    settings: StorageSettings, ca_pem: str | None
) -> AsyncIterator[aiohttp.ClientSession]:
    context = ssl.create_default_context()
    if ca_pem:
        try:
            context.load_verify_locations(cadata=ca_pem)
        except ssl.SSLError as error:
            message = "the certificates of the CA bundle cannot be read; they should be PEM"
            raise Fault(Reason.BAD_CREDENTIALS, message) from error
    timeout = aiohttp.ClientTimeout(
        total=None, sock_connect=settings.connect_seconds, sock_read=settings.stall_seconds
    )
    connector = aiohttp.TCPConnector(limit=settings.parallel, ssl=context)
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        read_bufsize=_CHUNK_BYTES,
    ) as session:
        yield session


class Web:
    """Requests for bytes, redirects followed; what `WebSource` and the hub have in common."""

    def __init__(self, session: aiohttp.ClientSession, headers_for: HeadersFor) -> None:
        self._session = session
        self._headers_for = headers_for

    @asynccontextmanager
    async def get(self, url: str, byte_range: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer with 200, 206 or 416; Fault for any other."""
        first = url
        for _ in range(MOST_REDIRECTS):
            headers = {
                **self._headers_for(url),
                "Range": f"bytes={byte_range}",
                "Accept-Encoding": "identity",
            }
            async with self._sent(url, headers, first) as response:
                if response.status in (301, 302, 303, 307, 308):
                    url = _next_hop(url, response.headers.get("Location", ""), first)
                    continue
                _check_status(response.status, first)
                yield response
                return
        message = f"{redacted(first)} redirects more than {MOST_REDIRECTS} times; mend the URI"
        raise Fault(Reason.BAD_ANSWER, message)

    @asynccontextmanager
    async def _sent(
        self, url: str, headers: Mapping[str, str], first: str
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        shown = redacted(first)
        try:
            request = self._session.get(
                URL(url, encoded="%" in url),
                headers=headers,
                allow_redirects=False,
                proxy=_proxy(url),
            )
            async with request as response:
                yield response
        except aiohttp.ClientConnectorCertificateError as error:
            message = f"the certificate of {shown} is not trusted; add its authority"
            raise Fault(Reason.UNREACHABLE, message) from error
        except aiohttp.ClientConnectorDNSError as error:
            message = f"{shown} does not answer: its name is not known"
            raise Fault(Reason.UNREACHABLE, message) from error
        except aiohttp.ClientConnectorError as error:
            message = f"{shown} does not answer: it cannot be connected to"
            raise Fault(Reason.UNREACHABLE, message) from error
        except TimeoutError as error:
            raise Fault(Reason.UNREACHABLE, f"{shown} does not answer in time") from error
        except (aiohttp.ClientPayloadError, aiohttp.ClientConnectionError) as error:
            message = f"the connection to {shown} broke again and again"
            raise Fault(Reason.INTERRUPTED, message) from error
        except (aiohttp.ClientError, ValueError) as error:
            raise Fault(Reason.BAD_ANSWER, f"{shown} does not answer as HTTP has it") from error

    async def read(
        self, url: str, start: int, end: int | None, etag: str | None
    ) -> AsyncGenerator[bytes, None]:
        """Fault CHANGED if the answer has another etag, or the file has become shorter."""
        byte_range = f"{start}-" if end is None else f"{start}-{end - 1}"
        async with self.get(url, byte_range) as response:
            if response.status == 416 or (etag and etag_of(response.headers) != etag):
                raise Fault(Reason.CHANGED, f"{redacted(url)} changed while it was fetched")
            if start and not _begins_at(response, start):
                message = f"{redacted(url)} does not send the part that it was asked for"
                raise Fault(Reason.BAD_ANSWER, message)
            left = None if end is None else end - start
            async for chunk in response.content.iter_any():
                wanted = chunk if left is None else chunk[:left]  # all came, not only the range
                yield wanted
                if left is not None:
                    left -= len(wanted)
                    if not left:
                        return


class WebSource:
    def __init__(self, web: Web, location: WebFile) -> None:
        self._web = web
        self._url = location.url
        self._name = location.name

    async def items(self) -> Sequence[Item]:
        # Not HEAD: a URL that is signed for GET refuses it.
        async with self._web.get(self._url, "0-0") as response:
            _check_content(response, self._name, redacted(self._url))
            etag = etag_of(response.headers)
            size = response.content_length
            if part := _content_range(response):
                size = part[1]
            elif response.status == 416:
                size = 0  # even the first byte is too many
            elif size is None and response.headers.get("Transfer-Encoding", "") != "chunked":
                message = f"{redacted(self._url)} does not say where its answer ends: a broken"
                raise Fault(Reason.BAD_ANSWER, f"{message} connection would look like a whole file")
            ranges = part is not None and etag is not None
            checksum = from_headers(response.headers)
            return [Item(self._name, self._url, size, etag, checksum, ranges)]

    def read(self, item: Item, start: int, end: int | None) -> AsyncGenerator[bytes, None]:
        return self._web.read(item.place, start, end, item.etag)


def etag_of(headers: Mapping[str, str]) -> str | None:
    """A strong validator, or the next best: the time of the last change."""
    etag = headers.get("ETag", "")
    if etag and not etag.startswith("W/"):
        return etag
    return headers.get("Last-Modified") or None


def headers_from(credentials: Credentials) -> HeadersFor:
    """The headers of Secrets, by host; Fault if one of them is no JSON mapping of texts."""
    hosts: dict[str, dict[str, str]] = {}
    for name, text in credentials.env.items():
        if not name.endswith(HEADERS_SUFFIX):
            continue
        host = name.removesuffix(HEADERS_SUFFIX).lower()
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            message = f"the headers for {host} are no JSON mapping; write " + '{"NAME": "VALUE"}'
            raise Fault(Reason.BAD_CREDENTIALS, message)
        hosts[host] = {str(key): str(value) for key, value in found.items()}

    def headers_for(url: str) -> Mapping[str, str]:
        parts = urlsplit(url)
        return hosts.get(parts.netloc.lower()) or hosts.get(parts.hostname or "") or {}

    return headers_for


def _proxy(url: str) -> str | None:
    """The environment's. aiohttp's own way to find it (trust_env) also takes passwords from
    ~/.netrc, and then refuses to send a token beside them.
    """
    parts = urlsplit(url)
    if not parts.hostname or proxy_bypass(parts.hostname):
        return None
    return getproxies().get(parts.scheme)


def _next_hop(url: str, location: str, first: str) -> str:
    target = urljoin(url, location)
    if not location or urlsplit(target).scheme not in ("http", "https"):
        raise Fault(Reason.BAD_ANSWER, f"{redacted(first)} redirects to no URL")
    if url.startswith("https:") and not target.startswith("https:"):
        message = f"{redacted(first)} redirects from https to http, where anybody could answer"
        raise Fault(Reason.BAD_ANSWER, message)
    return target


def _check_status(status: int, url: str) -> None:
    shown = redacted(url)
    match status:
        case 200 | 206 | 416:
            return
        case 404 | 410:
            raise Fault(Reason.NOT_FOUND, f"there is nothing at {shown}; mend the URI")
        case 401 | 403:
            host = urlsplit(url).hostname
            message = f"{shown} may not be read ({status}); give headers for {host} in a Secret"
            raise Fault(Reason.DENIED, f"{message} with https-host and headers")
        case 408 | 425 | 429:
            raise Fault(Reason.UNREACHABLE, f"{shown} answers {status}; it is overloaded")
    if status >= 500:
        raise Fault(Reason.UNREACHABLE, f"{shown} answers {status}; it is overloaded or ill")
    raise Fault(Reason.BAD_ANSWER, f"{shown} answers {status}, which is no download")


def _check_content(response: aiohttp.ClientResponse, name: str, shown: str) -> None:
    packed = name.endswith((".gz", ".tgz"))  # some servers call such a file an encoded one
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if encoding not in ("identity", "") and not packed:
        message = f"{shown} is sent encoded ({encoding}), which was not asked for"
        raise Fault(Reason.BAD_ANSWER, message)
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml") and not name.endswith((".html", ".htm")):
        message = f"{shown} is a web page, perhaps one to log in; give the URL of the file itself"
        raise Fault(Reason.BAD_ANSWER, message)


def _content_range(response: aiohttp.ClientResponse) -> tuple[int, int] | None:
    """Start and the whole's size."""
    if response.status != 206:
        return None
    found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    return (int(found[1]), int(found[3])) if found else None


def _begins_at(response: aiohttp.ClientResponse, start: int) -> bool:
    found = _content_range(response)
    return found is not None and found[0] == start
