"""The tables of a paper, reproduced: its rows and figures, scales, the work, the tables."""
