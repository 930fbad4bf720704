"""Whose jobs a page shows: a token that the browser keeps, so that a reload and a second tab find the same fits."""

import hashlib
import re

import panel as pn
from bokeh.models import CustomJS

COOKIE = "workbench-owner"
TOKEN = re.compile(r"[0-9a-f]{32}")
DAYS = 365

KEEP = "document.cookie = `${name}=${token}; path=/; max-age=${seconds}; samesite=strict`"


def owner() -> str:
    """Returns the token of whoever looks at this page; "" outside of a served page, as in a notebook."""
    document = pn.state.curdoc
    context = document.session_context if document is not None else None
    if document is None or context is None:
        return ""
    if pn.state.user and pn.state.user != "guest":
        return hashlib.sha256(pn.state.user.encode()).hexdigest()[:32]
    known = str(pn.state.cookies.get(COOKIE, ""))
    if TOKEN.fullmatch(known):
        return known
    # Made of the session's own id, so that all of a page's first visit have the same.
    token = hashlib.sha256(context.id.encode()).hexdigest()[:32]
    arguments = {"name": COOKIE, "token": token, "seconds": DAYS * 86400}
    document.js_on_event("document_ready", CustomJS(args=arguments, code=KEEP))
    return token
