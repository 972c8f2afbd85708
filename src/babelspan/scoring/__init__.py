"""Scorers, each equal to its official script, and what is made of their figures."""
