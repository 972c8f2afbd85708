"""Loss functions: pure functions from tensors to a scalar."""
