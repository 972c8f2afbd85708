"""Calls that are given up when they take too long."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any


class Patient:
    """Calls a function in a separate process, which is killed if a call takes too long.

    Args:
        function: of a module; of one argument, which travels to the process as the result does.
        seconds: for a call.
    """

    def __init__(self, function: Callable[[Any], Any], seconds: float) -> None:
        self._function = function
        self._seconds = seconds
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    def __call__(self, argument: Any) -> Any:
        """The result; the start of the process is not counted.

        Raises:
            TimeoutError: if the call takes too long.
            RuntimeError: if the function raises, or its process dies, with what it said.
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
        """End the process; a later call starts another."""
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
        ours.recv()  # it is ready
        self._pipe = ours
        return ours


def _serve(pipe: Connection, function: Callable[[Any], Any]) -> None:
    pipe.send(None)
    while True:
        try:
            argument = pipe.recv()
        except EOFError:  # whoever called has gone
            return
        try:
            pipe.send((True, function(argument)))
        except Exception as error:  # whatever a parser of foreign text raises
            pipe.send((False, f"{type(error).__name__}: {error}"[:200]))
