"""Text processing, without tensors or files."""
