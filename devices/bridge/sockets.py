"""A socket that reads 64 KiB at once.

paho asks three times for each message (a byte, a length, a body), which is three system calls.
This answers from a buffer, and says by `pending` that there is more: paho knows that from TLS.
"""

import socket
import ssl

CHUNK_BYTES = 64 * 1024


class BufferedSocket:
    """What paho needs of a socket, over a real one."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = b""
        self._at = 0

    def recv(self, size: int) -> bytes:
        """At most `size` bytes; b"" at the end of the stream; BlockingIOError when dry."""
        if self._at >= len(self._buffer):
            self._buffer, self._at = self._sock.recv(CHUNK_BYTES), 0
        data = self._buffer[self._at : self._at + size]
        self._at += len(data)
        return data

    def pending(self) -> int:
        """Bytes that can be had without waiting and that select() does not see."""
        hidden = self._sock.pending() if isinstance(self._sock, ssl.SSLSocket) else 0
        return len(self._buffer) - self._at + hidden

    def send(self, data: bytes) -> int:
        """Pass on."""
        return self._sock.send(data)

    def fileno(self) -> int:
        """For select()."""
        return self._sock.fileno()

    def setblocking(self, flag: bool) -> None:
        """Pass on."""
        self._sock.setblocking(flag)

    def close(self) -> None:
        """Pass on."""
        self._sock.close()
