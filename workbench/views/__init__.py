"""Per plot: columns of numbers, and one figure builder."""
