#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The patch series: from mails to commits, and back.

patches/core, patches/features and patches/tests hold one mail for each patch.
A bare git repository in the cache has the base, and "git am" of the mails on it:

  base, core, features, series   branches; series ends with the tests
  work-*                         the branch that "make edit" makes for a checkout

Commands, each with the environment of env.sh:

  tree         apply the mails, compare the added files of the checkout with what
               the mails add up to, and lay the series tree ($TREE, $PART)
  edit         make linux/ in the checkout: a worktree with a commit for each patch
  import       write the mails and the added files from the branch in linux/
  range-diff REV
               compare the series as of a commit of this repository with today's
  mails        write build/PART/ and build/PART.mbox: numbered, with a cover letter
  files        print the paths of the added files
  may-clean [all]
               fail if "make clean" or "make distclean" would remove someone's work;
               all: remove linux/

The branch in linux/ has one empty commit in front of each part.  "git rebase"
keeps them, and shows them in its list.  So the place of a commit, and nothing in
its message, says to which part it belongs.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

REPO = Path(os.environ["REPO"])
CACHE = Path(os.environ["CACHE"])
KSRC = os.environ["KSRC"]
KEY = os.environ["KEY"]
SERIES = Path(os.environ["SERIES"])
WHOLE = Path(os.environ["WHOLE"])
GIT = CACHE / f"git-{KEY}"
OUT = REPO / "build"
LINUX = REPO / "linux"
PATCHES = REPO / "patches"

# The parts, in order, and the branch that ends with each
PARTS = {"core": "core", "features": "features", "tests": "series"}
# Where the checkout has files of the series
ADDED = ["arch", "drivers", "include", "tools", "Documentation"]
WORK = "work-" + hashlib.sha256(str(REPO).encode()).hexdigest()[:8]

MARK = """patches/{0}

The commits from here on are the mails of patches/{0}.  Keep this commit.  To
move a commit to another part, move it across this one.
"""

# The same mails on every machine, whatever the user's configuration
FORMAT = ["--zero-commit", "--no-signature", "--no-numbered", "--no-renames",
          "--abbrev=12", "--stat=72"]
ATTRIBUTES = "*.[chS] diff=cpp\n"
# So that commits are the same as well
IDENTITY = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "series"), ("EMAIL", "series@localhost"),
                                ("DATE", "2000-01-01T00:00:00Z"))}


def fail(why):
    """End with one line that says why."""
    sys.exit(f"error: {why}")


