"""Results that are rows of named columns, as tables and as Parquet files."""

from pathlib import Path
from typing import Any

import pandas as pd


class Tabular:
    """A result whose `columns` say all of it."""

    def columns(self) -> dict[str, Any]:
        """Returns the columns by name, all of one length."""
        raise NotImplementedError

    def frame(self) -> pd.DataFrame:
        """Returns the columns as a table, for Parquet or CSV."""
        return pd.DataFrame(self.columns())

    def to_parquet(self, path: str | Path) -> Path:
        """Writes the table as a Parquet file and returns the path."""
        self.frame().to_parquet(path, index=False)
        return Path(path)
