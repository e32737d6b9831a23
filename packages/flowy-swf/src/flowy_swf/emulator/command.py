"""The emulator on the command line. Importing this loads neither boto3 nor botocore."""

from __future__ import annotations

import argparse
import threading


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "--port",
        type=int,
        default=0,
        help="the port on loopback to serve at; by default any that is free",
    )
    parser.add_argument(
        "--history",
        metavar="DIR",
        help="write the history of each execution into DIR when it closes, and on leaving",
    )
    parser.add_argument(
        "--clock",
        choices=("real", "skipping"),
        default="real",
        help="real time, or time that skips to the next timer while every poller is idle",
    )
    parser.add_argument(
        "--long-poll",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="how long a poll is held when there is no task (default: %(default)s)",
    )


def run(namespace: argparse.Namespace) -> int:
    """Serve until interrupted, and give the exit status."""
    from flowy_swf.emulator import Emulator

    emulator = Emulator(
        clock=namespace.clock, long_poll=namespace.long_poll, history=namespace.history
    )
    try:
        with emulator.serve(namespace.port) as url:
            print(url, flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        pass
    return 0
