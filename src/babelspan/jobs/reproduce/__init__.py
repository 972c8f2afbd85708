"""A paper's table, made again: rows and published figures by paper, scales, jobs, the table."""
