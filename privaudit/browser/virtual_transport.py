"""A connection to the virtual phone inside this process: a browser page has no sockets for its ADB daemon."""

from __future__ import annotations

from privaudit import virtual_phone
from privaudit.model import Command, Reply, SourceKind
from privaudit.transport.base import MAX_OUTPUT_BYTES, SCRIPT_TIMEOUT_S, Transport
from privaudit.virtual_phone.programs import build_files, build_programs
from privaudit.virtual_phone.shell import Shell
from privaudit.virtual_phone.state import MutableDevice


class VirtualTransport(Transport):
    """Runs each command in the shell of a virtual phone, which keeps its changes as long as this object lives."""

    kind: SourceKind = "tcp"
    command_limit = 128 * 1024 - 1

    def __init__(self, scenario: str) -> None:
        self.device = MutableDevice(virtual_phone.load_scenario(scenario))
        self._shell = Shell(build_programs(self.device), build_files(self.device.phone))

    def run(self, command: Command, *, timeout_s: float = SCRIPT_TIMEOUT_S, limit: int = MAX_OUTPUT_BYTES) -> Reply:  # noqa: ARG002
        """See `Transport.run`. The virtual phone answers at once, and less than any limit."""
        result = self._shell.run_script(command.text)
        return Reply(stdout=result.out, stderr=result.err, exit_code=result.code)

    def close(self) -> None:
        """Nothing is open."""
