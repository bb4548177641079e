"""Every code that a problem can have, with its severity: the registry behind `docs/checks.md`.

The rule for severities: what KServe accepts and can run loads, with a warning where it will hardly
do what was meant; what would crash it or answer 500 is an error. Faults in a node that no request
can reach only warn, except where KServe's own admission refuses them.
"""

from enum import Enum

from graph.problems import Path, Problem, Severity

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING
_ADMISSION = True  # refused by KServe's webhook or schema, so an error wherever it stands


class Code(Enum):
    # files and YAML
    UNREADABLE_PATH = "unreadable-path", _ERROR
    TOO_LARGE = "too-large", _ERROR
    NOT_TEXT = "not-text", _ERROR
    YAML_SYNTAX = "yaml-syntax", _ERROR
    YAML_DEPTH = "yaml-depth", _ERROR
    YAML_SIZE = "yaml-size", _ERROR
    YAML_ALIAS = "yaml-alias", _ERROR
    YAML_MERGE = "yaml-merge", _ERROR
    YAML_TAG = "yaml-tag", _WARNING
    YAML_NUMBER = "yaml-number", _ERROR
    BAD_KEY = "bad-key", _ERROR
    KEY_TYPE = "key-type", _WARNING
    DUPLICATE_KEY = "duplicate-key", _ERROR
    NO_DOCUMENTS = "no-documents", _ERROR
    TOO_MANY_PROBLEMS = "too-many-problems", _WARNING
    # documents
    NOT_A_RESOURCE = "not-a-resource", _ERROR
    MISSPELT_KIND = "misspelt-kind", _ERROR
    UNKNOWN_KIND = "unknown-kind", _WARNING
    DUPLICATE_GRAPH = "duplicate-graph", _ERROR
    HOST_CLASH = "host-clash", _WARNING
    # fields
    API_VERSION = "api-version", _ERROR
    MISSING_FIELD = "missing-field", _ERROR
    UNKNOWN_FIELD = "unknown-field", _ERROR
    IGNORED_FIELD = "ignored-field", _WARNING
    WRONG_TYPE = "wrong-type", _ERROR
    BAD_VALUE = "bad-value", _ERROR
    # KServe's admission
    GRAPH_NAME = "graph-name", _ERROR, _ADMISSION
    NAMESPACE_NAME = "namespace-name", _ERROR, _ADMISSION
    MISSING_ROOT = "missing-root", _ERROR, _ADMISSION
    DUPLICATE_STEP_NAME = "duplicate-step-name", _ERROR, _ADMISSION
    NO_TARGET = "no-target", _ERROR, _ADMISSION
    MANY_TARGETS = "many-targets", _ERROR, _ADMISSION
    MISSING_WEIGHT = "missing-weight", _ERROR, _ADMISSION
    WEIGHT_SUM = "weight-sum", _ERROR, _ADMISSION
    # the shape of the graph
    UNKNOWN_NODE = "unknown-node", _ERROR
    CYCLE = "cycle", _ERROR
    GRAPH_LOOP = "graph-loop", _ERROR
    UNREACHABLE_NODE = "unreachable-node", _WARNING
    TOO_DEEP = "too-deep", _ERROR
    TOO_MANY_CALLS = "too-many-calls", _ERROR
    NO_STEPS = "no-steps", _ERROR
    # targets
    BAD_URL = "bad-url", _ERROR
    URL_PLACEHOLDER = "url-placeholder", _WARNING
    URL_CREDENTIALS = "url-credentials", _WARNING
    SERVICE_NAME = "service-name", _ERROR
    # steps, by the kind of their node
    NEGATIVE_WEIGHT = "negative-weight", _ERROR
    WEIGHT_IGNORED = "weight-ignored", _WARNING
    NO_CONDITION = "no-condition", _WARNING
    BRANCH_NEVER_REACHED = "branch-never-reached", _WARNING
    BAD_CONDITION = "bad-condition", _ERROR
    SUSPICIOUS_CONDITION = "suspicious-condition", _WARNING
    CONDITION_IGNORED = "condition-ignored", _WARNING
    UNKNOWN_DATA = "unknown-data", _WARNING
    FIRST_RESPONSE = "first-response", _WARNING
    DATA_IGNORED = "data-ignored", _WARNING
    BAD_DATA = "bad-data", _ERROR
    SUSPICIOUS_DATA = "suspicious-data", _WARNING
    UNKNOWN_STEP = "unknown-step", _ERROR
    AMBIGUOUS_STEP = "ambiguous-step", _ERROR
    BAD_HEADER = "bad-header", _ERROR
    BAD_HEADER_PATTERN = "bad-header-pattern", _ERROR
    HEADERS_IGNORED = "headers-ignored", _WARNING
    BAD_RESPOND = "bad-respond", _ERROR
    COMBINE_IGNORED = "combine-ignored", _WARNING
    COMBINE_WEIGHTS = "combine-weights", _ERROR
    BAD_QUORUM = "bad-quorum", _ERROR
    MAPPING_IGNORED = "mapping-ignored", _WARNING
    FORWARD_WITHOUT_TARGET = "forward-without-target", _ERROR
    FORWARD_MAPPED = "forward-mapped", _WARNING
    ENSEMBLE_KEY = "ensemble-key", _WARNING
    # settings of the whole graph
    NAME_LENGTH = "name-length", _WARNING
    NEGATIVE_TIMEOUT = "negative-timeout", _WARNING
    REPLICAS = "replicas", _WARNING
    # where services are, as far as the files tell
    UNKNOWN_SERVICE = "unknown-service", _WARNING
    # only with --kserve
    KSERVE_CONDITION = "kserve-condition", _WARNING
    KSERVE_FIRST_CONDITION = "kserve-first-condition", _WARNING
    KSERVE_DATA = "kserve-data", _WARNING
    KSERVE_TARGET = "kserve-target", _WARNING
    KSERVE_URL = "kserve-url", _WARNING
    KSERVE_ANNOTATION = "kserve-annotation", _WARNING
    KSERVE_FIELD = "kserve-field", _WARNING

    def __init__(self, text: str, severity: Severity, admission: bool = False) -> None:
        self.text = text
        self.severity = severity
        self.admission = admission

    def at(self, path: Path, message: str, offset: int | None = None) -> Problem:
        return Problem(path, self.text, message, self.severity, offset)


ADMISSION = frozenset(code.text for code in Code if code.admission)
