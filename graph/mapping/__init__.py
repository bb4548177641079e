"""`data: "jmespath: EXPRESSION"`: a body built of the request, earlier answers and headers.

Compiling may refuse a text (ValueError with words for the author); a compiled mapping answers a
document or a Failure, never an exception, and costs bounded time for every body.
"""

from graph.mapping.mapping import PREFIX, Mapping, compile_mapping
from graph.mapping.scope import Scope

__all__ = ["PREFIX", "Mapping", "Scope", "compile_mapping"]
