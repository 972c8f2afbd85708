"""Scorers that equal the official scripts, and statistics computed from their figures."""
