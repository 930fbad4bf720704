"""What is chosen in lists, switches and numbers of a page, as texts of its link."""

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import nearest

YES, NO = "yes", "no"
BETWEEN, WITHIN = ":", ","
"""Between the name of a choice and what is chosen; between things of which several are."""


class Choices:
    """Widgets by their names in a link; a link says those that are no longer as they were made.

    Widgets may be made later than a link is read, and lists may be filled later: what the link says waits for them.
    """

    def __init__(self) -> None:
        self._widgets: dict[str, Any] = {}
        self._usual: dict[str, str] = {}
        self._waiting: dict[str, str] = {}

    def read(self, texts: Iterable[str]) -> None:
        """Takes what a link says: texts "name:value"."""
        self._waiting = dict(text.split(BETWEEN, 1) for text in texts if BETWEEN in text)

    def offer(self, widgets: Mapping[str, Any]) -> list[str]:
        """Takes up widgets and chooses in them what waits; returns a sentence for each thing that cannot be chosen."""
        notices = []
        for name, widget in widgets.items():
            if not getattr(widget, "options", True):
                continue
            if self._widgets.get(name) is not widget:
                self._widgets[name], self._usual[name] = widget, written(widget)
            if name in self._waiting:
                try:
                    widget.value = chosen(widget, self._waiting.pop(name))
                except ValueError as error:
                    notices.append(str(error))
        return notices

    def texts(self) -> list[str]:
        """Returns what a link is to say: what is not usual, and what still waits."""
        shown = {name: written(widget) for name, widget in self._widgets.items()}
        other = {name: text for name, text in shown.items() if text != self._usual[name]}
        return [f"{name}{BETWEEN}{text}" for name, text in sorted({**self._waiting, **other}.items())]


def written(widget: Any) -> str:
    """Returns what is chosen in a widget, in one text."""
    value = widget.value
    if isinstance(value, bool):
        return YES if value else NO
    return WITHIN.join(map(str, value)) if isinstance(value, list) else str(value)


def chosen(widget: Any, text: str) -> Any:
    """Returns what a text says is chosen in a widget.

    Raises:
        ValueError: nothing of that name can be chosen.
    """
    if hasattr(widget, "options"):
        options = widget.options
        values = {str(value): value for value in (options.values() if isinstance(options, dict) else options)}
        several = isinstance(widget.value, list)
        names = [name for name in text.split(WITHIN) if name] if several else [text]
        for name in names:
            if name not in values:
                raise ValueError(_unknown(widget, name, list(values)))
        return [values[name] for name in names] if several else values[names[0]]
    if isinstance(widget.value, bool):
        if text not in {YES, NO}:
            raise ValueError(_unknown(widget, text, [YES, NO]))
        return text == YES
    if not (text.isascii() and text.isdigit() and widget.start <= int(text[:9]) <= widget.end):
        msg = f"“{widget.label}” is a whole number from {widget.start} to {widget.end}, and the link says {text[:60]!r}."
        raise ValueError(msg)
    return int(text)


def _unknown(widget: Any, name: str, names: list[str]) -> str:
    return f"“{widget.label}” cannot be {name[:60]!r}; {nearest(name, names)}"
