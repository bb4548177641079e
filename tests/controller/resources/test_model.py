"""What every resource has from its model."""

from controller.resources.core import EnvVar


def test_a_resource_shows_what_was_said() -> None:
    assert repr(EnvVar(name="A", value="1")) == "EnvVar(name='A', value='1')"
    assert repr(EnvVar(name="A")) == "EnvVar(name='A')"
