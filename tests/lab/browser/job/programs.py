"""Answers the programs of the lab phone (``program.c``) out of a scenario: ``programs.py SCENARIO``.

One process for all calls, so that a change that one program makes is seen by the next, and Python starts only once.
"""

from __future__ import annotations

import socket
import struct
import sys
from pathlib import Path

from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.programs import build_files, build_programs

SOCKET = Path("/run/programs")
FOLDER = Path("/opt/phone/bin")
NUMBER = struct.Struct("<I")
ANSWER = struct.Struct("<III")


def receive(connection: socket.socket, size: int) -> bytes:
    """Return exactly `size` bytes."""
    data = connection.recv(size, socket.MSG_WAITALL)
    if len(data) != size:
        raise EOFError
    return data


def main() -> None:
    """Write the phone's files, link its programs, and answer until the machine stops."""
    phone = load_scenario(sys.argv[1])
    for path, content in build_files(phone).items():
        if path.startswith("/data/app/"):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_bytes(content)
    programs = build_programs(phone)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in programs:
        if name not in {"date", "id"}:  # toybox has them
            (FOLDER / name).symlink_to("../program")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(SOCKET))
    SOCKET.chmod(0o666)
    listener.listen()
    print("programs:", *sorted(programs), flush=True)
    while True:
        connection, _ = listener.accept()
        with connection:
            (count,) = NUMBER.unpack(receive(connection, NUMBER.size))
            arguments = [
                receive(connection, NUMBER.unpack(receive(connection, NUMBER.size))[0]).decode(errors="surrogateescape")
                for _ in range(count)
            ]
            result = programs[arguments[0]](arguments, b"")
            connection.sendall(ANSWER.pack(len(result.out), len(result.err), result.code) + result.out + result.err)


main()
