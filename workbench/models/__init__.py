"""Network families, one per file: a model sees tensors, never files, jets or widgets."""
