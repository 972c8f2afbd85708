"""Detection of interrupts that were wrapped in another error."""


def was_interrupted(error: BaseException | None) -> bool:
    """Return whether an error is, or was caused by, a KeyboardInterrupt (some imports wrap it)."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None
