/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_TOOLS_PROPNAMES_H
#define GX_TOOLS_PROPNAMES_H
/*
 * Named properties that a new store shall know from the beginning, propnames.txt: a line for each,
 * "GUID=set,LID=number" or "GUID=set,NAME=text"; they get their ids in the order of the lines.
 */
#include <gx/msgobj.h>

/* 0 or GX_E_*; *ret_why says what is wrong with which line. */
int propnames_read(struct gx_arena *a, const char *path, struct gx_propname **ret_v, size_t *ret_n,
	const char **ret_why) GX_MUST_CHECK;

#endif
