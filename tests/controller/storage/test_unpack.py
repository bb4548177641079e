"""Archives: good ones come out whole, hostile ones leave nothing."""

import gzip
import io
import os
import stat
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.storage.archive import entries
from controller.storage.fetch import Fetcher
from controller.storage.outcome import Fault, Fetched, FetchFailed, Reason
from controller.storage.request import Request
from controller.storage.settings import StorageSettings
from controller.storage.unpack import Stopped, unpack
from tests.controller.storage.conftest import tree
from tests.controller.storage.site import Site

Member = tuple[str, bytes] | tarfile.TarInfo


def tar(*members: Member, mode: str = "w:gz") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:  # type: ignore[call-overload]
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return packed.getvalue()


def special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = link
    return info


def zipped(*members: tuple[str, bytes], mode: int = 0) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return packed.getvalue()


FILES = (("iris/model.bst", b"weights"), ("iris/1/config", b"{}"), ("./labels.txt", b"a"))
WANTED = {"iris/model.bst": b"weights", "iris/1/config": b"{}", "labels.txt": b"a"}

GOOD = {
    "a tar.gz": ("model.tar.gz", tar(*FILES)),
    "a tgz, its name in capitals": ("MODEL.TGZ", tar(*FILES)),
    "a plain tar": ("model.tar", tar(*FILES, mode="w")),
    "a zip": ("model.zip", zipped(*FILES)),
    "with the folder itself": ("model.tar", tar(special(".", tarfile.DIRTYPE), *FILES, mode="w")),
}


@pytest.mark.parametrize(("name", "packed"), GOOD.values(), ids=GOOD)
async def test_a_single_archive_is_unpacked_and_gone(
    name: str, packed: bytes, site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    site.put(f"/{name}", packed)
    found = await fetcher.fetch(Request(site.url(f"/{name}"), tmp_path / "model"))
    assert isinstance(found, Fetched), found
    assert tree(found.path) == WANTED


def unpacked(tmp_path: Path, name: str, packed: bytes, **settings: object) -> Path:
    archive, folder = tmp_path / name, tmp_path / "out"
    archive.write_bytes(packed)
    unpack(archive, folder, StorageSettings.model_validate(settings), lambda: False)
    return folder


def test_links_that_stay_inside_are_kept(tmp_path: Path) -> None:
    packed = tar(
        ("blobs/1", b"weights"),
        special("snapshot/model.bin", tarfile.SYMTYPE, "../blobs/1"),
        special("copy.bin", tarfile.LNKTYPE, "blobs/1"),
        special("latest", tarfile.SYMTYPE, "snapshot"),
    )
    folder = unpacked(tmp_path, "m.tgz", packed)
    assert (folder / "snapshot/model.bin").read_bytes() == b"weights"
    assert (folder / "latest/model.bin").read_bytes() == b"weights"
    assert (folder / "copy.bin").read_bytes() == b"weights"


def test_what_can_be_executed_stays_so_and_nothing_gets_more_rights(tmp_path: Path) -> None:
    info = special("run.sh", tarfile.REGTYPE)
    info.mode = 0o6777
    folder = unpacked(tmp_path, "m.tar", tar(info, ("model", b"x"), mode="w"))
    assert stat.S_IMODE((folder / "run.sh").stat().st_mode) & 0o7122 == 0o100
    assert stat.S_IMODE((folder / "model").stat().st_mode) & 0o111 == 0


def zip_link(name: str, leads_to: str) -> bytes:
    return zipped((name, leads_to.encode()), mode=stat.S_IFLNK | 0o777)


def pax_bomb() -> bytes:
    info = tarfile.TarInfo("x")
    info.type = tarfile.XHDTYPE
    info.size = 1 << 40
    return info.tobuf()


def broken_zip() -> bytes:
    packed = bytearray(zipped(("a", os.urandom(1000))))
    packed[100] ^= 0xFF
    return bytes(packed)


def zip_with_endless_table() -> bytes:
    return struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, 0xFFFFFFF0, 0, 0)


