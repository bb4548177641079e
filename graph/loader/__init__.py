"""Manifests as text -> documents with places -> specs; every fault with where it stands.

`load` takes one text, `Files` finds the texts behind paths, `load_spec_json` takes what KServe's
controller hands to its router. Nothing in here knows what makes a graph sensible; `graph.checks`
does.
"""

from graph.loader.documents import Document, Documents, load
from graph.loader.files import STDIN_NAME, File, Files
from graph.loader.spec_json import load_spec_json

__all__ = ["STDIN_NAME", "Document", "Documents", "File", "Files", "load", "load_spec_json"]
