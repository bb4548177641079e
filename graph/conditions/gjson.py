"""KServe's condition language: a GJSON path matches valid JSON in which the path exists.

Two evaluators share the work: a native library where the rule in `native` says that it agrees with
Go's GJSON, and our own `search` for everything else. Both look at the raw bytes; nothing is
decoded, and nothing is kept but the document's own verdict on its grammar.
"""

from typing import Final

from graph.conditions.condition import Condition, Language
from graph.conditions.lint import always_matches, warnings
from graph.conditions.member import Member, member_is
from graph.conditions.native import NativePath, native_path, pygjson_get
from graph.conditions.reasons import missing
from graph.conditions.search import MOST_STEPS, OutOfFuel, Search, nests_too_deep
from graph.document import CONTAINER, INVALID, Document

# A search may read so many bytes for each pair of a body's and a path's byte. Every path stays
# below it, if it is not made to multiply its body or to search each of many levels (`@dig` in a
# deep one); such a one then finds nothing. The addends are for bodies and paths so short that a
# product says little.
_FUEL: Final = 2
_LEAST_BODY: Final = 2048
_LEAST_PATH: Final = 16
_STEPS_IN_ALL: Final = 4 * MOST_STEPS  # of all conditions that look at one body


class SearchedPath(Condition):
    """A path for our own search."""

    __slots__ = ("_hopeless", "_path")

    language: Language = "gjson"

    def __init__(self, text: str) -> None:
        super().__init__(text, always=always_matches(text), warnings=warnings(text))
        self._path = text.encode("utf-8", "surrogatepass")
        self._hopeless = nests_too_deep(self._path)

    def matches(self, document: Document) -> bool:
        return (document.shape or document.examine()) != INVALID and self._search(document)

    def reason(self, document: Document) -> str:
        if self._hopeless:
            return "the path nests too deeply"
        search = Search(self._fuel(document.json))
        try:
            return missing(self._path, document.json, search.get)
        except OutOfFuel:
            return "the search would take too long"

    def _search(self, document: Document) -> bool:
        if self._hopeless:
            return False
        body = document.json
        search = Search(self._fuel(body), min(MOST_STEPS, _STEPS_IN_ALL - document.searched))
        try:
            return bool(search.get(body, self._path))
        except OutOfFuel:
            return False
        finally:
            document.searched += search.steps_taken

    def _fuel(self, body: bytes) -> int:
        return _FUEL * (len(body) + _LEAST_BODY) * (len(self._path) + _LEAST_PATH)


class AnyJson(SearchedPath):
    """A path that exists in every JSON document: the grammar is all that it asks for."""

    __slots__ = ()

    def matches(self, document: Document) -> bool:
        return (document.shape or document.examine()) != INVALID


class LibraryPath(SearchedPath):
    """A path that the library answers, for bodies that it reads as Go does."""

    __slots__ = ("_ask", "_limits", "_needed", "_plain", "_shown", "_wrapped")

    def __init__(self, text: str, native: NativePath) -> None:
        super().__init__(text)
        self._ask = native.path
        self._wrapped = native.wrapped
        self._limits = native.limits
        self._plain = native.plain
        self._needed = native.needed
        self._shown = native.shown

    def matches(self, document: Document) -> bool:
        shape = document.shape or document.examine()
        if shape != CONTAINER:
            return shape != INVALID and self._search(document)
        body = document.json
        if b"\\" in body:  # one scan for a byte, which spares nearly every body the second
            if self._plain and b"\\u" in body:
                return self._search(document)
        elif (
            (self._needed is not None and self._needed not in body)
            or (self._shown is not None and self._shown.search(body) is None)
        ) and b"#" not in body:  # a query `#(...)` on an object is a key of it
            return False
        for name, most in self._limits:
            if body.count(name) > most:
                return self._search(document)
        try:
            exists: bool = pygjson_get(
                b"[%b]" % body if self._wrapped else body, self._ask
            ).exists()
        except UnicodeDecodeError:
            return self._search(document)
        return exists


class MemberIs(Condition):
    """A comparison with the text of one member, which the document remembers."""

    __slots__ = ("_expected", "_member", "_otherwise")

    language: Language = "gjson"

    def __init__(self, member: Member, expected: bytes, otherwise: Condition) -> None:
        super().__init__(otherwise.text, warnings=otherwise.warnings)
        self._member = member
        self._expected = expected
        self._otherwise = otherwise

    def matches(self, document: Document) -> bool:
        if document.member is not self._member:
            self._member.look(document)
        found = document.text
        return self._otherwise.matches(document) if found is None else found == self._expected

    def reason(self, document: Document) -> str:
        return self._otherwise.reason(document)


def compile_gjson(text: str) -> Condition:
    """GJSON has no syntax errors: any text is a path."""
    if always_matches(text):
        return AnyJson(text)
    native = native_path(text)
    path = SearchedPath(text) if native is None else LibraryPath(text, native)
    asked = member_is(text)
    return path if asked is None else MemberIs(*asked, path)
