"""Load and what it saw: wrk for small bodies, threads of our own for large ones.

wrk breaks off what is in flight when its time is up. Of 100,000 small requests that is nothing; of
300 requests of 1 MB on 32 connections it is a tenth of the work, done but not counted. So the
large cases use blocking sockets in threads, each of which finishes its last request; at these
sizes their cost does not show.
"""

import http.client
import json
import os
import socket
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from bench.cases import Body, request_body
from bench.machine import CannotMeasure, find_tool

SCRIPT = Path(__file__).with_name("wrk.lua")
ANSWER_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Seen:
    requests: int
    duration_s: float
    p50_us: float
    p99_us: float
    errors: tuple[str, ...]  # empty: every answer was a 2xx


def put_load(port: int, path: str, body: Body, connections: int, seconds: int) -> Seen:
    if body.large:
        return _threads(port, path, request_body(body), connections, seconds)
    return _wrk(port, path, body, connections, seconds)


def ask_once(port: int, path: str, body: Body) -> bytes:
    """One request, to see that the answer is the right one before thousands are counted."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_TIMEOUT_S)
    try:
        connection.request("POST", path, request_body(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise CannotMeasure(f"port {port}, {path}: {error!r}") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise CannotMeasure(f"port {port}, {path}: {answer.status} {content[:200]!r}")
    return content


def _wrk(port: int, path: str, body: Body, connections: int, seconds: int) -> Seen:
    wrk = find_tool("wrk")
    assert wrk is not None
    url = f"http://127.0.0.1:{port}{path}"
    options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency"]
    run = subprocess.run(
        [wrk, *options, "-s", str(SCRIPT), url],
        env=os.environ | {"BENCH_BODY_BYTES": str(body.size_bytes)},
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + 30,
    )
    if run.returncode != 0 or not run.stdout.strip():
        raise CannotMeasure(f"wrk on {url}: {(run.stderr or run.stdout).strip()}")
    figures = json.loads(run.stdout.strip().splitlines()[-1])
    faults = ("socket_errors", "timeouts", "bad_statuses")
    errors = [f"{figures[fault]} {fault.replace('_', ' ')}" for fault in faults if figures[fault]]
    if not figures["requests"]:
        errors.append("no request was answered")
    return Seen(
        requests=figures["requests"],
        duration_s=figures["duration_us"] / 1e6,
        p50_us=figures["p50_us"],
        p99_us=figures["p99_us"],
        errors=tuple(errors),
    )


def _threads(port: int, path: str, payload: bytes, connections: int, seconds: int) -> Seen:
    started = time.perf_counter()
    latencies: list[float] = []
    errors: list[str] = []

    def one_connection() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_TIMEOUT_S)
        room = bytearray(1024 * 1024)
        try:
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (sent := time.perf_counter()) < started + seconds:
                connection.request("POST", path, payload, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                while answer.readinto(room):
                    pass
                latencies.append(time.perf_counter() - sent)
                if not 200 <= answer.status <= 299:
                    errors.append(f"status {answer.status}")
        except (OSError, http.client.HTTPException) as error:
            errors.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=one_connection) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    duration_s = time.perf_counter() - started
    if len(latencies) < 2:
        return Seen(len(latencies), duration_s, 0, 0, (*sorted(set(errors)), "no figures"))
    shares = statistics.quantiles(latencies, n=100, method="inclusive")
    return Seen(
        requests=len(latencies),
        duration_s=duration_s,
        p50_us=shares[49] * 1e6,
        p99_us=shares[98] * 1e6,
        errors=tuple(f"{errors.count(text)} x {text}" for text in sorted(set(errors))),
    )
