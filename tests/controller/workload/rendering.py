"""Workloads for these tests, from the few words that a test is about."""

from controller.resources.config import Config
from controller.resources.parse import Runtime
from controller.workload import Component, Terms, Workload, workload
from graph.problems import Problem
from tests.controller.manifests import only_service, runtime, runtimes, service

SERVER = runtime(
    "server",
    container="{name: kserve-container, image: 'server:1', command: [python, ./serve.py], "
    "args: ['--name={{.Name}}'], env: [{name: A, value: '1'}, {name: B, value: '2'}], "
    "workingDir: ./here}",
)


def server(kind: str, spec: str = "", container: str = "image: 'server:1'") -> str:
    """A runtime of a server type."""
    return runtime(
        "server",
        spec=spec,
        container=f"{{name: kserve-container, {container}}}",
        annotations=f"{{serving.kserve.io/server-type: {kind}}}",
    )


def built(
    spec: str,
    of: str | None = SERVER,
    protocol: str = "v1",
    *,
    terms: Terms | None = None,
    config: Config | None = None,
    explainer: str | None = None,
    annotations: str = "{}",
) -> Workload | list[Problem]:
    """`spec` below the predictor, or whole; without a runtime if it has containers of its own."""
    found: list[Runtime] = runtimes(of) if of and not spec.startswith("containers") else []
    told = only_service(service(spec, annotations=annotations))
    return workload(
        told,
        found[0] if found else None,
        protocol,
        explainer_runtime=runtimes(explainer)[0] if explainer else None,
        config=config or Config(),
        terms=terms or Terms(),
    )


def whole(spec: str, of: str | None = SERVER, protocol: str = "v1", **more: object) -> Workload:
    result = built(spec, of, protocol, **more)  # type: ignore[arg-type]
    assert isinstance(result, Workload), result
    return result


def made(spec: str, of: str | None = SERVER, protocol: str = "v1", **more: object) -> Component:
    return whole(spec, of, protocol, **more).predictor


def env(component: Component) -> dict[str, str | None]:
    return {item.name: item.value for item in component.container.env}
