"""Models kept on the disk of a machine: LocalModelCaches, their groups and their node.

`decide` says what is kept, fetched and evicted, `rules` which caches count for whom, `told` what
their objects say of it: all pure. `models` pins what units use, `keeper` carries decisions out.
"""
