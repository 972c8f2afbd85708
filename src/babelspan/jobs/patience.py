"""Calls with a time limit."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any


class Patient:
    """Calls a function in a separate process, which is killed if a call takes too long.

    Args:
        function: function of one argument, defined in a module; argument and result must pickle.
        seconds: time limit of a call.
    """

    def __init__(self, function: Callable[[Any], Any], seconds: float) -> None:
        self._function = function
        self._seconds = seconds
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    def __call__(self, argument: Any) -> Any:
        """Return the result; the start of the process does not count towards the limit.

        Raises:
            TimeoutError: if the call takes too long.
            RuntimeError: if the function raises or its process dies; the message says why.
        """
        pipe = self._pipe or self._started()
        pipe.send(argument)
        if not pipe.poll(self._seconds):
            self.close()
            raise TimeoutError
        try:
            is_done, result = pipe.recv()
        except EOFError:
            self.close()
            raise RuntimeError("its process died") from None
        if not is_done:
            raise RuntimeError(result)
        return result

    def close(self) -> None:
        """Stop the process; a later call starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None

    def _started(self) -> Connection:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._function), daemon=True)
        self._process.start()
        theirs.close()
        ours.recv()  # wait until it is ready
        self._pipe = ours
        return ours


def _serve(pipe: Connection, function: Callable[[Any], Any]) -> None:
    pipe.send(None)
    while True:
        try:
            argument = pipe.recv()
        except EOFError:  # the caller is gone
            return
        try:
            pipe.send((True, function(argument)))
        except Exception as error:  # a parser of untrusted text may raise anything
            pipe.send((False, f"{type(error).__name__}: {error}"[:200]))
