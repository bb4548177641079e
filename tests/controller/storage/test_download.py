"""Parts, tries and the journal, on a source by script: whatever breaks, what is there is right."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.storage.download import Download
from controller.storage.journal import Journal
from controller.storage.outcome import Fault, Reason
from controller.storage.settings import StorageSettings
from controller.storage.source import Item, digest
from tests.controller.storage.conftest import tree

SETTINGS = StorageSettings.model_validate(
    {"part_size": 10, "parallel": 3, "attempts": 3, "backoff_seconds": 1e-6}
)


@dataclass
class Scripted:
    """Breaks off the next reads after so many bytes; None: not at all."""

    contents: dict[str, bytes]
    breaks: list[int | None] = field(default_factory=list)
    reason: Reason = Reason.INTERRUPTED
    sizes: bool = True
    ranges: bool = True
    reads: list[tuple[str, int]] = field(default_factory=list)

    async def items(self) -> Sequence[Item]:
        return [
            Item(name, name, len(c) if self.sizes else None, "v1", ranges=self.ranges)
            for name, c in self.contents.items()
        ]

    async def read(self, item: Item, start: int, end: int | None) -> AsyncGenerator[bytes, None]:
        self.reads.append((item.name, start))
        wanted = self.contents[item.name][start:end]
        broken = self.breaks.pop(0) if self.breaks else None
        for at in range(0, len(wanted), 3):
            if broken is not None and at >= broken:
                raise Fault(self.reason, "broken")
            await asyncio.sleep(0)
            yield wanted[at : at + 3]


async def once(source: Scripted, folder: Path, steps: list[int] | None = None) -> None:
    (folder / "tree").mkdir(exist_ok=True)
    items = await source.items()
    journal = Journal(folder / "journal", folder / "tree")
    journal.open(digest(items))

    def progress(done: int, total: int | None) -> None:
        if steps is not None:
            steps.append(done)

    await Download(source, items, folder / "tree", journal, SETTINGS, progress).run()


CONTENTS = st.dictionaries(
    st.sampled_from(["a", "b/c", "b/d", "e"]), st.binary(max_size=45), min_size=1
)
BREAKS = st.lists(st.none() | st.integers(0, 12), max_size=30)


@given(CONTENTS, BREAKS, st.booleans(), st.booleans())
def test_however_it_breaks_in_the_end_every_byte_is_right(
    contents: dict[str, bytes], breaks: list[int | None], sizes: bool, ranges: bool
) -> None:
    source = Scripted(contents, breaks, sizes=sizes, ranges=ranges)

    async def until_done(folder: Path) -> None:
        for _ in range(len(breaks) + 1):  # each run that fails uses up a break at least
            with suppress(Fault):
                await once(source, folder)
                return
        raise AssertionError("it never came to an end")

    with tempfile.TemporaryDirectory() as name:
        asyncio.run(until_done(Path(name)))
        assert tree(Path(name, "tree")) == contents


@given(st.integers(0, 200), st.booleans())
def test_a_journal_that_was_cut_anywhere_costs_work_and_no_byte(cut: int, again: bool) -> None:
    source = Scripted({"a": bytes(range(45)), "b": b"x" * 25})

    async def twice(folder: Path) -> None:
        await once(source, folder)
        journal = folder / "journal"
        journal.write_bytes(journal.read_bytes()[:cut])
        if again:
            source.breaks = [None, *(0 for _ in range(20))]
            with suppress(Fault):  # unless all was there
                await once(source, folder)
            source.breaks = []
        await once(source, folder)

    with tempfile.TemporaryDirectory() as name:
        asyncio.run(twice(Path(name)))
        assert tree(Path(name, "tree")) == source.contents


async def test_what_is_noted_is_not_read_again(tmp_path: Path) -> None:
    source = Scripted({"a": b"x" * 95})
    await once(source, tmp_path)
    source.reads = []
    steps: list[int] = []
    await once(source, tmp_path, steps)
    assert source.reads == []
    assert steps == [95]


async def test_another_version_is_read_from_the_beginning(tmp_path: Path) -> None:
    await once(Scripted({"a": b"x" * 35, "old": b"o"}), tmp_path)
    newer = Scripted({"a": b"y" * 34})
    await once(newer, tmp_path)
    assert tree(tmp_path / "tree") == {"a": b"y" * 34}


async def test_tries_that_bring_nothing_are_counted_in_a_row(tmp_path: Path) -> None:
    source = Scripted({"a": b"x" * 9}, [0, 0, 0])
    with pytest.raises(Fault):
        await once(source, tmp_path)
    assert len(source.reads) == SETTINGS.attempts


@pytest.mark.parametrize("reason", [Reason.DENIED, Reason.NOT_FOUND, Reason.CHANGED])
async def test_what_does_not_pass_is_not_tried_again(reason: Reason, tmp_path: Path) -> None:
    source = Scripted({"a": b"x" * 9}, [3], reason)
    with pytest.raises(Fault) as fault:
        await once(source, tmp_path)
    assert fault.value.reason is reason
    assert len(source.reads) == 1


@pytest.mark.parametrize("moment", range(1, 40, 3))
async def test_cancelled_at_any_await_it_leaves_only_truth(moment: int, tmp_path: Path) -> None:
    """Each turn of the loop is one; the later ones find it done."""
    source = Scripted({"a": bytes(range(45)), "b": b"x" * 25})
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(once(source, tmp_path))
        for _ in range(moment):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait((running,))
    await once(source, tmp_path)
    assert tree(tmp_path / "tree") == source.contents
