"""`graphway crds`: the kinds, as a cluster takes them."""

import sys

from controller.resources.crds import crds as definitions
from controller.resources.model import to_yaml


def crds() -> None:
    """Print the CustomResourceDefinitions of all kinds, KServe's and ours.

    They are too long for kubectl's annotation: graphway crds | kubectl apply --server-side -f -
    """
    sys.stdout.write("---\n".join(map(to_yaml, definitions())))
