"""`python -m cli.demo [--once]`: real models behind graphs of every kind, in one command.

Trains small models where there are none yet, starts `up` on the example, sends a request through
each graph, says what went where, and stays until Ctrl-C; with --once it ends after the requests, 0
if all were answered.
"""

import asyncio
import json
import logging
import os
import platform
import shutil
import sys
from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, NoReturn

import aiohttp
import typer
from prometheus_client.parser import text_string_to_metric_families

from cli.progress import Progress
from cli.running import Start, run
from controller.local import process, python_env
from controller.local.built_in import built_in_runtimes
from controller.local.home import Home, find_home
from controller.local.launch import Launch
from controller.local.plan import Machine
from controller.local.runnable import PACKAGES
from controller.resources.parse import parse
from router import settings, sockets
from router.parent import Parent

EXAMPLE = Path(__file__).parents[1] / "configs" / "examples" / "demo"
TRAINER = "kserve-xgbserver"  # its environment has all that train.py imports
TRAINED = "trained"  # a file beside the models once they are whole
REQUEST_S = 60.0
INDENT = 14  # of bodies, with the status and how often it came

SETOSA, VERSICOLOR, VIRGINICA = [5.1, 3.5, 1.4, 0.2], [6.8, 2.8, 4.8, 1.4], [6.3, 3.3, 6.0, 2.5]
# A nought from scikit-learn's digits: 8 x 8 pixels from 0 to 16, with some noise.
DIGIT = [
    [0, 0, 5, 13, 9, 1, 0, 0],
    [0, 2, 13, 15, 10, 15, 5, 0],
    [0, 3, 15, 2, 0, 11, 8, 0],
    [1, 4, 12, 0, 3, 8, 8, 0],
    [0, 5, 8, 0, 0, 9, 8, 1],
    [0, 4, 11, 0, 1, 12, 7, 0],
    [2, 2, 14, 5, 10, 12, 0, 0],
    [0, 0, 6, 13, 10, 0, 0, 3],
]
FLOWERS = {"instances": [SETOSA, VIRGINICA]}
PICTURE = {"instances": [[pixel for row in DIGIT for pixel in row]]}
FLOWERS_V2 = {
    "inputs": [
        {"name": "flowers", "shape": [2, 4], "datatype": "FP64", "data": [*SETOSA, *VIRGINICA]}
    ]
}


@dataclass(frozen=True, slots=True)
class Question:
    graph: str
    says: str
    body: dict[str, Any]
    times: int = 1


QUESTIONS = (
    Question("iris-splitter", "Splitter: two flowers, to one model of two", FLOWERS, times=100),
    Question("iris-ensemble", "Ensemble: two flowers, to both models", FLOWERS),
    Question("digits-sequence", "Sequence: clean the picture, then read the digit", PICTURE),
    Question("protocol-switch", "Switch: a V1 request", FLOWERS),
    Question("protocol-switch", "Switch: a V2 request", FLOWERS_V2),
    Question("everything", "All four: a digit", PICTURE),
    Question("everything", "All four: flowers", FLOWERS),
    Question("everything", "All four: flowers by V2", FLOWERS_V2),
)


def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the requests.")] = False,
    port: Annotated[int | None, typer.Option(help="Data port; 0: a free one [8080].")] = None,
    admin_port: Annotated[
        int | None, typer.Option(help="Admin port; 0: a free one [9902].")
    ] = None,
) -> None:
    """Real models behind graphs of every kind."""
    flags = {
        "host": "127.0.0.1",
        "port": port,
        "admin_port": admin_port,
        "log_level": "warning",
        "access_log": False,  # what went where is told here
    }
    home = find_home(os.environ)
    folder = home.root / "demo"
    try:
        read = settings.read(flags)
        _see_that_ports_are_free(read)
        folder.mkdir(parents=True, exist_ok=True)
        for file in EXAMPLE.glob("*.yaml"):
            shutil.copyfile(file, folder / file.name)
    except settings.BadSettings as bad:
        _fail(2, *bad.lines)
    except sockets.CannotListen as taken:
        _fail(1, str(taken), "From make: GRAPHWAY_PORT=0 GRAPHWAY_ADMIN_PORT=0 make demo")
    except OSError as error:
        _fail(1, f"cannot write there: {error}; GRAPHWAY_HOME chooses another folder")
    if failed := asyncio.run(_train(home, folder)):
        _fail(1, failed)
    start = Start((str(folder),), (), Machine(platform.python_version(), {}), home, "demo")
    answered: list[bool] = []

    async def ask(parent: Parent) -> None:
        answered.append(await _ask_all(parent))
        if parent.stopping:  # Ctrl-C came first
            return
        if once:
            parent.stop()
            return
        logging.getLogger("graphway.graphs").setLevel(logging.INFO)  # edits are told from here on
        body = json.dumps({"instances": [VERSICOLOR]})
        print(
            "\nAsk for yourself, from another terminal:"
            f"\n  curl -d '{body}' {parent.data_url}/graphs/default/iris-ensemble"
            f"\n  curl {parent.admin_url}/metrics"
            f"\nEdit {folder / 'graphs.yaml'}: it is loaded at once (and written anew by the next"
            " demo). Ctrl-C ends.",
            flush=True,
        )

    code = run(read, start, on_ready=ask, show_output=False)
    unanswered = False in answered or (once and not answered)
    raise typer.Exit(code or int(unanswered))


