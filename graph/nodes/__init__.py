"""One file per kind of node: what of a step it reads (`lower`), and what it does with a request
(`run`).

A node reaches its children through the `descend` that it is given, so kinds do not know one
another.
"""
