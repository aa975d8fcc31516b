#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Boots the test machine once and tells what its tests said.

The machine is QEMU's "virt" with an SMMUv3 in front of its PCIe bus, and on the
bus an NVMe disk, a virtio disk and "edu", a device that does DMA wherever it
is told. scripts/guest/init runs in it and prints the results; this script
collects them, and adds what can only be seen from outside:

  boot         the machine came to its end, without a warning from the kernel
  disk-NAME    the disk image holds what the guest says it wrote

A test that only an observer outside of the machine can decide asks for that (LOOK): this
script looks at the memory that a device was aimed at, when all is over. Does it hold what
the device wrote; is there anything to read?

As a command it prints one line of KTAP per result and exits with 0 if and only if none
is a failure, and with 2 if there was no boot. As a module: boot() does all that, and returns
the results. What it takes besides kernel, initrd and tests is what add() of test.py takes:

  expect="block"  or "leak", where each test of an attack has to be "not ok" (see ATTACKS)
  append=""       more for the kernel's command line
  timeout=120     seconds of QEMU's CPU time
  dtb_edits=""    source that is appended to QEMU's device tree, with &smmu and &pcie in it
  smmu="nested"   stages of the SMMU: or "1", "2"; or "none" for no SMMU. A tuple: so many
                  SMMUs, each with a PCIe root; disks and an edu are behind each (QEMU 11)
  firmware=""     "acpi" or "dt": the machine starts with UEFI, and describes itself so
  iort=""         an IORT of iort.py in the place of the firmware's
  warns=False     the kernel warns, and has to
  virt=True       a machine with EL2
  cpu="max", mem=1024 (MiB), smp=2, igb=False (one more device), icount=False (see command())
  more=()         more of QEMU's command line
  ports=0         so many root ports, with a virtio disk behind each

