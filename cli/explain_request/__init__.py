"""`graphway explain request`: what a graph would do with a request, without any server.

`answers` are what predictors would say, `command` walks the plan with them, `text` prints it.
"""