def sparse_bomb() -> bytes:
    """A map of holes that goes on for ever, in a file that is small when packed."""
    info = tarfile.TarInfo("model")
    info.type = tarfile.GNUTYPE_SPARSE
    head = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    head[482] = 1  # more of the map follows
    head[148:156] = b"%06o\0 " % tarfile.calc_chksums(bytes(head))[0]
    more = bytes(504) + b"\1" + bytes(7)
    return gzip.compress(bytes(head) + more * 10_000 + bytes(512) + bytes(1024))


def encrypted_zip() -> bytes:
    packed = bytearray(zipped(("a", b"x")))
    packed[6] |= 1
    packed[packed.index(b"PK\1\2") + 8] |= 1
    return bytes(packed)


HOSTILE: dict[str, tuple[str, bytes | Callable[[], bytes], str]] = {
    "a name above": ("a.tgz", tar(("../evil", b"x")), "evil"),
    "a name above, within": ("a.tgz", tar(("a/../../evil", b"x")), "evil"),
    "an absolute name": ("a.tgz", tar(("/tmp/evil", b"x")), "evil"),
    "a zip's name above": ("a.zip", zipped(("../evil", b"x")), "evil"),
    "a zip's absolute name": ("a.zip", zipped(("/tmp/evil", b"x")), "evil"),
    "a control character": ("a.tgz", tar(("a\nb", b"x")), "no name"),
    "a name that is too long": ("a.tgz", tar(("n" * 300, b"x")), "no name"),
    "a link out": ("a.tgz", tar(special("l", tarfile.SYMTYPE, "../../etc")), "leads out"),
    "an absolute link": ("a.tgz", tar(special("l", tarfile.SYMTYPE, "/etc/passwd")), "leads out"),
    "a zip's link out": ("a.zip", zip_link("l", "../../etc"), "leads out"),
    "a file written through a link": (
        "a.tgz",
        tar(special("l", tarfile.SYMTYPE, "."), ("l/x", b"x")),
        "twice",
    ),
    "a link over a link": (
        "a.tgz",
        tar(
            ("x/y/z/file", b""),
            special("x/y/z/up", tarfile.SYMTYPE, "../../.."),
            special("out", tarfile.SYMTYPE, "x/y/z/up/../.."),
        ),
        "leads out",
    ),
    "a hard link out": ("a.tgz", tar(special("l", tarfile.LNKTYPE, "../../etc/passwd")), "no file"),
    "a hard link to nothing": ("a.tgz", tar(special("l", tarfile.LNKTYPE, "none")), "no file"),
    "a device": ("a.tgz", tar(special("d", tarfile.CHRTYPE)), "device"),
    "a pipe": ("a.tgz", tar(special("p", tarfile.FIFOTYPE)), "device"),
    "a zip's device": ("a.zip", zipped(("d", b""), mode=stat.S_IFCHR | 0o666), "device"),
    "the same file twice": ("a.tgz", tar(("a", b"1"), ("a", b"2")), "twice"),
    "a file that is a folder": ("a.tgz", tar(("a", b"1"), ("a/b", b"2")), "twice"),
    "a folder that is a file": ("a.tgz", tar(("a/b", b"2"), ("a", b"1")), "twice"),
    "no archive": ("a.tgz", b"<html>sorry</html>", "broken"),
    "a zip called tar": ("a.tar", zipped(*FILES), "broken"),
    "a tar called zip": ("a.zip", tar(*FILES), "broken"),
    "a cut tar.gz": ("a.tgz", tar(("a", os.urandom(5000)))[:3000], "broken"),
    "a cut tar": ("a.tar", tar(("a", bytes(5000)), mode="w")[:3000], "broken"),
    "a flipped bit": ("a.zip", broken_zip, "broken"),
    "a header that claims a terabyte": ("a.tar", pax_bomb, "broken"),
    "a map without end": ("a.tgz", sparse_bomb, "broken"),
    "a table that claims four gigabytes": ("a.zip", zip_with_endless_table, "broken"),
    "a secret zip": ("a.zip", encrypted_zip, "not known here"),
    "an empty file": ("a.tgz", b"", "broken"),
}


