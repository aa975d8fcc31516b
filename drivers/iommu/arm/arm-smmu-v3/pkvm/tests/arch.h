/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opcodes and fields of the SMMUv3 architecture (Arm IHI 0070), for the tests
 * and the mock machine.
 *
 * The emulator uses the names of arm-smmu-v3.h. The names here are written from
 * the architecture a second time. If one of the two is wrong, a test fails.
 */
#ifndef __PKVM_SMMU_ARCH_H
#define __PKVM_SMMU_ARCH_H

#include <linux/bitfield.h>
#include <linux/bits.h>

/* Opcodes (chapter 4) */
#define T_PREFETCH_CONFIG	0x01
#define T_PREFETCH_ADDR		0x02
#define T_CFGI_STE		0x03
#define T_CFGI_RANGE		0x04	/* CFGI_STE_RANGE and CFGI_ALL */
#define T_CFGI_CD		0x05
#define T_CFGI_CD_ALL		0x06
#define T_TLBI_NH_ALL		0x10
#define T_TLBI_NH_ASID		0x11
#define T_TLBI_NH_VA		0x12
#define T_TLBI_NH_VAA		0x13
#define T_TLBI_S12_VMALL	0x28
#define T_TLBI_S2_IPA		0x2a
#define T_TLBI_NSNH_ALL		0x30
#define T_ATC_INV		0x40
#define T_RESUME		0x44
#define T_STALL_TERM		0x45
#define T_CMD_SYNC		0x46
#define T_TLBI_S_EL2_ALL	0x50
/* Reserved */
#define T_CMD_NONE		0x99
#define T_CMD_NONE_2		0xff

/* Dword 0 of a command */
#define T_CMD_OP		GENMASK_ULL(7, 0)
#define T_CMD_SSEC		BIT_ULL(10)
#define T_CMD_SID		GENMASK_ULL(63, 32)
#define T_CMD_SSID		GENMASK_ULL(31, 12)
#define T_CMD_VMID		GENMASK_ULL(47, 32)
#define T_CMD_ASID		GENMASK_ULL(63, 48)
#define T_CMD_ASID_HI		GENMASK_ULL(63, 56)
#define T_CMD_NUM		GENMASK_ULL(16, 12)
/* Bit 25 is SCALE's only with IDR5.DS, which the host does not see */
#define T_CMD_SCALE		GENMASK_ULL(24, 20)
#define T_CMD_SCALE_DS		BIT_ULL(25)
#define T_RESUME_RESP		GENMASK_ULL(13, 12)
#define T_SYNC_CS		GENMASK_ULL(13, 12)
#define T_SYNC_CS_IRQ		1
#define T_SYNC_CS_SEV		2
#define T_SYNC_MSH		GENMASK_ULL(23, 22)
#define T_SYNC_MSIATTR		GENMASK_ULL(27, 24)
#define T_SYNC_MSIDATA		GENMASK_ULL(63, 32)

/* Dword 1 of a command */
#define T_CMD_LEAF		BIT_ULL(0)
#define T_CMD_RANGE		GENMASK_ULL(4, 0)
#define T_CMD_TTL		GENMASK_ULL(9, 8)
#define T_CMD_TG		GENMASK_ULL(11, 10)
#define T_CMD_ADDR		GENMASK_ULL(63, 12)
#define T_CMD_IPA		GENMASK_ULL(51, 12)
#define T_RESUME_STAG		GENMASK_ULL(15, 0)
#define T_SYNC_MSIADDR		GENMASK_ULL(51, 2)

#define T_OP(cmd)		((u8)((cmd)[0] & T_CMD_OP))
#define T_SID(sid)		((u64)(sid) << 32)
#define T_SSID(ssid)		((u64)(ssid) << 12)
#define T_ASID(asid)		((u64)(asid) << 48)
#define T_NUM(num)		((u64)(num) << 12)
#define T_SCALE(scale)		((u64)(scale) << 20)
#define T_CS(cs)		((u64)(cs) << 12)
#define T_TTL(ttl)		((u64)(ttl) << 8)
#define T_TG(tg)		((u64)(tg) << 10)
/* CFGI_STE_RANGE with this range is CFGI_ALL */
#define T_ALL_SIDS		31ULL
/* A CMD_SYNC whose completion is an interrupt, or an MSI if dword 1 is not 0 */
#define T_SYNC_IRQ		(T_CMD_SYNC | T_CS(T_SYNC_CS_IRQ))
#define T_SYNC_MSI(data)	(T_SYNC_IRQ | (u64)(data) << 32)

/* CMDQ_CONS.ERR (6.3.28) */
#define T_CONS_ERR(err)		((u32)(err) << 24)
#define T_ERR_ILL		1
#define T_ERR_ABT		2
/* Reserved */
#define T_ERR_NONE		0x7f

/* GERROR (6.3.19) */
#define T_GERROR_CMDQ		BIT(0)
#define T_GERROR_EVTQ_ABT	BIT(2)
#define T_GERROR_MSI_CMDQ_ABT	BIT(4)
#define T_GERROR_MSI_GERROR_ABT	BIT(7)
#define T_GERROR_SFM		BIT(8)
/* All that are defined and that EL2 does not hide */
#define T_GERROR_ALL		0x1fdU

