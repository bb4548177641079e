"""A server of many models for tests, with the repository API of V2: `many_server.py PORT FOLDER`.

A model is a folder with a file `model`; its text is what the model answers. A text `broken` cannot
be loaded, one that begins with `wait PATH` loads once PATH is there. GET /die ends the server,
/forget makes it lose all models. It prints what it is told.
"""

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

signal.alarm(300)  # whatever happens to its test
PORT, FOLDER = sys.argv[1:]
MODELS = {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        words = self.path.strip("/").split("/")
        if words == ["die"]:
            os._exit(3)
        if words == ["forget"]:
            MODELS.clear()
        missing = words[:2] == ["v2", "models"] and words[2] not in MODELS
        self.answer(*self.unknown(words[2]) if missing else (200, {}))

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        words = self.path.strip("/").split("/")
        if words[:3] == ["v2", "repository", "models"]:
            self.answer(*getattr(self, words[4])(words[3]))
        elif words[2] not in MODELS:
            self.answer(*self.unknown(words[2]))
        else:
            self.answer(200, {"said": MODELS[words[2]]})

    def unknown(self, name):
        return 404, {"error": f"Model {name} not found"}

    def load(self, name):
        print(f"load {name}", flush=True)
        try:
            with open(os.path.join(FOLDER, name, "model")) as file:
                text = file.read().strip()
        except OSError:
            return self.unknown(name)
        if text == "broken":
            print("models.errors.LoadError: it is broken", flush=True)
            return 500, {"error": "cannot load it"}
        if text.startswith("wait "):
            while not os.path.exists(text.removeprefix("wait ")):
                time.sleep(0.01)
        MODELS[name] = text
        return 200, {}

    def unload(self, name):
        print(f"unload {name}", flush=True)
        found = MODELS.pop(name, None) is not None
        return (200, {}) if found else self.unknown(name)

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 100


print(f"listening as {os.getpid()}", flush=True)
threading.stack_size(256 * 1024)
Server(("127.0.0.1", int(PORT)), Handler).serve_forever()
