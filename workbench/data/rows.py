"""What may stand in square brackets behind a sample."""

from typing import Any

import numpy as np


def chosen(keep: Any, total: int, what: str) -> Any:
    """Returns a slice or array that keeps rows; one integer keeps one row, an empty list none.

    Args:
        keep: Slice, mask, index array or integer.
        total: Number of rows.
        what: What a row is, for the message.

    Raises:
        IndexError: there is no such row.
    """
    if isinstance(keep, slice):
        return keep
    if isinstance(keep, int | np.integer):
        if not -total <= keep < total:
            msg = f"There is no {what} {keep}; the sample has {total}, counted from 0."
            raise IndexError(msg)
        return slice(keep, keep + 1 or None)
    keep = np.asarray(keep)
    return keep if keep.size else keep.astype(np.int64)
