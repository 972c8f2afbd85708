"""Settings of a service."""

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from babelspan.types import ConfigError

LOCAL = ("localhost", "127.0.0.1", "[::1]")
MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Limits and access settings of a service.

    Attributes:
        host: address to listen at.
        port: port; 0 for any free port.
        token_file: file with the token that requests must send; None for no token.
        hosts: further host names of the service, besides those of this machine.
        origins: other web origins that may call the service, such as "https://example.org".
        within: time limit for a question in seconds, unless the request sets one.
        queue_windows: maximum number of windows in the queue.
        queue_mib: maximum size of all request bodies together, in MiB.
        body_mib: maximum size of one body, or of one line of a batch, in MiB.
        documents_mib: maximum memory for stored documents in MiB: for texts, and the places in the
            files that these come from; the least recently used goes first.
        rate: maximum windows per minute and client; None for no limit.
        connections: maximum number of open connections.
        header_seconds: time limit from opening a connection to the end of its headers.
        idle_seconds: time limit without receiving a byte of a body, or sending a byte of an answer.
        grace: seconds to finish running requests after the service is told to stop.
        feedback: file to which judgements are appended; None to accept none.
        log_texts: whether to log questions.
        root_path: path prefix under which a proxy serves it, such as "/qa".
    """

    host: str = "127.0.0.1"
    port: int = 8017
    token_file: Path | None = None
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    within: float = 30.0
    queue_windows: int = 4096
    queue_mib: int = 256
    body_mib: int = 32
    documents_mib: int = 256
    rate: int | None = None
    connections: int = 512
    header_seconds: float = 10.0
    idle_seconds: float = 30.0
    grace: float = 30.0
    feedback: Path | None = None
    log_texts: bool = False
    root_path: str = ""

    def __post_init__(self) -> None:
        if not self.is_local and self.token_file is None:
            raise ConfigError(
                f"--host {self.host} can be reached from other machines: expected --token-file "
                "FILE with a token that requests must send, found none; write one with "
                "`openssl rand -hex 32 > token`, or listen at 127.0.0.1"
            )

    @property
    def is_local(self) -> bool:
        """Whether the service can be reached only from this machine."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def token(self) -> str | None:
        """Return the token in the file.

        Raises:
            ConfigError: if the file cannot be read, or its token has under 16 visible characters.
        """
        if self.token_file is None:
            return None
        try:
            token = self.token_file.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{self.token_file}: the token cannot be read: {error}") from None
        if len(token) < 16 or not token.isprintable() or " " in token:
            raise ConfigError(
                f"{self.token_file}: expected a token of 16 or more visible ASCII characters, "
                f"found {len(token)}; write one with `openssl rand -hex 32`"
            )
        return token
