"""A model server with nothing but the standard library: the nearest centroid says what a flower is.

Its model is a folder with centroids.txt: on each line four lengths, and the answer.
"""

import json
import math
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, FOLDER = int(sys.argv[1]), sys.argv[2]
CENTROIDS = []
with open(f"{FOLDER}/centroids.txt") as file:
    for line in file:
        *lengths, answer = line.split()
        if len(lengths) != 4:
            sys.exit(f"centroids.txt: four lengths and an answer, not {line.strip()!r}")
        CENTROIDS.append(([float(each) for each in lengths], answer))


class Nearest(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet

    def do_GET(self):
        self._answer({"ready": True})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer({"predictions": [nearest(flower) for flower in asked["instances"]]})

    def _answer(self, said):
        body = f"{json.dumps(said)}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def nearest(flower):
    return min(CENTROIDS, key=lambda each: math.dist(each[0], flower))[1]


ThreadingHTTPServer(("127.0.0.1", PORT), Nearest).serve_forever()
