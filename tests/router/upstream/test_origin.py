"""URLs of targets: where to connect, and what to ask for."""

import pytest

from router.upstream.origin import Origin, parse_origin, parse_url

URLS = [
    ("http://a", Origin("a", 80, False), b"/", "a"),
    ("http://a/", Origin("a", 80, False), b"/", "a"),
    ("http://a:80/b", Origin("a", 80, False), b"/b", "a"),
    ("http://a:8080/b", Origin("a", 8080, False), b"/b", "a:8080"),
    ("https://a", Origin("a", 443, True), b"/", "a"),
    ("https://a:80", Origin("a", 80, True), b"/", "a:80"),
    ("HTTP://EXAMPLE.org/B", Origin("example.org", 80, False), b"/B", "example.org"),
    ("http://[::1]:9/", Origin("::1", 9, False), b"/", "[::1]:9"),
    ("http://a/b?c=d&e", Origin("a", 80, False), b"/b?c=d&e", "a"),
    ("http://a/b%20c", Origin("a", 80, False), b"/b%20c", "a"),
    ("http://a/b c", Origin("a", 80, False), b"/b%20c", "a"),
    ("http://a/ü", Origin("a", 80, False), b"/%C3%BC", "a"),
    ("http://a/v1/models/m:predict", Origin("a", 80, False), b"/v1/models/m:predict", "a"),
    ("http://a/b#c", Origin("a", 80, False), b"/b", "a"),
    ("http://a:0/", Origin("a", 0, False), b"/", "a:0"),
    ("grpc://a:9/m", Origin("a", 9, False, grpc=True), b"/m", "a:9"),
    ("grpcs://a", Origin("a", 443, True, grpc=True), b"/", "a"),
]


@pytest.mark.parametrize(("url", "origin", "path", "host"), URLS, ids=[row[0] for row in URLS])
def test_a_url(url: str, origin: Origin, path: bytes, host: str) -> None:
    assert parse_url(url) == (origin, path)
    assert origin.authority == host


@pytest.mark.parametrize(
    "url",
    [
        "", "a", "a:80", "//a/b", "ftp://a", "grpc://", "http://", "http:///b", "http://:80/",
        "http://a:b/", "http://a:99999/", "http://[::1", "http://a b/", "http://ü/",
        "http://a\u0000/",
    ],
)  # fmt: skip
def test_no_url(url: str) -> None:
    with pytest.raises(ValueError):
        parse_url(url)


@pytest.mark.parametrize(
    "url", ["http://a/\r\nX: y", "http://a\r\nX: y/", "http://a/?\r\nX: y", "http://a/\u0000"]
)
def test_no_url_breaks_out_of_the_request_line(url: str) -> None:
    try:
        origin, path = parse_url(url)
    except ValueError:
        return
    assert not set(path) & set(b"\r\n\x00 ")
    assert not set(origin.authority) & set("\r\n\x00 ")


def test_a_unix_socket_is_an_origin_of_its_own() -> None:
    origin = parse_origin("unix:/run/model.sock")
    assert origin == Origin(None, 0, False, "/run/model.sock")
    assert origin.authority == "localhost"
    assert str(origin) == "unix:/run/model.sock"
