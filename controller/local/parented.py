"""Runs a command that ends with its parent: `python parented.py PARENT_PID CGROUP COMMAND...`.

A program of its own, because between fork and exec nothing but exec is safe in a process with
threads. It enters the cgroup whose folder is CGROUP first, unless that is empty: entered later, the
command could outgrow its limits before. It imports only what it needs: every model server starts
through it. Elsewhere than on Linux there is no signal for a parent's end, and the run file must do
(see `leftovers`).
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, cgroup: str, command: list[str]) -> None:
    if sys.platform == "linux":
        # It survives exec, not fork: the server's own children are the server's to end, or the
        # next start's.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            sys.exit(1)
    try:
        if cgroup:
            with open(f"{cgroup}/cgroup.procs", "w") as members:
                members.write("0")  # whoever writes it
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]} cannot be run: {error.strerror}", file=sys.stderr)
        sys.exit(127)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
