"""Networks, and code that they share."""
