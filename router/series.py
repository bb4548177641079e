"""Every metric that we export: one table of name, kind, labels and help.

The worker's rows are counted by the data plane under these names (without the prefix), the parent's
rows are filled in when somebody scrapes. `docs/metrics.md` is this table, and a test keeps it so.
Nothing here knows Prometheus, so the data plane may read it.
"""

from typing import NamedTuple

from router.counters import Kind

PREFIX = "graphway_"

COUNTER, GAUGE, HISTOGRAM = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM


class Metric(NamedTuple):
    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str


WORKER_METRICS: tuple[Metric, ...] = (
    Metric("requests_total", COUNTER, ("graph", "code"), "Requests answered, by status code."),
    Metric(
        "request_duration_seconds",
        HISTOGRAM,
        ("graph",),
        "Time from the head of a request to the end of its answer.",
    ),
    Metric("requests_in_flight", GAUGE, ("graph",), "Requests being worked on now."),
    Metric(
        "step_calls_total",
        COUNTER,
        ("graph", "node", "step", "code"),
        "Calls to predictors, by status code or kind of failure.",
    ),
    Metric(
        "step_duration_seconds",
        HISTOGRAM,
        ("graph", "node", "step"),
        "Time from sending a call to the end of its answer.",
    ),
    Metric(
        "splitter_choices_total",
        COUNTER,
        ("graph", "node", "step"),
        "How often a Splitter chose this step.",
    ),
    Metric(
        "upstream_connections_opened_total",
        COUNTER,
        ("target",),
        "Connections opened to predictors.",
    ),
    Metric(
        "upstream_connections_reused_total",
        COUNTER,
        ("target",),
        "Calls that found a pooled connection.",
    ),
    Metric("log_lines_dropped_total", COUNTER, (), "Log lines that nobody took in time."),
)

PARENT_METRICS: tuple[Metric, ...] = (
    Metric(
        "reloads_total",
        COUNTER,
        ("result",),
        "Reloads: success, failure (something was bad; what was good still serves) or unchanged.",
    ),
    Metric("last_reload_successful", GAUGE, (), "1 if the newest files are all served, else 0."),
    Metric(
        "last_reload_success_timestamp_seconds",
        GAUGE,
        (),
        "When the newest files were last all good.",
    ),
    Metric("graph_info", GAUGE, ("graph", "revision"), "1 for each graph, with its revision."),
    Metric(
        "graph_up_to_date",
        GAUGE,
        ("graph",),
        "0 if the newest edit of this graph is bad and an older one serves, else 1.",
    ),
    Metric("graph_loaded_timestamp_seconds", GAUGE, ("graph",), "Since when this revision serves."),
    Metric("workers", GAUGE, (), "Worker processes as configured."),
    Metric("workers_serving", GAUGE, (), "Worker processes that serve now."),
    Metric("worker_restarts_total", COUNTER, (), "Workers that died and were started again."),
    Metric(
        "series_refused_total",
        COUNTER,
        (),
        "Look-ups of a metric's series that found no room in the counters of a worker.",
    ),
    Metric("build_info", GAUGE, ("version", "python"), "1, with the versions in use."),
)

METRICS = WORKER_METRICS + PARENT_METRICS
