"""A request to what is ready: to a graph as it stands, to a service by the protocol of its body."""

import json
from typing import Any

from controller.client.origin import Origin, Unreachable

Json = dict[str, Any]


class PredictFailed(Exception):
    """An answer that is no prediction; `status` and `body` are what came."""

    def __init__(self, url: str, status: int, body: bytes) -> None:
        super().__init__(f"{url} answered {status}: {body[:500].decode(errors='replace')}")
        self.status = status
        self.body = body


def path_of(resource: Json, body: Any) -> str:
    """Below the resource's URL. ValueError if the body tells no protocol."""
    if resource["kind"] == "InferenceGraph":
        return ""
    name = resource["metadata"]["name"]
    if isinstance(body, dict) and "instances" in body:
        return f"/v1/models/{name}:predict"
    if isinstance(body, dict) and "inputs" in body:
        return f"/v2/models/{name}/infer"
    raise ValueError("a body for a service has `instances` (V1 protocol) or `inputs` (V2)")


def post(url: str, path: str, body: Any, timeout_s: float) -> Any:
    """What was answered, as Python values; raises PredictFailed or Unreachable."""
    origin = Origin(url)
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    data = json.dumps(body).encode()
    with origin.opened("POST", path, None, data, headers, timeout_s) as response:
        with origin.network():
            answer = response.read()
        if response.status >= 300:
            raise PredictFailed(f"{origin.url}{path}", response.status, answer)
    try:
        return json.loads(answer)
    except (ValueError, RecursionError):
        raise Unreachable(f"{origin.url}{path} answered what is no JSON") from None
