#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs the tests: those in user space, and a table of boots, scenarios().

Called by test.sh, which sets what env.sh does. T=name in the environment is only
the scenario of that name or, if there is none, all with that in their name. Two jobs
run at a time. What needs a part of the series that PART= leaves out is skipped.
Prints a line of KTAP for each test, how long each scenario took, and for one that
failed the end of its console; the whole of it is in $LOGS. The last line counts,
and the exit status is 0 if and only if nothing failed.

With --kernels it only prints what kernels those scenarios boot.
"""
import concurrent.futures
import itertools
import json
import os
import re
import subprocess
import sys
import time

from boot import BootError, Missing, Result, boot

JOBS = 2
PARTS = ["core", "features", "tests"]
NUMBER = itertools.count(1)
LOG_TAIL = 30

PKVM = "kvm-arm.mode=protected"
# "max" has VHE, and protected mode means hVHE, unless both are hidden.
MODES = {"hvhe": PKVM, "nvhe": PKVM + " arm64_sw.hvhe=0 id_aa64mmfr1.vh=0"}
# What EL2 has for its own tests comes before what there is to read: 32 pages.
DEBUG = " pkvm_smmu.hyp_skip=32"

# The SMMU below a bus with a power domain, &p
BUS = """/delete-node/ &smmu;
/ {
	bus {
		compatible = "simple-bus";
		#address-cells = <2>;
		#size-cells = <2>;
		ranges;
		power-domains = <&p 0>;

		moved: smmuv3@9050000 {
			compatible = "arm,smmu-v3";
			reg = <0 0x9050000 0 0x20000>;
			interrupts = <0 0x4a 1>, <0 0x4b 1>, <0 0x4d 1>;
			interrupt-names = "eventq", "priq", "gerror";
			dma-coherent;
			#iommu-cells = <1>;
		};
	};
};
&pcie { iommu-map = <0 &moved 0 0x10000>; };
"""

# The event comes first: the host's driver logs but a few of them.
ATTACKS = ["event", "dma"]
# The same from behind each of several SMMUs
EACH = ["each-event", "each-hyp", "cross-registers"]

# True: the series isolates DMA on machines with ACPI. False: it refuses all of them.
ACPI = True
NO_ACPI = "machines.with.ACPI.are.not.supported"

# What the series makes of each table of iort.py, if ACPI: None if it isolates DMA, else the
# reason, as the log has it (".*" is any). The unmodified kernel works with each of these.
IORTS = {
    "plain": None, "not-coherent": None, "hisilicon": None, "unknown-model": None,
    "no-irqs": None, "named": None, "named-missing": None, "rmr": None, "ident-twice": None,
    "pmcg-in-smmu": None,
    "pmcg-at-uart": "PMCG.at.0x9000000:.its.registers.share.a.page.with.those.of.another.device",
    "more-bytes": "node.at.0xa0.of.the.IORT:.the.table.is.longer.than.its.nodes",
    "cavium": "SMMUv3.at.0x9050000.in.the.IORT:.its.registers.are.not.MMIO,.or.too.few",
    "smmu-twice": "SMMUv3.at.0x9050000.in.the.IORT:.its.registers.overlap",
    "smmu-overlap": "SMMUv3.at.0x9060000.in.the.IORT:.it.has.no.device",
    "smmu-in-ram": "SMMUv3.at.0x48000000.in.the.IORT:.its.registers.are.not.MMIO,.or.too.few",
    "smmu-at-uart": "SMMUv3.at.0x9000000.in.the.IORT:.its.registers.overlap",
    "smmu-at-0": "SMMUv3.at.0x0.in.the.IORT:.it.has.no.stage.1.translation",
    "smmu-unaligned": "SMMUv3.at.0x9050800.in.the.IORT:.it.has.no.device",
    "smmu-at-end": "SMMUv3.at.0xffffffffffff0000.in.the.IORT:.it.has.no.device",
    "length-beyond": "node.at.0xa0.of.the.IORT:.a.node.is.outside.of.the.table",
    "maps-count-huge": "node.at.0xa0.of.the.IORT:.its.mappings.are.outside.of.the.node",
}
# With these the unmodified kernel warns, and the next ones keep it from knowing what is in front
# of the disks. All others of iort.py stop it while it reads the table: before any driver, or
# when the driver asks for reserved streams.
IORTS_WARN = {
    "table-cut-in-header": "node.at.0xd8.of.the.IORT:.a.node.is.outside.of.the.table",
    "count-huge": "node.at.0xd8.of.the.IORT:.a.node.is.outside.of.the.table",
    "nodes-beyond": "node.at.0x10000.of.the.IORT:.a.node.is.outside.of.the.table",
}
IORTS_NO_DISKS = {
    "length-0": "node.at.0x48.of.the.IORT:.a.node.is.outside.of.the.table",
    "length-short": "node.at.0x48.of.the.IORT:.a.node.is.outside.of.the.table",
    "maps-beyond-node": "node.at.0xa0.of.the.IORT:.its.mappings.are.outside.of.the.node",
    "maps-in-header": "node.at.0xa0.of.the.IORT:.its.mappings.are.outside.of.the.node",
}
NO_DISKS = {"length-0": ".*", "length-short": ".*", "maps-beyond-node": ".*",
                  "maps-in-header": ".*"}
NO_DISKS = " initcall_blacklist=nvme_init,virtio_blk_init"


def scenarios():
    """The table: name, tests of guest/init, and what boot() is to be told."""
    table = []

    def add(name, tests, append, kernel="series", **options):
        """One row. The options are boot()'s, which boot.py has at its top; and needs,
        the part of the series without which this can't be run."""
        table.append((name, tests, kernel, dict(options, append=append)))

    # The unmodified kernel: if nothing leaks there, the attacks prove nothing.
    add("base", ["up", "hvhe", "io", *ATTACKS], PKVM + " iommu.passthrough=1",
        kernel="base", expect="leak")
    add("base-bypass", ["up", "attack-bypass", "shutdown"], PKVM + " iommu.passthrough=0",
        kernel="base", expect="leak")

    # The attacks want physical addresses, that is passthrough. Where there is
    # translation, attack-bypass takes it away.
    for mode, append in MODES.items():
        for passthrough in (1, 0):
            # Which of them is no matter of the mode
            for strict in (1, 0) if mode == "hvhe" else (1,):
                tests = ["up", mode, "driver-model", "io"]
                if passthrough and strict:
                    tests += ATTACKS
                elif not passthrough:
                    tests += ["attack-bypass", "shutdown"]
                add(f"{mode}-passthrough{passthrough}-strict{strict}", tests,
                    f"{append} iommu.passthrough={passthrough} iommu.strict={strict}")

    # An SMMU that does not snoop, as its device tree has it. QEMU's does, so that only a
    # fake machine can tell whether caches are cleaned: see make check.
    add("incoherent", ["up", "hvhe", "io", *ATTACKS], PKVM + " iommu.passthrough=1",
        dtb_edits="/ { /delete-property/ dma-coherent; };"
                  "&smmu { /delete-property/ dma-coherent; };")

    # The kselftest, which takes its time: one test for each attack. And on the kernel
    # with EL2's assertions, on which the host's driver is a module. Firmware describes one
    # bus, so that EL2's stream tables run out.
    one_bus = "&pcie { iommu-map = <0 &smmu 0 0x100>; };"
    add("attacks", ["up", "hvhe", "attacks", "io"], PKVM + " iommu.passthrough=1", smp=3,
        dtb_edits=one_bus, timeout=600)
    # Here not one of "max", with whose 52 bits of address and pages of 16K (PAGE=14) KVM
    # takes 20 seconds to free a guest.
    add("debug-attacks", ["deferred", "up", "nvhe", "driver-model", "attacks", "io"],
        MODES["nvhe"] + " iommu.passthrough=1 fw_devlink.strict=1" + DEBUG,
        kernel="debug", cpu="neoverse-v1", smp=3, dtb_edits=one_bus, timeout=900)
    trace = ["trace"] if os.environ.get("PAGE") in ("14", "16") else []
    add("debug", ["deferred", "up", "hvhe", "driver-model", "io", *trace, "pvm", "unload",
                  "driver-model", "io", "log-shutdown"],
        PKVM + " iommu.passthrough=1" + DEBUG, kernel="debug", timeout=400)

    # So much RAM that some of it is mapped in blocks of 1 GiB
    add("stress", ["up", "hvhe", "split", "stress", "io"], PKVM + " iommu.passthrough=1",
        mem=4096, timeout=300)

    # More PCI buses than an SMMU has spare second-level stream tables, with a device on each
    add("ports", ["up", "hvhe", "ports", "io", "stats"], PKVM + " log_buf_len=1M", ports=70,
        timeout=200)

    # The kernel's own tests of devices in user space, and nothing else on this one. Each of
    # them is stopped after 30 seconds, by a clock that counts instructions: how fast this
    # machine is must not matter.
    add("vfio", ["up", "vfio", "io"],
        PKVM + " hugepagesz=1G hugepages=1 hugepagesz=2M hugepages=16", igb=True, mem=4096,
        icount=True, timeout=1000)

    add("kunit", ["kunit"], PKVM, timeout=400, needs="tests")

    # A tree that must make no difference: an SMMU without MSIs that has an MSI controller, a
    # clock that nothing can stop, and lists of nothing
    add("wired", ["up", "hvhe", "driver-model", "event", "io", "report"],
        PKVM + " iommu.passthrough=1",
        dtb_edits="&smmu { msi-parent = <&{/intc@8000000/its@8080000} 0>; power-domains; "
                  "resets; clocks = <&{/apb-pclk}>; };")

    # Several SMMUs, each with devices of its own, and from behind each the attacks on all
    several = ("nested", "nested", "nested")
    add("base-smmus", ["up", "hvhe", "io", *EACH], PKVM + " iommu.passthrough=1",
        kernel="base", expect="leak", smmu=several, timeout=200)
    add("smmus-2", ["up", "hvhe", "each-attacks", "each-rebind", "io"],
        PKVM + " iommu.passthrough=1", smmu=several[:2])
    add("smmus-3", ["up", "nvhe", "io", *EACH], MODES["nvhe"] + " iommu.passthrough=1",
        smmu=several, timeout=200)
    # One stream table has a bypass, the others stage 1
    add("smmus-mixed", ["up", "hvhe", "each-mixed", "io"], PKVM + " iommu.passthrough=0",
        smmu=several[:2])
    # One has no driver of the host's yet
    add("smmus-late", ["late", "up", "hvhe", "io"],
        PKVM + " iommu.passthrough=1 deferred_probe_timeout=600" + DEBUG,
        kernel="debug", smmu=several[:2])

    # UEFI starts the machine, which describes itself by ACPI, or by a device tree
    add("base-acpi", ["up", "hvhe", "io", *ATTACKS], PKVM + " iommu.passthrough=1",
        kernel="base", expect="leak", firmware="acpi")
    add("uefi", ["up", "hvhe", "driver-model", "io", *ATTACKS], PKVM + " iommu.passthrough=1",
        firmware="dt")
    # What the list of devices that are not isolated has. QEMU's fw_cfg does DMA by itself, and
    # so does a disk that is not on PCI. A function that iommu-map leaves out, and a whole bus.
    # Without the host's driver, no device works, and none reaches memory.
    def listed(name, devices, tests=("up", "io"), append="", **options):
        add(name, ["hvhe", "not-isolated", *tests],
            f"{PKVM} iommu.passthrough=1 {append} "
            f"pkvm_smmu.listed={','.join(['platform/9020000.fw-cfg', *devices])}", **options)

    listed("listed-mmio", ["platform/a003e00.virtio_mmio"],
           more=["-blockdev", "null-co,node-name=null", "-device", "virtio-blk-device,drive=null"])
    listed("listed-hole", ["pci/0000:00:03.0"],
           dtb_edits="&pcie { iommu-map = <0 &smmu 0 0x18>, <0x19 &smmu 0x19 0xffe7>; };")
    listed("listed-bypass", [f"pci/0000:00:0{n}.0" for n in range(4)],
           # QEMU does not say so in its device tree
           dtb_edits="&pcie { /delete-property/ iommu-map; };",
           more=["-machine", "default_bus_bypass_iommu=on"])
    listed("listed-no-driver", [], (), "initcall_blacklist=arm_smmu_driver_init")

    # EL2 does not, or can't, own the SMMU: the machine works, and the log says why.
    def fallback(name, why, append=PKVM, tests=("refused",), **options):
        add(name, [*tests, "fallback", "io"], f"{append} pkvm_smmu.why={why}", **options)

    def acpi(name, why, tests, **options):
        """A machine with ACPI: isolated if there is no reason why not."""
        why = why if ACPI else NO_ACPI
        if why:
            fallback(name, why + ".*", firmware="acpi", **options)
        else:
            add(name, tests, PKVM + " iommu.passthrough=1", firmware="acpi", **options)

    acpi("acpi", None, ["up", "hvhe", "driver-model", "io", *ATTACKS])
    if ACPI:
        acpi("acpi-smmus", None, ["up", "hvhe", "io", *EACH], smmu=several[:2])
        add("acpi-bypass", ["up", "attack-bypass", "shutdown"], PKVM + " iommu.passthrough=0",
            firmware="acpi")
        add("acpi-reserved", ["reserved", "up", "hvhe", "io", "dma"],
            PKVM + " iommu.passthrough=1 deferred_probe_timeout=600" + DEBUG, kernel="debug",
            firmware="acpi", iort="rmr")
        fallback("iort-no-smmu", "no.SMMUv3.is.available", tests=["hvhe"], firmware="acpi",
                 iort="no-smmu")
        for iort, why in IORTS.items():
            acpi(f"iort-{iort}", why, ["up", "hvhe", "io"], iort=iort)
        for iort, why in IORTS_WARN.items():
            acpi(f"iort-{iort}", why, ["up", "hvhe", "io"], iort=iort, warns=True,
                 append=PKVM + " log_buf_len=1M")
        for iort, why in IORTS_NO_DISKS.items():
            add(f"iort-{iort}", ["refused", "fallback"], f"{PKVM}{NO_DISKS} pkvm_smmu.why={why}.*",
                firmware="acpi", iort=iort)

    # A second SMMU in the device tree, which is not there
    def second(reg, more=""):
        return f"""/ {{ second: smmuv3@c100000 {{ compatible = "arm,smmu-v3"; #iommu-cells = <1>;
                reg = <{reg}>; {more} }}; }};"""

    # Firmware keeps it from the kernel: the other one isolates, unless all have to
    disabled = second("0 0xc100000 0 0x20000", 'status = "disabled";')
    add("kept", ["up", "hvhe", "kept", "io"], PKVM, dtb_edits=disabled, needs="features")
    fallback("refused-kept", "/smmuv3@c100000:.it.is.disabled.by.firmware",
             append=PKVM + " arm_smmu_v3_pkvm.require=all", dtb_edits=disabled, needs="features")
    # What the command line asks for
    fallback("off-require-none", "the.SMMUs.stay.with.the.host.(require=none)", tests=["hvhe"],
             append=PKVM + " arm_smmu_v3_pkvm.require=none", needs="features")
    fallback("refused-require-what", "arm_smmu_v3_pkvm.require=.must.be.available,.all.or.none",
             append=PKVM + " arm_smmu_v3_pkvm.require=what", needs="features")
    fallback("refused-no-smmu", "no.SMMUv3.is.available", smmu="none",
             append=PKVM + " arm_smmu_v3_pkvm.require=all", needs="features")
    # Wrong descriptions
    for name, reg, why in (
            ("uart", "0 0x9000000 0 0x20000", "its.registers.overlap.those.of.another.device"),
            ("twice", "0 0x9050000 0 0x20000",
             "it.has.no.device,.or.depends.on.one.that.has.no.driver.yet"),
            ("ram", "0 0x50000000 0 0x20000", "its.registers.are.not.MMIO,.or.too.few"),
            ("far", "0xffffffff 0xfff00000 0 0x20000", "its.registers.are.not.MMIO,.or.too.few"),
            ("empty", "0 0xc100000 0 0", "its.registers.are.not.MMIO,.or.too.few"),
            ("4k", "0 0xc100000 0 0x1000", "its.registers.are.not.MMIO,.or.too.few"),
            ("64k", "0 0xc100000 0 0x10000", "its.registers.are.not.MMIO,.or.too.few"),
            ("odd", "0 0xc100000 0 0x1ffff", "its.registers.are.not.MMIO,.or.too.few")):
        fallback(f"refused-reg-{name}", f"/smmuv3@.*:.{why}", dtb_edits=second(reg),
                 needs="features")

    fallback("off-none", "silent", "kvm-arm.mode=none", ())
    fallback("off-nvhe", "silent", "kvm-arm.mode=nvhe", ())
    fallback("off-no-el2", "silent", tests=(), virt=False)
    fallback("off-no-driver", "no.IOMMU.driver.is.registered", tests=["hvhe"],
             append=PKVM + " initcall_blacklist=pkvm_smmu_driver_init")
    fallback("off-no-smmu", "no.SMMUv3.is.available", tests=["hvhe"], smmu="none")
    fallback("refused-stage1", "/smmuv3@9050000:.it.has.no.stage.2.translation", smmu="1")
    fallback("refused-one-stage1", "/smmuv3@c020000:.it.has.no.stage.2.translation",
             smmu=("nested", "1", "nested"))
    fallback("refused-stage2", "/smmuv3@9050000:.it.has.no.stage.1.translation", smmu="2")
    # Of the SMMU and of a bus above it; that nothing drives the provider makes no difference
    fallback("refused-power-domains", "/bus:.the.host.can.switch.it.off.(power-domains)",
             dtb_edits=BUS + "/ { p: p { #power-domain-cells = <1>; status = \"disabled\"; }; };")
    fallback("refused-resets", "/smmuv3@9050000:.the.host.can.reset.it.(resets)",
             dtb_edits="&smmu { resets = <&r>; }; "
                       "/ { r: r { #reset-cells = <0>; status = \"disabled\"; }; };")
    fallback("refused-clocks", "/smmuv3@9050000:.the.host.can.stop.its.clock.(clocks)",
             dtb_edits="&smmu { clocks = <&{/apb-pclk}>, <&c>; }; "
                       "/ { c: c { #clock-cells = <0>; status = \"disabled\"; }; };")
    return table


