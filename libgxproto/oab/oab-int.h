/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_OAB_INT_H
#define GX_OAB_INT_H
#include <gx/oab.h>
#include "libgxproto/nsp/nsp-int.h"

enum { OAB_VERSION = 0x20, OAB_HEADER = 12 };

/* CRC-32 as [MS-OXOAB] 2.9.1 wants it: not inverted at the end. */
uint32_t gx_oab__crc(const void *data, size_t len);
/*
 * Version 4 full details of what this user sees, in the order of directory ids, so that one version is like the next.
 * @p ret_people: where the records of people begin.
 */
int gx_oab__details(struct nsp_call *c, uint32_t sequence, const char *guid, struct gx_push *out, size_t *ret_people) GX_MUST_CHECK;
/* Where records end, and whose they are; 0 for the first, which is nobody's. In @p a. */
struct oab_record {
	uint32_t id;
	size_t end;
};
int gx_oab__records(struct gx_arena *a, struct gx_bin b, struct oab_record **ret_v, size_t *ret_n) GX_MUST_CHECK;

#endif
