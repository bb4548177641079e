"""How much memory processes hold, for machines that cannot set limits.

A replica is a session: its process leads one, and what it starts stays in it, whoever's child that
becomes. Resident sizes are cheap but count shared pages once for each process; only where they are
over a limit is it worth asking for the share of each, which is slow.
"""

import os
from collections.abc import Iterable, Mapping

import psutil


def over_limit(limits: Mapping[int, int]) -> dict[int, int]:
    """`limits`: session -> bytes. Those that hold more, with what they hold."""
    found: dict[int, int] = {}
    for session, pids in members(limits).items():
        limit = limits[session]
        if sum(map(_resident, pids)) > limit and (used := sum(map(_proportional, pids))) > limit:
            found[session] = used
    return found


def members(sessions: Iterable[int]) -> dict[int, list[int]]:
    """The processes of each session; none of one that is gone."""
    found: dict[int, list[int]] = {session: [] for session in sessions}
    for pid in psutil.pids():
        session = _session(pid)
        if session in found:
            found[session].append(pid)
    return found


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _resident(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _proportional(pid: int) -> int:
    try:
        return int(getattr(psutil.Process(pid).memory_full_info(), "pss", _resident(pid)))
    except psutil.Error:
        return 0
