"""A container of one's own: counts the instances, with nothing but the standard library."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Count(BaseHTTPRequestHandler):
    def do_GET(self):
        self._answer({"name": "count", "ready": True})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer({"predictions": [len(body["instances"])]})

    def _answer(self, said):
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Count).serve_forever()
