"""Arrays that know the names of their classes."""

from collections.abc import Sequence
from typing import Any

import numpy as np


class ClassArray(np.ndarray):
    """Labels of shape (jets,) or scores of shape (jets, classes) that carry the class names.

    A plain array in every other respect; slices and selections keep the names. `labels == "top"` compares by name.
    """

    classes: tuple[str, ...]

    def __new__(cls, values: Any, classes: Sequence[str] = ()) -> "ClassArray":
        """Wraps `values` without a copy."""
        array = np.asarray(values).view(cls)
        array.classes = tuple(classes)
        return array

    def __array_finalize__(self, source: Any) -> None:
        self.classes = getattr(source, "classes", ())

    def __reduce__(self) -> Any:
        return _rebuild, (np.asarray(self), self.classes)

    def __eq__(self, other: Any) -> Any:
        if isinstance(other, str):
            if other not in self.classes:
                return np.zeros(self.shape, dtype=bool)
            other = self.classes.index(other)
        return np.asarray(self) == other

    def __ne__(self, other: Any) -> Any:
        return ~(self == other)

    __hash__ = None  # type: ignore[assignment]


def _rebuild(values: np.ndarray, classes: tuple[str, ...]) -> ClassArray:
    return ClassArray(values, classes)
