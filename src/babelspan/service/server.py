"""The server that runs the routes: its socket, signals and shutdown."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from babelspan.service.answering import Service
from babelspan.service.app import make_app
from babelspan.service.connections import limited
from babelspan.service.logs import log
from babelspan.service.problems import Problem
from babelspan.types import ConfigError, DataError

_LARGEST_HEADER = 16 * 1024
_KEEP_ALIVE = 30


class Server(uvicorn.Server):
    """A service at an address, until it is stopped.

    SIGTERM and SIGINT finish the accepted requests and stop; a second one stops at once. SIGHUP
    reloads the readers and the token.

    Args:
        service: the service; it is closed at the end.
        listening: called with the address when requests are accepted.
    """

    def __init__(self, service: Service, listening: Callable[[str], object]) -> None:
        settings = service.settings
        super().__init__(
            uvicorn.Config(
                make_app(service),
                http=limited(service),
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=_KEEP_ALIVE,
                timeout_graceful_shutdown=max(1, round(settings.grace)),
                h11_max_incomplete_event_size=_LARGEST_HEADER,
            )
        )
        self._service = service
        self._listening = listening
        self._reloading: asyncio.Task[None] | None = None

    def serve_until_told(self) -> None:
        """Listen, serve, and shut down when told.

        Raises:
            ConfigError: if the service cannot listen at the address.
        """
        settings = self._service.settings
        try:
            sock = _listening_socket(settings.host, settings.port)
        except OSError as error:
            raise ConfigError(
                f"--host {settings.host} --port {settings.port}: cannot listen there "
                f"({error.strerror or error}); choose another port, or 0 for any free port"
            ) from None
        try:
            self.run(sockets=[sock])
        finally:
            sock.close()
            self._service.close()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start uvicorn, then report the address."""
        await super().startup(sockets)
        (sock, *_) = sockets or []
        host = self._service.settings.host
        shown = f"[{host}]" if ":" in host else host
        self._listening(f"http://{shown}:{sock.getsockname()[1]}/")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Start the shutdown; at the second signal, stop at once."""
        self._service.admission.is_draining = True
        self.force_exit = self.should_exit
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Inside the block, handle signals as the class says; none is raised again after it."""
        try:
            former = {
                s: signal.signal(s, self.handle_exit) for s in (signal.SIGINT, signal.SIGTERM)
            }
        except ValueError:  # not in the main thread: the caller stops the server
            yield
            return
        loop = asyncio.get_running_loop()
        hangup = getattr(signal, "SIGHUP", None)
        if hangup is not None:
            loop.add_signal_handler(hangup, self._reload_soon)
        try:
            yield
        finally:
            for which, handler in former.items():
                signal.signal(which, handler)
            if hangup is not None:
                loop.remove_signal_handler(hangup)

    def _reload_soon(self) -> None:
        if self._reloading is None or self._reloading.done():
            self._reloading = asyncio.get_running_loop().create_task(self._reload())

    async def _reload(self) -> None:
        """Reload the readers and the token; if one fails, log it and keep the old one."""
        service = self._service
        try:
            service.token = service.settings.token()
        except ConfigError as error:
            log({"event": "token stays", "detail": str(error)})
        for reader in service.readers:
            try:
                new = await service.in_thread(2**20, service.readers.reload, reader.name)
                log({"event": "reader loaded", "reader": new.name, "sha256": new.sha256})
            except (DataError, ConfigError, Problem) as error:
                log({"event": "reader stays", "reader": reader.name, "detail": str(error)})


def _listening_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # with the protocol named, asyncio sends small writes at once; else each answer waits 40 ms
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
