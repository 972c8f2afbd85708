"""Word aligners that need no neural network, and what is read off their links."""
