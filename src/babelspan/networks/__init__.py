"""Networks, and what they share."""