def timed(run, *args):
    """What run() returns, and how many seconds that took."""
    start = time.monotonic()
    return *run(*args), round(time.monotonic() - start)


def left_out(needs):
    """Results that say so, if PART= leaves that part out."""
    part = os.environ.get("PART") or PARTS[-1]
    if PARTS.index(needs) <= PARTS.index(part):
        return []
    return [Result("skip", needs, f"PART={part} is without patches/{needs}")]


def run_boot(name, tests, kernel, options):
    """One row of the table. Returns its results and its log."""
    log = f"{os.environ['LOGS']}/{name}.log"
    options = dict(options)
    if skipped := left_out(options.pop("needs", "core")):
        return skipped, log
    obj = os.environ[f"OBJ_{kernel.upper()}"]
    initrd = f"{os.environ['INITRAMFS']}-{kernel}-{os.environ['KEY']}.cpio.gz"
    try:
        return boot(f"{obj}/arch/arm64/boot/Image", initrd, tests, log=log, **options), log
    except Missing as missing:
        return [Result("skip", "machine", str(missing))], log


def run_unit(directory):
    """The tests in user space, which print a line each and count themselves."""
    log = f"{os.environ['LOGS']}/unit.log"
    if skipped := left_out("tests"):
        return skipped, log
    # T= means something else there
    env = {k: v for k, v in os.environ.items() if k not in ("T", "MAKEFLAGS", "MAKEOVERRIDES")}
    with open(log, "w", encoding="utf-8") as out:
        status = subprocess.run(["make", "-C", directory, "check",
                                 f"SRC={os.environ['WHOLE']}"], stdout=out,
                                stderr=subprocess.STDOUT, check=False, env=env).returncode
    with open(log, encoding="utf-8", errors="replace") as out:
        lines = out.read().splitlines()
    results = []
    for line in lines:
        if match := re.match(r"\s*(not ok|ok)\b[\s\d-]*(.*)", line):
            skipped = "# SKIP" in line
            results.append(Result("skip" if skipped else match[1], match[2] or "?", ""))
    failed = any(r.failed for r in results)
    if not results or bool(status) != failed:
        results.append(Result("not ok", "make-check", f"exit status {status}"))
    return results, log


