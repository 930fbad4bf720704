"""What is fitted: the one training loop, batches, taggers, the store."""
