"""Text that a user or a file brought, on its way to a page."""

import html

import numpy as np


def safe_text(text: object) -> str:
    """Returns the text with everything that a browser would read as markup escaped."""
    return html.escape(str(text), quote=True)


def with_error(value: float, error: float) -> str:
    """Returns "0.981 ± 0.002": the error with one digit, with two if it starts with 1, the value with as many."""
    if not np.isfinite(value):
        return "not known"
    if not np.isfinite(error) or error <= 0:
        return f"{value:.4g}"
    power = int(np.floor(np.log10(error)))
    digits = max(0, -power + (1 if error / 10.0**power < 2 else 0))
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def duration(seconds: float) -> str:
    """Returns a time left or spent in words: "8 s", "3 min 20 s", "1 h 05 min"."""
    whole = round(max(seconds, 0.0))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def time_left(seconds: float) -> str:
    """Returns ", 8 s left", or nothing where it is not known."""
    return f", {duration(seconds)} left" if np.isfinite(seconds) else ""
