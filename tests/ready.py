"""Processes that begin with PyTorch and transformers loaded: to be killed, or to work side by side.

Each is forked from a server that has imported libraries and done nothing else (multiprocessing's
"forkserver"). So its start does not take the seconds of those imports.
"""

import multiprocessing
import os
import subprocess
import sys

LIBRARIES = (
    "transformers.models.bert.modeling_bert",
    "babelspan.cli.main",
    "babelspan.jobs.train",
    "babelspan.networks.pretrained",
    "babelspan.training.fit",
)


class Started:
    """A process with the members of `subprocess.Popen` that tests need."""

    def __init__(self, process):
        self._process = process

    def poll(self):
        return self._process.exitcode

    def kill(self):
        self._process.kill()

    def wait(self, timeout=None):
        """The exit code, or minus the signal that ended it."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout)
        return self._process.exitcode


def context(_=None):
    """What starts such processes; the argument of `multiprocessing.get_context` has no effect."""
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(list(LIBRARIES))
    return forks


def begun(target, *arguments, told=os.devnull):
    """Start a function of a module in a process of its own.

    Args:
        target: the function.
        arguments: of it.
        told: path of the file for whatever the process prints.
    """
    process = context().Process(target=_begin, args=(target, arguments, str(told)))
    process.start()
    return Started(process)


def started(*words):
    """Start a command of `babelspan` in a process of its own."""
    return begun(_command, [*map(str, words)])


def _begin(target, arguments, told):
    file = os.open(told, os.O_WRONLY | os.O_CREAT)
    for descriptor in (1, 2):
        os.dup2(file, descriptor)
    target(*arguments)


def _command(words):
    sys.argv = ["babelspan", *words]
    from babelspan.cli.main import main

    main()
