"""What a service allows."""

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from babelspan.types import ConfigError

LOCAL = ("localhost", "127.0.0.1", "[::1]")
MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Limits of a service, and whom it lets in.

    Attributes:
        host: address to listen at.
        port: 0 for any that is free.
        token_file: holds the token that requests must bring; None for none.
        hosts: names that requests may call the service by, beside those of this machine.
        origins: of other pages that may ask, such as "https://example.org".
        within: seconds that a question may take where it does not say.
        queue_windows: windows that may wait to be read.
        queue_mib: MiB that the bodies of all requests together may hold.
        body_mib: MiB of one body, or of one line of a batch.
        documents_mib: MiB of stored documents; the one used longest ago goes first.
        rate: windows a minute for a client; None for no limit.
        connections: at once.
        header_seconds: from the opening of a connection to the end of its headers.
        idle_seconds: without a byte of a body, or of an answer that is not taken.
        grace: seconds to finish what runs, once the service is told to stop.
        feedback: file that judgements are appended to; None to take none.
        log_texts: whether questions are logged.
        root_path: where a proxy has put the service, such as "/qa".
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
                "FILE with a token that requests must bring, found none; write one with "
                "`openssl rand -hex 32 > token`, or listen at 127.0.0.1"
            )

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the service."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def token(self) -> str | None:
        """The token in the file.

        Raises:
            ConfigError: if the file cannot be read, or holds none of 16 visible characters or more.
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
