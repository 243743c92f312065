"""The child process that meets files of unknown origin: `python -m infra.parsers.child SETTINGS`.

It reads requests on standard input and answers on standard output, one at a time, under limits of memory and time. It
ends when its input does; on Linux also as soon as its parent is gone.
"""

import ctypes
import math
import os
import resource
import signal
import sys
from typing import BinaryIO

import msgspec

from domain.errors import Invalid
from domain.parsing import ParseSettings
from infra.parsers.frames import LENGTH, Parsed, Refused, Request, framed
from infra.parsers.reading import read

PR_SET_PDEATHSIG = 1  # linux/prctl.h
TOO_MUCH_MEMORY = "Reading this file takes more memory than is allowed. Split it and bring in the parts."


def main() -> None:
    """Answer requests until the input ends."""
    settings = msgspec.json.decode(sys.argv[1], type=ParseSettings)
    requests, replies = sys.stdin.buffer, _own_output()
    _die_with_parent()
    _limit_memory(settings.max_memory_bytes)
    while (length := _next_length(requests)) is not None:
        _limit_time(settings.timeout_s)
        try:
            replies.write(_reply(requests, length, settings))
        except MemoryError:
            replies.write(framed(Refused(TOO_MUCH_MEMORY, is_worn_out=True)))
            return
        finally:
            replies.flush()


def _reply(requests: BinaryIO, length: int, settings: ParseSettings) -> bytes:
    request = msgspec.msgpack.decode(requests.read(length), type=Request)
    try:
        return framed(Parsed(read(request.name, request.media_type, request.content, settings)))
    except Invalid as error:
        return framed(Refused(error.message))


def _next_length(requests: BinaryIO) -> int | None:
    head = requests.read(LENGTH.size)
    return int(LENGTH.unpack(head)[0]) if len(head) == LENGTH.size else None


def _own_output() -> BinaryIO:
    """Keep the pipe to ourselves: what a library prints must not end up between two replies."""
    pipe = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return pipe


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _limit_memory(max_memory_bytes: int) -> None:
    """Address space on Linux; macOS knows the limit but does not heed it, and may refuse it."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (max_memory_bytes, hard))
    except (OSError, ValueError):
        return


def _limit_time(timeout_s: float) -> None:
    """A second lock behind the parent's time-out: so many seconds of processor from now on, then SIGXCPU."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = math.ceil(used.ru_utime + used.ru_stime + timeout_s) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


if __name__ == "__main__":
    main()
