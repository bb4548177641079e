"""The KServe SDK's server on loopback: by itself it binds every interface, an open door here."""

import logging
import warnings
from pathlib import Path

import kserve
from kserve import model_server


class _LoopbackServer(model_server.RESTServer):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.config.host = "127.0.0.1"


def serve(model_class):
    """Serves one model as the flags say: --model_name, --model_dir, --http_port."""
    model_server.RESTServer = _LoopbackServer
    warnings.filterwarnings("ignore", message="ORJSONResponse")  # the SDK's own affair
    model_server.parser.add_argument("--model_dir", required=True)
    args, _ = model_server.parser.parse_known_args()
    model = model_class(args.model_name)
    model.load(args.model_dir)
    server = kserve.ModelServer(enable_grpc=False)  # which sets up the logging
    for name in ("kserve.trace", "uvicorn.access"):  # four lines a request, and one a probe
        logging.getLogger(name).setLevel(logging.WARNING)
    server.start([model])


def model_file(folder, *names):
    """The one file of those names; or the folder may be the file itself."""
    place = Path(folder)
    found = [place] if place.is_file() else [place / n for n in names if (place / n).is_file()]
    if len(found) != 1:
        raise SystemExit(f"{folder} must hold exactly one of {', '.join(names)}")
    return found[0]
