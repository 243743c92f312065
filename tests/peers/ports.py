"""Ports that are free at the moment."""

import socket
from contextlib import ExitStack


def free_ports(n_ports: int) -> list[int]:
    """So many of them, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n_ports)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
