"""Why a score is what it is: layer-wise relevance and Shapley values, with their ledger."""
