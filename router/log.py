"""The parent's log: JSON lines for machines, short lines for people on a terminal.

Both show the same record: time, level, logger, message and the fields given as
`extra={"fields": {...}}`. The access log is the data plane's own (it costs per request).
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Literal, TextIO


def configure(
    level: str, format: Literal["json", "text"], stream: TextIO | None = None
) -> logging.Handler:
    """Everything logged in this process goes to one stream (default: stderr)."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if format == "json" else TextLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # It tells every change that it hears of; what a change led to is told by who reloads.
    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    return handler


def fields(**fields: object) -> dict[str, dict[str, object]]:
    """`log.info("worker started", extra=fields(pid=7))`."""
    return {"fields": fields}


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _time(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, separators=(",", ":"), default=str)


class TextLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        time = _time(record).astimezone().strftime("%H:%M:%S")
        words = [time, record.levelname.lower().ljust(7), record.getMessage()]
        words += [f"{name}={value}" for name, value in getattr(record, "fields", {}).items()]
        if record.exc_info:
            words.append("\n" + self.formatException(record.exc_info))
        return " ".join(words)


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)