def run_boards(directory):
    """What the driver decides for the kernel's own device trees is what it was."""
    log = f"{os.environ['LOGS']}/boards.log"
    if skipped := left_out("features"):
        return skipped, log
    env = {k: v for k, v in os.environ.items() if k not in ("T", "MAKEFLAGS", "MAKEOVERRIDES")}
    with open(log, "w", encoding="utf-8") as out:
        status = subprocess.run(["make", "-C", directory, "boards",
                                 f"SRC={os.environ['WHOLE']}"], stdout=out,
                                stderr=subprocess.STDOUT, check=False, env=env).returncode
    with open(log, encoding="utf-8", errors="replace") as out:
        last = (out.read().splitlines() or [""])[-1]
    return [Result("not ok" if status else "ok", "boards", last)], log


PKVM_DIR = "drivers/iommu/arm/arm-smmu-v3/pkvm"


def run_kunit_py():
    """The kernel's own kunit.py on the series' tree, as any developer would run it.

    It builds a small kernel with the tests built in, and boots it in a QEMU of its own: once
    as it is, and once with SMMUs that do not snoop. A result is a suite.
    """
    cache, cross = os.environ["CACHE"], os.environ["CROSS"]
    log = f"{os.environ['LOGS']}/kunit-py.log"
    results_file = f"{os.environ['LOGS']}/kunit-py.json"
    if skipped := left_out("tests"):
        return skipped, log
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKEOVERRIDES")}
    env |= {"CCACHE_DIR": f"{cache}/ccache", "CCACHE_BASEDIR": cache, "CCACHE_NOHASHDIR": "1",
            "PYTHONDONTWRITEBYTECODE": "1"}
    results = []
    with open(log, "w", encoding="utf-8") as out:
        for name, args in (("", []), ("-incoherent",
                                      ["--kernel_args", "arm_smmu_v3_pkvm_test.incoherent=1"])):
            if os.path.exists(results_file):
                os.remove(results_file)
            status = subprocess.run(
                ["tools/testing/kunit/kunit.py", "run", "--arch=arm64",
                 f"--cross_compile={cross}", f"--kunitconfig={PKVM_DIR}/.kunitconfig",
                 f"--build_dir={os.path.dirname(os.environ['OBJ_SERIES'])}/obj-kunit",
                 "--make_options", f"CC=ccache {cross}gcc", f"--json={results_file}",
                 "--timeout=3000", *args], cwd=os.environ["TREE"], stdout=out,
                stderr=subprocess.STDOUT, check=False, env=env).returncode
            suites = []
            if os.path.exists(results_file):
                with open(results_file, encoding="utf-8") as file:
                    suites = json.load(file)["sub_groups"]
            for suite in suites:
                bad = [case["name"] for case in suite["test_cases"]
                       if case["status"] not in ("PASS", "SKIP")]
                results.append(Result("not ok" if bad or not suite["test_cases"] else "ok",
                                      suite["name"] + name, " ".join(bad)))
            failed = any(result.failed for result in results)
            if not suites or bool(status) != failed:
                results.append(Result("not ok", "kunit.py" + name, f"exit status {status}"))
                break
    return results, log


