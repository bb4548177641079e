"""A body that has to be opened before one can look inside: compressed, or JSON with tensors in
binary form behind it.

It travels as it came. Only a question opens it, once; what cannot be opened is no JSON. With
tensors behind it (the Open Inference Protocol's binary extension) the JSON alone is looked at.
"""

import re
from collections.abc import Iterable

from graph.codings import decoded
from graph.document import Document, Form
from graph.effects import Headers

CODING = b"content-encoding"
JSON_LENGTH = b"inference-header-content-length"
_LENGTH = re.compile(rb"[0-9]{1,18}")


class Packed(Document):
    """`coding` is the Content-Encoding, `json_length` the text of Inference-Header-Content-Length
    (which counts decoded bytes); b"" where there is none.
    """

    __slots__ = ("_opened", "coding", "json_length")

    def __init__(self, body: bytes, coding: bytes = b"", json_length: bytes = b"") -> None:
        super().__init__(body)
        del self.json  # found when first asked for
        self.coding = coding
        self.json_length = json_length
        self._opened: bytes | None = None

    @property
    def form(self) -> Form:  # type: ignore[override]
        return Form.BINARY if self.json_length else Form.PLAIN

    @property
    def opened(self) -> bytes:
        """The whole body without its codings; empty if that cannot be had."""
        if self._opened is None:
            self._opened = (decoded(self.body, self.coding) or b"") if self.coding else self.body
        return self._opened

    def __getattr__(self, name: str) -> bytes:
        if name != "json":
            raise AttributeError(name)
        self.json = self._json()
        return self.json

    def _json(self) -> bytes:
        opened = self.opened
        if not self.json_length:
            return opened
        if not _LENGTH.fullmatch(self.json_length) or int(self.json_length) > len(opened):
            return b""
        return opened[: int(self.json_length)]


def document_of(body: bytes, headers: Headers) -> Document:
    """The body that these headers describe."""
    coding, json_length = packing(headers)
    return Packed(body, coding, json_length) if coding or json_length else Document(body)


def packing(headers: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    """What the headers say: Content-Encoding, several as one list, and the length of the JSON."""
    coding = json_length = b""
    for name, value in headers:
        if name == CODING:
            coding = coding + b"," + value if coding else value
        elif name == JSON_LENGTH:
            json_length = value
    return (b"" if coding.strip().lower() == b"identity" else coding), json_length
