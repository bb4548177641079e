"""Reads a Dockerfile into stages of instructions, as far as ours needs it.

    image = Dockerfile.read(path)
    image.final.env["PATH"], image.final.json("ENTRYPOINT"), image.stages[0].all("RUN")

Knows the words, not what they do: `chroot.py` carries them out.
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

# Another one has to be taught to `chroot.py` too.
NAMES = ("ARG", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "LABEL", "RUN", "USER", "WORKDIR")
VARIABLE = re.compile(r"\$\{?(\w+)\}?")
BASE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Instruction:
    name: str
    text: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.text)


@dataclass(slots=True)
class Stage:
    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, name: str) -> list[Instruction]:
        return [one for one in self.instructions if one.name == name]

    def last(self, name: str) -> Instruction:
        return self.all(name)[-1]

    def json(self, name: str) -> Any:
        """The value of an instruction in exec form; ValueError in shell form."""
        return json.loads(self.last(name).text)

    @property
    def env(self) -> dict[str, str]:
        """All of it, as the process of the image finds it."""
        known = {"PATH": BASE_PATH}
        for instruction in self.all("ENV"):
            known |= environment(instruction, known)
        return known


@dataclass(frozen=True, slots=True)
class Dockerfile:
    arguments: Mapping[str, str]
    stages: list[Stage]

    @classmethod
    def read(cls, path: Path) -> Self:
        arguments: dict[str, str] = {}
        stages: list[Stage] = []
        for instruction in _instructions(path.read_text()):
            if instruction.name == "FROM":
                base, *name = instruction.words
                stages.append(Stage(_expanded(base, arguments), name[1] if name else ""))
            elif not stages:
                key, _, value = instruction.text.partition("=")
                arguments[key] = value
            else:
                stages[-1].instructions.append(instruction)
        return cls(arguments, stages)

    @property
    def final(self) -> Stage:
        return self.stages[-1]


def environment(instruction: Instruction, known: Mapping[str, str]) -> dict[str, str]:
    """What one ENV sets; its values may name variables that are known before it."""
    pairs = (word.partition("=") for word in instruction.words)
    return {key: _expanded(value, known) for key, _, value in pairs}


def _expanded(text: str, known: Mapping[str, str]) -> str:
    return VARIABLE.sub(lambda match: known[match[1]], text)


def _instructions(text: str) -> Iterator[Instruction]:
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    whole = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    for line in whole.splitlines():
        name, _, rest = line.partition(" ")
        assert name in NAMES, f"an instruction that the tests do not know: {line}"
        yield Instruction(name, rest.strip())