# What the host's driver has on the base and not here: see IDR0_HOST and IDR3_HOST in
# init.c. PRI, ATS, SEV, TRANS_S2, HYP, BTM, E2H, NESTING, S2FWB. And what it has here:
# CMD_SYNC that is signalled by a write to memory, and so no interrupts that are.
HIDDEN = sum(1 << bit for bit in (4, 5, 6, 10, 12, 16, 18, 19, 23))
MSI = 1 << 7
COHERENCY = 1 << 8
MSI_LINE = "msi_domain absent - falling back to wired irqs"


# The device of the host's driver, on the base and with the series
SMMU = r"\S+\.smmuv3"
CHILD = r"arm-smmu-v3\.0\.auto"


def driver_log(name, device):
    """What the host's driver said of its SMMU: while it probed, and from then on."""
    with open(f"{os.environ['LOGS']}/{name}.log", encoding="utf-8",
              errors="replace") as log:
        return [re.findall(rf"^(?:\[ *[\d.]+\] )?arm-smmu-v3 {device}: (.*)", part, re.MULTILINE)
                for part in log.read().partition("Run /init")[::2]]


def driver_lines(name, device):
    """What the host's driver says of its SMMU while it probes, and its features."""
    lines = driver_log(name, device)[0]
    features = next((int(m[1], 16) for m in (re.search(r"features (0x\w+)", line)
                                             for line in lines) if m), None)
    # The sizes of queues are capped, and may be.
    return [re.sub(r"0x\w+|\b\d+ entries", "N", line) for line in lines
            if line != MSI_LINE], features


