"""Scorers that equal their official scripts, and what is computed from their figures."""
