#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Make the patch series: build/patches/*.patch and build/series.mbox.

The base goes into a git repository in the cache (once), the steps of patches/
are replayed on it as commits, and git format-patch writes them out.  The
author is the git identity of whoever runs this, who signs off as well; without
one it is nobody's, and nobody signs off.  Then it proves two things: the commits add up
to the laid tree, mode and content, and so does "git am" of the mailbox.

Branches left in the repository: "base" and "series".  Run by "make series",
with the environment of env.sh.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

REPO = Path(os.environ["REPO"])
CACHE = Path(os.environ["CACHE"])
KSRC = os.environ["KSRC"]
TREE = os.environ["TREE"]
GIT = CACHE / f"git-{os.environ['KEY']}"
OUT = REPO / "build"
NEW = ["arch", "drivers", "include", "tools", "Documentation"]


class Step:
    """One file of patches/: a message, the new files it claims, a diff."""

    def __init__(self, name):
        self.name = name
        try:
            text = (REPO / "patches" / name).read_text()
        except OSError:
            fail(f"patches/series names {name}, and there is no such file")
        head, _, self.diff = text.partition("\n---\n")
        lines = head.splitlines()
        self.adds = [l[6:].strip() for l in lines if l.startswith("Adds: ")]
        self.message = "\n".join(l for l in lines if not l.startswith("Adds: ")).strip()
        self.edits = []
        if self.diff:
            stat = git("apply", "--numstat", "-", stdin=self.diff,
                       why=f"patches/{name} is not a well-formed patch")
            self.edits = [l.split("\t")[2] for l in stat.splitlines()]


def fail(why):
    sys.exit(f"error: {why}")


