"""The runtimes that come with Graphway: `configs/runtimes`."""

from pathlib import Path

from graph.loader import Document, load

FOLDER = Path(__file__).parents[2] / "configs" / "runtimes"


def built_in_runtimes() -> list[Document]:
    return [
        document
        for file in sorted(FOLDER.glob("*.yaml"))
        for document in load(file.read_bytes(), str(file))
    ]