def _see_that_ports_are_free(read: settings.Settings) -> None:
    """Before the minutes that the first training takes, not after them."""
    for host, port, flag in (
        (read.host, read.port, "--port"),
        (read.admin_host, read.admin_port, "--admin-port"),
    ):
        for listener in sockets.bind(host, port, flag):
            listener.close()


def _fail(code: int, *lines: str) -> NoReturn:
    print(*lines, sep="\n", file=sys.stderr)
    raise typer.Exit(code)


async def _train(home: Home, folder: Path) -> str | None:
    """Models in `folder`, unless they are there; what went wrong, if something did."""
    script = (EXAMPLE / "train.py").read_text()
    models = folder / "models"
    runtime = parse([], built_in_runtimes()).runtimes[None, TRAINER]
    packages = python_env.requirements(
        runtime.resource.metadata.annotations[PACKAGES], runtime.folder
    )
    recipe = json.dumps([script, packages])  # another recipe makes other models
    if (models / TRAINED).exists() and (models / TRAINED).read_text() == recipe:
        return None
    progress = Progress(sys.stderr)
    print(
        "Training the models. The first time, this makes their environment: a minute, 700 MB.",
        file=sys.stderr,
    )
    made = await python_env.ensure(
        home.envs,
        packages,
        log=home.log("demo/train"),
        environ=os.environ,
        on_detail=lambda detail: progress.note(f"train: {detail}"),
    )
    if isinstance(made, python_env.EnvironmentFailed):
        return made.message
    argv = (str(made / "bin" / "python"), str(EXAMPLE / "train.py"), str(models))
    training = await process.start(
        Launch(argv, os.environ, folder),
        home.log("demo/train"),
        lambda line: progress.output("train", line),
    )
    try:
        status = await training.run()
    finally:
        await training.stop(1.0)
    if status != 0:
        return f"training failed: {' / '.join(training.last_lines[-3:])}"
    (models / TRAINED).write_text(recipe)
    return None


async def _ask_all(parent: Parent) -> bool:
    """Prints what was asked, where it went and what came back; whether all was answered."""
    answered = 0
    timeout = aiohttp.ClientTimeout(total=REQUEST_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        for question in QUESTIONS:
            try:
                answered += await _ask(session, parent, question)
            except (aiohttp.ClientError, TimeoutError) as error:
                if parent.stopping:
                    return False
                print(f"  no answer: {error!r}")
    print(f"\n{answered} of {len(QUESTIONS)} kinds of request answered", flush=True)
    return answered == len(QUESTIONS)


async def _ask(session: aiohttp.ClientSession, parent: Parent, question: Question) -> bool:
    url = f"{parent.data_url}/graphs/default/{question.graph}"
    print(f"\n{question.says}\n  POST {url}\n       {_shortened(json.dumps(question.body))}")
    before = await _calls(session, parent.admin_url, question.graph)
    answers: Counter[str] = Counter()
    good = True
    for _ in range(question.times):
        async with session.post(url, json=question.body) as answer:
            answers[f"{answer.status} {_shortened(await answer.text())}"] += 1
            good = good and answer.status == HTTPStatus.OK
    went = await _calls(session, parent.admin_url, question.graph) - before
    print(f"  went to {', '.join(_times(step, n) for step, n in went.items())}")
    for text, times in answers.items():
        print(f"  {_times(text, times)}", flush=True)
    return good


async def _calls(session: aiohttp.ClientSession, admin_url: str, graph: str) -> Counter[str]:
    """How often each step of a graph was called, as the metrics have it."""
    async with session.get(f"{admin_url}/metrics") as answer:
        families = text_string_to_metric_families(await answer.text())
    calls: Counter[str] = Counter()
    for family in families:
        for sample in family.samples:
            of = sample.labels
            if sample.name == "graphway_step_calls_total" and of["graph"] == f"default/{graph}":
                calls[f"{of['node']}/{of['step']}"] += int(sample.value)
    return calls


def _times(text: str, times: int) -> str:
    return text if times == 1 else f"{text} (x{times})"


def _shortened(text: str) -> str:
    """On one line: without its middle, since the answer proper often stands at the end."""
    width = shutil.get_terminal_size((120, 24)).columns - INDENT
    if len(text) <= width:
        return text
    return f"{text[: width * 2 // 3]} ... {text[-(width // 3 - 5) :]}"


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(demo)
    app()
