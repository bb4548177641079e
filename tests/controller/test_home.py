"""Where things are kept."""

import os
import pwd
from pathlib import Path

import pytest

from controller.local.home import find_home

BELOW_HOME = "/h/.local/share/graphway"
PLACES = {
    "what is said": ({"GRAPHWAY_HOME": "/g", "XDG_DATA_HOME": "/x", "HOME": "/h"}, "/g"),
    "else the data folder": ({"XDG_DATA_HOME": "/x", "HOME": "/h"}, "/x/graphway"),
    "else below the home": ({"HOME": "/h"}, BELOW_HOME),
    "an empty one says nothing": ({"GRAPHWAY_HOME": "", "HOME": "/h"}, BELOW_HOME),
}


def test_without_a_home_the_account_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    account = pwd.getpwuid(os.getuid()).pw_dir
    assert find_home({}).root == Path(account) / ".local" / "share" / "graphway"


@pytest.mark.parametrize(("environ", "place"), PLACES.values(), ids=PLACES)
def test_home(environ: dict[str, str], place: str) -> None:
    assert find_home(environ).root == Path(place)


def test_projects_share_models_and_environments_and_nothing_else() -> None:
    home = find_home({"GRAPHWAY_HOME": "/g"})
    one, other = home.of("one"), home.of("other")
    key = "default/iris/predictor-0"
    assert (one.models, one.envs, one.running) == (other.models, other.envs, other.running)
    assert one.log(key) == Path(f"/g/projects/one/logs/{key}.log")
    assert one.scratch(key) == Path(f"/g/projects/one/work/{key}")
    assert len({one.state, other.state, one.log(key), other.log(key)}) == 4
