/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_PEOPLE_H
#define GX_EMSMDB_PEOPLE_H
/* Entry ids of people and what the directory knows of them. */
#include "libgxproto/emsmdb/kinds.h"

/* gx_table_person_cb; @ctx: struct gx_ems. Whom the directory does not know has a one-off entry id. */
int gx_ems__person(const char *address, struct gx_arena *a, const char **ret_name, struct gx_bin *ret_entryid, void *ctx);
/* SMTP address behind an address of a type; of "EX" it is a DN. GX_E_NOTFOUND. */
int gx_ems__smtp(struct gx_ems *e, struct gx_arena *a, const char *type, const char *address, const char **ret_smtp) GX_MUST_CHECK;
/* The same of an entry id; ecInvalidParam for what is no person's, ecUnknownUser for whom nobody knows. */
gx_ec gx_ems__smtp_of_entryid(struct gx_rop_call *c, struct gx_bin entryid, const char **ret_smtp);

/* The same of the properties of a person: @smtp, @type, @address and @entryid are tags. GX_E_NOTFOUND. */
struct gx_ems_person_tags {
	gx_proptag_t name, smtp, type, address, entryid, search_key;
};
extern const struct gx_ems_person_tags gx_ems__sender_tags, gx_ems__representing_tags;
int gx_ems__smtp_of_person(struct gx_ems *e, struct gx_arena *a, const struct gx_proplist *l, const struct gx_ems_person_tags *tags,
	const char **ret_smtp) GX_MUST_CHECK;
/* Describes a user by all of them. */
int gx_ems__set_person(struct gx_ems *e, struct gx_arena *a, const struct gx_user *u, const struct gx_ems_person_tags *tags,
	struct gx_proplist *l) GX_MUST_CHECK;

/*
 * SMTP addresses of recipients, which these have from then on. @resend, mfResend: only of those who did not get it the first time,
 * [MS-OXOMSG] 3.2.5.1. ecNoRecipients, ecInvalidRecips.
 */
gx_ec gx_ems__addressees(struct gx_ems *e, struct gx_arena *a, struct gx_proplist *rcpts, size_t n, bool resend, const char *const **ret_v,
	size_t *ret_n);

#endif
