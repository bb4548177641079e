"""Fake servers for manifests, and whether a process lives."""

import sys
from pathlib import Path

import psutil

from tests.controller.manifests import service

SERVER = Path(__file__).with_name("fake_server.py")

HTTP_PROBE = "{httpGet: {path: /ready, port: 8080}}"
OFTEN = "{httpGet: {path: /ready, port: 8080}, periodSeconds: 1, failureThreshold: 1}"
TCP_PROBE = "{tcpSocket: {port: 8080}}"


def fake(
    name: str = "iris",
    *vices: str,
    probe: str = HTTP_PROBE,
    python: str = sys.executable,
    annotations: str = "{}",
) -> str:
    return service(container(*vices, probe=probe, python=python), name, annotations)


def container(*vices: str, probe: str = HTTP_PROBE, python: str = sys.executable) -> str:
    """What stands below a component."""
    words = ", ".join(f"'{word}'" for word in (python, "-I", str(SERVER), "$(PORT)", *vices))
    said = f"command: [{words}], ports: [{{containerPort: 8080}}], readinessProbe: {probe}"
    return f"containers: [{{{said}}}]"


def alive(pid: int) -> bool:
    """A zombie is dead; it only waits for whoever should have asked."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
