#!/usr/bin/env python3
"""Prints the operations of a kvreel trace as JSON lines: read_kvr.py TRACE.kvr

Written from docs/trace-format.md alone, to prove that page. Needs nothing but Python and the `zstd` command.
"""

import json, struct, subprocess, sys

M64 = (1 << 64) - 1
METHODS = {}
for prefix, first, names in [
    ("etcdserverpb.KV", 2, "Range RangeStream Put DeleteRange Txn Compact"),
    ("etcdserverpb.Watch", 8, "Watch"),
    ("etcdserverpb.Lease", 9, "LeaseGrant LeaseRevoke LeaseKeepAlive LeaseTimeToLive LeaseLeases"),
    ("etcdserverpb.Cluster", 14, "MemberAdd MemberRemove MemberUpdate MemberList MemberPromote"),
    ("etcdserverpb.Maintenance", 19, "Alarm Status Defragment Hash HashKV Snapshot MoveLeader Downgrade"),
    (
        "etcdserverpb.Auth",
        27,
        "AuthEnable AuthDisable AuthStatus Authenticate UserAdd UserGet UserList UserDelete "
        "UserChangePassword UserGrantRole UserRevokeRole RoleAdd RoleGet RoleList RoleDelete RoleGrantPermission "
        "RoleRevokePermission",
    ),
    ("v3lockpb.Lock", 44, "Lock Unlock"),
    ("v3electionpb.Election", 46, "Campaign Proclaim Leader Observe Resign"),
]:
    METHODS.update({first + i: f"/{prefix}/{name}" for i, name in enumerate(names.split())})

DIFFERENCES = [None] + (
    "status succeeded found count lease_expired unmapped connection_lost timed_out unsupported stream_ended malformed"
).split()

CRC = [0] * 256
for i in range(256):
    c = i
    for _ in range(8):
        c = c >> 1 ^ 0x82F63B78 if c & 1 else c >> 1
    CRC[i] = c


def crc32c(data):
    c = 0xFFFFFFFF
    for b in data:
        c = c >> 8 ^ CRC[(c ^ b) & 255]
    return c ^ 0xFFFFFFFF


def signed(n):
    return ((n & M64) ^ (1 << 63)) - (1 << 63)


def unzigzag(n):
    return n >> 1 ^ -(n & 1)


def varint(data, at):
    value = shift = 0
    while True:
        b = data[at]
        at += 1
        value |= (b & 127) << shift
        shift += 7
        if b < 128:
            return value, at