def compare_drivers():
    """A stock driver sees no difference that is not meant."""
    base, had = driver_lines("base-bypass", SMMU)
    series, has = driver_lines("hvhe-passthrough0-strict1", CHILD)
    if base != series or not base or had is None or has != had & ~HIDDEN | MSI:
        return Result("not ok", "dmesg", f"{had and hex(had)} {base} is now "
                                         f"{has and hex(has)} {series}")
    return Result("ok", "dmesg", f"features {had:#x} -> {has:#x}, else the same")


def check_shutdown():
    """Linux has shut down the device that the host's driver is bound to, once."""
    lines = driver_log("debug", CHILD)[1]
    return Result("ok" if lines.count("shutdown") == 1 else "not ok", "smmu-shutdown",
                  f"the host's driver has {lines}")


def check_incoherent():
    """The host's driver must not believe that its SMMU snoops, or what is tested is not that."""
    _, has = driver_lines("incoherent", CHILD)
    ok = has is not None and not has & (COHERENCY | MSI)
    return Result("ok" if ok else "not ok", "features", f"features {has and hex(has)}")


def show(scenario, results, log):
    """A line of KTAP per test, and what the log has to say if one has failed."""
    for result in results:
        if result.status == "ok":
            result.note = ""
        print(result.ktap(next(NUMBER), f"{scenario}/"))
    if any(result.failed for result in results):
        with open(log, encoding="utf-8", errors="replace") as lines:
            tail = lines.read().splitlines()[-LOG_TAIL:]
        print(f"# the end of {log}:", *tail, sep="\n# | ")
    sys.stdout.flush()


