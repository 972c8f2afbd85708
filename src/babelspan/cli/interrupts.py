"""Whether an error is an interrupt in disguise."""


def was_interrupted(error: BaseException | None) -> bool:
    """Whether an error is a KeyboardInterrupt or came of one: some imports wrap it in another."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None
