#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What a report about DMA isolation on a machine has to say. Run it as root on that
# machine; it needs nothing else of this repository:
#
#	sh report.sh >report.txt
#
# It only reads. It prints lines of the kernel's log, options of the kernel, and how the
# firmware describes SMMUs, as the first lines of the report say. Of the command line it
# prints the value of such options only that concern this. It replaces what looks like a
# MAC, a UUID, or an IP address, and prints no host name and no serial number. Read the
# report before you send it.
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

# What a value may be printed of: not of root=, ip=, or what else names disks and networks
SHOWN='kvm-arm|kvm|iommu|arm-smmu[^.]*|id_aa64[^.]*|arm64|acpi|efi|pci|pcie[^.]*|initcall_blacklist|crashkernel|mem|maxcpus|nr_cpus|hugepages|hugepagesz|default_hugepagesz|mitigations|nokaslr|earlycon|console'
CONFIG='KVM|ARM_SMMU|IOMMU|IOMMUFD|VFIO|ACPI|OF|EFI|NVHE|PKVM|ARM64_(4|16|64)K_PAGES|ARM64_(VA|PA)_BITS|CPU_(LITTLE|BIG)_ENDIAN|STRICT_DEVMEM|PREEMPT|NUMA|KEXEC|MODULES|LOCALVERSION'
LOG='kvm|smmu|iommu|iort|hyp |EL[12]$|at EL[12]|Machine model|DMI:|ACPI: (IORT|SPCR|RSDP)|efi: (EFI|ACPI)|psci|GICv[0-9]|protected'

section() { echo; echo "== $*"; }
show() { [ ! -r "$1" ] || printf '%s: %s\n' "${2:-$1}" "$(tr -d '\000' <"$1" 2>/dev/null)"; }
name() { basename "$(readlink -f "$1")"; }

scrub() {
	sed -E -e 's/([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}/<MAC>/g' \
	    -e 's/[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}/<UUID>/g' \
	    -e 's/(^|[^0-9.])([0-9]{1,3}\.){3}[0-9]{1,3}($|[^0-9.])/\1<IP>\3/g'
}

encode() { if command -v base64 >/dev/null; then base64; else od -An -v -tx1; fi; }

# A property of a device tree: as text if it is such, else as 32 bits each
property() {
	if [ -s "$1" ] && [ "$(tr -d '\000\040-\176' <"$1" | wc -c)" = 0 ] &&
	   [ "$(tail -c 1 "$1" | tr -d '\000' | wc -c)" = 0 ]; then
		printf '    %s = "%s"\n' "${1##*/}" "$(tr '\000' ' ' <"$1" | sed 's/ $//')"
	else
		printf '    %s = <%s>\n' "${1##*/}" \
			"$(od -An -v -tx1 <"$1" | tr -d ' \n' | sed -E 's/.{8}/& /g; s/ $//')"
	fi
}

