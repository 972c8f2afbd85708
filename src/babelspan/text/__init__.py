"""Text without tensors or files."""
