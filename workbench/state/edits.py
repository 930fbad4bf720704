"""The edits of a jet, with undo and redo, as text for a file or a link. Nothing of it knows what an edit does."""

import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import param

from ..errors import WorkbenchError

MOST = 100
"""Edits in a history; a link with more of them is not from us."""

NUMBERS = 6
"""Numbers that an edit takes at most."""

Edit = tuple[str | float, ...]
"""Name of the edit, then its numbers, in order: ("rescale", 0, 1.5)."""

NAME = re.compile(r"[a-z]{1,12}")
KEPT = "kept"


class EditHistory(param.Parameterized):
    """What was done to the open jet, oldest first. Numbers have six digits, so that text gives the same edits again."""

    done: list[Edit] = param.List([], doc="Edits in force, oldest first.")
    undone: list[Edit] = param.List([], doc="Edits taken back, the next to be done again last.")
    follows: bool = param.Boolean(True, doc="The jet's four-momentum takes the change of its particles' sum.")

    def do(self, name: str, *numbers: float) -> None:
        """Does one more edit; what was undone before is forgotten.

        Raises:
            WorkbenchError: not a name and finite numbers, or one edit too many.
        """
        if len(self.done) >= MOST:
            msg = f"The history holds {MOST} edits, which is all it can; undo some or start again."
            raise WorkbenchError(msg)
        self.param.update(done=[*self.done, edit_of(name, *numbers)], undone=[])

    def amend(self, name: str, *numbers: float) -> None:
        """Puts an edit in the place of the newest one, as a slider does while it moves."""
        self.param.update(done=[*self.done[:-1], edit_of(name, *numbers)], undone=[])

    def undo(self) -> None:
        """Takes the newest edit back, if there is one."""
        if self.done:
            self.param.update(done=self.done[:-1], undone=[*self.undone, self.done[-1]])

    def redo(self) -> None:
        """Does again what was undone last, if there is something."""
        if self.undone:
            self.param.update(done=[*self.done, self.undone[-1]], undone=self.undone[:-1])

    def reset(self) -> None:
        """Takes all edits back; they can be done again one by one."""
        if self.done:
            self.param.update(done=[], undone=[*self.undone, *self.done[::-1]])

    def clear(self) -> None:
        """Forgets everything: another jet was opened."""
        self.param.update(done=[], undone=[])

    def to_json(self) -> str:
        """Returns the edits in force as text for a file."""
        return json.dumps({"workbench": "edits", "version": 1, "follows": self.follows, "edits": self.done})

    def from_json(self, text: str) -> None:
        """Takes the edits of `to_json`; nothing changes if any of it makes no sense.

        Raises:
            WorkbenchError: not such a text.
        """
        try:
            values = json.loads(text)
            if values["workbench"] != "edits" or values["version"] != 1:
                raise ValueError
            edits, follows = list(values["edits"]), values["follows"]
            found = [edit_of(*edit) for edit in edits]
            if len(found) > MOST or not isinstance(follows, bool):
                raise ValueError
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            msg = "This is not a saved list of edits of this version; choose a file that the workbench wrote."
            raise WorkbenchError(msg) from error
        self.param.update(done=found, undone=[], follows=follows)

    def to_text(self) -> str:
        """Returns the edits in force as short text that needs no escapes in a link: "drop_3~rescale_0_1.5"; "" for none."""
        words = ["_".join([str(name), *(f"{x:.6g}" for x in numbers)]) for name, *numbers in self.done]
        return "~".join([*([] if self.follows or not words else [KEPT]), *words])

    def from_text(self, text: str) -> None:
        """Takes the edits of `to_text`; nothing changes if any of it makes no sense.

        Raises:
            WorkbenchError: not such a text.
        """
        words = text.split("~") if text else []
        follows = words[:1] != [KEPT]
        try:
            split = [word.split("_") for word in words[0 if follows else 1 :]]
            found = [edit_of(name, *map(float, numbers)) for name, *numbers in split]
            if len(found) > MOST:
                raise ValueError
        except ValueError as error:
            shown = text if len(text) <= 60 else text[:57] + "..."
            msg = (
                f"The link's edits {shown!r} are not as the workbench writes them; the jet is shown as it is."
            )
            raise WorkbenchError(msg) from error
        self.param.update(done=found, undone=[], follows=follows)


def edit_of(*words: Any) -> Edit:
    """Returns an edit whose numbers have six digits.

    Raises:
        WorkbenchError: not a short name and finite numbers.
    """
    name, numbers = (words[0], words[1:]) if words else ("", ())
    if not isinstance(name, str) or not NAME.fullmatch(name) or not _finite(numbers):
        msg = f"{list(words)!r:.80} is not an edit; it needs a name and at most {NUMBERS} finite numbers."
        raise WorkbenchError(msg)
    short = [float(f"{x:.6g}") for x in numbers]
    return (name, *(int(x) if x.is_integer() else x for x in short))


def _finite(numbers: Sequence[Any]) -> bool:
    plain = all(isinstance(x, int | float | np.number) and not isinstance(x, bool) for x in numbers)
    return plain and len(numbers) <= NUMBERS and all(abs(float(x)) < 1e15 for x in numbers)
