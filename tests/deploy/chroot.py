"""Carries out a Dockerfile without a container engine: in roots made by debootstrap, as root.

    image = build(folder)            # a root for each stage; RUN in a chroot, COPY by file
    process = image.start("--graph-json", spec)        # the entry point, as a pod would run it

A started image sees what KServe's router pod sees: its root mounted read-only with no writable
folder at all, the image's user, no capabilities, no new privileges, process number 1. What an
engine adds and this does not: layers and their cache, the registry's base image (Debian's Python
stands in for it), a network of its own, cgroup limits, seccomp.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.deploy.dockerfile import BASE_PATH, Dockerfile, Instruction, Stage, environment

PROJECT = Path(__file__).parents[2]
SUITE = "bookworm"
PACKAGES = "ca-certificates,python3,python3-venv"
# So that pip inside reaches what pip outside reaches.
NETWORK_FILES = ("/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt")
NETWORK_NAMES = {
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_CERT"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
}
IGNORED = shutil.ignore_patterns("__pycache__")

# Arguments: root, user:group, PATH, then folders as SOURCE:TARGET up to `--`, then the command.
POD = r"""
root=$1 user=$2 path=$3; shift 3
mount --bind "$root" "$root"
while [ "$1" != -- ]; do
  mkdir -p "$root${1#*:}" && mount --bind "${1%%:*}" "$root${1#*:}"
  mount -o remount,bind,ro "$root${1#*:}"; shift
done; shift
mount -t tmpfs none "$root/dev"
for device in null:3 zero:5 random:8 urandom:9; do
  mknod -m 666 "$root/dev/${device%:*}" c 1 "${device#*:}"
done
mount -o remount,ro "$root/dev"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
exec chroot "$root" setpriv --reuid="${user%:*}" --regid="${user#*:}" --clear-groups \
  --bounding-set=-all --inh-caps=-all --ambient-caps=-all --no-new-privs "$@"
"""


@dataclass(frozen=True, slots=True)
class Image:
    root: Path
    env: Mapping[str, str]
    user: str
    entrypoint: list[str]

    def start(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        mounts: Mapping[Path, str] | None = None,
        output: IO[bytes] | int | None = None,
    ) -> subprocess.Popen[bytes]:
        """The entry point with these arguments, below a process that ends as it does.

        `mounts`: folders of this machine -> where the image sees them, read-only.
        """
        known = {**self.env, "HOME": "/", **(env or {})}
        inside = ["env", "-i", *(f"{key}={value}" for key, value in known.items())]
        folders = [f"{source}:{target}" for source, target in (mounts or {}).items()]
        where = (str(self.root), self.user, known["PATH"])
        return subprocess.Popen(
            [
                *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
                *("sh", "-euc", POD, "pod", *where, *folders, "--"),
                *(*inside, *self.entrypoint, *arguments),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def build(folder: Path, base: Path | None = None) -> Image:
    """The image of the last stage; everything lies under `folder`.

    `base`: a root made before, of which each stage begins as a copy.
    """
    stages = Dockerfile.read(PROJECT / "Dockerfile").stages
    base = base or _debootstrap(folder / "base")
    roots: dict[str, Path] = {}
    for number, stage in enumerate(stages):
        root = folder / (stage.name or f"stage-{number}")
        _run("cp", "-a", "--reflink=auto", str(base), str(root))
        roots[stage.name] = root
        _Builder(root, roots).carry_out(stage)
    final = stages[-1]
    user = final.last("USER").text
    return Image(root, final.env, user, final.json("ENTRYPOINT"))


class _Builder:
    def __init__(self, root: Path, roots: Mapping[str, Path]) -> None:
        self._root = root
        self._roots = roots
        self._folder = "/"
        self._env = {"PATH": BASE_PATH}

    def carry_out(self, stage: Stage) -> None:
        for file in NETWORK_FILES:
            shutil.copy(file, self._root / file[1:])
        for instruction in stage.instructions:
            match instruction.name:
                case "RUN":
                    self._run(instruction.text)
                case "COPY":
                    self._copy(instruction)
                case "ENV":
                    self._env |= environment(instruction, self._env)
                case "WORKDIR":
                    self._folder = instruction.text
                    self._inside(self._folder).mkdir(parents=True, exist_ok=True)

    def _run(self, command: str) -> None:
        network = {key: os.environ[key] for key in NETWORK_NAMES & os.environ.keys()}
        env = ["env", "-i", *(f"{key}={value}" for key, value in {**network, **self._env}.items())]
        inside = ("sh", "-euc", 'cd "$1" && eval "$2"', "run", self._folder, command)
        _run("chroot", str(self._root), *env, *inside)

    def _copy(self, instruction: Instruction) -> None:
        *sources, target = instruction.words
        origin = PROJECT
        if sources[0].startswith("--from="):
            origin = self._roots[sources.pop(0).removeprefix("--from=")]
        for source in sources:
            self._copy_one(origin / source.lstrip("/"), self._inside(target), target[-1] == "/")

    def _copy_one(self, source: Path, target: Path, into: bool) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            ignored = IGNORED if source.is_relative_to(PROJECT) else None
            shutil.copytree(source, target, symlinks=True, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.copy2(source, target / source.name if into else target)

    def _inside(self, path: str) -> Path:
        return self._root / os.path.join(self._folder, path).lstrip("/")


def _debootstrap(root: Path) -> Path:
    _run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(root))
    return root


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"


def below(pid: int) -> list[int]:
    """Processes that descend from this one, nearest first."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        tasks = Path(f"/proc/{waiting.pop(0)}/task").iterdir()
        children = [
            int(child) for task in tasks for child in (task / "children").read_text().split()
        ]
        found += children
        waiting += children
    return found
