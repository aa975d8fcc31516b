#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs the tests: those in user space, and a table of boots, scenarios().

Called by test.sh, which sets what env.sh does. Two jobs run at a time. Prints
a line for each test, and for a scenario that failed the end of its console;
the whole of it is in $CACHE/logs. The last line counts, and the exit status is
0 if and only if nothing failed.
"""
import concurrent.futures
import os
import re
import subprocess
import sys

from boot import BootError, Result, boot

JOBS = 2
LOG_TAIL = 30

PKVM = "kvm-arm.mode=protected"
# "max" has VHE, and protected mode means hVHE, unless both are hidden.
MODES = {"hvhe": PKVM, "nvhe": PKVM + " arm64_sw.hvhe=0 id_aa64mmfr1.vh=0"}

# The event comes first: the host's driver logs but a few of them.
ATTACKS = ["event", "self", "attack-hyp", "attack-text", "attack-mmio", "attack-gbpa",
           "attack-smmuen", "pvm"]


def scenarios():
    """The table: name, tests of guest/init, and what boot() is to be told."""
    table = []

    def add(name, tests, append, base=False, **options):
        table.append((name, tests, base, dict(options, append=append)))

    # The unmodified kernel: if nothing leaks there, the attacks prove nothing.
    add("base", ["up", "hvhe", "io", *ATTACKS], PKVM + " iommu.passthrough=1",
        base=True, expect="leak")
    add("base-bypass", ["up", "attack-bypass"], PKVM + " iommu.passthrough=0",
        base=True, expect="leak")

    # The attacks want physical addresses, that is passthrough. Where there is
    # translation, attack-bypass takes it away.
    for mode, append in MODES.items():
        for passthrough in (1, 0):
            for strict in (1, 0):
                tests = ["up", mode, "io"]
                if passthrough and strict:
                    tests += ATTACKS
                elif not passthrough:
                    tests += ["attack-bypass"]
                add(f"{mode}-passthrough{passthrough}-strict{strict}", tests,
                    f"{append} iommu.passthrough={passthrough} iommu.strict={strict}")

    # One test for each attack of the kselftest, which takes its time.
    for mode, append in MODES.items():
        add(f"attacks-{mode}", ["up", mode, "attacks", "io"], append + " iommu.passthrough=1",
            timeout=400)

    add("kunit", ["kunit"], PKVM)

    # EL2 does not, or can't, own the SMMU: the machine works, and says so.
    add("off-none", ["fallback", "io"], "kvm-arm.mode=none")
    add("off-nvhe", ["fallback", "io"], "kvm-arm.mode=nvhe")
    add("off-no-el2", ["fallback", "io"], PKVM, virt=False)
    add("off-no-smmu", ["hvhe", "fallback", "io"], PKVM, smmu="none")
    add("refused-stage1", ["refused", "fallback", "io"], PKVM, smmu="1")
    add("refused-stage2", ["refused", "fallback", "io"], PKVM, smmu="2")
    return table


def run_boot(name, tests, base, options):
    """One row of the table. Returns its results and its log."""
    which = "base" if base else "series"
    log = f"{os.environ['CACHE']}/logs/{name}.log"
    obj = os.environ["OBJ_BASE" if base else "OBJ_SERIES"]
    initrd = f"{os.environ['CACHE']}/initramfs-{which}-{os.environ['KEY']}.cpio.gz"
    return boot(f"{obj}/arch/arm64/boot/Image", initrd, tests, log=log, **options), log


def run_unit(directory):
    """The tests in user space, which print a line each and count themselves."""
    log = f"{os.environ['CACHE']}/logs/unit.log"
    with open(log, "w", encoding="utf-8") as out:
        status = subprocess.run(["make", "-C", directory, "check"], stdout=out,
                                stderr=subprocess.STDOUT, check=False).returncode
    with open(log, encoding="utf-8", errors="replace") as out:
        lines = out.read().splitlines()
    results = []
    for line in lines:
        if match := re.match(r"\s*(not ok|ok)\b[\s\d-]*(.*)", line):
            skipped = "# SKIP" in line
            results.append(Result("SKIP" if skipped else "FAIL" if match[1] == "not ok"
                                  else "PASS", match[2] or "?", ""))
    failed = any(r.status == "FAIL" for r in results)
    if not results or bool(status) != failed:
        results.append(Result("FAIL", "make-check", f"exit status {status}"))
    return results, log


def show(scenario, results, log):
    """A line per test, and what the log has to say if one has failed."""
    for result in results:
        note = f": {result.note}" if result.note and result.status != "PASS" else ""
        print(f"{result.status} {scenario}/{result.name}{note}")
    if any(result.status == "FAIL" for result in results):
        with open(log, encoding="utf-8", errors="replace") as lines:
            tail = lines.read().splitlines()[-LOG_TAIL:]
        print(f"  the end of {log}:", *tail, sep="\n  | ")
    sys.stdout.flush()


def main():
    """The command."""
    unit = f"{os.environ['REPO']}/tools/testing/pkvm-smmu"
    jobs_by_name = {row[0]: (run_boot, *row) for row in scenarios()}
    if os.path.isdir(unit):
        jobs_by_name["unit"] = (run_unit, unit)

    wanted = os.environ.get("T", "")
    names = [wanted] if wanted in jobs_by_name else [n for n in jobs_by_name if wanted in n]
    if not names:
        sys.exit(f"error: no scenario has '{wanted}' in its name")
    os.makedirs(f"{os.environ['CACHE']}/logs", exist_ok=True)
    count = {"PASS": 0, "FAIL": 0, "SKIP": 0}

    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        jobs = {pool.submit(*jobs_by_name[name]): name for name in names}
        try:
            for job in concurrent.futures.as_completed(jobs):
                results, log = job.result()
                show(jobs[job], results, log)
                for result in results:
                    count[result.status] += 1
        except BootError as error:
            pool.shutdown(cancel_futures=True)
            sys.exit(f"error: {error}")

    skipped = f", {count['SKIP']} skipped" if count["SKIP"] else ""
    print(f"{count['PASS']} passed, {count['FAIL']} failed{skipped}")
    return count["FAIL"] > 0


if __name__ == "__main__":
    sys.exit(main())
