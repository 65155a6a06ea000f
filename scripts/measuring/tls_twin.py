"""Makes the TLS twin of a capture: the same bytes in the same segments at the same times, encrypted.

usage: tls_twin.py CAPTURE TARGET KEYLOG CERTIFICATE KEY

Both ends of every connection are OpenSSL's, as Python's `ssl` has it, joined in memory: no socket, no privilege, no
packet lost. They write the key log. Which suite they agree on is the business of OPENSSL_CONF. Prints the suite, the
payload bytes and the number of records that carry them.
"""

import pathlib
import ssl
import struct
import sys

import captures

# What one write of a program becomes: at most a segment of the loopback.
SEGMENT = 65_000
FIN, SYN, RST, ACK = 1, 2, 4, 16


class End:
    """One end of a connection: its TLS, and what it sent and read of the plain recording."""

    def __init__(self, context, is_server):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=is_server)
        self.expected = None  # sequence number of the next plain byte
        self.sent = 1  # sequence number of the next byte of the twin

    def shake(self):
        try:
            self.tls.do_handshake()
            return True
        except ssl.SSLWantReadError:
            return False


class Twin:
    """Writes the twin, a packet of the recording at a time."""

    def __init__(self, source, target, contexts):
        self.pcap = captures.Pcap(source)
        self.target = target
        self.contexts = contexts
        self.connections = {}
        self.payload = self.records = 0
        self.suite = None

    def write(self, record, start, tcp, flags, sequence, acknowledgement, payload=b""):
        """A packet with the recorded addresses, ports and time."""
        data = self.pcap.data
        header = bytearray(data[start:tcp])
        length = tcp - start - 14 + 20 + len(payload)
        if header[12:14] == b"\x08\x00":
            struct.pack_into(">H", header, 16, length)
        else:
            struct.pack_into(">H", header, 18, length - 40)
        ports = data[tcp : tcp + 4]
        segment = ports + struct.pack(
            ">IIBBHHH", sequence & 0xFFFFFFFF, acknowledgement & 0xFFFFFFFF, 5 << 4, flags, 0xFFFF, 0, 0)
        size = 14 + length
        self.target.write(data[record : record + 8] + struct.pack(self.pcap.order + "II", size, size))
        self.target.write(header + segment + payload)

    def send(self, packet, sender, receiver, is_turned=False):
        """What the sender's TLS has to say, in packets; `is_turned`: it goes against the packet's direction."""
        ciphertext = sender.outgoing.read()
        record, start, tcp = packet
        for offset in range(0, len(ciphertext), SEGMENT):
            part = ciphertext[offset : offset + SEGMENT]
            if is_turned:
                self.turn(start, tcp)
            self.write(record, start, tcp, ACK, sender.sent, receiver.sent, part)
            if is_turned:
                self.turn(start, tcp)
            sender.sent += len(part)
        return ciphertext

    def turn(self, start, tcp):
        """Swaps the packet's addresses and ports."""
        data = self.pcap.data
        for at, width in (self.addresses(start), (tcp, 2)):
            first, second = data[at : at + width], data[at + width : at + 2 * width]
            data[at : at + 2 * width] = second + first

    def addresses(self, start):
        """Where the packet's two addresses are, and the bytes of one."""
        return (start + 26, 4) if self.pcap.data[start + 12 : start + 14] == b"\x08\x00" else (start + 22, 16)

    def open(self, packet, is_request):
        """A new connection, shaken hands over: its client and server."""
        client, server = End(self.contexts[0], False), End(self.contexts[1], True)
        record, start, tcp = packet
        for end, flags, acknowledgement in ((client, SYN, 0), (server, SYN | ACK, 1)):
            is_turned = (end is client) != is_request
            if is_turned:
                self.turn(start, tcp)
            self.write(record, start, tcp, flags, 0, acknowledgement)
            if is_turned:
                self.turn(start, tcp)
        done = False
        while not done:
            client_done = client.shake()
            server.incoming.write(self.send(packet, client, server, not is_request))
            done = server.shake() and client_done
            client.incoming.write(self.send(packet, server, client, is_request))
        self.suite = client.tls.cipher()[0]
        return client, server

    def receive(self, record, start, end, tcp):
        data = self.pcap.data
        source, destination, sequence = struct.unpack_from(">HHI", data, tcp)
        if captures.PORT not in (source, destination):
            return
        is_request = destination == captures.PORT
        flags = data[tcp + 13]
        at, size = self.addresses(start)
        if size == 4:
            end = start + 14 + struct.unpack_from(">H", data, start + 16)[0]
        else:
            end = start + 54 + struct.unpack_from(">H", data, start + 18)[0]
        first = tcp + (data[tcp + 12] >> 4) * 4
        client_address = data[at : at + size] if is_request else data[at + size : at + 2 * size]
        name = bytes(client_address), source if is_request else destination
        packet = record, start, tcp
        if flags & SYN and is_request:
            self.connections.pop(name, None)
        if flags & SYN:
            return
        if name not in self.connections:
            if first == end:
                return
            self.connections[name] = self.open(packet, is_request)
        client, server = self.connections[name]
        sender, receiver = (client, server) if is_request else (server, client)
        if first == end:
            self.write(record, start, tcp, flags, sender.sent, receiver.sent)
            return
        if sender.expected is None:
            sender.expected = sequence
        ahead = (sequence - sender.expected + 2**31) % 2**32 - 2**31
        if ahead > 0:
            sys.exit("bench: the capture lacks bytes or has them out of order: no twin can be made of it")
        plain = memoryview(data)[min(end, first - ahead) : end]
        if not plain:
            return
        sender.expected = (sender.expected + len(plain)) % 2**32
        sender.tls.write(plain)
        self.send(packet, sender, receiver)
        self.payload += len(plain)
        self.records += -(-len(plain) // 16384)
        if flags & (FIN | RST):
            self.write(record, start, tcp, flags, sender.sent, receiver.sent)


def main():
    source, target, key_log, certificate, key = sys.argv[1:]
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    client.keylog_filename = key_log
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    for context in (client, server):
        context.set_alpn_protocols(["h2"])
    with open(target, "wb") as out:
        twin = Twin(pathlib.Path(source), out, (client, server))
        out.write(twin.pcap.data[:24])
        for packet in twin.pcap.packets():
            if packet[3] is not None:
                twin.receive(*packet)
    print(twin.suite, twin.payload, twin.records)


if __name__ == "__main__":
    main()
