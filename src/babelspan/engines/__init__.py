"""Engines that run readers or store passages: one file each, imported on use."""
