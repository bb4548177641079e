"""The folder from which a server of many loads models: NAME for each, complete or absent.

A name is a link to a folder of its own, so that a changed model appears in one step, and the one
before it stays until nobody loads from it. What a folder holds are links to the files of the model,
which stay where they were fetched to. Calls block; threads run them.
"""

import os
import shutil
from pathlib import Path

from controller.trainedmodels.layout import SETTINGS, settings

_HIDDEN = ".models"  # servers look for models in all folders that are not hidden
_MARK = "@"  # no name holds one


class Repository:
    def __init__(self, root: Path) -> None:
        self.root = root
        self._hidden = root / _HIDDEN

    def placed(self) -> dict[str, str]:
        """Digests by name, of what servers find."""
        found = {}
        try:
            entries = list(os.scandir(self.root))
        except FileNotFoundError:
            return {}
        for entry in entries:
            if entry.is_symlink():
                name, mark, digest = os.path.basename(os.readlink(entry.path)).rpartition(_MARK)
                if mark and name == entry.name:
                    found[name] = digest
        return found

    def place(self, name: str, digest: str, model: Path, framework: str) -> str | None:
        """Why not, if it cannot be. `model`: a folder, or the one file that it is."""
        folder = self._hidden / f"{name}{_MARK}{digest}"
        draft = self._hidden / f".{folder.name}"
        try:
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
            _fill(draft, name, model, framework)
            shutil.rmtree(folder, ignore_errors=True)
            os.rename(draft, folder)
            link = self._hidden / f".{name}"
            link.unlink(missing_ok=True)
            link.symlink_to(Path(_HIDDEN, folder.name))
            os.replace(link, self.root / name)
        except OSError as error:
            return f"{error.filename or self.root}: {error.strerror or type(error).__name__}"
        return None

    def has_settings(self, name: str) -> bool:
        return (self.root / name / SETTINGS).exists()

    def only(self, name: str, digest: str) -> None:
        """The ones before it go."""
        for folder in self._all(name):
            if folder.name != f"{name}{_MARK}{digest}":
                shutil.rmtree(folder, ignore_errors=True)

    def remove(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)
        for folder in self._all(name):
            shutil.rmtree(folder, ignore_errors=True)

    def clear(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)

    def _all(self, name: str) -> list[Path]:
        return [f for f in self._hidden.glob(f"{name}{_MARK}*") if f.name.count(_MARK) == 1]


def _fill(folder: Path, name: str, model: Path, framework: str) -> None:
    files = _files(model)
    own = files.pop(SETTINGS, None)
    for file, place in files.items():
        (folder / file).symlink_to(place)
    text = settings(
        name, framework, list(files), own.read_text("utf-8", "replace") if own else None
    )
    if text is not None:
        (folder / SETTINGS).write_text(text)


def _files(model: Path) -> dict[str, Path]:
    if model.is_dir():
        return {entry.name: model / entry.name for entry in sorted(model.iterdir())}
    return {model.name: model}
