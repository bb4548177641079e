"""Paths -> files: which count, in which order, each once, and what cannot be read."""

import io
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from graph.loader import Files
from graph.loader.documents import MAX_BYTES


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def names(folder: Path, *paths: Path | str) -> list[str]:
    files = Files([str(path) for path in paths or (folder,)])
    found = [os.path.relpath(file.name, folder) for file in files]
    assert files.problems == []
    return found


def codes(*paths: Path | str) -> list[str]:
    files = Files([str(path) for path in paths])
    assert list(files) == []
    return [problem.problem.code for problem in files.problems]


def test_a_folder_gives_its_manifests_by_name_those_below_included(tmp_path: Path) -> None:
    write(
        tmp_path, "b.yaml", "a.json", "c/x.yml", "c/a.yaml", "notes.txt", ".hidden.yaml", "d.yaml~"
    )
    write(tmp_path, ".git/x.yaml", "z/.y/x.yaml")
    assert names(tmp_path) == ["a.json", "b.yaml", "c/a.yaml", "c/x.yml"]


def test_a_mounted_config_map_is_read_once_under_the_names_that_one_sees(tmp_path: Path) -> None:
    write(tmp_path, "..2026_11_21/graph.yaml", "..2026_11_21/other.yaml")
    (tmp_path / "..data").symlink_to("..2026_11_21")
    for name in ("graph.yaml", "other.yaml"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    assert names(tmp_path) == ["graph.yaml", "other.yaml"]


def test_a_file_is_read_once_however_often_it_is_named(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "b/c.yaml")
    (tmp_path / "link.yaml").symlink_to("a.yaml")
    (tmp_path / "b" / "up").symlink_to("..")
    a = tmp_path / "a.yaml"
    assert names(tmp_path, a, a, tmp_path, tmp_path / "b") == ["a.yaml", "b/c.yaml"]


def test_a_file_named_outright_may_be_called_anything(tmp_path: Path) -> None:
    write(tmp_path, "graph", ".graph.txt")
    assert names(tmp_path, tmp_path / "graph", tmp_path / ".graph.txt") == ["graph", ".graph.txt"]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"a: 1")))
    [file] = Files(["-"])
    assert (file.name, file.data) == ("<stdin>", b"a: 1")


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    assert codes(tmp_path / "none", "a\0b", tmp_path / "loop.yaml") == ["unreadable-path"] * 3


def test_a_dangling_link_in_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "gone.yaml").symlink_to("nowhere")
    assert codes(tmp_path) == ["unreadable-path"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_told(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "b/c.yaml")
    (tmp_path / "a.yaml").chmod(0)
    (tmp_path / "b").chmod(0)
    assert codes(tmp_path) == ["unreadable-path"] * 2
    (tmp_path / "b").chmod(0o700)


def test_a_file_that_fails_while_it_is_read_is_told() -> None:
    assert codes("/proc/self/mem") == ["unreadable-path"]


def test_a_folder_without_manifests_is_told(tmp_path: Path) -> None:
    write(tmp_path, "notes.txt")
    assert codes(tmp_path) == ["no-documents"]


def test_no_more_is_read_than_is_needed_to_refuse_it() -> None:
    [file] = Files(["/dev/zero"])
    assert len(file.data) == MAX_BYTES + 1


def test_a_pipe_that_nobody_writes_to_is_empty(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert [file.data for file in Files([str(tmp_path / "pipe.yaml")])] == [b""]


def test_a_pipe_is_read_to_its_end() -> None:
    reader, writer = os.pipe()
    with open(writer, "wb") as file:
        file.write(b"kind: X\n")
    assert [file.data for file in Files([f"/dev/fd/{reader}"])] == [b"kind: X\n"]
    os.close(reader)
