"""What the tests need of the system that this is: functions of its own module, and marks for tests of one system."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

WINDOWS = sys.platform == "win32"

if WINDOWS:
    from system_windows import BUILT as BUILT
    from system_windows import ENDS_WITH_US as ENDS_WITH_US
    from system_windows import OWN_CONSOLE as OWN_CONSOLE
    from system_windows import SKIPPED as SKIPPED
    from system_windows import built as built
    from system_windows import compiled as compiled
    from system_windows import died_of_a_fault as died_of_a_fault
    from system_windows import interrupt as interrupt
    from system_windows import interrupt_us as interrupt_us
    from system_windows import library_file as library_file
    from system_windows import mapped as mapped
    from system_windows import open_files as open_files
    from system_windows import plain_memory as plain_memory
    from system_windows import present as present
else:
    from system_linux import BUILT as BUILT
    from system_linux import ENDS_WITH_US as ENDS_WITH_US
    from system_linux import OWN_CONSOLE as OWN_CONSOLE
    from system_linux import SKIPPED as SKIPPED
    from system_linux import built as built
    from system_linux import compiled as compiled
    from system_linux import died_of_a_fault as died_of_a_fault
    from system_linux import interrupt as interrupt
    from system_linux import interrupt_us as interrupt_us
    from system_linux import library_file as library_file
    from system_linux import mapped as mapped
    from system_linux import open_files as open_files
    from system_linux import plain_memory as plain_memory
    from system_linux import present as present


def linux_alone(why: str) -> pytest.MarkDecorator:
    """Return a mark that skips a test on Windows, and says why the test is Linux's."""
    return pytest.mark.skipif(WINDOWS, reason=why)


class NotOfThisSystem(pytest.Module):
    """A file of tests that is another system's. It is not imported, and counts as one skipped test."""

    def collect(self) -> list[pytest.Item]:
        """Skip the file, with the reason that the system's module has."""
        pytest.skip(SKIPPED[self.path.name], allow_module_level=True)


def is_skipped(path: Path) -> bool:
    """Return true if a file of tests is another system's."""
    return path.name in SKIPPED


#: For tests in which nobody has a segment open for a while.
kept_by_nobody = linux_alone("on Windows a segment ends with the last process that has it open")

#: For tests that change or make files where Linux has its segments.
file_of_a_segment = linux_alone("a segment has no file on Windows that another program could change")
