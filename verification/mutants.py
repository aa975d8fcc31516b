#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes the mistakes in "mutants" one at a time and looks what finds them.

	mutants.py SRC OUT [WORD]

SRC is a kernel source tree with the series, OUT a directory to work in; WORD makes only those with
it in their name. For each: the unit tests and the corpus, and the proofs about that
file if the environment has CBMC. If nothing has found it, both again with the
sanitizers, and the fuzzer for a while. What never
ends is stopped, after so much CPU time that it doesn't matter what else the machine does.

Exit status 0 if all were found and, without WORD, each proof has failed for one. That is
remembered in OUT, and not done again while nothing has changed that it depends on.
"""
import glob
import hashlib
import os
import queue
import re
import shutil
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
DRIVER = "drivers/iommu/arm/arm-smmu-v3"
PKVM = f"{DRIVER}/pkvm"
HYP = "arch/arm64/kvm/hyp"
# For each process: a program with all unit tests takes 6 seconds. 40000 runs take a minute.
CPU_SECONDS = 150
FUZZ_RUNS = 40000
FUZZ_CPU_SECONDS = 1500
STOPPED = "CPU time limit exceeded"
CBMC = os.environ.get("CBMC", "")

# Those that some mistake has made fail
failed_proofs = set()


def parse(path):
    """Yields (name, what, file, before, after, page)."""
    for block in re.split(r"^== ", open(path, encoding="utf-8").read(), flags=re.M)[1:]:
        lines = [line for line in block.splitlines() if line and line[0] != "#"]
        name, _, what = lines[0].partition(": ")
        file, _, page = lines[1].partition(" PAGE=")
        yield (name, what, file if "/" in file else f"{PKVM}/{file}",
               "".join(line[1:] + "\n" for line in lines[2:] if line[0] == "-"),
               "".join(line[1:] + "\n" for line in lines[2:] if line[0] == "+"),
               page or "12")


def digest(src):
    """What the result depends on, but for tools and the kernel's headers for all."""
    total = hashlib.sha256(str(bool(CBMC)).encode())
    files = [(root, os.path.relpath(f"{where}/{name}", root))
             for root in (f"{src}/{DRIVER}", f"{src}/{HYP}", HERE)
             for where, _, names in os.walk(root)
             for name in names if not name.endswith(".pyc")]
    # By the names in the tree, wherever that is
    for path, root in sorted((path, root) for root, path in files):
        with open(f"{root}/{path}", "rb") as file:
            total.update(path.encode() + hashlib.sha256(file.read()).digest())
    return total.hexdigest()


class Rig:
    """A copy of the sources, in which mistakes are made."""
    def __init__(self, src, out):
        self.out, self.tree, self.page = out, f"{out}/tree", "12"
        shutil.rmtree(out, ignore_errors=True)
        for part in (DRIVER, HYP):
            shutil.copytree(f"{src}/{part}", f"{self.tree}/{part}")
        # What is only included
        for part in ("tools", "include", "arch/arm64/include"):
            os.symlink(f"{src}/{part}", f"{self.tree}/{part}")

    def make(self, target, out="obj", cpu=CPU_SECONDS, **variables):
        """Returns exit status and output."""
        # What is over the first of two limits is stopped by a signal that has a name of its own.
        # The hour is for what waits for ever, which takes no CPU time.
        cmd = ["timeout", "-s", "KILL", "3600", "prlimit", f"--cpu={cpu}:{cpu + 10}", "--core=0",
               "make", "-s", "-k", "-C", HERE, target, f"SRC={self.tree}", f"OUT={self.out}/{out}",
               f"PAGE_SHIFTS={self.page}", f"PAGE={self.page}",
               # What a mistake leaves unused is not what is to be found
               "EXTRA_CFLAGS=-Wno-error", f"CBMC={CBMC}", "T=",
               *(f"{name}={value}" for name, value in variables.items())]
        done = subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        return done.returncode, done.stdout

    def found_by(self, file):
        """What finds the mistake that has been made in a file: a list of (kind, text)."""
        found = []
        stem = os.path.splitext(os.path.basename(file))[0]
        about = f"{HERE}/proofs/{stem}.c"
        if file.startswith(DRIVER):
            found += self.tests_find(SAN="", FIRST="1")
        # Proofs are slow: once each of them has failed, only for what tests don't find
        if CBMC and os.path.exists(about) and (not found or proofs_in(about) - failed_proofs):
            status, out = self.make("prove", PROVE_FILES=stem, PROVE_FLAGS="--stop-on-fail")
            proofs = set(re.findall(r"^not ok (prove_\w+)-\d+: (?!no verdict)", out, flags=re.M))
            if status and not proofs:
                return [("broken", out[-400:])]
            failed_proofs.update(proofs)
            found += [("proof", name) for name in sorted(proofs)]
        if not found and file.startswith(DRIVER):
            found = self.tests_find(out="san") or self.fuzzer_finds()
        return found

    def tests_find(self, **variables):
        """The same, of the unit tests and the corpus."""
        status, out = self.make("check", **variables)
        found = []
        if names := re.findall(r"^not ok (?:\d+ pkvm-smmu-|(?=small))(\S+)", out,
                                 flags=re.M):
            found.append(("unit tests", names[0]))
        if oracle := re.findall(r"^(?:oracle|.*runtime error): (.*)", out, flags=re.M):
            found.append(("corpus", oracle[0]))
        if status and not found:
            # Without the sanitizers nothing is said by whoever follows a bad pointer
            crashed = re.search(rf"Segmentation fault|Aborted|Bus error|{STOPPED}"
                                r"|terminated by signal \d+", out)
            found.append(("unit tests", crashed[0]) if crashed else ("broken", out[-400:]))
        return found

    def fuzzer_finds(self):
        """The same, of the fuzzer."""
        status, out = self.make("fuzz", cpu=FUZZ_CPU_SECONDS, RUNS=FUZZ_RUNS)
        if not status:
            return []
        oracle = re.search(r"^(?:oracle: |==\d+== ?|SUMMARY: )(.*)", out, flags=re.M)
        return [("fuzzer", oracle[1]) if oracle else ("broken", out[-400:])]

    def try_one(self, mutant):
        """Makes one mistake; returns what finds it."""
        _, _, file, before, after, self.page = mutant
        path = f"{self.tree}/{file}"
        with open(path, encoding="utf-8") as source:
            text = source.read()
        if text.count(before) != 1:
            return [("broken", f"its lines are {text.count(before)} times in {file}")]
        with open(path, "w", encoding="utf-8") as source:
            source.write(text.replace(before, after))
        try:
            return self.found_by(file)
        finally:
            with open(path, "w", encoding="utf-8") as source:
                source.write(text)


