"""Every code that a problem of a resource, or of running it on this machine, can have.

As `graph.codes` has those of graphs; users grep for them, so they stay as they are.
"""

from enum import Enum

from graph.problems import Path, Problem, Severity

_ERROR = Severity.ERROR


class Code(Enum):
    # resources
    API_VERSION = "api-version", _ERROR
    OLDER_FORM = "older-form", Severity.WARNING
    BAD_NAME = "bad-name", _ERROR
    DUPLICATE_RESOURCE = "duplicate-resource", _ERROR
    NO_IMPLEMENTATION = "no-implementation", _ERROR
    SEVERAL_IMPLEMENTATIONS = "several-implementations", _ERROR
    # who serves it
    NO_RUNTIME = "no-runtime", _ERROR
    NO_REST_PROTOCOL = "no-rest-protocol", _ERROR
    UNKNOWN_PLACEHOLDER = "unknown-placeholder", _ERROR
    UNKNOWN_PORT = "unknown-port", _ERROR
    # on this machine
    NOT_RUNNABLE_HERE = "not-runnable-here", _ERROR
    UNSUPPORTED_HERE = "unsupported-here", _ERROR  # a later version will
    NO_STORAGE = "no-storage", _ERROR
    BAD_STORAGE_URI = "bad-storage-uri", _ERROR
    UNSUPPORTED_STORAGE = "unsupported-storage", _ERROR
    MISSING_MODEL = "missing-model", _ERROR
    RESTART_NEEDED = "restart-needed", Severity.WARNING

    def at(self, path: Path, message: str) -> Problem:
        code, severity = self.value
        return Problem(path, code, message, severity)
