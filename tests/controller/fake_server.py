"""A model server for tests, with the vices of real ones: `python fake_server.py PORT [VICE...]`.

It answers `/ready` and POSTs; GET /die ends it, /hang leaves every later question unanswered, /eat
takes 64 MiB, /talk prints a thousand lines. Vices: `late FILE` is ready once FILE is there,
`stubborn` ignores SIGTERM, `child` starts a process that outlives it, `daemon` one that leaves its
session too, `broken` ends at once.
"""

import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

signal.alarm(300)  # whatever happens to its test
PORT, *VICES = sys.argv[1:]
HUNG = threading.Event()
EATEN = []


class Handler(BaseHTTPRequestHandler):
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
        self.send_response(503 if late or self.path != "/ready" else 200)
        self.end_headers()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"path": "%s", "asked": %s}' % (self.path.encode(), body))

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 1024  # as many as may have waited for it


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
