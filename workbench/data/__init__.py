"""What a jet, an event, a shower, an explanation is; one reader per file format; the bundled samples."""

from .events import Events
from .explanation import Explanation, Ledger
from .jets import Jets
from .origin import Origin
from .showers import Geometry, Showers

__all__ = ["Events", "Explanation", "Geometry", "Jets", "Ledger", "Origin", "Showers"]
