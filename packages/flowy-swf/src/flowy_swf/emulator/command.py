"""The emulator on the command line. Importing this loads neither boto3 nor botocore."""

from __future__ import annotations

import argparse
import signal
import sys
import threading


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "--port",
        type=_port,
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
        type=_seconds,
        default=60.0,
        metavar="SECONDS",
        help="how long a poll is held when there is no task (default: %(default)s)",
    )


def run(namespace: argparse.Namespace) -> int:
    """Serve until interrupted or told to end, and give the exit status."""
    from flowy_swf.emulator import Emulator

    # Shells start what is in the background deaf to Ctrl-C, so scripts end it by SIGTERM. That must
    # be as clean: the histories of open executions are written on leaving.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        emulator = Emulator(
            clock=namespace.clock, long_poll=namespace.long_poll, history=namespace.history
        )
        with emulator.serve(namespace.port) as url:
            print(url, flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:
        raise  # nobody reads the URL, which is the business of the `flowy` command
    except OSError as error:
        what = f"port {namespace.port}" if error.filename is None else repr(error.filename)
        print(f"flowy swf emulator: error: {what}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def _port(text: str) -> int:
    if not (text.isdecimal() and len(text) <= 5 and int(text) < 2**16):
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= threading.TIMEOUT_MAX:
        raise argparse.ArgumentTypeError(f"a number of seconds, 0 or more, is wanted, not {text!r}")
    return seconds