def main():
    """The command."""
    table = scenarios()
    jobs_by_name = {row[0]: (run_boot, *row) for row in table}
    jobs_by_name["kunit-py"] = (run_kunit_py,)
    jobs_by_name["boards"] = (run_boards, f"{os.environ['REPO']}/verification")
    jobs_by_name["unit"] = (run_unit, f"{os.environ['REPO']}/verification")

    wanted = os.environ.get("T", "")
    if wanted == "stock-driver":
        names = ["base-bypass", "hvhe-passthrough0-strict1"]
    else:
        names = ([wanted] if wanted in jobs_by_name
                 else [name for name in jobs_by_name if wanted.rstrip("*") in name])
    if not names:
        sys.exit(f"error: no scenario has '{wanted}' in its name; there are "
                 + " ".join(jobs_by_name) + " stock-driver")
    if sys.argv[1:] == ["--kernels"]:
        print(*sorted({kernel for name, _, kernel, _ in table if name in names}),
              *["tree"] * ("kunit-py" in names))
        return False
    # What may take longest comes first, or in the end only one CPU is busy with it.
    limits = {name: options.get("timeout", 0) for name, _, _, options in table}
    limits["kunit-py"] = 3000
    names.sort(key=lambda name: -limits.get(name, 0))
    os.makedirs(os.environ["LOGS"], exist_ok=True)
    count = {"ok": 0, "xfail": 0, "not ok": 0, "skip": 0}

    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        jobs = {pool.submit(timed, *jobs_by_name[name]): name for name in names}
        try:
            for job in concurrent.futures.as_completed(jobs):
                results, log, seconds = job.result()
                show(jobs[job], results, log)
                print(f"# {jobs[job]}: {seconds} s", flush=True)
                for result in results:
                    count[result.status] += 1
            if {"base-bypass", "hvhe-passthrough0-strict1"} <= set(names):
                result = compare_drivers()
                show("stock-driver", [result], os.devnull)
                count[result.status] += 1
            if "debug" in names:
                result = check_shutdown()
                show("debug", [result], os.devnull)
                count[result.status] += 1
            if "incoherent" in names:
                result = check_incoherent()
                show("incoherent", [result], os.devnull)
                count[result.status] += 1
        except BootError as error:
            pool.shutdown(cancel_futures=True)
            sys.exit(f"error: {error}")

    skipped = f", {count['skip']} skipped" if count["skip"] else ""
    print(f"1..{sum(count.values())}")
    print(f"{count['ok'] + count['xfail']} passed, {count['not ok']} failed{skipped}")
    return count["not ok"] > 0


if __name__ == "__main__":
    sys.exit(main())
