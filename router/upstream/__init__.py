"""Towards predictors: names -> addresses -> pooled connections.

`http.py` is the Upstream that execute drives. A target's name leads to an `Endpoint` (addresses and
path, replaceable at any time), each address to a `Pool` of keep-alive connections.
"""
