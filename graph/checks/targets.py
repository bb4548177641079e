"""Where steps lead: exactly one target each, and URLs that can be called."""

import ipaddress
import re
from collections.abc import Iterator

from graph.checks.steps import is_mapping
from graph.checks.subject import NodeSubject
from graph.codes import Code
from graph.problems import Problem
from graph.wording import listed, shown

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?P<rest>.*)", re.DOTALL)
_HTTP = re.compile(r"//(?P<authority>[^/?#]*)(?P<path>.*)", re.DOTALL)
_PLACEHOLDER = re.compile(r"[{}<>$]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
_HOST = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
_MAX_HOST = 253


def one_target(node: NodeSubject) -> Iterator[Problem]:
    for index, step in enumerate(node.steps):
        given = [
            key
            for key, value in (
                ("nodeName", step.node_name),
                ("serviceName", step.service_name),
                ("serviceUrl", step.service_url),
                ("respond", step.respond),
            )
            if value
        ]
        if not given and not is_mapping(step.data):
            message = (
                "the step leads nowhere; give it a nodeName, a serviceName or a serviceUrl, or an"
                " answer of its own by `respond`"
            )
            yield Code.NO_TARGET.at(node.step_path(index), message)
        elif len(given) > 1:
            message = f"{listed(given)} exclude one another; keep one of them"
            yield Code.MANY_TARGETS.at(node.step_path(index, given[1]), message)


def urls(node: NodeSubject) -> Iterator[Problem]:
    for index, step in enumerate(node.steps):
        url = step.service_url
        if not url:
            continue
        at = node.step_path(index, "serviceUrl")
        fault = _fault(url)
        if fault is None:
            continue
        if fault is _UNFILLED:
            message = f"the host of {shown(url)} still holds a placeholder; fill it in"
            yield Code.URL_PLACEHOLDER.at(at, message)
        elif fault is _CREDENTIALS:
            message = "user name and password in a URL are not sent; take them out"
            yield Code.URL_CREDENTIALS.at(at, message)
        else:
            yield Code.BAD_URL.at(at, f"{shown(url)} cannot be called: {fault}")


_UNFILLED = "placeholder"
_CREDENTIALS = "credentials"


def _fault(url: str) -> str | None:
    """What is wrong with the URL, for a sentence; or one of the two constants above."""
    if _CONTROL.search(url):
        return "it holds a control character; remove it"
    found = _URL.fullmatch(url)
    if found is None:
        return "it has no scheme; begin it with `http://` or `https://`"
    if found["scheme"].lower() not in ("http", "https", "grpc", "grpcs"):
        if found["rest"][:1].isdigit():  # host:port looks like a scheme
            return "it has no scheme; begin it with `http://` or `https://`"
        return "only http, https, grpc and grpcs are known; begin it with `http://` or `grpc://`"
    parts = _HTTP.fullmatch(found["rest"])
    if parts is None or not parts["authority"]:
        return "it has no host; write `http://HOST/PATH`"
    credentials, _, place = parts["authority"].rpartition("@")
    if _PLACEHOLDER.search(place):
        return _UNFILLED
    if _BAD_ESCAPE.search(parts["path"]):
        return "`%` begins an escape of two hex digits; write `%25` for the sign itself"
    return _host_fault(place) or (_CREDENTIALS if credentials else None)


def _host_fault(place: str) -> str | None:
    host, port = place, ""
    if place.startswith("["):
        host, closed, port = place[1:].partition("]")
        try:
            ipaddress.IPv6Address(host if closed else "")
        except ValueError:
            return "the brackets hold no IPv6 address"
        if port and not port.startswith(":"):
            return "something stands between the host and its port"
        port = port.removeprefix(":")
    else:
        host, _, port = place.partition(":")
        if not host:
            return "it has no host; write `http://HOST/PATH`"
        if len(host) > _MAX_HOST or not _HOST.fullmatch(host):
            return f"{shown(host)} is no host name"
    if port and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 2**16):
        return f"{shown(port)} is no port; give one from 1 to 65535"
    return None
