"""`graphway check` on InferenceServices and their like, and what `--fix` makes of older forms."""

from pathlib import Path

from typer.testing import CliRunner, Result

from cli.commands import app
from tests.controller.manifests import service

GRAPH = """
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {name: g}
spec: {nodes: {root: {routerType: Sequence, steps: [{serviceName: iris}]}}}
"""
OLDER = service("custom: {container: {image: a}}") + "  canaryTrafficPercent: 5 # a try\n"
MODE = 0o640


def check(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["check", *arguments])


def test_faults_of_resources_stand_among_those_of_graphs(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(f"{service('sklern: {}')}---{GRAPH.replace('root', 'rot')}")
    ran = check(str(file))
    assert ran.exit_code == 1
    codes = [line.split()[2].rstrip(":") for line in ran.stdout.splitlines()]
    assert codes == ["no-implementation", "unknown-field", "missing-root"]
    assert "1 graph, 1 other document in 1 file: 3 errors, 0 warnings" in ran.stderr


def test_a_service_beside_its_graph_is_fine(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(f"{service('sklearn: {storageUri: s3://b/m}')}---{GRAPH}")
    ran = check("--strict", str(file))
    assert (ran.exit_code, ran.stdout) == (0, "")


def test_an_older_form_is_a_warning_until_it_is_rewritten(tmp_path: Path) -> None:
    file, other = tmp_path / "a.yaml", tmp_path / "b.yaml"
    file.write_text(OLDER)
    file.chmod(MODE)
    other.write_text(GRAPH)
    warned = check(str(tmp_path))
    assert warned.exit_code == 0
    assert warned.stdout.count("warning older-form") == 2
    mended = check("--fix", "--strict", str(tmp_path))
    assert (mended.exit_code, mended.stdout) == (0, "")
    assert f"{file}: rewritten" in mended.stderr
    assert str(other) not in mended.stderr
    assert "# a try" in file.read_text()
    assert file.stat().st_mode & 0o777 == MODE
    assert sorted(tmp_path.iterdir()) == [file, other]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    file, link = tmp_path / "real" / "a.yaml", tmp_path / "b.yaml"
    file.write_text(OLDER)
    link.symlink_to(file)
    assert check("--fix", "--strict", str(link)).exit_code == 0
    assert link.is_symlink()


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(OLDER.encode("utf-16"))
    ran = check("--fix", str(file))
    assert ran.exit_code == 0
    assert f"{file}: not rewritten" in ran.stderr
    assert file.read_bytes() == OLDER.encode("utf-16")


def test_standard_input_is_only_read() -> None:
    ran = CliRunner().invoke(app, ["check", "--fix", "-"], input=OLDER)
    assert ran.exit_code == 0
    assert "older-form" in ran.stdout
