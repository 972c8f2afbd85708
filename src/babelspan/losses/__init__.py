"""Tensors to scalar, named by the mathematics."""
