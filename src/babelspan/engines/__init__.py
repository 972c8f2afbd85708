"""What runs a network: one file each, imported on use."""
