"""Two manifests side by side: what differs, a line for each place. Pure."""

import json
from collections.abc import Iterator
from typing import Any


def changes(before: Any, after: Any, path: str = "spec") -> Iterator[str]:
    """`~ spec.predictor.minReplicas: 1 -> 2`; with `-` what is gone, with `+` what has come."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            below = f"{path}.{key}" if _is_word(key) else f"{path}[{json.dumps(key)}]"
            if key not in after:
                yield f"- {below}: {_text(before[key])}"
            elif key not in before:
                yield f"+ {below}: {_text(after[key])}"
            else:
                yield from changes(before[key], after[key], below)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for at, pair in enumerate(zip(before, after, strict=True)):
            yield from changes(*pair, f"{path}[{at}]")
    elif before != after:
        yield f"~ {path}: {_text(before)} -> {_text(after)}"


def _is_word(key: str) -> bool:
    return key.replace("_", "").replace("-", "").isalnum()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
