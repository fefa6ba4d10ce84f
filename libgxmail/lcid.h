/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXMAIL_LCID_H
#define GXMAIL_LCID_H
/* Language tags of [RFC 5646] and Windows locale ids, [MS-LCID]; facts/lcids.tsv. */
#include <gx/base.h>

/* The first n characters of tag; a longer tag than any known one is tried without its last parts. 0: unknown. */
uint32_t gx_lcid__from_tag(const char *tag, size_t n);
/* NULL when unknown; static. */
const char *gx_lcid__to_tag(uint32_t lcid);

#endif
