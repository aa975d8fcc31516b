#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Which branches of the emulator do the unit tests and the corpus not take?

	coverage.py DIRECTORY GCOVR.json REASONS

Prints a line for each source file, and one for each line of code with a branch that
is never taken, unless that is EL2's assertion. REASONS has, for each of those that
can't be, or need not be:

	file.c: the line of code, without the blanks around it
		why

Exit status 0 if and only if there is a reason for every one, and none too many.
"""
import json
import os
import sys


def read_reasons(path):
    """Returns {(file, line of code): why}."""
    reasons, key = {}, None
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("#") or not line.strip():
                continue
            if line[0] != "\t":
                name, _, code = line.strip().partition(": ")
                key = (name, code)
                reasons[key] = ""
            else:
                reasons[key] += line.strip() + " "
    return reasons


def main():
    """The command."""
    directory, report, reasons = sys.argv[1], sys.argv[2], read_reasons(sys.argv[3])
    with open(report, encoding="utf-8") as text:
        files = json.load(text)["files"]
    total = hit = bad = 0
    used = set()

    for entry in sorted(files, key=lambda f: f["file"]):
        name = os.path.basename(entry["file"])
        with open(os.path.join(directory, name), encoding="utf-8") as text:
            source = text.read().splitlines()
        missing = []
        taken = branches = 0
        for line in entry["lines"]:
            counts = [branch["count"] for branch in line.get("branches", [])]
            branches += len(counts)
            taken += sum(count > 0 for count in counts)
            if 0 in counts:
                missing.append((line["line_number"], counts.count(0), len(counts)))
        print(f"{name}: {taken} of {branches} branches")
        for number, never, of in missing:
            code = source[number - 1].strip()
            if code.startswith("WARN_ON("):
                continue
            why = reasons.get((name, code))
            used.add((name, code))
            bad += why is None
            print(f"  {name}:{number}: {never} of {of} never: {code}\n"
                  f"    {why or 'NO REASON GIVEN'}")
        total += branches
        hit += taken

    for name, code in sorted(set(reasons) - used):
        bad += 1
        print(f"  {name}: is covered, and has a reason why not: {code}")
    print(f"{hit} of {total} branches taken ({100 * hit // max(total, 1)} %), "
          f"{bad} without a reason")
    return bad > 0 or not total


if __name__ == "__main__":
    sys.exit(main())
