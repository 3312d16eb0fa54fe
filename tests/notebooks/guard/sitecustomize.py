"""Refuse every connection that leaves this machine, where no network namespace can be made."""

import socket

HERE = {"127.0.0.1", "::1", "localhost"}


def guarded(connect):
    """Return `connect` for addresses of this machine only."""

    def guarded_connect(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in HERE:
            raise ConnectionRefusedError(f"no network in this run; asked for {address[0]}")
        return connect(self, address)

    return guarded_connect


socket.socket.connect = guarded(socket.socket.connect)
socket.socket.connect_ex = guarded(socket.socket.connect_ex)
