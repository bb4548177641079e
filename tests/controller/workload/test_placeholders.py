"""`{{.Name}}` and its like, anywhere in a container."""

import pytest

from controller.resources.core import Container, ObjectMeta
from controller.resources.model import dump, read
from controller.workload.placeholders import filled
from tests.controller.manifests import yaml

META = ObjectMeta(
    name="iris", namespace="prod", labels={"tier": "gold"}, annotations={"colour": "red"}
)
PATH = ("spec", "predictor", "model")

WORDS = {
    "name": ("{{.Name}}", "iris"),
    "namespace": ("{{ .Namespace }}", "prod"),
    "a label": ("{{.Labels.tier}}", "gold"),
    "an annotation": ("<{{.Annotations.colour}}>", "<red>"),
    "what is not there is empty": ("<{{.Labels.none}}>", "<>"),
    "two of them": ("{{.Name}}-{{.Name}}", "iris-iris"),
    "with the marks that trim": ("{{- .Name -}}", "iris"),
    "braces of something else": ("{{", "{{"),
    "a shell's variable": ("${NAME} $(NAME)", "${NAME} $(NAME)"),
}


@pytest.mark.parametrize(("text", "value"), WORDS.values(), ids=WORDS)
def test_filled(text: str, value: str) -> None:
    result = filled(Container(args=(text,)), META, PATH)
    assert isinstance(result, Container)
    assert result.args == (value,)


def test_everywhere_in_the_container() -> None:
    text = (
        "{name: c, image: 'x/{{.Name}}:1', command: [run, '{{.Name}}'], "
        "env: [{name: A, value: '{{.Name}}'}], "
        "volumeMounts: [{name: v, mountPath: '/{{.Name}}'}], "
        "readinessProbe: {httpGet: {path: '/{{.Name}}', port: 80}}}"
    )
    result = filled(read(Container, yaml(text)), META, PATH)
    assert isinstance(result, Container)
    assert dump(result) == yaml(text.replace("{{.Name}}", "iris"))


def test_the_default_namespace_is_named() -> None:
    result = filled(Container(args=("{{.Namespace}}",)), ObjectMeta(name="x"), PATH)
    assert isinstance(result, Container)
    assert result.args == ("default",)


def test_every_word_that_nobody_knows_is_told_once() -> None:
    args = ("{{.Nmae}}", "{{.Nmae}}", "{{index .Labels 0}}")
    problems = filled(Container(args=args), META, PATH)
    assert isinstance(problems, list)
    assert [problem.message.split(" is no")[0] for problem in problems] == [*args[1:]]
    assert {(p.code, p.path) for p in problems} == {("unknown-placeholder", PATH)}
