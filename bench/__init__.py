"""Benchmarks of the data plane: one command, side by side with a reference in the same run.

`python -m bench` measures CPU per request, requests per second, latency and memory of `graphway
serve` beside nginx `proxy_pass` and a direct call, round by round, and holds the ratios against
the budget. How to read and repeat the figures: docs/performance.md.
"""