/* CR0, and IRQ_CTRL */
#define T_CR0_SMMUEN		BIT(0)
#define T_CR0_EVTQEN		BIT(2)
#define T_CR0_CMDQEN		BIT(3)
#define T_IRQ_GERROR		BIT(0)
#define T_IRQ_EVTQ		BIT(2)

/* GBPA */
#define T_GBPA_ABORT		BIT(20)

/* CR1: everything is write-back and inner shareable, or not cacheable */
#define T_CR1_WB_ISH		0xd75
#define T_CR1_NC_OSH		0x820
/* CR2: RECINVSID, PTM */
#define T_CR2			0x6

/* IDR0 */
#define T_IDR0_S2P		BIT(0)
#define T_IDR0_S1P		BIT(1)
#define T_IDR0_TTF		GENMASK(3, 2)
#define T_IDR0_TTF_AARCH32	BIT(2)
#define T_IDR0_COHACC		BIT(4)
#define T_IDR0_ASID16		BIT(12)
#define T_IDR0_MSI		BIT(13)
#define T_IDR0_TTENDIAN		GENMASK(22, 21)
#define T_IDR0_TTENDIAN_RES	BIT(21)
#define T_IDR0_TTENDIAN_BE	(3U << 21)
#define T_IDR0_STALL_MODEL	GENMASK(25, 24)
#define T_IDR0_STALL_FORCE	(2U << 24)
#define T_IDR0_ST_LEVEL		GENMASK(28, 27)
#define T_STALL_MODEL_NONE	1

/* IDR1: log2 of commands, of events, of SubstreamIDs and of StreamIDs */
#define T_IDR1_SIDSIZE		GENMASK(5, 0)
#define T_IDR1_SSIDSIZE		GENMASK(10, 6)
#define T_IDR1_PRIQS		GENMASK(15, 11)
#define T_IDR1_EVENTQS		GENMASK(20, 16)
#define T_IDR1_CMDQS		GENMASK(25, 21)
#define T_IDR1_REL		BIT(28)
#define T_IDR1_QUEUES_PRESET	BIT(29)
#define T_IDR1_TABLES_PRESET	BIT(30)
#define T_IDR1_ECMDQ		BIT(31)
#define T_IDR1(cmdqs, evtqs, ssid, sid)					\
	((u32)(cmdqs) << 21 | (u32)(evtqs) << 16 | (u32)(ssid) << 6 | (sid))

/* IDR3 and IDR5 */
#define T_IDR3_HAD		BIT(2)
#define T_IDR3_RIL		BIT(10)
#define T_IDR3_BBML(level)	((u32)(level) << 11)
#define T_IDR5_OAS		GENMASK(2, 0)
#define T_IDR5_GRANULES		GENMASK(6, 4)
#define T_OAS_36		1
#define T_OAS_40		2
#define T_OAS_44		4
#define T_OAS_52		6
#define T_IDR5(oas)		(T_IDR5_GRANULES | (oas))

/* STRTAB_BASE, STRTAB_BASE_CFG, and a level-1 descriptor */
#define T_STRTAB_ADDR		GENMASK_ULL(51, 6)
#define T_STRTAB_LOG2SIZE	GENMASK(5, 0)
#define T_STRTAB_SPLIT		GENMASK(10, 6)
#define T_STRTAB_FMT		GENMASK(17, 16)
#define T_STRTAB_2LVL		1
#define T_STRTAB_CFG(fmt, split, bits)					\
	((u32)(fmt) << 16 | (u32)(split) << 6 | (bits))
#define T_L1_SPAN		GENMASK_ULL(4, 0)

/* Queues */
#define T_Q_ADDR		GENMASK_ULL(51, 5)
#define T_Q_LOG2SIZE		GENMASK_ULL(4, 0)
#define T_EVTQ_OVFLG		BIT(31)

/* STEs: V and Config, and what is left of dwords 0 and 1 */
#define T_STE_V			BIT_ULL(0)
#define T_STE_CONFIG		GENMASK_ULL(3, 1)
#define T_STE_VCONFIG		GENMASK_ULL(3, 0)
#define T_STE_ABORT		0x1ULL
#define T_STE_BYPASS		0x9ULL
#define T_STE_S1		0xbULL
#define T_STE_S2		0xdULL
#define T_STE_NESTED		0xfULL
#define T_STE_S1FMT		GENMASK_ULL(5, 4)
#define T_STE_S1CTXPTR		GENMASK_ULL(51, 6)
#define T_STE_S1CDMAX		GENMASK_ULL(63, 59)
#define T_S1CDMAX(n)		((u64)(n) << 59)
#define T_STE_S1DSS		GENMASK_ULL(1, 0)
#define T_STE_MEV		BIT_ULL(19)
#define T_STE_S2FWB		BIT_ULL(25)
#define T_STE_S1STALLD		BIT_ULL(27)
#define T_STE_EATS		GENMASK_ULL(29, 28)
#define T_STE_EATS_FULL		BIT_ULL(28)
#define T_STE_STRW		GENMASK_ULL(31, 30)
#define T_STE_SHCFG		GENMASK_ULL(45, 44)
#define T_STE_SHCFG_INCOMING	BIT_ULL(44)

/* Events (7.3) */
#define T_F_TRANSLATION		0x10
#define T_F_PERMISSION		0x13
#define T_C_BAD_STE		0x04
/* Dword 1: the fault is stage 2's */
#define T_EVT_S2		BIT_ULL(39)

#endif /* __PKVM_SMMU_ARCH_H */
