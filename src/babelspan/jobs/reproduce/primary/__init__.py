"""The tables of a paper on the TyDi QA primary tasks: rows and figures, sets, work, tables."""
