"""What this machine is called as a node: by its hostname, as in a cluster."""

import platform

from controller.modelcache.rules import node_name


def this_node() -> str:
    return node_name(platform.node())
