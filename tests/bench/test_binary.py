"""What the benchmark of binary tensors relies on: messages with an end, in both forms alike."""

from bench.binary import GRAPH, KNOWS, PATH, forms, whole
from bench.cases import NAMESPACE
from graph.compiler import compile
from graph.loader import load


def test_the_graph_compiles() -> None:
    (document,) = load(GRAPH % (NAMESPACE, 9000, PATH))
    assert document.graph is not None, document.problems
    assert compile(document.graph).targets[0].url == f"http://127.0.0.1:9000{PATH}"


def test_messages_end_where_their_length_says() -> None:
    binary, plain = forms()
    for answer in (binary.answers, plain.answers, KNOWS):
        assert whole(bytearray(answer)) == len(answer)
        assert whole(bytearray(answer + b"more")) == len(answer)
        assert whole(bytearray(answer[:-1])) is None
    assert b"inference-header-content-length" in binary.asks
    assert len(binary.asks) < len(plain.asks)
