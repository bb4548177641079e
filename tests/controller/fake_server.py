"""A model server for tests, with the vices of real ones: `python fake_server.py PORT [VICE...]`.

It answers `/ready` and POSTs; GET /die ends it, /hang leaves every later question unanswered, /eat
takes 64 MiB, /talk prints a thousand lines. A POST takes the `seconds` that its body names. Vices:
`late FILE` is ready once FILE is there, `stubborn` ignores SIGTERM, `child` starts a process that
outlives it, `daemon` one that leaves its session too, `broken` ends at once. A word such as `v2`
is its version, and stands in its answers; told of a `--predictor_host`, it asks that for them, as
a transformer does.
"""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

signal.alarm(300)  # whatever happens to its test
PORT, *VICES = sys.argv[1:]
VERSION = next((word for word in VICES if re.fullmatch("v[0-9]+", word)), None)
BEHIND = VICES[VICES.index("--predictor_host") + 1] if "--predictor_host" in VICES else None
HUNG = threading.Event()
EATEN = []


class Server(ThreadingHTTPServer):
    request_queue_size = 1024  # of connections that it has not accepted yet


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one segment
    behind = None  # of a transformer: as long as the connection from its caller

    def do_GET(self):
        if self.path == "/die":
            print("told to die", flush=True)
            os._exit(3)
        if self.path == "/hang":
            HUNG.set()
        if self.path == "/eat":
            EATEN.append(bytearray(os.urandom(1024)) * 65_536)
        if self.path == "/talk":
            for number in range(1000):
                print(f"line {number}", flush=True)
        if HUNG.is_set():
            threading.Event().wait()
        late = "late" in VICES and not os.path.exists(VICES[VICES.index("late") + 1])
        self.answer(503 if late or self.path != "/ready" else 200, b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if BEHIND is not None:
            self.answer(*self.asked_behind(body))
            return
        if b'"seconds"' in body:
            time.sleep(json.loads(body)["seconds"])
        version = b', "version": "%s"' % VERSION.encode() if VERSION else b""
        said = b'{"path": "%s", "asked": %s%s}' % (self.path.encode(), body, version)
        self.answer(200, said)

    def asked_behind(self, body):
        """The host may be an address with a path, as that of a service at the router is."""
        address, _, below = BEHIND.partition("/")
        if self.behind is None:
            self.behind = http.client.HTTPConnection(address)
        self.behind.request("POST", f"/{below}{self.path}" if below else self.path, body)
        answer = self.behind.getresponse()
        return answer.status, answer.read()

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if "broken" in VICES:
    sys.exit("cannot load the model")
if "stubborn" in VICES:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
SLEEPER = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
if "child" in VICES:
    child = subprocess.Popen([sys.executable, "-c", SLEEPER])
    print(f"child {child.pid}", flush=True)
if "daemon" in VICES:
    daemon = subprocess.Popen([sys.executable, "-c", SLEEPER], start_new_session=True)
    print(f"daemon {daemon.pid}", flush=True)
print(f"listening as {os.getpid()}", flush=True)
Server(("127.0.0.1", int(PORT)), Handler).serve_forever()