The language of dtb_edits is dtc's: a node that is there already is added to. For instance

  &smmu { power-domains = <&domain>; /delete-property/ dma-coherent; };
  &pcie { status = "disabled"; };
  / { domain: power-controller { compatible = "acme,power"; #power-domain-cells = <0>; }; };

"""
import argparse
import functools
import hashlib
import itertools
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

from iort import front

QEMU = os.environ.get("QEMU", "qemu-system-aarch64")
# What qemu.sh has fetched, for machines that another QEMU may not have
NEW_QEMU = f"{os.environ.get('CACHE', '')}/qemu/qemu-system-aarch64"
UEFI = f"{os.environ.get('CACHE', '')}/qemu/AAVMF"
RAM_BASE = 0x40000000
MIB = 1 << 20

# With several SMMUs: where QEMU puts them and their interrupts; and what each root complex gets
# of the buses, and of the addresses of memory and of configuration.
SMMU_BASE, SMMU_SIZE, SMMU_SPI = 0xc000000, 0x20000, 112
BUSES = 32
PCI_MEM, PCI_MEM_SIZE = 0x10000000, 0x8000000
PCI_HIGH, PCI_HIGH_SIZE = 0x8000000000, 0x1000000000
ECAM = 0x4010000000

# Limits are CPU time, so that it doesn't matter what else this machine does. A guest that waits
# for ever takes next to none, and is stopped after so many times the limit by the clock.
WALL_FACTOR = 10

# What pkvm_dma_test writes.
PATTERN = b"pKVM-DMA-ATTACK!"

# A line of guest/init, alone on its line of the console: KTAP.
SAYS = re.compile(r"## (ok|not ok) \d+ (\S+) # (SKIP )?(.*)")
LOOK = re.compile(r"LOOK (data|pattern|zero) (\S+) (\d+): *(.*)")
BUSY = re.compile(r"## # BUSY (\S+)")
PLAN = re.compile(r"## 1\.\.(\d+)$")

# What shows that a device does not get at memory that isn't the host's. On a kernel
# without DMA isolation each of these fails, or it would prove nothing that it passes.
ATTACKS = {"event", "hyp_read", "hyp_write", "text_read", "text_write",
           "smmu_registers_are_no_dma_target", "gbpa_bypass_has_no_effect",
           "disabled_smmu_aborts", "hyp_read_without_translation", "guest_read",
           "guest_write", "guest_page_is_intact", "guest_stale_tlb", "shutdown_aborts_dma"}

# What a kernel says when it is not well, EL2's last words included.
UNWELL = re.compile(r"^(\[ *[\d.]+\] )?(WARNING:|BUG:|Internal error|Unable to handle"
                    r"|Kernel panic|rcu: INFO:|INFO: task|kvm .*(hyp panic|hyp BUG)"
                    r"|Oops|.*HYP panic)")


class BootError(Exception):
    """The machine can't be started at all. One line says why."""


class Missing(BootError):
    """There is no such machine here, and that is no fault."""


class Result:
    """What became of one test: "ok", "not ok", or "skip"; an expected failure is "xfail"."""
    def __init__(self, status, name, note):
        self.status, self.name, self.note = status, name, note
        # False if it does not say whether an attack works
        self.sure = True

    @property
    def failed(self):
        """Not as it has to be."""
        return self.status == "not ok"

    def ktap(self, number, prefix=""):
        """A line of KTAP."""
        status = "not ok" if self.failed else "ok"
        directive = {"skip": "SKIP ", "xfail": "XFAIL "}.get(self.status, "")
        note = f" # {directive}{self.note}" if directive or self.note else ""
        return f"{status} {number} {prefix}{self.name}{note}"

    def __str__(self):
        return self.ktap(0)

    def expect_leak(self):
        """The kernel lets devices through: what an attack shows has to fail."""
        if self.name.partition("@")[0] in ATTACKS and self.sure:
            self.status = {"not ok": "xfail", "ok": "not ok"}.get(self.status, self.status)


@functools.lru_cache
def qemu_version(qemu):
    """Its major version, or 0."""
    try:
        out = subprocess.run([qemu, "--version"], capture_output=True, text=True,
                             check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    version = re.search(r"version (\d+)\.", out)
    return int(version[1]) if version else 0


def find_qemu(smmu="nested", firmware="", **_):
    """The QEMU of that machine. Older versions don't have a nested SMMUv3 that works."""
    if isinstance(smmu, str) and not firmware:
        if qemu_version(QEMU) < 10:
            raise BootError(f"{QEMU} is not there, or older than 10.0: run make setup, or name "
                            "one with QEMU=")
        return QEMU
    if firmware and not os.path.exists(f"{UEFI}_CODE.fd"):
        raise Missing("no UEFI firmware: make fetch says why")
    for qemu in (QEMU, NEW_QEMU):
        if qemu_version(qemu) >= 11:
            return qemu
    raise Missing("no QEMU 11: make fetch says why")


def disk_content(name):
    """The first MiB of a disk: the same every time, and no two disks alike."""
    return random.Random(name).randbytes(MIB)


def make_disk(name, directory):
    """A sparse image whose first MiB is known."""
    path = os.path.join(directory, name)
    with open(path, "wb") as image:
        image.write(disk_content(name))
        image.truncate(16 * MIB)
    return path


def virtio(name, disks, bus="pcie.0"):
    """A disk, which has its name as serial number."""
    return ["-drive", f"file={disks[name]},if=none,id={name},format=raw", "-device",
            f"virtio-blk-pci,drive={name},serial={name},bus={bus},"
            "iommu_platform=on,disable-legacy=on"]


def roots(stages, disks):
    """An SMMU for each, the second and later ones with a root complex, a disk and an edu."""
    cmd = []
    for i, stage in enumerate(stages):
        bus = f"pxb.{i}" if i else "pcie.0"
        if i:
            cmd += ["-device", f"pxb-pcie,id={bus},bus_nr={BUSES * i},bus=pcie.0"]
            for slot in range(2):
                cmd += ["-device", f"pcie-root-port,bus={bus},id=port{i}{slot},"
                                   f"chassis={i},slot={slot}"]
            cmd += ["-device", f"edu,dma_mask=0xffffffffffffffff,bus=port{i}0",
                    *virtio(f"virtio{i}", disks, f"port{i}1")]
        cmd += ["-device", f"arm-smmuv3,primary-bus={bus},stage={stage}"]
    return cmd


def cells(*numbers):
    """Numbers of 64 bits, as a device tree has them."""
    return " ".join(f"{n >> 32:#x} {n & 0xffffffff:#x}" for n in numbers)


def roots_dts(count):
    """Source: the first root complex leaves room for others, which QEMU does not describe."""
    source = ""
    for i in range(count):
        first, base, spi = BUSES * i, SMMU_BASE + SMMU_SIZE * i, SMMU_SPI + 4 * i
        mem, high = PCI_MEM + PCI_MEM_SIZE * i, PCI_HIGH + PCI_HIGH_SIZE * i
        name = f"pcie@{ECAM + (first << 20):x}" if i else "&pcie"
        node = f"""{name} {{
            bus-range = <{first} {first + BUSES - 1}>;
            reg = <{cells(ECAM + (first << 20), BUSES << 20)}>;
            ranges = <0x2000000 {cells(mem, mem, PCI_MEM_SIZE)}
                      0x3000000 {cells(high, high, PCI_HIGH_SIZE)}>;
            """
        if not i:
            source += node + "};"
            continue
        source += f"""/ {{
            smmu{i}: smmuv3@{base:x} {{
                compatible = "arm,smmu-v3";
                reg = <{cells(base, SMMU_SIZE)}>;
                interrupts = <0 {spi} 1>, <0 {spi + 1} 1>, <0 {spi + 2} 1>, <0 {spi + 3} 1>;
                interrupt-names = "eventq", "priq", "cmdq-sync", "gerror";
                dma-coherent;
                #iommu-cells = <1>;
            }};
            {node}
                compatible = "pci-host-ecam-generic";
                device_type = "pci";
                linux,pci-domain = <{i}>;
                #address-cells = <3>;
                #size-cells = <2>;
                dma-coherent;
                msi-map = <0 &{{/intc@8000000/its@8080000}} 0 0x10000>;
                iommu-map = <0 &smmu{i} 0 0x10000>;
            }};
        }};"""
    return source


def command(kernel, initrd, append, disks, ram, *, smmu="nested", cpu="max", mem=1024,
            virt=True, igb=False, ports=0, smp=2, icount=False, more=(), serial="stdio",
            dtb=None, firmware=""):
    """QEMU's command line."""
    # Later machine types have both stages whatever the property says.
    machine = "virt-9.0" if smmu in ("1", "2") else "virt"
    machine += ",gic-version=3,memory-backend=ram"
    machine += f",virtualization={'on' if virt else 'off'}"
    cmd = [find_qemu(smmu, firmware), "-nodefaults", "-no-reboot", "-display", "none",
           "-serial", serial]
    if firmware:
        machine += f",acpi={'on' if firmware == 'acpi' else 'off'}"
        cmd += ["-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={UEFI}_CODE.fd",
                "-drive", f"if=pflash,unit=1,format=raw,snapshot=on,file={UEFI}_VARS.fd"]
    if isinstance(smmu, tuple):
        cmd += roots(smmu, disks)
    elif smmu != "none":
        machine += ",iommu=smmuv3"
        cmd += ["-global", f"arm-smmuv3.stage={smmu}"]
    cmd += ["-machine", machine, "-cpu", cpu, "-smp", f"{smp}", "-m", f"{mem}M",
            "-object", f"memory-backend-file,id=ram,share=on,size={mem}M,mem-path={ram}",
            "-drive", f"file={disks['nvme']},if=none,id=nvme,format=raw",
            "-device", "nvme,drive=nvme,serial=nvme,bus=pcie.0",
            *virtio("virtio", disks),
            "-device", "edu,dma_mask=0xffffffffffffffff,bus=pcie.0",
            "-kernel", kernel, "-initrd", initrd, "-append", append]
    if dtb:
        cmd += ["-dtb", dtb]
    if icount:
        # A nanosecond for each instruction, of all CPUs together
        cmd += ["-icount", "shift=0,sleep=off"]
    if igb:
        cmd += ["-netdev", "user,id=net", "-device", "igb,netdev=net,romfile="]
    for i in range(ports):
        # Eight to a slot, from slot 8 on. Each is a bus of its own
        cmd += ["-device", f"pcie-root-port,id=port{i},chassis={i + 1},multifunction=on,"
                           f"io-reserve=0,addr={8 + i // 8:#x}.{i % 8}",
                "-drive", f"file={disks['nvme']}.port{i},if=none,id=disk{i},format=raw",
                "-device", f"virtio-blk-pci,drive=disk{i},serial=port{i},bus=port{i},"
                           "iommu_platform=on,disable-legacy=on"]
    return cmd + list(more)


def make_port_disks(nvme, ports):
    """The images of the disks behind root ports: each says which one it is."""
    for i in range(ports):
        with open(f"{nvme}.port{i}", "wb") as image:
            image.write((f"port{i}\n" * 4096).encode()[:4096])
            image.truncate(MIB)


def look(ram, result, match):
    """Decides a result that only what is in the machine's memory can."""
    what, addr, length = match[1], int(match[2], 0), int(match[3])
    if not RAM_BASE <= addr <= RAM_BASE + os.fstat(ram).st_size - length:
        result.status, result.note = "not ok", f"{addr:#x} is not memory"
        result.sure = False
        return
    data = os.pread(ram, length, addr - RAM_BASE)
    if what == "pattern":
        there = data == PATTERN
        sight = f"what the device wrote to {addr:#x} {'is' if there else 'is not'} there"
        agrees = there == result.failed
    else:
        count = length - data.count(0)
        sight = f"{addr:#x} has {count} bytes of {length} that are not zero"
        agrees = not count if what == "zero" else count
    if result.failed:
        result.sure = agrees
    elif not agrees:
        result.status, result.sure = "not ok", what == "pattern"
    else:
        result.status = "ok"
    result.note = f"{match[4]}; seen from outside, {sight}".lstrip("; ")


def with_iort(name, initrd, tmp):
    """Writes the initramfs with that table in front. Returns where."""
    path = os.path.join(tmp, "initrd")
    with open(path, "wb") as out, open(initrd, "rb") as rest:
        out.write(front(name))
        shutil.copyfileobj(rest, out)
    return path


def look_at_disk(path, name):
    """The guest copies the first MiB of each disk to the second."""
    with open(path, "rb") as image:
        image.seek(MIB)
        same = image.read(MIB) == disk_content(name)
    return Result("ok" if same else "not ok", f"disk-{name}",
                  f"the image {'holds' if same else 'does not hold'} what the guest wrote")


def edited_dtb(edits, tmp, *args, **machine):
    """Writes the machine's device tree, with edits. Returns where."""
    path = os.path.join(tmp, "dtb")
    cmd = command(*args, **machine)
    cmd[cmd.index("-machine") + 1] += f",dumpdtb={path}"
    try:
        subprocess.run(cmd, capture_output=True, text=True, check=True)
        source = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", path], capture_output=True,
                                text=True, check=True).stdout
        for label in ("smmu", "pcie"):
            source = re.sub(rf"^\t(?={label}\w*@)", f"\t{label}: ", source, flags=re.M)
        subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", path], input=source + edits,
                       capture_output=True, text=True, check=True)
    except OSError:
        raise BootError("no dtc: run make setup") from None
    except subprocess.CalledProcessError as error:
        raise BootError(f"no device tree: {' '.join(str(error.stderr).split())}") from None
    return path


def cpu_time(process):
    """How many seconds of CPU time a child that was not waited for has taken."""
    with open(f"/proc/{process.pid}/stat", encoding="utf-8") as stat:
        user, system = stat.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def limit(process, seconds, over, expired):
    """Kills a process that takes more CPU time than that before it is over."""
    end = time.monotonic() + WALL_FACTOR * seconds
    while not over.wait(0.2):
        try:
            if cpu_time(process) <= seconds and time.monotonic() <= end:
                continue
        except FileNotFoundError:
            return
        expired.set()
        process.kill()
        return


def wait_for_device(monitor, register):
    """Asks QEMU's monitor until bit 0 of a register of the machine's is clear."""
    def ask(name, **arguments):
        print(json.dumps({"execute": name, "arguments": arguments}), file=qmp, flush=True)
        while "return" not in (answer := json.loads(qmp.readline())):
            pass
        return answer["return"]

    with socket.socket(socket.AF_UNIX) as conn:
        conn.connect(monitor)
        with conn.makefile("rw") as qmp:
            ask("qmp_capabilities")
            # "0000000010000098: 0x00000001"
            while int(ask("human-monitor-command", **{"command-line": f"xp /1wx {register}"})
                      .split()[1], 0) & 1:
                time.sleep(0.1)


def boot(kernel, initrd, tests, *, expect="block", append="", log=None, timeout=120,
         each=None, console=None, dtb_edits="", iort="", warns=False, **machine):
    """Boots, runs the tests, and returns the list of results.

    each(result) is called for every result as it comes, console(line) for every
    line of the console. The console goes to the file named log as well.
    """
    find_qemu(**machine)
    for path in (kernel, initrd):
        if not os.path.exists(path):
            raise BootError(f"no {path}: run make")
    results, looks = [], []

    def add(result):
        results.append(result)
        if expect == "leak":
            result.expect_leak()
        if each:
            each(result)

    with tempfile.TemporaryDirectory(prefix="pkvm-smmu-") as tmp:
        smmu = machine.get("smmu")
        several = isinstance(smmu, tuple)
        disks = {name: make_disk(name, tmp) for name in
                 ("nvme", "virtio", *(f"virtio{i}" for i in range(1, len(smmu) if several else 0)))}
        make_port_disks(disks["nvme"], machine.get("ports", 0))
        append = " ".join([
            "console=ttyAMA0 printk.devkmsg=on panic=-1 kunit.enable=1 kunit.autorun=1", append,
            f"pkvm_smmu.test={','.join(tests)} pkvm_smmu.expect={expect}",
            f"pkvm_smmu.ports={machine.get('ports', 0)}",
            *(f"pkvm_smmu.{name}={hashlib.sha256(disk_content(name)).hexdigest()}"
              for name in disks)])

        # The guest's memory is a file without a name, so that it can be looked at.
        ram = os.memfd_create("guest-ram")
        ram_path = f"/proc/self/fd/{ram}"
        if iort:
            initrd = with_iort(iort, initrd, tmp)
        if several and machine.get("firmware") != "acpi":
            dtb_edits = roots_dts(len(smmu)) + dtb_edits
        if dtb_edits:
            machine["dtb"] = edited_dtb(dtb_edits, tmp, kernel, initrd, append, disks,
                                        os.path.join(tmp, "ram"), **machine)
        if "shell" in tests:
            cmd = command(kernel, initrd, append, disks, ram_path, serial="mon:stdio",
                          **machine)
            if subprocess.run(cmd, pass_fds=[ram], check=False).returncode:
                raise BootError("QEMU failed")
            return results

        # Linux must be down before a device has done its work, which takes 100 ms of the
        # machine's time: instructions, however slow they are.
        machine.setdefault("icount", "shutdown" in tests)
        cmd = command(kernel, initrd, append, disks, ram_path, **machine)
        monitor = os.path.join(tmp, "monitor")
        cmd += ["-qmp", f"unix:{monitor},server=on,wait=off"]
        unwell, warned, last, ended, busy = None, None, "", None, None
        over, expired = threading.Event(), threading.Event()
        with subprocess.Popen(cmd, pass_fds=[ram], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as qemu, \
             open(log or os.devnull, "w", encoding="utf-8") as logfile:
            timer = threading.Thread(target=limit, args=(qemu, timeout, over, expired))
            timer.start()
            for line in qemu.stdout:
                line = line.decode(errors="replace").rstrip("\r\n")
                print(line, file=logfile, flush=True)
                if console:
                    console(line)
                last = line or last
                if match := SAYS.search(line):
                    result = Result("skip" if match[3] else match[1], match[2], match[4])
                    if match := LOOK.match(result.note):
                        looks.append((result, match))
                    else:
                        add(result)
                elif match := PLAN.search(line):
                    ended = int(match[1])
                elif match := BUSY.search(line):
                    busy = match[1]
                elif line.endswith("reboot: System halted"):
                    try:
                        if busy:
                            wait_for_device(monitor, busy)
                    except (OSError, ValueError) as error:
                        unwell = unwell or f"QEMU's monitor: {error}"
                    qemu.kill()
                elif warns and "WARNING:" in line:
                    warned = line
                elif UNWELL.match(line) and not unwell:
                    unwell = line
            over.set()
            timer.join()

        came = len(results) + len(looks)
        for result, match in looks:
            look(ram, result, match)
            add(result)
        if expired.is_set():
            add(Result("not ok", "boot", f"not done after {timeout} s of CPU time, or "
                                         f"{WALL_FACTOR} times that; last line: {last}"))
        elif ended is None:
            add(Result("not ok", "boot", f"died: {unwell or last}"))
        elif ended != came:
            add(Result("not ok", "boot", f"{came} of {ended} results came through"))
        elif unwell:
            add(Result("not ok", "boot", unwell))
        elif warns and not warned:
            add(Result("not ok", "boot", "came to its end without the warning"))
        else:
            add(Result("ok", "boot", "came to its end without a warning"))

        for name, path in disks.items():
            if any(r.name == f"io-{name}" and r.status == "ok" for r in results):
                add(look_at_disk(path, name))
        os.close(ram)
    return results


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kernel", help="arm64 Image")
    parser.add_argument("initrd", help="what initramfs.sh has packed")
    parser.add_argument("tests", help="tests of guest/init, a comma between them")
    parser.add_argument("--append", default="", help="more for the kernel's command line")
    parser.add_argument("--expect", choices=("block", "leak"), default="block")
    parser.add_argument("--smmu", default="nested", help="nested, 1, 2 or none; with a comma "
                        "between them, several")
    parser.add_argument("--iort", default="", help="a table of iort.py")
    parser.add_argument("--firmware", choices=("", "acpi", "dt"), default="")
    parser.add_argument("--cpu", default="max")
    parser.add_argument("--mem", type=int, default=1024, help="MiB")
    parser.add_argument("--no-virt", action="store_true", help="a machine without EL2")
    parser.add_argument("--igb", action="store_true", help="one more device")
    parser.add_argument("--ports", type=int, default=0, help="root ports with a disk each")
    parser.add_argument("--dtb-edits", default="", help="appended to the device tree's source")
    parser.add_argument("--timeout", type=int, default=120, help="seconds of CPU time")
    parser.add_argument("--log", help="file for the console")
    parser.add_argument("--console", action="store_true", help="show the console")
    args = parser.parse_args()

    count = itertools.count(1)
    try:
        results = boot(args.kernel, args.initrd, args.tests.split(","), expect=args.expect,
                       append=args.append, log=args.log, timeout=args.timeout,
                       smmu=tuple(args.smmu.split(",")) if "," in args.smmu else args.smmu,
                       firmware=args.firmware, iort=args.iort, cpu=args.cpu, mem=args.mem,
                       virt=not args.no_virt, igb=args.igb, ports=args.ports,
                       dtb_edits=args.dtb_edits,
                       each=None if args.console else lambda r: print(r.ktap(next(count)), flush=True),
                       console=(lambda line: print(line, flush=True)) if args.console else None)
    except BootError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if args.console:
        print(*(r.ktap(next(count)) for r in results), sep="\n")
    print(f"1..{len(results)}")
    return any(r.failed for r in results)


if __name__ == "__main__":
    sys.exit(main())
