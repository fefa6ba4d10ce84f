/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_PEOPLE_H
#define GX_EMSMDB_PEOPLE_H
/* Entry ids of people and what the directory knows of them. */
#include "libgxproto/emsmdb/kinds.h"

/* gx_table_person_cb; @ctx: struct gx_ems. Whom the directory does not know has a one-off entry id. */
int gx_ems__person(const char *address, struct gx_arena *a, const char **ret_name, struct gx_bin *ret_entryid, void *ctx);
/* SMTP address behind an address of a type; of "EX" it is a DN. ecUnknownUser. */
gx_ec gx_ems__smtp_of(struct gx_rop_call *c, const char *type, const char *address, const char **ret_smtp);
/* The same of an entry id; ecInvalidParam for what is no person's. */
gx_ec gx_ems__smtp_of_entryid(struct gx_rop_call *c, struct gx_bin entryid, const char **ret_smtp);

#endif
