#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes the mistakes in "mutants" one at a time and looks what finds them.

	mutants.py KSRC OUT [WORD]

KSRC is a kernel source tree, OUT a directory to work in; WORD makes only those with
it in their name. For each: the unit tests, the corpus, the proofs if the environment
has CBMC, and if nothing has found it, the fuzzer for a while. The environment's
CORPUS is as for make. Exit status 0 if all were found.
"""
import os
import re
import shutil
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.abspath(f"{HERE}/../../..")
PKVM = "drivers/iommu/arm/arm-smmu-v3/pkvm"
FUZZ_SECONDS = 60
CBMC = os.environ.get("CBMC", "")


def parse(path):
    """Yields (name, what, file, before, after)."""
    for block in re.split(r"^== ", open(path, encoding="utf-8").read(), flags=re.M)[1:]:
        lines = [line for line in block.splitlines() if line and line[0] != "#"]
        name, _, what = lines[0].partition(": ")
        yield (name, what, lines[1],
               "".join(line[1:] + "\n" for line in lines[2:] if line[0] == "-"),
               "".join(line[1:] + "\n" for line in lines[2:] if line[0] == "+"))


class Rig:
    """A copy of the sources, in which mistakes are made."""
    def __init__(self, ksrc, out):
        self.ksrc, self.out, self.tree = ksrc, out, f"{out}/tree"
        shutil.rmtree(out, ignore_errors=True)
        for part in (PKVM, os.path.relpath(HERE, REPO)):
            shutil.copytree(f"{REPO}/{part}", f"{self.tree}/{part}")

    def make(self, target, **variables):
        """Returns exit status and output."""
        cmd = ["make", "-s", "-k", "-C", f"{self.tree}/{os.path.relpath(HERE, REPO)}", target,
               f"KSRC={self.ksrc}", f"OUT={self.out}/obj", "PAGE_SHIFTS=12",
               # What a mistake leaves unused is not what is to be found
               "EXTRA_CFLAGS=-Wno-error",
               f"CORPUS={os.environ.get('CORPUS', '')}", f"CBMC={CBMC}", f"T={variables.pop('T', '')}",
               *(f"{name}={value}" for name, value in variables.items())]
        with subprocess.Popen(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              start_new_session=True) as done:
            try:
                out, _ = done.communicate(timeout=90 + FUZZ_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(done.pid, signal.SIGKILL)
                return 1, "not ok 0 never-ends"
        return done.returncode, out

    def found_by(self, file):
        """What finds the mistake that has been made in a file, or None."""
        status, out = self.make("check")
        stem = os.path.splitext(file)[0]
        proof_status, proof_out = 0, ""
        if CBMC and os.path.exists(f"{HERE}/proofs/{stem}.c"):
            proof_status, proof_out = self.make("prove", PROVE_FILES=stem)
        if status or proof_status:
            names = re.findall(r"^not ok \d+ (?:pkvm-smmu-)?(\S+)", out, flags=re.M)
            oracle = re.findall(r"^(?:oracle|.*runtime error): (.*)", out, flags=re.M)
            found = []
            if names:
                found.append(f"{len(names)} unit tests ({names[0]})")
            if oracle:
                found.append(f"corpus ({oracle[0]})")
            if proof_status and (proofs := re.findall(r"^not ok (prove_\S+-\d+)", proof_out,
                                                      flags=re.M)):
                found.append(f"proof ({proofs[0]})")
            return ", ".join(found) or f"BROKEN BUILD {out[-400:]}"
        status, out = self.make("fuzz", T=FUZZ_SECONDS)
        if status:
            oracle = re.findall(r"^(?:oracle: |==.*)(.*)", out, flags=re.M)
            return f"fuzzer ({oracle[0] if oracle else out[-200:]})"
        return None


def main():
    """The command."""
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    rig = Rig(*sys.argv[1:3])
    word = sys.argv[3] if len(sys.argv) > 3 else ""
    found = survived = 0
    count = {"unit tests": 0, "corpus": 0, "proof": 0, "fuzzer": 0}
    if not word:
        status, out = rig.make("check")
        if status:
            sys.exit(f"error: the tests fail without any mistake:\n{out[-2000:]}")

    for name, what, file, before, after in parse(f"{HERE}/mutants"):
        if word not in name:
            continue
        path = f"{rig.tree}/{PKVM}/{file}"
        with open(path, encoding="utf-8") as source:
            text = source.read()
        if text.count(before) != 1:
            print(f"not ok {name}: its lines are {text.count(before)} times in {file}")
            survived += 1
            continue
        with open(path, "w", encoding="utf-8") as source:
            source.write(text.replace(before, after))
        by = rig.found_by(file)
        with open(path, "w", encoding="utf-8") as source:
            source.write(text)
        if by and not by.startswith("BROKEN"):
            found += 1
            for what_found in count:
                count[what_found] += what_found in by
            print(f"ok {name}: {what}: {by}", flush=True)
        else:
            survived += 1
            print(f"not ok {name}: {what}: {by or 'survived'}", flush=True)

    if not found + survived:
        sys.exit(f"error: no mistake has '{word}' in its name")
    print(f"{found} found, {survived} not; by " +
          ", by ".join(f"{name}: {n}" for name, n in count.items()))
    return survived > 0


if __name__ == "__main__":
    sys.exit(main())
