"""The rules that a graph must satisfy, one idea a file; `chain` holds the order they run in.

A rule is a function from spec types to problems whose paths begin at the manifest's top. It knows
nothing of files, and answers the same whatever the other rules find.
"""
