"""Whole jobs, from files to results; a verb of the command line calls one each."""
