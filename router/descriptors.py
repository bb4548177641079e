"""How many files a worker may hold open, and so how many clients it can serve.

Shells and service managers set a soft limit of 1,024 for the sake of programs that use `select`; a
worker does not, and takes what the hard limit allows. Where that is little, clients wait in the
listen queue before the calls that they cause find no descriptor: half are for either side.
"""

import contextlib
import resource

import msgspec

from router.config import DataPlaneConfig

RESERVED = 64  # log, channel, counters, listening sockets, the loop's own


def raised_limit() -> float:
    """The number of descriptors that this process may use from now on; infinite if nobody says."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS takes no infinity here
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return float("inf") if soft == resource.RLIM_INFINITY else soft


def within(descriptors: float, config: DataPlaneConfig) -> DataPlaneConfig:
    """The settings with no more client connections than there are descriptors for."""
    room = max(1, (descriptors - RESERVED) / 2)
    if config.limits.connections <= room:
        return config
    limits = msgspec.structs.replace(config.limits, connections=int(room))
    return msgspec.structs.replace(config, limits=limits)