def column_numbers(encoding, count, data):
    sign = unzigzag if encoding & 128 else signed
    kind, at, out = encoding & 127, 0, []
    if kind == 1:
        out = [varint(data, 0)[0]] * count
    elif kind == 2:
        for _ in range(count):
            n, at = varint(data, at)
            out.append(n)
    elif kind == 3:
        while len(out) < count:
            n, at = varint(data, at)
            times, at = varint(data, at)
            out += [n] * times
    elif kind == 4:
        planes = [data[1 + p * count : 1 + (p + 1) * count] for p in range(data[0])]
        out = [int.from_bytes(bytes(row), "little") for row in zip(*planes)]
    elif kind == 5:
        size, at = varint(data, 0)
        words = []
        for _ in range(size):
            n, at = varint(data, at)
            words.append(n)
        out = [words[b] for b in data[at:]]
    elif kind == 6:
        w = data[0]
        out = [data[1 + i * w // 8] >> i * w % 8 & (1 << w) - 1 for i in range(count)]
    else:
        raise ValueError(f"encoding {kind}")
    return [sign(n) for n in out]


class Block:
    """The records of one operations block."""

    def __init__(self, payload):
        self.columns, at = {}, 0
        while at < len(payload):
            number, at = varint(payload, at)
            encoding = payload[at]
            count, at = varint(payload, at + 1)
            length, at = varint(payload, at)
            self.columns[number] = (encoding, count, payload[at : at + length])
            at += length
        self.cursors = {}
        counts = [self.next(0) for _ in range(15)]
        self.counts = dict(zip("op part compare kv key text observed connection".split(), counts))
        self.unit, self.base = self.next(1), self.next(1)
        self.keys, self.texts = self.strings(counts[4], 4), self.strings(counts[5], 7)
        fields = {
            "op": range(16, 25),
            "body": range(64, 71),
            "compare": range(96, 99),
            "kv": (104, 105),
            "observed": (120, 121, 122),
            "connection": range(136, 140),
        }
        self.shapes = {
            kind: [[self.next(c) for c in columns] for _ in range(count)]
            for (kind, columns), count in zip(fields.items(), counts[8:14])
        }
        self.newest, self.known = 0, [
            dict(create=0, mod=0, version=0, lease=0, size=0, next=0, end=0) for _ in self.keys
        ]
        self.changed, self.before = 0, dict(self.known[0])
        self.read = dict(part=0, compare=0, kv=0)
        self.ends = dict(part=0, compare=0, kv=0)
        self.streams, self.extras = {}, {}
        self.end, self.connection, self.revision, self.candidates = self.base, 0, 0, 0
        self.ops = [self.operation() for _ in range(counts[0])]
        self.parts_before(counts[1], None)
        self.compares_before(counts[2], 0, None)
        self.kvs_before(counts[3], 0, 0, True)
        self.observed(counts[6])
        self.connections = self.read_connections(counts[7])
        self.read_replays(self.next(168))

    def next(self, column):
        if column not in self.columns:
            return 0
        if column not in self.cursors:
            self.cursors[column] = iter(column_numbers(*self.columns[column]))
        return next(self.cursors[column])

    def strings(self, count, column):
        out, at, data = [b""], 0, self.columns.get(column + 2, (0, 0, b""))[2]
        for _ in range(count):
            shared, length = self.next(column), self.next(column + 1)
            out.append(out[-1][:shared] + data[at : at + length])
            at += length
        return out

    def field(self, mask, bit, column, predicted):
        return signed(predicted + (self.next(column) if mask >> bit & 1 else 0))

    def key(self, mask, bit, column, predicted):
        key = predicted
        if mask >> bit & 1:
            n = self.next(column)
            key = 0 if n == 0 else self.newest + 2 - n if n > 0 else -n
        self.newest = max(self.newest, key)
        return key

    def slice(self, mask, bit, array, columns, predicted):
        count = self.field(mask, bit, columns[0], predicted)
        start = self.field(mask, bit + 1, columns[1], self.ends[array] if count else 0)
        if count:
            self.ends[array] = start + count
        return start, start + count

    def operation(self):
        role, kind, evidence, complete, method, status, presence, body, mask = self.shapes["op"][self.next(32)]
        o = dict(role=role, kind=kind, evidence=evidence, completeness=complete, method=method, status=status - 1)
        o["responseEnd"] = self.next(33) * self.unit if presence & 4 else None
        last = o["responseEnd"] or 0
        self.end = signed(self.end + self.next(34) * self.unit)
        o["time"] = signed(self.end - last)
        o["responseStart"] = last + self.field(mask, 0, 36, 0) * self.unit if presence & 2 else None
        o["requestEnd"] = self.field(mask, 1, 35, 0) * self.unit if presence & 1 else None
        o["key"] = self.key(mask, 2, 37, self.newest + 1) if presence & 16 else 0
        o["connection"] = self.connection = self.field(mask, 3, 38, self.connection)
        state = self.streams.setdefault(self.connection, [-1, 0, 0])
        o["stream"] = self.field(mask, 4, 39, state[0] + 2 if role == 0 else state[1])
        state[role != 0] = o["stream"]
        o["watchID"] = self.field(mask, 5, 45, 0 if role == 0 else state[2])
        if role:
            state[2] = o["watchID"]
        for bit, (name, column) in enumerate(
            [("methodText", 40), ("errorText", 41), ("lease", 42), ("ttl", 43), ("revision", 44)], 6
        ):
            o[name] = self.field(mask, bit, column, 0)
        isAmbiguous = o["evidence"] == 2
        o["inference"] = self.field(mask, 22, 57, 0)
        o["candidates"] = self.field(mask, 23, 58, self.candidates if isAmbiguous else 0)
        if isAmbiguous:
            self.candidates = o["candidates"]
        o["headerRevision"] = 0
        flags = self.shapes["body"][body][5]
        if presence & 8:
            writes = role == 0 and (kind in (3, 4) or flags >> 9 & 1)
            o["headerRevision"] = self.revision = self.field(mask, 11, 46, self.revision + bool(writes))
        self.asked = self.answered = 0
        self.last_shape = body
        o["body"] = self.body(self.shapes["body"][body], o)
        o["events"] = self.slice(mask, 12, "kv", (49, 50), int(role == 2))
        self.kvs_before(o["events"], o["headerRevision"], o["key"], True)
        o["parts"] = self.slice(mask, 14, "part", (47, 48), 0)
        self.parts_before(o["parts"], o)
        extra = self.extras.setdefault(("kind", kind) if o["body"]["kind"] == 0 else self.last_shape, [0, 0, 0, 0])
        o["requestMessages"], o["responseMessages"] = self.field(mask, 16, 51, int(role != 2)), self.field(
            mask, 17, 52, 1
        )
        for i, name in enumerate(("requestBytes", "responseBytes", "requestWireBytes", "responseWireBytes")):
            content = (self.asked, self.answered)[i] if i < 2 else self.framed(o, name.replace("Wire", ""))
            o[name] = self.field(mask, 18 + i, 53 + i, signed(content + extra[i]))
            extra[i] = o[name] - content
        return o

    def framed(self, o, name):
        data = signed(o[name] + 5 * o[name.replace("Bytes", "Messages")])
        rounded = signed(data + 16383)
        frames = abs(rounded) // 16384 * (1 if rounded >= 0 else -1)
        return signed(data + 9 * frames)

    def parts_before(self, limit, o):
        o = o or dict(key=0, headerRevision=0)
        while self.read["part"] < self.limit(limit):
            self.read["part"] += 1
            number = self.next(80)
            self.body(self.shapes["body"][number], o)
            self.last_shape = number

    @staticmethod
    def limit(limit):
        return limit if isinstance(limit, int) else limit[1] if limit[1] > limit[0] else 0

    def body(self, shape, o):
        kind, branch, depth, order, target, flags, mask = shape
        b = dict(kind=kind, branch=branch, depth=depth, flags=flags & 0xFFFFFFFF)
        b["key"] = self.key(mask, 0, 81, o["key"]) if flags >> 32 & 1 else 0
        known, b["rangeEnd"] = self.known[b["key"]], 0
        if flags >> 33 & 1:
            b["rangeEnd"] = known["end"] = self.key(mask, 1, 82, known["end"] or self.newest + 1)
        b["limit"], b["revision"] = self.field(mask, 2, 83, 0), self.field(mask, 3, 84, 0)
        b["lease"] = self.field(mask, 4, 85, known["lease"] if kind == 2 else 0)
        b["valueSize"] = self.field(mask, 5, 86, known["size"] if kind == 2 else 0)
        answered = flags >> 10 & 1
        kvs = self.slice(mask, 6, "kv", (88, 89), int(kind == 1 and answered and not b["rangeEnd"]))
        b["count"] = self.field(mask, 8, 87, kvs[1] - kvs[0])
        compares = self.slice(mask, 9, "compare", (90, 91), int(kind == 4))
        b["nestedParts"] = self.field(mask, 11, 92, 0)
        self.asked += len(self.keys[b["key"]]) + len(self.keys[b["rangeEnd"]]) + b["valueSize"]
        self.compares_before(compares, o["key"], o)
        if kind == 2 and answered and b["key"]:
            self.changed, self.before, revision = b["key"], dict(known), o["headerRevision"]
            if known["mod"] != revision:
                known["version"] += 1
                if known["version"] == 1:
                    known["create"] = revision
                known["mod"] = revision
            known["lease"], known["size"] = b["lease"], b["valueSize"]
        self.kvs_before(kvs, o["headerRevision"], b["key"], b["rangeEnd"] != 0)
        return b

    def compares_before(self, limit, key, o):
        while self.read["compare"] < self.limit(limit):
            self.read["compare"] += 1
            target, relation, mask = self.shapes["compare"][self.next(99)]
            name = self.key(mask, 0, 100, key)
            self.key(mask, 1, 101, 0)
            self.field(mask, 2, 102, self.known[name][("version", "create", "mod", "size", "lease")[target]])
            self.asked += len(self.keys[name])

    def kvs_before(self, limit, revision, key, is_list):
        last = dict(key=key, mod=0, size=0)
        while self.read["kv"] < self.limit(limit):
            self.read["kv"] += 1
            kind, mask = self.shapes["kv"][self.next(106)]
            usual = last["key"] if kind == 1 or not is_list else self.known[last["key"]]["next"] or self.newest + 1
            r = dict(key=self.key(mask, 0, 107, usual))
            if kind != 1:
                self.known[last["key"]]["next"] = r["key"]
            known = self.before if kind == 1 and self.changed == r["key"] else self.known[r["key"]]
            seen, deleted = known["mod"] != 0, kind == 3
            r["mod"] = self.field(mask, 1, 109, revision if kind > 1 else known["mod"] if seen else last["mod"])
            same = seen and r["mod"] == known["mod"]
            r["version"] = self.field(mask, 2, 110, 0 if deleted else known["version"] + (not same))
            r["create"] = self.field(
                mask, 3, 108, 0 if deleted else r["mod"] if r["version"] == 1 or not seen else known["create"]
            )
            r["lease"] = self.field(mask, 4, 111, 0 if deleted else known["lease"])
            r["size"] = self.field(mask, 5, 112, 0 if deleted else known["size"] if seen else last["size"])
            self.answered += len(self.keys[r["key"]]) + r["size"]
            last = r
            if kind == 1 and seen:
                continue
            self.changed, self.before = r["key"], dict(self.known[r["key"]])
            self.known[r["key"]].update(r)

    def observed(self, count):
        for _ in range(count):
            self.next(123)  # Of no use for calls: its columns stand alone.

    def read_connections(self, count):
        out, last = {}, [0] * 4
        for _ in range(count):
            mask = self.shapes["connection"][self.next(140)][3]
            last = [self.field(mask, bit, 141 + bit, last[bit] + (bit < 2)) for bit in range(4)]
            out[last[0]] = self.texts[last[1]].decode()
        return out

    def read_replays(self, count):
        call = -1
        for o in self.ops[:count]:
            released = self.next(169)
            intended = signed(released + self.next(170))
            call += 1 + self.next(171)
            o["replay"] = dict(call_number=call, intended_ns=intended, released_ns=released)
            o["replay"]["loop"] = self.next(172) or None
            difference = self.next(173)
            o["replay"]["difference"] = DIFFERENCES[difference & 255]
            o["replay"]["approximated"] = difference & 256 != 0 or None
            o["replay"]["warm_up"] = difference & 512 != 0 or None


def blocks(data):
    if data[:8] != b"KVREEL\r\n":
        sys.exit("not a trace")
    at = 16
    while (at := data.find(b"\xabKVRBLK\xbb", at)) >= 0:
        head = data[at : at + 56]
        if len(head) == 56 and crc32c(head[:52]) == struct.unpack_from("<I", head, 52)[0]:
            kind, version, flags, _, stored = struct.unpack_from("<BBHII", head, 8)
            payload = data[at + 56 : at + 56 + stored]
            if len(payload) == stored and crc32c(payload) == struct.unpack_from("<I", head, 48)[0]:
                if flags & 1:
                    payload = subprocess.run(
                        ["zstd", "-dcq"], input=payload, stdout=subprocess.PIPE, check=True
                    ).stdout
                yield kind, version, payload
                at += 56 + stored
                continue
        print(f"damaged block at byte {at}", file=sys.stderr)
        at += 8


def text(key):
    try:
        return key.decode()
    except UnicodeDecodeError:
        return "".join(chr(b) if 32 <= b < 127 and b != 92 else f"\\x{b:02x}" if b != 92 else "\\\\" for b in key)


def main(path):
    connections = {}
    read = [
        Block(payload) for kind, version, payload in blocks(open(path, "rb").read()) if kind == 2 and version == 1
    ]
    for block in read:
        connections.update(block.connections)
    for block in read:
        for o in block.ops:
            line = dict(
                type=("call", "message", "event")[o["role"]],
                t=o["time"],
                conn=connections.get(o["connection"]),
                stream=o["stream"],
                evidence=("seen", "inferred", "ambiguous")[o["evidence"]],
            )
            line["inferred_from"] = (None, "entry", "shape", "closed_set", "likelihood")[o["inference"]]
            line["candidates"] = [METHODS[n] for n in sorted(METHODS) if o["candidates"] >> n & 1] or None
            line["method"] = METHODS.get(o["method"]) or text(block.texts[o["methodText"]]) or None
            line["key"] = text(block.keys[o["key"]]) if o["key"] else None
            line["status"] = o["status"] if o["status"] >= 0 else None
            line["revision"], line["latency_ns"] = o["headerRevision"] or None, o["responseEnd"]
            line.update(
                {name: o[name] for name in ("requestBytes", "responseBytes", "requestWireBytes", "responseWireBytes")}
            )
            if o["role"] != 2:
                line.update(o.get("replay", {}))
            print(json.dumps({k: v for k, v in line.items() if v is not None}, ensure_ascii=False))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: read_kvr.py TRACE.kvr")
    main(sys.argv[1])
