"""Captures to measure with: unpacked, and longer ones made of a recorded one. Run as a program: makes a longer one.

usage: captures.py CAPTURE TIMES TARGET
"""

import pathlib
import struct
import subprocess
import sys

PORT = 2379


def unpack(capture, folder):
    """The capture as a plain file, in the page cache."""
    if capture.suffix != ".zst":
        plain = capture
    else:
        plain = folder / f"{capture.resolve().parent.name}-{capture.stem}"
        subprocess.run(["zstd", "-dqf", "--long=27", capture, "-o", plain], check=True)
    warm(plain)
    return plain


def warm(path):
    with open(path, "rb") as file:
        while file.read(1 << 20):
            pass


class Pcap:
    """A pcap of link type Ethernet, with IPv4 or IPv6 and TCP directly in it."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = bytearray(file.read())
        magic = bytes(self.data[:4])
        self.order = "<" if magic in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
        if struct.unpack_from(self.order + "I", self.data, 20)[0] & 0xFFFF != 1:
            sys.exit(f"bench: {path}: not of link type Ethernet")

    def packets(self):
        """For each packet: where its record begins, where the packet begins and ends, where TCP begins or None."""
        data, offset = self.data, 24
        while offset + 16 <= len(data):
            start = offset + 16
            end = start + struct.unpack_from(self.order + "I", data, offset + 8)[0]
            if end > len(data):
                return
            if data[start + 12 : start + 14] == b"\x08\x00" and data[start + 23] == 6:
                tcp = start + 14 + (data[start + 14] & 15) * 4
            elif data[start + 12 : start + 14] == b"\x86\xdd" and data[start + 20] == 6:
                tcp = start + 54
            else:
                tcp = None
            yield offset, start, end, tcp
            offset = end


def repeat(capture, times, target):
    """Writes `capture` `times` times in a row into `target`: later copies later, and from other client ports.

    Packets that are not TCP are copied as they are.
    """
    pcap = Pcap(capture)
    data, order = pcap.data, pcap.order
    seconds_at, client_ports = [], []  # offsets of every packet's seconds, and of every client port
    end = 24
    for offset, _, end, tcp in pcap.packets():
        seconds_at.append(offset)
        if tcp is not None:
            source, destination = struct.unpack_from(">HH", data, tcp)
            if destination == PORT:
                client_ports.append((tcp, source))
            elif source == PORT:
                client_ports.append((tcp + 2, destination))
    recorded = [struct.unpack_from(order + "I", data, at)[0] for at in seconds_at]
    with open(target, "wb") as out:
        out.write(data[:24])
        for copy in range(times):
            for at, second in zip(seconds_at, recorded):
                struct.pack_into(order + "I", data, at, second + copy * (recorded[-1] - recorded[0] + 60))
            for at, port in client_ports:
                # Within one copy a bijection of the ports from 4096 on, none of which is the server's.
                shifted = 4096 + (port - 4096 + copy * 15000) % (65536 - 4096) if port >= 4096 else port
                struct.pack_into(">H", data, at, shifted)
            out.write(memoryview(data)[24:end])


def make_longer(capture, times, target):
    """As `repeat`, in a process of its own: Linux counts the memory of a process that starts another as the other's."""
    subprocess.run([sys.executable, __file__, str(capture), str(times), str(target)], check=True)
    warm(target)
    return target


if __name__ == "__main__":
    repeat(pathlib.Path(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3]))
