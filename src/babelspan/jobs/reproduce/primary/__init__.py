"""Tables of papers on the TyDi QA primary tasks: rows and figures, sets, work, tables."""
