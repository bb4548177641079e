"""From one version of an InferenceService to the next: which revisions there are, which of them
run, and who gets which share of the calls.

Pure but for `history`, which keeps revisions in the store.
"""
