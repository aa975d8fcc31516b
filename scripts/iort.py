#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes IORTs: the ACPI table that says which SMMU stands before which device.

VARIANTS has the IORT of QEMU's machine with one SMMU, and what other firmware may have in its
place: more nodes, and mistakes. A table is a list of nodes, which refer to each other by their
place in that list. The format is that of Arm DEN 0049E, IO Remapping Table.

Linux takes a table from the front of the initramfs, see front(), if its OEM revision is higher
than that of the firmware's.

As a command: "iort.py NAME >file" writes a table, for iasl -d; without a name it lists them.
"""
import struct
import sys

ITS, NAMED, ROOT, SMMU_V3, PMCG, RMR = 0, 1, 2, 4, 5, 6
HEADER, NODE_HEADER = 48, 16

# The machine's
SMMU = 0x9050000
UART = 0x9000000
RAM = 0x48000000
EVENT, PRI, SYNC, GERROR = 106, 107, 108, 109
COHERENT = 1 | 3 << 56
# The first SMMU of every table
FIRST = 1

COHACC_OVERRIDE = 1
HISILICON, CAVIUM = 1, 2
SINGLE = 1


class Node:
    """One node.

    body is what follows the header, or a function of the nodes' offsets that returns that; tail
    is what follows the mappings. A mapping is (first id, how many, first output id, target, flags).
    A target is the index of a node; from HEADER on it is an offset in the table. wrong has
    fields of the header that are not what they should be.
    """
    def __init__(self, kind, revision, body, maps=(), tail=b"", **wrong):
        self.kind, self.revision, self.body = kind, revision, body
        self.maps, self.tail, self.wrong = maps, tail, wrong

    def pack(self, index, offsets):
        """Its bytes."""
        body = self.body(offsets) if callable(self.body) else self.body
        maps = b"".join(struct.pack("<IIIII", first, count - 1, out,
                                    offsets[to] if to < HEADER else to, flags)
                        for first, count, out, to, flags in self.maps)
        rest = body + maps + self.tail
        head = {"length": NODE_HEADER + len(rest), "ident": index, "map_count": len(self.maps),
                "map_offset": NODE_HEADER + len(body) if self.maps else 0, **self.wrong}
        return struct.pack("<BHBIII", self.kind, head["length"], self.revision, head["ident"],
                           head["map_count"], head["map_offset"]) + rest


def its(**other):
    """The machine's one ITS, in a group of its own."""
    return Node(ITS, 1, struct.pack("<II", 1, 0), **other)


def smmu(base=SMMU, flags=COHACC_OVERRIDE, model=0, irqs=(EVENT, PRI, GERROR, SYNC), to=0, **other):
    """An SMMUv3. What it translates goes to the ITS."""
    body = struct.pack("<QIIQIIIIIII", base, flags, 0, 0, model, *irqs, 0, 0)
    return Node(SMMU_V3, 4, body, [(0, 0x10000, 0, to, 0)], **other)


def root(to=FIRST, **other):
    """The PCIe root complex, behind an SMMU."""
    body = struct.pack("<QIIB3x", COHERENT, 0, 0, 64)
    return Node(ROOT, 3, body, [(0, 0x10000, 0, to, 0)], **other)


def named(path=r"\_SB_.COM0", stream=0x8000):
    """A device of the DSDT, with a stream."""
    name = path.encode() + b"\0"
    body = struct.pack("<IQB", 0, COHERENT, 40) + name
    return Node(NAMED, 4, body + bytes(-len(body) % 4), [(0, 1, stream, FIRST, SINGLE)])


def pmcg(base):
    """Counters of the first SMMU, all in page 0."""
    return Node(PMCG, 2, lambda offsets: struct.pack("<QIIQ", base, 0, offsets[FIRST], 0))


def rmr(base=RAM, size=0x10000, stream=0x18):
    """Memory that a stream uses already. The range follows the mapping."""
    body = struct.pack("<III", 0, 1, NODE_HEADER + 12 + 20)
    return Node(RMR, 3, body, [(0, 1, stream, FIRST, SINGLE)], struct.pack("<QQI", base, size, 0))


