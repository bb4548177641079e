"""deploy/plain compared with the code: flags, ports, probes, times, graphs, what a pod may do."""

from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from typer.main import get_command

import cli.serve
from graph.loader import load
from graph.workspace import load_paths
from router.front.admin import admin_app
from router.settings import Settings, read
from router.supervisor import CLOSING_LIMIT_S
from tests.deploy.dockerfile import Dockerfile

ROOT = Path(__file__).parents[2]
PLAIN = ROOT / "deploy" / "plain"
FILES = sorted(PLAIN.glob("*.yaml"))
Resource = dict[str, Any]


def resource(kind: str) -> Resource:
    (found,) = [one for one in map(parsed, FILES) if one["kind"] == kind]
    return found


def parsed(file: Path) -> Resource:
    (document,) = yaml.safe_load_all(file.read_text())
    return cast(Resource, document)


DEPLOYMENT, SERVICE, GRAPHS = map(resource, ("Deployment", "Service", "ConfigMap"))
POD = DEPLOYMENT["spec"]["template"]["spec"]
(ROUTER,) = POD["containers"]
PORTS = {port["name"]: port["containerPort"] for port in ROUTER["ports"]}


def flags() -> dict[str, str]:
    return dict(one[2:].split("=", 1) for one in ROUTER["args"] if one.startswith("--"))


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """As the router in this pod reads them; a flag or variable that it does not know raises."""
    image = Dockerfile.read(ROOT / "Dockerfile").final.env
    pod = {one["name"]: one["value"] for one in ROUTER["env"]}
    ours = {key: value for key, value in {**image, **pod}.items() if key.startswith("GRAPHWAY_")}
    assert {key.removeprefix("GRAPHWAY_").lower() for key in ours} <= set(Settings.model_fields)
    for key, value in ours.items():
        monkeypatch.setenv(key, value)
    return read({name.replace("-", "_"): value for name, value in flags().items()})


def test_each_flag_is_one_of_serve() -> None:
    options = {text for one in get_command(cli.serve.app).params for text in one.opts}
    assert {f"--{name}" for name in flags()} <= options


def test_ports_are_those_it_listens_on(settings: Settings) -> None:
    listens = {"http": settings.port, "admin": settings.admin_port}
    assert listens == PORTS


def test_the_admin_port_is_reachable_for_the_kubelet(settings: Settings) -> None:
    assert settings.admin_host == "0.0.0.0"


def test_there_is_time_for_the_drain_and_all_in_flight(settings: Settings) -> None:
    needed_s = settings.drain_seconds + settings.finish_seconds + CLOSING_LIMIT_S
    assert needed_s < POD["terminationGracePeriodSeconds"]


def test_a_pod_leaves_the_service_before_it_stops_accepting(settings: Settings) -> None:
    probe = ROUTER["readinessProbe"]
    noticed_s = probe["periodSeconds"] * probe.get("failureThreshold", 3)
    assert noticed_s <= settings.drain_seconds


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe"])
def test_probes_of_the_parent_ask_the_admin_port(probe: str) -> None:
    paths = {route.canonical for route in admin_app(cast(Any, None)).router.resources()}
    assert ROUTER[probe]["httpGet"]["port"] == "admin"
    assert ROUTER[probe]["httpGet"]["path"] in paths


def test_readiness_is_asked_where_requests_go() -> None:
    assert ROUTER["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}


def test_prometheus_is_led_to_the_metrics(settings: Settings) -> None:
    paths = {route.canonical for route in admin_app(cast(Any, None)).router.resources()}
    notes = DEPLOYMENT["spec"]["template"]["metadata"]["annotations"]
    assert notes["prometheus.io/scrape"] == "true"
    assert notes["prometheus.io/port"] == str(settings.admin_port)
    assert notes["prometheus.io/path"] in paths


def test_the_pod_has_no_privilege_that_kserves_router_lacks() -> None:
    assert ROUTER["securityContext"] == {
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert POD["automountServiceAccountToken"] is False


def test_labels_lead_the_service_to_the_pods() -> None:
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"].items()
    assert DEPLOYMENT["spec"]["selector"]["matchLabels"].items() <= labels
    assert SERVICE["spec"]["selector"].items() <= labels
    assert {port["targetPort"] for port in SERVICE["spec"]["ports"]} <= set(PORTS)


def test_the_router_reads_the_folder_where_the_config_map_is_mounted() -> None:
    (mount,) = ROUTER["volumeMounts"]
    (volume,) = POD["volumes"]
    assert ROUTER["args"][0] == mount["mountPath"]
    assert "subPath" not in mount  # one file alone is never updated
    assert mount["name"] == volume["name"]
    assert volume["configMap"]["name"] == GRAPHS["metadata"]["name"]


def test_every_graph_of_the_config_map_is_flawless(tmp_path: Path) -> None:
    for name, text in GRAPHS["data"].items():
        (tmp_path / name).write_text(text)
    found = load_paths([str(tmp_path)], kserve=True)
    assert [str(problem) for problem in found.problems] == []
    assert any(document.is_graph for document in found.documents)


def test_kustomize_applies_every_file_and_names_the_image() -> None:
    kustomization = resource("Kustomization")
    assert {PLAIN / name for name in kustomization["resources"]} == {
        file for file in FILES if file.name != "kustomization.yaml"
    }
    assert [image["name"] for image in kustomization["images"]] == [ROUTER["image"]]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_files_are_yaml_as_kubernetes_reads_it(file: Path) -> None:
    assert load(file.read_text(), str(file)).problems == ()
