"""One file a layer: a function that takes the handler inside it and returns a handler.

`router.stack` lists them in order. A layer sees each request's end exactly once, as the response
that passes it, also when the client has left (status 499).
"""
