"""Functions from tensors to a scalar, named by the mathematics."""
