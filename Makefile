# SPDX-License-Identifier: GPL-2.0-only
#
# Every entry point; "make help" lists them.  The work is done by scripts/, each
# of which says at its top what it does.

# Variables on the command line reach the scripts through the environment.
export REPO := $(CURDIR)

.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help setup fetch tree base kernel build debug run terminal shell test bench check boards fuzz fuzz-setup coverage coverage-setup bench-setup prove mutants \
	series edit import range-diff check-series check-drop lint where clean distclean

help:
	@sed -n 's/^## \?//p' Makefile

## Boot and test (each does all that it needs first):
##   make run            boot the series under QEMU and show what it does
##   make run BASE=1     the same on the unmodified base: the leak
##   make shell          the same machine, with a prompt
##   make test           all tests; the last line is "N passed, N failed". T=name only
##                       those with that in their name
##   make check          only the unit tests that run in user space: seconds
##   make fuzz T=60      look for what they miss, with libFuzzer, for so many seconds;
##                       PAGE=14 or 16: with pages of 16K or 64K
##   make coverage       which branches of the emulator neither the unit tests nor the
##                       fuzzer's corpus take, and why
##   make prove          show by CBMC what holds for all inputs
##   make boards         what becomes of the SMMUv3s of each board of the kernel
##   make mutants        make known mistakes one by one; T=word only some: minutes
##   make bench          what isolation costs, in instructions: minutes; build/bench.md, .svg;
##                       CHECK=1: fail if it is 5 % more than in scripts/bench.tsv
##
## Work on the series (README.md, "Working on the series"):
##   make edit           make linux/: a git worktree with a commit for each patch
##   make import         write patches/ and the added files from the branch in linux/
##   make range-diff OLD=tag
##                       compare the series as of a tag or commit with today's
##   make tree           lay the series tree, changing only what changed
##   make kernel         build the kernel with the series (also: make build)
##   make debug          build the variant in scripts/debug.config, for make test;
##                       PAGE=14 or 16: with pages of 16K or 64K
##   make base           build the base kernel
##   make series         write build/PART/ and build/PART.mbox, numbered, to be sent
##   make check-series   compile each patch, option off and on
##   make check-drop     revert each feature of scripts/drop.tsv: what is left works
##   make lint           checkpatch, kernel-doc, sparse
##   make where          print KSRC=, KOBJ= and IMAGE= of the series' kernel; builds nothing
##
## Housekeeping:
##   make setup          install missing packages (root or sudo)
##   make fetch          fetch the base source, busybox, and QEMU 11 with UEFI firmware
##   make clean          remove build/, the series' trees, and all that was built for this
##                       KSRC=, but for what ccache keeps, and linux/
##   make distclean      remove the whole cache and linux/
##
## Variables:
##   BASE=1              for run and shell: the unmodified kernel
##   PART=core           for tree, kernel, run, shell, test: only patches/core;
##                       PART=features: patches/core and patches/features
##   SRC=linux           for check, boards, fuzz, coverage, prove, mutants: that kernel
##                       tree
##   T=word              for test, check, mutants: only those with it in their name
##   SAMPLE=n            for mutants: one of n, which depends on the tree
##   RUNS=n              for fuzz: how many inputs it makes up
##   PAGE=14, PAGE=16    for debug, test T=debug*, and fuzz: with pages of 16K or 64K
##   KSRC=/path          base the series on this v7.3 tree, which stays untouched
##   KCONFIG_EXTRA=file  add to the kernel's configuration (scripts/kernel.config)
##   OBJ=name            build such a variant beside the others
##   QEMU=/path          another qemu-system-aarch64
##   APPEND=words        for run and shell: more for the kernel's command line
##   XDG_CACHE_HOME=dir  where the cache is: dir/pkvm-smmu (default: ~/.cache)

setup:
	@scripts/setup.sh

fetch: setup
	@scripts/fetch.sh

