"""One visit to a phone, told in one line.

    probe.py WAY [--serial S] [--wait SECONDS] [--size BYTES]... [--command TEXT]...

``via WAY``, whether its owner was asked, and what came; or the name of the error with what had come until then.
``--size`` runs a command whose request is so many bytes long.
"""

from __future__ import annotations

import argparse

from privaudit.errors import ConnectionLost, PhoneError
from privaudit.model import Command
from privaudit.transport import connect

REQUEST = len("shell,v2,raw:\0")


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser()
    parser.add_argument("way")
    parser.add_argument("--serial")
    parser.add_argument("--wait", type=float, default=60.0)
    parser.add_argument("--size", type=int, action="append", default=[])
    parser.add_argument("--command", action="append", default=[])
    given = parser.parse_args()
    asked = []
    commands = given.command or ["echo out; echo err >&2; exit 7"]
    commands += ["echo ".ljust(size - REQUEST, "x") for size in given.size]
    try:
        with connect(
            transport=given.way, serial=given.serial, on_waiting=asked.append, auth_timeout_s=given.wait
        ) as line:
            told = [f"via {line.kind}", "asked" if asked else "not asked"]
            for text in commands:
                reply = line.run(Command(text=text, why="laboratory"))
                short = reply.stdout if len(reply.stdout) < 20 else b"%d bytes" % len(reply.stdout)
                told.append(f"{short!r} {reply.stderr!r} {reply.exit_code}")
        print("; ".join(told))
    except ConnectionLost as error:
        print(error.name, "after", error.partial)
    except PhoneError as error:
        print(error.name, "asked" if asked else "not asked")


main()
