"""Reading files into examples, and writing them."""
