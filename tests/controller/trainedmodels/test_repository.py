"""The folder from which servers load: what they find, and that they never find half of it."""

import json
from pathlib import Path

import pytest

from controller.trainedmodels.repository import Repository


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "fetched"
    (folder / "1").mkdir(parents=True)
    (folder / "model.joblib").write_text("first")
    (folder / "1" / "weights").write_text("w")
    return folder


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


def test_a_model_is_found_under_its_name(repository: Repository, model: Path) -> None:
    assert repository.placed() == {}
    assert repository.place("m", "d1", model, "sklearn") is None
    assert repository.placed() == {"m": "d1"}
    found = repository.root / "m"
    assert (found / "model.joblib").read_text() == "first"
    assert (found / "1" / "weights").read_text() == "w"
    assert json.loads((found / "model-settings.json").read_text())["name"] == "m"


def test_servers_see_only_names(repository: Repository, model: Path) -> None:
    repository.place("m", "d1", model, "sklearn")
    assert [f.name for f in repository.root.iterdir() if not f.name.startswith(".")] == ["m"]


def test_one_file_is_a_model_too(repository: Repository, model: Path) -> None:
    repository.place("m", "d1", model / "model.joblib", "sklearn")
    settings = json.loads((repository.root / "m" / "model-settings.json").read_text())
    assert settings["parameters"]["uri"] == "./model.joblib"


def test_settings_that_a_model_brings_are_read_and_stay_as_they_are(
    repository: Repository, model: Path
) -> None:
    own = model / "model-settings.json"
    own.write_text('{"name": "theirs", "implementation": "mine.Model"}')
    repository.place("m", "d1", model, "sklearn")
    found = json.loads((repository.root / "m" / "model-settings.json").read_text())
    assert (found["name"], found["implementation"]) == ("m", "mine.Model")
    assert "theirs" in own.read_text()


def test_a_change_takes_its_place_and_the_old_one_stays_until_it_is_let_go(
    repository: Repository, model: Path, tmp_path: Path
) -> None:
    repository.place("m", "d1", model, "sklearn")
    old = (repository.root / "m").resolve()
    other = tmp_path / "other"
    other.mkdir()
    (other / "model.joblib").write_text("second")
    repository.place("m", "d2", other, "sklearn")
    assert repository.placed() == {"m": "d2"}
    assert (repository.root / "m" / "model.joblib").read_text() == "second"
    assert (old / "model.joblib").read_text() == "first"
    repository.only("m", "d2")
    assert not old.exists()
    assert (repository.root / "m" / "model.joblib").read_text() == "second"


def test_names_that_begin_alike_are_apart(repository: Repository, model: Path) -> None:
    repository.place("m", "d1", model, "sklearn")
    repository.place("m-2", "d1", model, "sklearn")
    repository.remove("m")
    assert repository.placed() == {"m-2": "d1"}
    assert (repository.root / "m-2" / "model.joblib").exists()
    assert model.joinpath("model.joblib").exists()


def test_a_draft_that_was_cut_short_is_nothing(repository: Repository, model: Path) -> None:
    draft = repository.root / ".models" / ".m@d1"
    draft.mkdir(parents=True)
    (draft / "left").write_text("over")
    assert repository.placed() == {}
    assert repository.place("m", "d1", model, "sklearn") is None
    assert not (repository.root / "m" / "left").exists()


def test_the_same_again_is_the_same(repository: Repository, model: Path) -> None:
    for _ in range(2):
        assert repository.place("m", "d1", model, "sklearn") is None
    assert repository.placed() == {"m": "d1"}


def test_what_is_gone_may_go_again(repository: Repository) -> None:
    repository.remove("m")
    repository.clear()
    repository.only("m", "d1")


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, model: Path) -> None:
    (tmp_path / "file").write_text("")
    said = Repository(tmp_path / "file").place("m", "d1", model, "sklearn")
    assert said is not None
    assert "Not a directory" in said
