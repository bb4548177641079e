"""Who asked, and how: what conditions and mappings may see of a request beside its body.

Made for a request only where its plan asks for one (`Plan.needs_caller`).
"""

import re
from functools import cached_property
from urllib.parse import parse_qsl, unquote

from graph.effects import Headers

_MODEL = re.compile(
    r"(?:^|/)v[12]/models/(?P<name>[^:]+?)(?:/versions/[^/:]+)?(?:/infer|/ready)?(?::|/?$)"
)


class Caller:
    """A request's first line and headers, as they were sent, and where it came from."""

    def __init__(
        self,
        method: bytes = b"POST",
        path: bytes = b"/",
        query: bytes = b"",
        headers: Headers = (),
        client: str = "",
    ) -> None:
        self.method_bytes = method
        self.path_bytes = path  # without the query; if /graphs/NAMESPACE/NAME led here, below it
        self.query_bytes = query
        self.headers = headers  # names in lower case
        self.client = client  # the address

    @property
    def method(self) -> str:
        return self.method_bytes.decode("latin-1")

    @property
    def path(self) -> str:
        return self.path_bytes.decode("latin-1")

    @cached_property
    def fields(self) -> dict[str, str]:
        """Headers by name in lower case; several of one name are joined by commas (RFC 9110)."""
        found: dict[str, str] = {}
        for name, value in self.headers:
            key, text = name.decode("latin-1"), value.decode("utf-8", "replace")
            found[key] = f"{found[key]}, {text}" if key in found else text
        return found

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The query, decoded; the last of several values of one name."""
        text = self.query_bytes.decode("latin-1")
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=None))

    @cached_property
    def model(self) -> str:
        """The NAME of a path /v1/models/NAME... or /v2/models/NAME..., else nothing."""
        found = _MODEL.search(self.path)
        return unquote(found["name"]) if found else ""