def table(*nodes, revision=3, **wrong):
    """The table with these nodes; wrong has fields of its header, "cut", or "more" bytes."""
    offsets, at = {}, HEADER
    for index, node in enumerate(nodes):
        offsets[index] = at
        at += len(node.pack(index, {n: 0 for n in range(len(nodes))}))
    data = b"".join(node.pack(index, offsets) for index, node in enumerate(nodes))
    data = data[:len(data) - wrong.get("cut", 0)] + bytes(wrong.get("more", 0))
    out = bytearray(struct.pack("<4sIBB6s8sI4sI", b"IORT", HEADER + len(data), revision, 0, b"BOCHS ",
                                b"BXPC    ", 2, b"BXPC", 1))
    out += struct.pack("<III", wrong.get("count", len(nodes)), wrong.get("offset", HEADER), 0)
    out += data
    out[9] = -sum(out) & 0xff
    return bytes(out)


NO_IRQS = (0, 0, 0, 0)


def second(base):
    """One more SMMU, with interrupts that nothing raises."""
    return smmu(base, irqs=(150, 151, 152, 153))


VARIANTS = {
    # Right
    "plain": table(its(), smmu(), root()),
    "no-smmu": table(its(), root(0)),
    "not-coherent": table(its(), smmu(flags=0), root()),
    "hisilicon": table(its(), smmu(model=HISILICON), root()),
    "cavium": table(its(), smmu(model=CAVIUM), root()),
    "unknown-model": table(its(), smmu(model=0x77), root()),
    "no-irqs": table(its(), smmu(irqs=NO_IRQS), root()),
    "named": table(its(), smmu(), root(), named()),
    "named-missing": table(its(), smmu(), root(), named(r"\_SB_.NONE")),
    "rmr": table(its(), smmu(), root(), rmr(), revision=5),
    "pmcg-at-uart": table(its(), smmu(), root(), pmcg(UART)),
    "pmcg-in-smmu": table(its(), smmu(), root(), pmcg(SMMU + 0x2000)),
    "more-bytes": table(its(), smmu(), root(), more=64),

    # The nodes of a second SMMU that is not there, or is the first
    "smmu-twice": table(its(), smmu(), root(), second(SMMU)),
    "smmu-overlap": table(its(), smmu(), root(), second(SMMU + 0x10000)),
    "smmu-in-ram": table(its(), smmu(), root(), second(RAM)),
    "smmu-at-uart": table(its(), smmu(), root(), second(UART)),
    "smmu-at-0": table(its(), smmu(), root(), second(0)),
    "smmu-unaligned": table(its(), smmu(), root(), second(SMMU + 0x800)),
    "smmu-at-end": table(its(), smmu(), root(), second((1 << 64) - 0x10000)),
    "ident-twice": table(its(), smmu(ident=7), root(ident=7)),

    # Lengths and offsets
    "table-cut": table(its(), smmu(), root(), cut=8),
    "table-cut-in-header": table(its(), smmu(), root(), count=4),
    "count-huge": table(its(), smmu(), root(), count=0xffffffff),
    "nodes-beyond": table(its(), smmu(), root(), offset=0x10000),
    "nodes-in-header": table(its(), smmu(), root(), offset=8),
    "length-0": table(its(), smmu(length=0), root()),
    "length-short": table(its(), smmu(length=NODE_HEADER + 8), root()),
    "length-beyond": table(its(), smmu(), root(length=0x8000)),
    "maps-beyond-node": table(its(), smmu(), root(map_offset=0x2000)),
    "maps-in-header": table(its(), smmu(), root(map_offset=4)),
    "maps-count-huge": table(its(), smmu(), root(map_count=0x7fffffff)),
    "rmr-ranges-beyond": table(its(), smmu(), root(), Node(
        RMR, 3, struct.pack("<III", 0, 0x1000, 48), [(0, 1, 0x18, FIRST, SINGLE)]), revision=5),

    # References
    "target-nowhere": table(its(), smmu(), root(0xfffff0)),
    "target-within-node": table(its(), smmu(), root(HEADER + 28)),
    "target-self": table(its(), smmu(), root(2)),
    "target-loop": table(its(), smmu(to=2), root()),
    "smmu-target-nowhere": table(its(), smmu(to=0xfffff0), root()),
}


def front(name):
    """What has to be in front of an initramfs: an archive of one file, not compressed."""
    def entry(path, data):
        fields = [1, 0o100644 if data else 0, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path) + 1, 0]
        head = "070701" + "".join(f"{field:08x}" for field in fields)
        out = head.encode() + path.encode() + b"\0"
        out += bytes(-len(out) % 4) + data
        return out + bytes(-len(out) % 4)
    out = entry("kernel/firmware/acpi/IORT.aml", VARIANTS[name]) + entry("TRAILER!!!", b"")
    return out + bytes(-len(out) % 512)


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.stdout.buffer.write(VARIANTS[sys.argv[1]])
    else:
        print(*VARIANTS, sep="\n")
