"""Checks of data sets: faults and overlap."""