tree: fetch
	@. scripts/env.sh && python3 -B scripts/series.py tree

base: fetch
	@scripts/build.sh base

kernel build: tree
	@scripts/build.sh series

run: $(if $(BASE),base,kernel)
	@scripts/run.sh

# First of all, and not after a build
terminal:
	@[ -t 0 ] || { echo "error: make shell wants a terminal" >&2; exit 1; }

shell: terminal $(if $(BASE),base,kernel)
	@scripts/shell.sh

build/debug%.config: scripts/debug.config scripts/pages.config
	@mkdir -p build && { cat scripts/debug.config && \
		sed s/16K/$(if $(filter 14,$*),16,64)K/ scripts/pages.config; } >$@

ifneq ($(filter-out 12 14 16,$(PAGE)),)
$(error error: PAGE=$(PAGE): 12, 14 or 16)
endif
debug_pages := $(filter 14 16,$(PAGE))
debug_config := $(if $(debug_pages),build/debug$(debug_pages).config,scripts/debug.config)
debug: tree $(debug_config)
	@OBJ=debug$(debug_pages) KCONFIG_EXTRA=$(REPO)/$(debug_config) scripts/build.sh series

test: fetch
	@+scripts/test.sh

bench-setup:
	@scripts/setup.sh bench

bench: bench-setup base kernel
	@scripts/bench.sh

fuzz-setup:
	@scripts/setup.sh fuzz

coverage-setup:
	@scripts/setup.sh coverage

fuzz mutants: fuzz-setup
coverage: coverage-setup

# From within another directory, too
ifneq ($(XDG_CACHE_HOME),)
export XDG_CACHE_HOME := $(abspath $(XDG_CACHE_HOME))
endif

# The tests in user space are those of a whole kernel tree: the laid one, or SRC.
ifeq ($(SRC),)
check boards fuzz coverage prove mutants: tree
src = $$TREE
else
src = $(abspath $(SRC))
endif
check boards fuzz coverage prove mutants: override PART :=

check boards fuzz coverage:
	@. scripts/env.sh && $(MAKE) --no-print-directory -C verification SRC="$(src)" $@

prove:
	@. scripts/env.sh && cbmc=$$(scripts/cbmc.sh) && \
		$(MAKE) --no-print-directory -C verification SRC="$(src)" CBMC="$$cbmc" prove

mutants:
	@. scripts/env.sh && CBMC=$$(scripts/cbmc.sh) \
		verification/mutants.py "$(src)" "$$CACHE/mutants" $(T)

edit import: fetch
	@. scripts/env.sh && python3 -B scripts/series.py $@

series: fetch
	@. scripts/env.sh && python3 -B scripts/series.py mails

range-diff: fetch
	@[ -n "$(OLD)" ] || { echo "error: range-diff wants OLD=tag, or a commit" >&2; exit 1; }
	@. scripts/env.sh && python3 -B scripts/series.py range-diff "$(OLD)"

check-series: tree
	@scripts/check-series.sh

check-drop: tree
	@scripts/check-series.sh drop

lint: tree
	@scripts/lint.sh

where:
	@. scripts/env.sh && printf 'KSRC=%s\nKOBJ=%s\nIMAGE=%s\n' \
		"$$TREE" "$$OBJ_SERIES" "$$OBJ_SERIES/arch/arm64/boot/Image"

clean:
	@. scripts/env.sh && python3 -B scripts/series.py may-clean && \
	rm -rf build "$$CACHE"/obj-base*"-$$KEY" "$$CACHE"/series*"-$$KEY" \
		"$$CACHE/check-$$KEY" "$$CACHE/check" "$$CACHE/mutants" \
		"$$CACHE"/initramfs*"-$$KEY".cpio.gz "$$CACHE"/logs*

distclean:
	@. scripts/env.sh && python3 -B scripts/series.py may-clean all && \
	rm -rf build "$$CACHE"
