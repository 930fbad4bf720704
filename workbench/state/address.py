"""What the addresses of all pages have in common: their version, their length, how they are read and written."""

from collections.abc import Iterable, Sequence
from urllib.parse import parse_qsl, urlencode

from ..errors import nearest

VERSION = 1
LONGEST = 4000
"""Characters of an address that are read; what is longer is not from us."""

LOOKS = ("theme",)
"""What an address says to the frame of the page and not to its view."""

Pairs = list[tuple[str, str]]
"""What an address says, key by key, in its order."""


def pairs_of(query: str) -> Pairs:
    """Returns what the query part of an address says to the view of a page."""
    said = parse_qsl(query[:LONGEST].lstrip("?"), keep_blank_values=True)
    return [pair for pair in said if pair[0] not in LOOKS]


def versioned(query: str) -> tuple[Pairs, list[str]]:
    """Returns what an address says, nothing if it is not of this version, and sentences on what of it was not read."""
    pairs, notices = pairs_of(query), []
    if len(query) > LONGEST:
        notices.append(f"The link is longer than {LONGEST} characters; the rest was not read.")
    said = dict(pairs)
    if pairs and said.get("v") != str(VERSION):
        found = f"version {said['v'][:20]}" if "v" in said else "no version"
        notices.append(f"The link has {found} and this page reads version {VERSION}; it was not used.")
        pairs = []
    return pairs, notices


def query_of(pairs: Iterable[tuple[str, str]]) -> str:
    """Returns the query part of an address, with "?" and its version; what is empty is left out."""
    return "?" + urlencode([("v", str(VERSION)), *(pair for pair in pairs if pair[1])])


def unknown(key: str, keys: Sequence[str]) -> str:
    """Returns what to say of a key that a page does not know."""
    return f"The link says {short(key)}, which this page does not know; {nearest(key, keys)}"


def short(text: str) -> str:
    """Returns a text in quotes, its end cut off where it is long."""
    return repr(text if len(text) <= 60 else text[:57] + "...")
