"""A cable between two network namespaces: frames of one tap device come out of the other.

    python cable.py PID CUT

`PID` is a process in the other namespace. While the file `CUT` is there, the cable is cut. Kernels without
virtual Ethernet pairs have tap devices.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import struct
import sys
from pathlib import Path

NAME = b"cable"
_TUNSETIFF, _TAP, _PLAIN = 0x400454CA, 0x0002, 0x1000
_NET = 0x40000000  # CLONE_NEWNET
_FRAME = 65536


def tap() -> int:
    """A tap device in this namespace, as a file of frames."""
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", NAME, _TAP | _PLAIN))
    return device


def enter(pid: int) -> None:
    """This process goes into the network namespace of another."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/proc/{pid}/ns/net", "rb") as namespace:
        if libc.setns(namespace.fileno(), _NET):
            raise OSError(ctypes.get_errno(), "setns")


def carry(here: int, there: int, cut: Path) -> None:
    """Frames from one end to the other, for ever; none while it is cut."""
    while True:
        ready, _, _ = select.select([here, there], [], [])
        for end in ready:
            frame = os.read(end, _FRAME)
            if not cut.exists():
                try:
                    os.write(there if end == here else here, frame)
                except OSError:  # the device is not up yet: a frame is lost, as on any cable
                    continue


if __name__ == "__main__":
    first = tap()
    enter(int(sys.argv[1]))
    carry(first, tap(), Path(sys.argv[2]))
