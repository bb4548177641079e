"""Where the local backend keeps what outlives it: one folder, `$GRAPHWAY_HOME`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile


@dataclass(frozen=True, slots=True)
class Home:
    """`project`: of what is kept for one alone; two may run services of the same names."""

    root: Path
    project: str = ""

    @property
    def envs(self) -> Path:
        return self.root / "envs"

    @property
    def models(self) -> Path:
        """Fetched ones, for all who use them."""
        return self.root / "models"

    def of(self, project: str) -> "Home":
        return replace(self, project=project)

    @property
    def state(self) -> Path:
        return self._own / "state.db"

    @property
    def repositories(self) -> Path:
        """For each service whose servers are told which models to load, the folder of these."""
        return self._own / "repositories"

    @property
    def runs(self) -> Path:
        """One file for each `up` that is alive, or was not ended properly."""
        return self.root / "runs"

    @property
    def running(self) -> Path:
        """One file for each `up` that can be asked, see `controller.running`."""
        return self.root / "running"

    def log(self, key: str) -> Path:
        return self._own / "logs" / f"{key}.log"

    def scratch(self, key: str) -> Path:
        """The working directory of a server: some leave files there."""
        return self._own / "work" / key

    @property
    def _own(self) -> Path:
        return self.root / "projects" / self.project if self.project else self.root

    def claim(self) -> None:
        """Make it, and see that it can be written to; OSError if not."""
        self.runs.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=self.runs):
            pass


def find_home(environ: Mapping[str, str]) -> Home:
    if given := environ.get("GRAPHWAY_HOME"):
        return Home(Path(given).absolute())
    own = environ.get("HOME") or os.path.expanduser("~")  # without HOME: as the accounts have it
    data = environ.get("XDG_DATA_HOME") or Path(own) / ".local" / "share"
    return Home(Path(data).absolute() / "graphway")
