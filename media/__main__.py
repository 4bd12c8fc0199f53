"""`python -m media`: one media worker, started by the supervisor (server/supervisor.py), which hands it its sockets."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable

from media.endpoint import Endpoint, Local


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM; the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(options))
    return 0


async def _serve(options: argparse.Namespace) -> None:
    udp, tcp = (
        [Local(socket.socket(fileno=descriptor), host) for descriptor, host in given]
        for given in (options.udp, options.tcp)
    )
    endpoint = Endpoint(udp, options.announce, options.port, tcp, options.handed, options.number)
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, endpoint.stop)
    await endpoint.run(options.control, options.recorder, options.relay, options.handover)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m media", description="A media worker of Tongke.")
    parser.add_argument("--control", required=True, metavar="PATH", help="Unix socket to listen on for the server")
    parser.add_argument("--recorder", metavar="PATH", help="Unix socket of the recorder")
    parser.add_argument("--relay", metavar="PATH", help="Unix socket to listen on for other workers that pull tracks")
    parser.add_argument("--udp", action="append", type=_socket, default=[], metavar="FD=IP",
                        help="a bound UDP socket and its address; may be repeated")  # fmt: skip
    parser.add_argument("--tcp", action="append", type=_socket, default=[], metavar="FD=IP",
                        help="a listening TCP socket of the same port and its address; may be repeated")  # fmt: skip
    parser.add_argument("--announce", action="extend", nargs="+", default=[], metavar="IP",
                        help="public addresses to put into candidates, before the sockets' own")  # fmt: skip
    parser.add_argument("--port", required=True, type=int, help="the port to put into candidates")
    parser.add_argument("--number", type=int, default=0, help="which worker of its node it is")
    parser.add_argument("--handover", metavar="PATH", help="Unix socket to listen on for connections of browsers")
    parser.add_argument("--handed", action="append", type=_handed, default=[], metavar="PORT=IP",
                        help="where browsers connect to whoever hands over; may be repeated")  # fmt: skip
    return parser


def _socket(text: str) -> tuple[int, str]:
    descriptor, _, host = text.partition("=")
    if not descriptor.isdecimal() or not host:
        raise argparse.ArgumentTypeError(f"{text!r} is not FD=IP")
    return int(descriptor), host


def _handed(text: str) -> tuple[str, int]:
    port, host = _socket(text)
    return host, port


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it is installed: half the cost per wake-up."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    sys.exit(main())