device_tree() {
	dt=/sys/firmware/devicetree/base
	section "device tree: SMMUs"
	find $dt -name compatible 2>/dev/null | while read -r file; do
		tr '\000' '\n' <"$file" | grep -qE '^(arm,(smmu|mmu-)|.*smmu-v[23]|.*smmu-v3-pmcg)' || continue
		node=${file%/compatible}
		echo "${node#"$dt"}"
		for prop in "$node"/*; do
			[ -d "$prop" ] || property "$prop"
		done
		# What it is on can be switched off as well.
		while node=${node%/*} && [ "$node" != $dt ] && [ "$node" ]; do
			for prop in power-domains resets clocks status; do
				[ ! -e "$node/$prop" ] || { echo "  on ${node#"$dt"}"; property "$node/$prop"; }
			done
		done
	done
	section "device tree: masters"
	find $dt \( -name iommus -o -name iommu-map -o -name iommu-map-mask \) 2>/dev/null |
		while read -r file; do
			echo "${file#"$dt"}"
			property "$file"
		done
}

report() {
	cat <<-EOF
		Report about DMA isolation, version 1. It has: the kernel's release and options,
		the command line without most values; lines of the log about KVM, IOMMUs and
		firmware; model of machine and CPUs; counts of arm-smmu-v3-pkvm; IOMMU groups; ids
		of PCI devices; SMMUs and their masters in the device tree, or the IORT (base64).
	EOF
	section kernel
	uname -srm
	[ "$(id -u)" = 0 ] || echo "not run as root: the log, debugfs and the IORT may be missing"

	section "command line"
	# What comes after "--" is not for the kernel.
	tr ' ' '\n' </proc/cmdline | sed -E "/^--\$/q; /^($SHOWN)([.=]|\$)/!s/=.*/=<hidden>/" | grep .

	section "options of the kernel"
	config=
	for file in /proc/config.gz "/boot/config-$(uname -r)" "/lib/modules/$(uname -r)/config"; do
		[ ! -r "$file" ] || { config=$file; break; }
	done
	case $config in
	*.gz) zcat "$config" ;;
	"")   echo "not found" ;;
	*)    cat "$config" ;;
	esac | grep -E "^CONFIG_($CONFIG)(_[A-Z0-9_]*)?=|not found"

	section machine
	show /sys/firmware/devicetree/base/model model
	for file in sys_vendor product_name board_name bios_vendor bios_version bios_date; do
		show /sys/class/dmi/id/$file $file
	done
	[ -d /sys/firmware/efi ] && echo "firmware: UEFI"
	[ -d /sys/firmware/acpi ] && echo "ACPI tables: $(cd /sys/firmware/acpi/tables && echo [A-Z]*)"
	sort /sys/devices/system/cpu/cpu[0-9]*/regs/identification/midr_el1 2>/dev/null | uniq -c |
		sed 's/^ */CPUs: /; s/ 0x/ of MIDR_EL1 0x/'
	grep MemTotal /proc/meminfo
	grep 'System RAM' /proc/iomem

	section log
	# The command line is above, and the version may have a host name.
	dmesg 2>/dev/null | grep -iE "$LOG" | grep -viE 'command line|Linux version|audit|systemd'

	section "arm-smmu-v3-pkvm"
	debugfs=/sys/kernel/debug
	[ -d $debugfs/arm-smmu-v3-pkvm ] || mount -t debugfs debugfs $debugfs 2>/dev/null
	find $debugfs/arm-smmu-v3-pkvm -type f 2>/dev/null | sort | while read -r file; do
		echo "${file#"$debugfs"/arm-smmu-v3-pkvm/}"
		sed 's/^/    /' "$file"
	done
	for dev in /sys/bus/platform/devices/*smmu*; do
		[ ! -e "$dev" ] || echo "${dev##*/}: driver $(name "$dev/driver")"
	done
	grep -i smmu /proc/interrupts

	section "IOMMU groups"
	for group in /sys/kernel/iommu_groups/*; do
		[ -e "$group" ] || continue
		echo "${group##*/}: $(cat "$group/type"): $(cd "$group/devices" && echo *)"
	done

	section "PCI devices: vendor, device, class, driver, IOMMU"
	for dev in /sys/bus/pci/devices/*; do
		[ -e "$dev" ] || continue
		driver=- iommu=none
		[ ! -e "$dev/driver" ] || driver=$(name "$dev/driver")
		[ ! -e "$dev/iommu" ] || iommu=$(name "$dev/iommu")
		# Below which bridges it is
		path=$(readlink -f "$dev")
		echo "${path#/sys/devices/}: $(cat "$dev/vendor" "$dev/device" "$dev/class" | tr '\n' ' ')$driver $iommu"
	done
	command -v lspci >/dev/null && { section lspci; lspci -nn; }

	[ ! -d /sys/firmware/devicetree/base ] || device_tree
	if [ -r /sys/firmware/acpi/tables/IORT ]; then
		section "ACPI IORT"
		encode </sys/firmware/acpi/tables/IORT
	fi
	section end
}

report 2>/dev/null | scrub
