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
    # KServe's admission
    BAD_ANNOTATION = "bad-annotation", _ERROR
    RESERVED_ENV = "reserved-env", _ERROR
    CONTAINER_NAME = "container-name", _ERROR
    BAD_PROTOCOL = "bad-protocol", _ERROR
    STORAGE_CLASH = "storage-clash", _ERROR
    CONFIDENTIAL = "confidential", _ERROR
    CONFIDENTIAL_SCHEME = "confidential-scheme", Severity.WARNING
    BAD_REPLICAS = "bad-replicas", _ERROR
    BAD_AUTOSCALING = "bad-autoscaling", _ERROR
    BAD_LOGGER = "bad-logger", _ERROR
    BAD_WORKERS = "bad-workers", _ERROR
    BAD_CANARY = "bad-canary", _ERROR
    RUNTIME_CONFLICT = "runtime-conflict", _ERROR
    BAD_PATTERN = "bad-pattern", _ERROR
    DUPLICATE_CACHE = "duplicate-cache", _ERROR
    UNKNOWN_NODE_GROUP = "unknown-node-group", Severity.WARNING
    IMMUTABLE = "immutable", _ERROR
    IN_USE = "in-use", _ERROR
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
    MISSING_MODEL = "missing-model", _ERROR
    NO_SERVER = "no-server", Severity.WARNING  # of a TrainedModel
    SCALED_OTHERWISE = "scaled-otherwise", Severity.WARNING  # than the manifest says

    def at(self, path: Path, message: str) -> Problem:
        code, severity = self.value
        return Problem(path, code, message, severity)
