"""Data augmentation: make training examples from other examples; no tensors here."""
