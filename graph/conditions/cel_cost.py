"""What an expression can cost at most, as a formula in the weight of what it is given.

The library cannot be stopped while it runs: it bounds how often loops go round, but not what is
done each time, and `map` and `filter` copy their list for each element. So an expression is judged
when it is compiled, and again, by the formula, before it sees a body that may be too large for it.

A formula is a polynomial in `n`, the weight of all that is bound, in `c`, the length of the longest
list or map that is bound itself, and, inside of a loop, in the weight of its variable. Over a whole
loop the elements weigh no more than what it runs over, which is why a loop over each element's own
parts costs as little as one over all of them.

Constants are nanoseconds on a core of the 2020s, rounded up: they weigh kinds of work against each
other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import re2

from graph.conditions.cel_names import Name
from graph.conditions.cel_tree import Node, Tree
from graph.conditions.cel_values import SCALAR

LIMIT_NS: Final = 15_000_000  # of one evaluation; a worker serves nobody else meanwhile
LEAST_WEIGHT: Final = 2_048  # an expression that is too dear for so little is refused
ROUNDS: Final = 10_000  # of all loops of an evaluation: the library's limit
MAX_DEGREE: Final = 6
MAX_LOOPS: Final = 4  # inside one another
MAX_PATTERN: Final = 20_000  # instructions of a compiled regular expression
WEIGHTLESS: Final = 1 << 40

_NODE, _CONVERT, _COPY, _COMPARE, _SEARCH, _MAKE = 20, 9, 2, 6, 3, 25
_RE_COMPILE, _RE_INSTRUCTION, _RE_BYTE = 4_000, 250, 8
_APPEND = 30  # for each element that is there already
_ZONE = 50_000  # a time zone is looked up in a file

Formula = dict[tuple[str, ...], float]  # product of weights -> factor


class TooDear(Exception):
    """`node` is where it went too far, if that is one place."""

    def __init__(self, node: Node | None = None) -> None:
        super().__init__()
        self.node = node


class Unpattern(Exception):
    """No regular expression that matches() could use: why, and where."""

    def __init__(self, reason: str, node: Node) -> None:
        super().__init__(reason)
        self.node = node


class Cost:
    """Of one expression. Raises TooDear if next to nothing is too much for it, and Unpattern."""

    def __init__(self, tree: Tree, names: tuple[Name, ...]) -> None:
        self._inside = 0
        self._rounds: Formula = {}  # what one round of each loop costs, without loops inside
        done = self._of(tree.root, {})
        values = any(name.how == "value" for name in names)
        conversion: Formula = {("n",): _CONVERT if values else 0}
        self._over_all = _apart(_plus(done.cost, conversion))
        self._by_rounds = _apart(_plus(_plus(done.once, conversion), _scaled(self._rounds, ROUNDS)))
        low, high = LEAST_WEIGHT, WEIGHTLESS
        if not self.fits(low, low // SCALAR):
            raise TooDear
        while low < high:
            middle = (low + high + 1) // 2
            fits = self.fits(middle, middle // SCALAR)
            low, high = (middle, high) if fits else (low, middle - 1)
        self.most = low  # the weight that is never too much

    def fits(self, weight: int, count: int) -> bool:
        """Both ways of counting are right, so what is less counts."""
        values = {"n": float(weight), "c": float(count), "k": 1.0}
        ways = zip(self._over_all, self._by_rounds, strict=True)
        return sum(min(_at(one, values), _at(other, values)) for one, other in ways) <= LIMIT_NS

    def _of(self, node: Node, loops: "dict[str, _Done]") -> "_Done":
        """`loops` has the variables of the loops around."""
        match node.kind:
            case "constant":
                return _done(_flat(_length(node.value)), _ticks(_NODE))
            case "ident":
                whole = _Done({("n",): 1.0}, _ticks(_NODE), _ticks(_NODE), {("c",): 1.0})
                return loops.get(node.name, whole)
            case "loop":
                return self._loop(node, loops)
            case "call":
                return self._call(node, loops)
        parts = [self._of(part, loops) for part in node.parts]
        size = _plus(_sum(part.size for part in parts), _flat(SCALAR))
        count = _flat(len(parts)) if node.kind == "list" else _scaled(size, 1 / SCALAR)
        return _with(parts, _ticks(_NODE * (len(parts) + 1)), size, count)

    def _call(self, node: Node, loops: "dict[str, _Done]") -> "_Done":
        parts = [self._of(part, loops) for part in node.parts]
        sizes = [part.size for part in parts]
        every = _sum(sizes)
        small = _flat(SCALAR)
        name = node.name
        if name in _LOGICAL:
            return _with(parts, _ticks(_NODE), small)
        if name == "_?_:_":
            count = _plus(parts[1].count, parts[2].count)
            return _with(parts, _ticks(_NODE), _plus(sizes[1], sizes[2]), count)
        if name == "_[_]":
            return _with(parts, _ticks(_NODE), sizes[0])
        if name in _COMPARISONS:
            flat = [size for size in sizes if len(size) == 1 and () in size]
            less = min(flat, key=lambda size: size[()]) if flat else every
            return _with(parts, _plus(_scaled(less, _COMPARE), _ticks(_NODE)), small)
        if name == "@in":
            return _with(parts, _plus(_scaled(every, _COMPARE), _ticks(_NODE)), small)
        if name == "_+_":
            count = _sum(part.count for part in parts)
            return _with(parts, _plus(_scaled(every, _COPY), _ticks(_NODE)), every, count)
        if name in _SEARCHES:
            return _with(parts, _plus(_scaled(every, _SEARCH), _ticks(_NODE)), small)
        if name == "matches":
            return _with(parts, _matching(node, sizes[0]), small)
        if name == "size" or name in _ARITHMETIC:
            return _with(parts, _plus(every, _ticks(_NODE)), small)
        made = _ZONE if name.startswith("get") and len(parts) > 1 else _MAKE
        size = _plus(every, _flat(32))
        return _with(parts, _plus(_scaled(size, made), _ticks(500)), size)

    def _loop(self, node: Node, loops: "dict[str, _Done]") -> "_Done":
        over, start, condition, step, result = node.parts
        given = self._of(over, loops)
        if self._inside == MAX_LOOPS:
            raise TooDear(node)
        variable = f"{node.name} {node.identity}"
        one = _done({(variable,): 1.0}, _ticks(_NODE))
        so_far = _done(_flat(SCALAR), _ticks(_NODE))
        inside = {**loops, node.name: one, node.total: so_far}
        self._inside += 1
        parts = [self._of(part, inside) for part in (condition, step)]
        self._inside -= 1
        times = given.count
        once = _sum(part.once for part in parts)
        self._rounds = _plus(self._rounds, _alone(once))
        cost = _over(_sum(part.cost for part in parts), variable, given.size, times)
        size, count = _flat(SCALAR), _flat(1)
        if start.kind == "list":  # map and filter
            size = _plus(_over(parts[1].size, variable, given.size, times), size)
            count = times
            cost = _plus(cost, _scaled(_times(times, times), _APPEND / 2))
            self._rounds = _plus(self._rounds, _scaled(_alone(times), _APPEND))
        total = _Done(size, _ticks(_NODE), _ticks(_NODE), count)
        end = self._of(result, {**loops, node.total: total})
        return _Done(
            size, _plus(_plus(given.cost, cost), end.cost), _plus(given.once, end.once), count
        )


@dataclass(frozen=True, slots=True)
class _Done:
    """How large a result is, what it costs to have it, and how many elements it may have. `once`
    is the cost without what its loops do.
    """

    size: Formula
    cost: Formula
    once: Formula
    count: Formula


def _done(size: Formula, cost: Formula) -> _Done:
    return _Done(size, cost, cost, _scaled(size, 1 / SCALAR))


def _with(parts: list[_Done], cost: Formula, size: Formula, count: Formula | None = None) -> _Done:
    """What is made of parts, at a cost of its own."""
    return _Done(
        size,
        _plus(_sum(part.cost for part in parts), cost),
        _plus(_sum(part.once for part in parts), cost),
        _scaled(size, 1 / SCALAR) if count is None else count,
    )


_LOGICAL: Final = frozenset(("_&&_", "_||_", "!_", "@not_strictly_false"))
_COMPARISONS: Final = frozenset(("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"))
_SEARCHES: Final = frozenset(("contains", "startsWith", "endsWith"))
_ARITHMETIC: Final = frozenset(("_-_", "_*_", "_/_", "_%_", "-_"))


def _length(value: object) -> int:
    return SCALAR + (len(value) if isinstance(value, str | bytes) else 0)


def _matching(node: Node, subject: Formula) -> Formula:
    """The library compiles the expression each time."""
    pattern = node.parts[1]
    if not isinstance(pattern.value, str):
        raise Unpattern(
            "matches() takes a fixed text, since any other may cost any time; compare otherwise",
            pattern,
        )
    options = re2.Options()
    options.log_errors = False
    try:
        size = re2.compile(pattern.value, options).programsize
    except re2.error as error:
        said = error.args[0] if error.args else b""
        reason = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        raise Unpattern(f"no regular expression ({reason}); mend it", pattern) from None
    if size > MAX_PATTERN:
        raise Unpattern("the regular expression is too large; simplify it", pattern)
    return _plus(_ticks(_RE_COMPILE + _RE_INSTRUCTION * size), _scaled(subject, _RE_BYTE))


def _flat(number: float) -> Formula:
    return {(): number}


def _ticks(ns: float) -> Formula:
    """A cost that depends on no weight, which is bounded by how often loops go round."""
    return {("k",): ns}


def _apart(formula: Formula) -> tuple[Formula, Formula]:
    ticks = {weights: number for weights, number in formula.items() if "k" in weights}
    return ticks, {weights: n for weights, n in formula.items() if weights not in ticks}


def _scaled(formula: Formula, factor: float) -> Formula:
    return {weights: number * factor for weights, number in formula.items()}


def _plus(one: Formula, other: Formula) -> Formula:
    found = dict(one)
    for weights, number in other.items():
        found[weights] = found.get(weights, 0.0) + number
    return found


def _sum(formulas: Iterable[Formula]) -> Formula:
    found: Formula = {}
    for formula in formulas:
        found = _plus(found, formula)
    return found or _flat(0)


def _times(one: Formula, other: Formula) -> Formula:
    found: Formula = {}
    for left, factor in one.items():
        for right, number in other.items():
            weights = tuple(sorted(left + right))
            if len(weights) > MAX_DEGREE:
                raise TooDear
            found[weights] = found.get(weights, 0.0) + factor * number
    return found


def _over(formula: Formula, variable: str, whole: Formula, times: Formula) -> Formula:
    """The sum of a formula over a loop: what depends on the variable adds up to what it would be
    for all of them together, everything else comes each time.
    """
    found: Formula = {}
    for weights, number in formula.items():
        power = weights.count(variable)
        part: Formula = {tuple(weight for weight in weights if weight != variable): number}
        for _ in range(power):
            part = _times(part, whole)
        found = _plus(found, part if power else _times(part, times))
    return found


def _alone(formula: Formula) -> Formula:
    """For one round of a loop: no element weighs more than everything."""
    return _sum(
        {tuple(weight if weight in ("c", "k") else "n" for weight in weights): number}
        for weights, number in formula.items()
    )


def _at(formula: Formula, values: dict[str, float]) -> float:
    total = 0.0
    for weights, number in formula.items():
        for weight in weights:
            number *= values[weight]  # noqa: PLW2901
        total += number
    return total