@pytest.mark.parametrize(("name", "packed", "words"), HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_archive_leaves_nothing(
    name: str,
    packed: bytes | Callable[[], bytes],
    words: str,
    site: Site,
    fetcher: Fetcher,
    tmp_path: Path,
) -> None:
    inner = tmp_path / "below" / "here"
    site.put(f"/{name}", packed if isinstance(packed, bytes) else packed())
    found = await fetcher.fetch(Request(site.url(f"/{name}"), inner / "model"))
    assert isinstance(found, FetchFailed)
    assert found.reason is Reason.BAD_ARCHIVE
    assert words in found.message
    assert not found.retry
    assert list(tree(tmp_path)) == ["below/here/model.lock"]


BOMBS: dict[str, tuple[str, Callable[[], bytes], dict[str, object]]] = {
    "a file beyond the ratio": ("a.tgz", lambda: tar(("a", bytes(70_000_000))), {}),
    "many files beyond the ratio": (
        "a.zip",
        lambda: zipped(*((f"{n}", bytes(10_000_000)) for n in range(8))),
        {"unpacked_ratio": 10},
    ),
    "a file beyond the limit": ("a.tar", lambda: tar(("a", bytes(99_999))), {"unpacked_size": 9}),
    "too many files": ("a.tgz", lambda: tar(*FILES), {"unpacked_files": 2}),
    "too many folders": (
        "a.tgz",
        lambda: tar(*(special(f"{n}", tarfile.DIRTYPE) for n in range(5))),
        {"unpacked_files": 4},
    ),
    "folders that need no entry": (
        "a.tgz",
        lambda: tar(*((f"{n}/" + "a/" * 500 + "f", b"") for n in range(3))),
        {"unpacked_files": 600},
    ),
    "a zip that says it is small": (
        "a.zip",
        lambda: zipped(("a", bytes(70_000_000))).replace(
            struct.pack("<L", 70_000_000), struct.pack("<L", 1)
        ),
        {},
    ),
}


@pytest.mark.parametrize(("name", "packed", "settings"), BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_stopped(
    name: str, packed: Callable[[], bytes], settings: dict[str, object], tmp_path: Path
) -> None:
    with pytest.raises(Fault) as fault:
        unpacked(tmp_path, name, packed(), **settings)
    # A zip that lies is already broken where its lie ends.
    assert fault.value.reason in (Reason.TOO_LARGE, Reason.BAD_ARCHIVE)
    written = sum(path.stat().st_size for path in (tmp_path / "out").rglob("*"))
    assert written <= 70_000_000


def test_bytes_behind_the_archive_are_checked_but_not_unpacked(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(tar(*FILES, mode="w")))
    packed[-6] ^= 1  # of the checksum
    with pytest.raises(Fault, match="broken"):
        unpacked(tmp_path, "a.tgz", bytes(packed))


def test_unpacking_stops_when_nobody_waits(tmp_path: Path) -> None:
    archive = tmp_path / "a.tgz"
    archive.write_bytes(tar(*FILES))
    with pytest.raises(Stopped):
        unpack(archive, tmp_path / "out", StorageSettings(), lambda: True)


def test_the_table_of_a_zip_is_as_large_as_its_larger_record_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """zipfile believes that one, so a small number in the other hides nothing."""
    packed = zipped(*FILES)
    end = packed.rindex(b"PK\5\6")
    size, offset = struct.unpack_from("<2L", packed, end + 12)
    large = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 3, 3, size, offset)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, end, 1)
    lie = packed[end : end + 12] + struct.pack("<2L", 1, offset) + packed[end + 20 :]
    lying = packed[:end] + large + locator + lie
    assert tree(unpacked(tmp_path, "a.zip", lying)) == WANTED
    monkeypatch.setattr("controller.storage.archive.MOST_TABLE_BYTES", size - 1)
    with pytest.raises(Fault, match="broken"):
        unpacked(tmp_path / "out", "b.zip", lying)


def test_what_headers_say_of_all_files_is_not_kept(tmp_path: Path) -> None:
    """Each may be a megabyte, and they pack to nothing."""
    path = tmp_path / "a.tar"
    with path.open("wb") as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        for number in range(16):
            said = {f"key{number}": "x" * 900_000}
            packed.write(tarfile.TarInfo.create_pax_global_header(said))
            archive.addfile(tarfile.TarInfo(f"{number}"))
    tracemalloc.start()
    try:
        with entries(path) as found:
            assert len([entry.name for entry in found]) == 16
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()