def run(args, env, why, stdin=None, cwd=None):
    """Run a command; return what it prints, or fail."""
    r = subprocess.run(args, cwd=cwd, env=env, input=stdin, check=False,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if r.returncode:
        message = r.stderr.decode(errors="replace").strip() or "?"
        why = why() if callable(why) else why
        fail(f"{why}: {message.splitlines()[0]}" if why else f"{' '.join(args)}: {message}")
    return r.stdout


def git(*args, cwd=None, tree=None, index=None, stdin=None, why=None, raw=False):
    """Run git on the repository in the cache, without the user's configuration.

    cwd is a worktree of it; tree is a directory that is none, for which index is
    the index.
    """
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    env.update(IDENTITY, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1")
    if not cwd:
        env["GIT_DIR"] = str(GIT)
    if tree:
        env["GIT_WORK_TREE"] = cwd = str(tree)
    if index:
        env["GIT_INDEX_FILE"] = str(index)
    out = run(["git", *args], env, why, stdin.encode() if stdin else None, cwd)
    return out if raw else out.decode(errors="replace").strip()


def user(*args):
    """Run git on the checkout, with the user's configuration; None if it fails."""
    r = subprocess.run(["git", "-C", REPO, *args], text=True, check=False,
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return None if r.returncode else r.stdout.strip()


def lock(name):
    """Keep others from that part of the cache until this process ends."""
    (CACHE / "lock").mkdir(parents=True, exist_ok=True)
    held = open(CACHE / "lock" / f"{name}-{KEY}", "w", encoding="ascii")
    fcntl.flock(held, fcntl.LOCK_EX)
    return held


# The base, and the commits that the mails make of it


def import_base():
    """Have the repository, and the branch base as $KSRC is now; return the commit."""
    if not GIT.exists():
        print("series: importing the base into git (half a minute, once)", flush=True)
        new = Path(f"{GIT}.new")
        shutil.rmtree(new, ignore_errors=True)
        git("init", "--quiet", "--bare", "--initial-branch=base", str(new), cwd=CACHE)
        for key, value in (("core.looseCompression", "1"), ("gc.auto", "0"),
                           ("core.fsync", "none"),
                           ("index.version", "4")):
            git("config", key, value, cwd=new)
        new.rename(GIT)
    for stale in GIT.glob("index-*.lock"):
        stale.unlink()
    (GIT / "info").mkdir(exist_ok=True)
    (GIT / "info" / "attributes").write_text(ATTRIBUTES)
    git("add", "--all", "--force", ".", tree=KSRC, index=GIT / "index-base")
    # Debian's .gitignore ends with lines that have git ignore all that is new.
    ignore = Path(KSRC) / ".gitignore"
    if ignore.exists():
        text = re.sub(r"\n#\n# Debian packaging: .*", "\n", ignore.read_text(), flags=re.S)
        blob = git("hash-object", "-w", "--stdin", stdin=text)
        git("update-index", "--cacheinfo", f"100644,{blob},.gitignore", index=GIT / "index-base")
    tree = git("write-tree", index=GIT / "index-base")
    base = git("commit-tree", tree, "-m", "Linux 7.3, the base of the series")
    git("update-ref", "refs/heads/base", base)
    return base


def mails(directory, part):
    """The mails of a part, in order."""
    return sorted((directory / part).glob("*.patch"))


def digest(directory):
    """What stands for all mails below a directory."""
    h = hashlib.sha256()
    for part in PARTS:
        for mail in mails(directory, part):
            h.update(f"{part}/{mail.name}\n".encode() + mail.read_bytes())
    return h.hexdigest()


def apply(directory, base):
    """git am of all mails below a directory.  Return the last commit of each part.

    A worktree with just the files that the mails edit is enough for git am.
    """
    edited = set()
    for part in PARTS:
        for mail in mails(directory, part):
            edited |= set(re.findall(rb"^--- a/(.*)$", mail.read_bytes(), re.M))
    work = Path(f"{GIT}.am")
    shutil.rmtree(work, ignore_errors=True)
    git("worktree", "prune")
    git("worktree", "add", "--quiet", "--no-checkout", "--detach", str(work), base)
    commits = {}
    try:
        git("read-tree", base, cwd=work)
        there = git("ls-files", "-z", cwd=work, raw=True).split(b"\0")
        git("checkout-index", "--stdin", cwd=work,
            stdin=b"\n".join(sorted(edited & set(there))).decode())
        for part in PARTS:
            before = git("rev-parse", "HEAD", cwd=work)
            todo = mails(directory, part)
            if todo:
                git("am", "--quiet", "--committer-date-is-author-date", *map(str, todo), cwd=work,
                    why=lambda: f"patches/{part}/" + todo[int(git(
                        "rev-list", "--count", f"{before}..HEAD", cwd=work))].name +
                    f" does not apply to {KSRC}")
            commits[part] = git("rev-parse", "HEAD", cwd=work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        git("worktree", "prune")
    return commits


def series():
    """The commits of patches/; git am has to run only if something has changed."""
    base = import_base()
    for part in PARTS:
        if not (PATCHES / part).is_dir():
            fail(f"there is no patches/{part}")
    stamp, key = GIT / "applied", f"{base} {digest(PATCHES)}\n"
    if not stamp.exists() or stamp.read_text() != key:
        stamp.unlink(missing_ok=True)
        for part, commit in apply(PATCHES, base).items():
            git("update-ref", f"refs/heads/{PARTS[part]}", commit)
        stamp.write_text(key)
    return base, {part: git("rev-parse", branch) for part, branch in PARTS.items()}


def export(ranges, directory):
    """Write the mails of {part: (after, last)}."""
    for part, (after, last) in ranges.items():
        (directory / part).mkdir(parents=True)
        git("format-patch", "--quiet", *FORMAT, "-o", str(directory / part), f"{after}..{last}")


# The added files of the checkout


def entries(*args):
    """{path: (mode, blob)} of the second tree that git diff-tree is to compare."""
    out = git("diff-tree", "-r", "-z", "--no-renames", *args, raw=True).decode().split("\0")
    return {path: tuple(what.split()[1:4:2]) for what, path in zip(out[::2], out[1::2])}


def added(base, last):
    """The files that the series adds."""
    return entries("--diff-filter=A", base, last)


def in_checkout(paths):
    """{path: (mode, blob)} of those that are in the checkout."""
    there = [p for p in paths if (REPO / p).is_file()]
    blobs = git("hash-object", "--no-filters", "--stdin-paths",
                stdin="".join(f"{REPO / p}\n" for p in there)).split() if there else []
    return {p: ("100755" if os.access(REPO / p, os.X_OK) else "100644", blob)
            for p, blob in zip(there, blobs)}


def committed(path):
    """Has the checkout's history got the file as it is?"""
    return None not in (user("cat-file", "-e", f"HEAD:{path}"),
                        user("diff", "--quiet", "HEAD", "--", path))


def check_added(base, last):
    """The checkout has what the mails add up to, and nothing else of the kind."""
    want = added(base, last)
    listed = user("ls-files", "-co", "--exclude-standard", "--deduplicate", "--", *ADDED)
    have = in_checkout(sorted({*want, *(listed or "").splitlines()}))
    wrong = [p for p in sorted({*want, *have}) if want.get(p) != have.get(p)]
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if wrong[1:] else ""
        fail(f"{wrong[0]}{more} is not what patches/ add up to: 'git restore' drops an edit; "
             f"'make edit', 'git diff HEAD -- {' '.join(ADDED)} | git -C linux apply', a commit "
             "in linux/, and 'make import' take it into the series ('git add -N' for a new file)")


# The tree that is built


def tree_now(where):
    """The git tree of the files of a laid tree as they are; ignored ones are not seen."""
    tree, index = where / "src" / "linux-source-7.3", where / "index"
    Path(f"{index}.lock").unlink(missing_ok=True)
    git("add", "--all", ".", tree=tree, index=index)
    return git("write-tree", index=index)


def check_edits(where):
    """Fail if somebody edited a laid tree, but only once: the edits are saved."""
    if not (where / "laid").exists():
        return
    laid = (where / "laid").read_text().strip()
    now = tree_now(where)
    edits = entries(laid, now)
    # A run that was stopped has laid some of these.
    if (where / "pending").exists():
        pending = entries(laid, (where / "pending").read_text().strip())
        edits = {p: e for p, e in edits.items() if pending.get(p) != e}
    if not edits:
        return
    diff = git("diff-tree", "-p", "--binary", "--full-index", laid, now, "--", *edits, raw=True)
    saved = REPO / f"edits-{hashlib.sha256(diff).hexdigest()[:8]}.diff"
    if saved.exists() and saved.read_bytes() == diff:
        print(f"tree: dropping the edits that are in {saved.name}")
        return
    saved.write_bytes(diff)
    more = f" (and {len(edits) - 1} more)" if len(edits) > 1 else ""
    fail(f"{where}/src/linux-source-7.3/{min(edits)}{more} was edited, and this would undo it; the "
         f"edits are in {saved.name}: 'make edit' and 'git -C linux apply ../{saved.name}' "
         "take them into the series; the same command again drops them")


def lay(where, base, last):
    """Make a laid tree what a commit is; write only to files whose content changes."""
    tree, index = where / "src" / "linux-source-7.3", where / "index"
    want = git("rev-parse", f"{last}^{{tree}}")
    if not tree.exists():
        print(f"tree: copying the base to {tree} (1.8 GB, once)", flush=True)
        new = Path(f"{tree}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        run(["rsync", "-a", "--exclude=/.git", f"{KSRC}/", f"{new}/"], None, "cannot copy the base")
        (where / "laid").unlink(missing_ok=True)
        new.rename(tree)
    if not (where / "laid").exists():
        git("read-tree", base, index=index)
        if (tree / ".gitignore").exists():
            git("checkout-index", "-f", ".gitignore", tree=tree, index=index)
        (where / "laid").write_text(git("rev-parse", f"{base}^{{tree}}"))
    check_edits(where)
    now = tree_now(where)
    if now != want:
        (where / "pending").write_text(want)
        git("read-tree", "--reset", "-u", want, tree=tree, index=index)
        paths = git("diff-tree", "-r", "--name-only", now, want).splitlines()
        print("".join(f"tree: {path}\n" for path in paths[:10]) +
              (f"tree: and {len(paths) - 10} more\n" if paths[10:] else ""), end="")
    (where / "laid").write_text(want)
    (where / "pending").unlink(missing_ok=True)


def cmd_tree():
    """make tree"""
    base, last = series()
    check_added(base, last["tests"])
    # A part is tested by the programs of the whole.
    lay(WHOLE.parents[1], base, last["tests"])
    if SERIES != WHOLE.parents[1]:
        lay(SERIES, base, last[os.environ["PART"]])


# The branch that people work on


def commit_after(parent, commit):
    """The same commit after another parent, whose tree is that of its own."""
    text = git("cat-file", "commit", commit, raw=True)
    text = re.sub(rb"^parent .*$", b"parent " + parent.encode(), text, count=1, flags=re.M)
    with tempfile.NamedTemporaryFile() as file:
        file.write(text)
        file.flush()
        return git("hash-object", "-t", "commit", "-w", file.name)


def marked(base, last):
    """The commits of the series, with an empty one in front of each part."""
    head = before = base
    for part, commit in last.items():
        head = git("commit-tree", f"{head}^{{tree}}", "-p", head, "-F", "-",
                   stdin=MARK.format(part))
        for c in git("rev-list", "--reverse", f"{before}..{commit}").split():
            head = commit_after(head, c)
        before = commit
    return head


def under_way(worktree):
    """What keeps a worktree from being taken as it is, or None."""
    gitdir = Path(git("rev-parse", "--absolute-git-dir", cwd=worktree))
    for name in ("rebase-merge", "rebase-apply", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"):
        if (gitdir / name).exists():
            what = "a rebase" if name.startswith("rebase") else "a merge, cherry-pick or revert"
            return f"{what} is under way"
    dirty = git("status", "--porcelain", cwd=worktree).splitlines()
    return f"{dirty[0].split(maxsplit=1)[1]} is not committed" if dirty else None


def synced(branch):
    """The commit of a branch that patches/ last was the same as, and their digest."""
    commit = git("for-each-ref", "--format=%(objectname)", f"refs/synced/{branch}")
    return commit, git("config", "--default", "", "--get", f"branch.{branch}.patches")


def set_synced(head):
    """Note that a commit of the branch, and patches/, are the same."""
    git("update-ref", f"refs/synced/{WORK}", head)
    git("config", f"branch.{WORK}.patches", digest(PATCHES))


def is_worktree():
    """Is linux/ the worktree that "make edit" made?"""
    if not LINUX.exists():
        return False
    if f"worktree {LINUX}" not in git("worktree", "list", "--porcelain").splitlines():
        fail("linux/ is there, and 'make edit' did not make it: move it away")
    return True


def cmd_edit():
    """make edit"""
    base, last = series()
    check_added(base, last["tests"])
    git("worktree", "prune")
    new = marked(base, last)
    head = git("for-each-ref", "--format=%(objectname)", f"refs/heads/{WORK}")
    there = is_worktree()
    why = under_way(LINUX) if there else None
    if not there or not head:
        if why:
            fail(f"linux/ is left alone: {why}")
        # What a removed worktree had on its branch and nobody imported is still there.
        if head in ("", synced(WORK)[0]):
            git("update-ref", f"refs/heads/{WORK}", new)
            set_synced(new)
        if there:
            git("checkout", "--quiet", WORK, cwd=LINUX)
        else:
            print("edit: checking out linux/ (half a minute)", flush=True)
            git("worktree", "add", "--quiet", str(LINUX), WORK)
        head = git("rev-parse", "HEAD", cwd=LINUX)
    commit, patches = synced(WORK)
    current = patches == digest(PATCHES) and git("merge-base", base, commit) == base
    if why or head != commit:
        what = why or f"{head[:12]} is not imported"
        if not current:
            fail(f"linux/ is left alone: {what}, but patches/ have changed since 'make edit': "
                 "commit, keep your branch by 'git -C linux branch -m mine', and say 'make edit' "
                 "again, which begins a new one to cherry-pick to")
        print(f"edit: linux/ is left alone: {what}")
    elif not current:
        git("reset", "--quiet", "--hard", new, cwd=LINUX)
        set_synced(new)
        print("edit: linux/ is now what patches/ are")
    print("edit: linux/ has a commit for each patch: git -C linux log --oneline base..")


def split(base):
    """{part: (after, last)} of the branch in linux/, if it is fit to be imported."""
    if git("rev-parse", "--abbrev-ref", "HEAD", cwd=LINUX) != WORK:
        fail(f"linux/ is not on its branch: git -C linux checkout {WORK}")
    head = git("rev-parse", "HEAD", cwd=LINUX)
    if git("merge-base", base, head) != base or git("rev-list", "--merges", f"{base}..{head}"):
        fail("the branch in linux/ is not a line of commits on base: rebase it")
    log = git("log", "--reverse", "--format=%H %T %s", f"{base}..{head}").splitlines()
    ranges, part, before = {}, None, (base, git("rev-parse", f"{base}^{{tree}}"))
    names = list(PARTS)
    for line in log:
        commit, tree, subject = line.split(" ", 2)
        if subject.startswith("patches/") and subject[8:] in PARTS:
            if len(ranges) == len(names) or subject[8:] != names[len(ranges)] or tree != before[1]:
                fail(f"linux/: the commit '{subject}' is at the wrong place, or not empty")
            part = subject[8:]
            ranges[part] = (commit, commit)
        elif not part:
            fail(f"linux/: '{subject}' comes before the commit 'patches/{names[0]}'")
        elif tree == before[1]:
            fail(f"linux/: '{subject}' changes nothing: drop it")
        elif re.match(r"(fixup|squash|amend)! ", subject):
            fail(f"linux/: '{subject}' is not squashed: git -C linux rebase -i --autosquash base")
        else:
            ranges[part] = (ranges[part][0], commit)
        before = (commit, tree)
    if len(ranges) < len(names):
        fail(f"linux/: the commit 'patches/{names[len(ranges)]}' is missing: "
             "it marks where a part begins")
    return ranges, head


def cmd_import():
    """make import"""
    if not is_worktree():
        fail("there is no linux/: make edit")
    if why := under_way(LINUX):
        fail(f"linux/: {why}")
    base, last = series()
    if synced(WORK)[1] != digest(PATCHES):
        fail("patches/ have changed since 'make edit', and this would undo it: "
             "'make edit' says how to go on")
    ranges, head = split(base)

    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=OUT) as tmp:
        new, again = Path(tmp) / "patches", Path(tmp) / "again"
        export(ranges, new)
        # Not every message survives a mail.
        commits = apply(new, base)
        before = [base, *commits.values()]
        export({part: (before[i], commits[part]) for i, part in enumerate(PARTS)}, again)
        for part in PARTS:
            for mail in mails(new, part):
                other = again / part / mail.name
                if not other.exists() or other.read_bytes() != mail.read_bytes():
                    fail(f"git am does not give back the commit of {part}/{mail.name}: "
                         "is there '---', a diff or a '[...]' in its message?")

        # Nothing in the checkout may get lost.
        was, will = added(base, last["tests"]), added(base, commits["tests"])
        have = in_checkout(sorted({*was, *will}))
        for path, entry in have.items():
            if entry not in (was.get(path), will.get(path)) and not committed(path):
                fail(f"{path} was edited in the checkout, and this would undo it: 'git diff HEAD "
                     f"-- {path} | git -C linux apply' takes it over, 'git restore' drops it")

        for part in PARTS:
            names = {mail.name for mail in mails(new, part)}
            for mail in mails(PATCHES, part):
                if mail.name not in names:
                    mail.unlink()
                    print(f"import: removed {mail.relative_to(REPO)}")
            for mail in mails(new, part):
                to = PATCHES / part / mail.name
                if not to.exists() or to.read_bytes() != mail.read_bytes():
                    shutil.copyfile(mail, to)
                    print(f"import: {to.relative_to(REPO)}")
        write_added(will, was)
    set_synced(head)
    count = ", ".join(f"{len(mails(PATCHES, part))} {part}" for part in PARTS)
    print(f"import: patches/ and the added files are what linux/ is ({count})")


def write_added(will, was):
    """Write the added files of the checkout, and remove those that no longer are."""
    have = in_checkout(sorted({*was, *will}))
    for path in sorted(have.keys() - will.keys()):
        (REPO / path).unlink()
        print(f"import: removed {path}")
    for path, entry in will.items():
        if have.get(path) != entry:
            (REPO / path).parent.mkdir(parents=True, exist_ok=True)
            (REPO / path).write_bytes(git("cat-file", "blob", entry[1], raw=True))
            (REPO / path).chmod(0o755 if entry[0] == "100755" else 0o644)
            print(f"import: {path}")


# What is only looked at or sent


def cmd_range_diff(rev):
    """make range-diff"""
    if user("rev-parse", "--verify", "--quiet", f"{rev}^{{commit}}") is None:
        fail(f"OLD={rev} is no commit of this repository")
    if user("rev-parse", "--verify", "--quiet", f"{rev}:patches/core") is None:
        fail(f"OLD={rev} has no patches/core: it is from before patches/ held mails")
    base, last = series()
    with tempfile.TemporaryDirectory() as tmp:
        tar = run(["git", "-C", REPO, "archive", rev, "patches"], None, "git archive")
        subprocess.run(["tar", "-x", "-C", tmp], input=tar, check=True)
        old = apply(Path(tmp) / "patches", base)["tests"]
    sys.stdout.flush()
    sys.exit(subprocess.run(["git", f"--git-dir={GIT}", "--no-pager", "range-diff",
                             f"{base}..{old}", f"{base}..{last['tests']}"],
                            check=False).returncode)


def cmd_mails():
    """make series"""
    base, last = series()
    check_added(base, last["tests"])
    # The cover letters are from whoever sends them, today.
    for key in ("name", "email"):
        if value := user("config", f"user.{key}"):
            IDENTITY[f"GIT_COMMITTER_{key.upper()}"] = value
    del IDENTITY["GIT_COMMITTER_DATE"]
    before = "base"
    for part, branch in PARTS.items():
        shutil.rmtree(OUT / part, ignore_errors=True)
        cover = (PATCHES / part / "0000-cover-letter.txt").read_text()
        head, _, body = cover.partition("\n\n")
        subject = re.sub(r"\n\s+", " ", head.partition("Subject: ")[2])
        subject = re.sub(r"^\[.*?\] ", "", subject.split("\n")[0])
        git("config", f"branch.{branch}.description", f"{subject}\n\n{body}")
        git("format-patch", "--quiet", "--no-signature", "--no-renames", "--abbrev=12",
            "--numbered", "--thread=shallow", "--cover-letter", "--cover-from-description=subject",
            "-o", str(OUT / part), f"{before}..{branch}")
        # git am stops at a cover letter: it stays out of the mailbox.  b4 0.12 stops
        # at a header that git has folded.
        text = [re.sub(r"\n +", " ", head) + end + body for head, end, body in
                (p.read_text().partition("\n\n") for p in sorted((OUT / part).glob("*.patch"))
                 if not p.name.startswith("0000-"))]
        (OUT / f"{part}.mbox").write_text("".join(text))
        print(f"series: build/{part}/, build/{part}.mbox: {len(text)} patches")
        before = branch


def cmd_files():
    """For the other scripts"""
    base, last = series()
    print("\n".join(added(base, last["tests"])))


def cmd_may_clean(everything=None):
    """make clean, make distclean"""
    global GIT
    for repository in sorted(CACHE.glob("git-*" if everything else GIT.name)):
        if not (repository / "HEAD").exists():
            continue
        GIT = repository
        for where in sorted(CACHE.glob(f"series*-{repository.name[4:]}")):
            check_edits(where)
        if not everything:
            continue
        git("worktree", "prune")
        ours = False
        for line in git("worktree", "list", "--porcelain").splitlines():
            where = line.removeprefix("worktree ")
            if where != line and where.endswith("/linux") and (why := under_way(where)):
                fail(f"{where} has work that is not imported: {why}")
            ours |= where == str(LINUX)
        for branch in git("for-each-ref", "--format=%(refname:short)", "refs/heads").split():
            if branch not in ("base", *PARTS.values()) and \
               git("rev-parse", branch) != synced(branch)[0]:
                fail(f"the branch {branch} in {GIT} has work that is not imported: 'make import' "
                     "in its checkout, or 'git branch -D' in linux/")
        if ours:
            shutil.rmtree(LINUX)


def main():
    """The commands that the top of this file lists."""
    commands = {"tree": cmd_tree, "edit": cmd_edit, "import": cmd_import,
                "range-diff": cmd_range_diff, "mails": cmd_mails, "files": cmd_files,
                "may-clean": cmd_may_clean}
    if sys.argv[1:2] == [] or sys.argv[1] not in commands:
        sys.exit(__doc__)
    held = lock("series"), lock("git")  # until the end
    commands[sys.argv[1]](*sys.argv[2:])
    del held


if __name__ == "__main__":
    main()