def git(*args, cwd=None, index=None, stdin=None, why=None):
    """Run git on the repository in the cache, without the user's configuration."""
    env = dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1", **ENV)
    if not cwd:
        env["GIT_DIR"] = str(GIT)
    if index:
        env["GIT_INDEX_FILE"] = str(GIT / index)
    r = subprocess.run(["git", *args], cwd=cwd, env=env, input=stdin, text=True,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if r.returncode:
        fail(why + ": " + (r.stderr.strip().splitlines() or ["?"])[0] if why
             else f"git {' '.join(args)}: {r.stderr.strip()}")
    return r.stdout.strip()


def user(*args):
    """What git says of the checkout, under the user's configuration."""
    r = subprocess.run(["git", "-C", REPO, *args], text=True, check=False,
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return r.stdout.strip() if not r.returncode else ""


NAME, EMAIL = user("config", "user.name"), user("config", "user.email")
DATE = user("log", "-1", "--format=%aI") or time.strftime("%Y-%m-%dT%H:%M:%S%z")
ENV = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
       for what, value in (("NAME", NAME or "Unknown"), ("EMAIL", EMAIL or "unknown@localhost"),
                           ("DATE", DATE))}


def tree_of(directory, index):
    """The git tree object of all files of a directory."""
    git(f"--work-tree={directory}", "add", "--all", "--force", ".", index=index)
    return git("write-tree", index=index)


def lock():
    """One run at a time; what a killed one left behind would stop git."""
    (CACHE / "lock").mkdir(parents=True, exist_ok=True)
    held = open(CACHE / "lock" / GIT.name, "w", encoding="ascii")
    fcntl.flock(held, fcntl.LOCK_EX)
    for stale in GIT.glob("index-*.lock"):
        stale.unlink()
    return held


def import_base():
    if not GIT.exists():
        print("series: importing the base into git (half a minute, once)", flush=True)
        new = Path(f"{GIT}.new")
        shutil.rmtree(new, ignore_errors=True)
        git("init", "--quiet", "--bare", "--initial-branch=base", str(new), cwd=CACHE)
        for key, value in (("core.looseCompression", "1"), ("gc.auto", "0"), ("core.fsync", "none")):
            git("config", key, value, cwd=new)
        new.rename(GIT)
    tree = tree_of(KSRC, "index-base")
    return git("commit-tree", tree, "-m", "Linux 7.3, the base of the series")


def check(steps):
    """Each new file belongs to one step, and no diff meddles with it."""
    listed = user("ls-files", "-co", "--exclude-standard", "--deduplicate", "--", *NEW)
    there = {f for f in listed.splitlines() if (REPO / f).is_file()}
    owner = {}
    for s in steps:
        for f in s.adds:
            if f in owner:
                fail(f"{f} is added by both {owner[f]} and {s.name}")
            if f not in there:
                fail(f"{s.name} adds {f}, which is not in the checkout")
            owner[f] = s.name
    for f in sorted(there - owner.keys()):
        fail(f'no step adds {f}: give one an "Adds: {f}" line')
    for s in steps:
        for f in s.edits:
            if f in owner or not Path(KSRC, f).exists():
                fail(f"{s.name} edits {f}, which is not a file of the base")


def replay(base, steps):
    index = "index-series"
    git("read-tree", base, index=index)
    commit = base
    for s in steps:
        for f in s.adds:
            mode = "100755" if os.access(REPO / f, os.X_OK) else "100644"
            blob = git("hash-object", "-w", "--no-filters", str(REPO / f))
            git("update-index", "--add", "--cacheinfo", f"{mode},{blob},{f}", index=index)
        if s.diff:
            git("apply", "--cached", "-", index=index, stdin=s.diff,
                why=f"patches/{s.name} does not apply to {KSRC}")
        message = s.message
        if NAME and EMAIL:
            message = git("interpret-trailers", "--if-exists", "addIfDifferent",
                          "--trailer", f"Signed-off-by: {NAME} <{EMAIL}>", stdin=message + "\n")
        tree = git("write-tree", index=index)
        commit = git("commit-tree", tree, "-p", commit, "-F", "-", stdin=message + "\n")
    return commit


def write_out():
    args = ["--numbered", "--no-signature", "--abbrev=12", "--thread=shallow"]
    cover = REPO / "patches" / "0000-cover-letter.txt"
    if cover.exists():
        git("config", "branch.series.description", cover.read_text())
        args += ["--cover-letter", "--cover-from-description=subject"]
    new = OUT / "patches.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    git("format-patch", "--quiet", *args, "-o", str(new), "base..series")
    shutil.rmtree(OUT / "patches", ignore_errors=True)
    new.rename(OUT / "patches")
    # git am stops at a cover letter: it stays out of the mailbox.  b4 0.12 stops
    # at a From: line that git has folded.
    patches = [p for p in sorted((OUT / "patches").iterdir()) if not p.name.startswith("0000-")]
    mbox = "".join(re.sub(r"^(From: .*)\n <", r"\1 <", p.read_text(),
                          count=1, flags=re.M) for p in patches)
    (OUT / "series.mbox").write_text(mbox)


def differing(a, b):
    return ", ".join(git("diff", "--name-only", a, b).splitlines()[:5])


def verify():
    series = git("rev-parse", "series^{tree}")
    laid = tree_of(TREE, "index-tree")
    if laid != series:
        fail(f"the commits do not add up to {TREE}: {differing(laid, series)}")

    # A worktree with just the files that the series edits is enough for git am.
    work = Path(f"{GIT}.am")
    shutil.rmtree(work, ignore_errors=True)
    git("worktree", "prune")
    git("worktree", "add", "--quiet", "--no-checkout", "--detach", str(work), "base")
    try:
        git("read-tree", "base", cwd=work)
        git("checkout-index", "--stdin", cwd=work,
            stdin=git("diff", "--name-only", "--diff-filter=M", "base", "series"))
        git("am", "--quiet", str(OUT / "series.mbox"), cwd=work,
            why="git am does not take build/series.mbox")
        took = git("rev-parse", "HEAD^{tree}", cwd=work)
        if took != series:
            fail(f"git am of build/series.mbox gives another tree: {differing(took, series)}")
    finally:
        shutil.rmtree(work, ignore_errors=True)
        git("worktree", "prune")


def main():
    held = lock()  # until the end
    base = import_base()
    names = [l for l in (REPO / "patches" / "series").read_text().split("\n")
             if l and not l.startswith("#")]
    steps = [Step(n) for n in names]
    check(steps)
    git("update-ref", "refs/heads/base", base)
    git("update-ref", "refs/heads/series", replay(base, steps))
    write_out()
    verify()
    unsigned = "" if NAME and EMAIL else " (no git identity: not signed off)"
    print(f"series: {len(steps)} patches in build/patches and build/series.mbox; "
          f"git am gives the laid tree{unsigned}")


if __name__ == "__main__":
    main()
