"""Arrays that know the names of their classes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import DataError, nearest


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
                msg = f"There is no class {other!r} here; {nearest(other, self.classes)}"
                raise DataError(msg)
            other = self.classes.index(other)
        return np.asarray(self) == other

    def __ne__(self, other: Any) -> Any:
        return ~(self == other)

    __hash__ = None  # type: ignore[assignment]


def labels(values: Any, classes: Sequence[str]) -> ClassArray:
    """Returns labels that carry their class names.

    Raises:
        DataError: a label is no integer from -1 (not known) to the number of classes minus 1.
    """
    label = np.asarray(values)
    if label.dtype.kind not in "iu" or (label.size and not -1 <= label.min() <= label.max() < len(classes)):
        msg = f"Labels must be integers from -1 to {len(classes) - 1} for classes {tuple(classes)}."
        raise DataError(msg)
    return ClassArray(label, classes)


def _rebuild(values: np.ndarray, classes: tuple[str, ...]) -> ClassArray:
    return ClassArray(values, classes)
