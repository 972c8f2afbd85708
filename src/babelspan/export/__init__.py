"""Readers written down so that they answer without PyTorch."""
