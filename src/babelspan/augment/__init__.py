"""Examples to more examples, without tensors."""
