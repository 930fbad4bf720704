"""Panel viewers: what apps and notebooks share."""