def proofs_in(path):
    """The names of the proofs in a file."""
    with open(path, encoding="utf-8") as source:
        return set(re.findall(r"^void (prove_\w+)", source.read(), flags=re.M))


def all_proofs():
    """The names of all proofs."""
    return set().union(*map(proofs_in, glob.glob(f"{HERE}/proofs/*.c")))


def main():
    """The command."""
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    src, out = sys.argv[1:3]
    word = sys.argv[3] if len(sys.argv) > 3 else ""
    mutants = [mutant for mutant in parse(f"{HERE}/mutants") if word in mutant[0]]
    if not mutants:
        sys.exit(f"error: no mistake has '{word}' in its name")

    remembered = f"{out}/found-all"
    inputs = "" if word else digest(src)
    if inputs and os.path.exists(remembered):
        with open(remembered, encoding="utf-8") as file:
            if file.readline().strip() == inputs:
                print(f"nothing has changed since: {file.readline().strip()}")
                return False

    # One of so many; which ones is up to what they are made in
    sample = os.environ.get("SAMPLE") or "1"
    if not sample.isdecimal() or not int(sample):
        sys.exit(f"error: SAMPLE={sample}: a number from 1 on")
    sample = int(sample)
    if sample > 1 and inputs:
        mutants = mutants[zlib.crc32(inputs.encode()) % sample::sample]

    workers = min(os.cpu_count() or 1, len(mutants))
    rigs = queue.Queue()
    for i in range(workers):
        rigs.put(Rig(src, f"{out}/{i}"))
    if not word:
        rig = rigs.get()
        status, text = rig.make("check", SAN="")
        rigs.put(rig)
        if status:
            sys.exit(f"error: the tests fail without any mistake:\n{text[-2000:]}")

    def one(mutant):
        rig = rigs.get()
        try:
            return rig.try_one(mutant)
        finally:
            rigs.put(rig)

    found = 0
    count = {"unit tests": 0, "corpus": 0, "proof": 0, "fuzzer": 0}
    with ThreadPoolExecutor(workers) as pool:
        for mutant, by in zip(mutants, pool.map(one, mutants)):
            kinds = {kind for kind, _ in by}
            good = bool(kinds) and "broken" not in kinds
            found += good
            for kind in kinds & set(count):
                count[kind] += good
            print(f"{'ok' if good else 'not ok'} {mutant[0]}: {mutant[1]}: " +
                  (", ".join(f"{kind} ({text})" for kind, text in by) or "survived"), flush=True)

    useless = sorted(all_proofs() - failed_proofs) if CBMC and not word and sample == 1 else []
    for name in useless:
        print(f"not ok {name}: no mistake makes it fail")
    summary = (f"{found} found, {len(mutants) - found} not; by " +
               ", by ".join(f"{name}: {n}" for name, n in count.items()))
    print(summary)
    if found < len(mutants) or useless:
        return True
    if inputs and sample == 1:
        with open(remembered, "w", encoding="utf-8") as file:
            file.write(f"{inputs}\n{summary}\n")
    return False


if __name__ == "__main__":
    sys.exit(main())
