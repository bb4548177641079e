"""`graphway render`: a graph as a picture.

`drawing` makes boxes and lines of a spec and knows no format; `layout` gives them places; `svg`,
`mermaid`, `dot` and `png` write them down. The same graph gives the same bytes everywhere.
"""
