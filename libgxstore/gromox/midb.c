/* SPDX-License-Identifier: Apache-2.0 */
/* What IMAP clients were told: UIDs, flags, keywords, subscriptions. */
#include <config.h>
#include <string.h>
#include "libgxstore/gromox/gromox-int.h"

#define WORDS_MAX 128
#define BLANK " \t\r\n"

void gx_gromox__list_uids(struct gx_gromox *g, uint64_t fid, uint32_t after)
{
	gx_sql__done(g->cursor);
	g->cursor = NULL;
	if (g->midb == NULL)
		return;
	g->cursor = gx_sql__stmt(g->midb, "SELECT message_id,uid FROM messages WHERE folder_id=?1 AND uid>?2"
		" ORDER BY uid,message_id");
	gx_sql__bind_int(g->cursor, 1, (int64_t)fid);
	gx_sql__bind_int(g->cursor, 2, after);
}

int gx_gromox__next_uid(struct gx_gromox *g, uint64_t *ret_mid, uint32_t *ret_uid)
{
	int r = g->cursor == NULL ? 0 : gx_sql__step(g->cursor);
	while (r > 0) {
		uint64_t uid = gx_sql__u64(g->cursor, 1);
		if (uid < UINT32_MAX) {
			*ret_mid = gx_sql__u64(g->cursor, 0);
			*ret_uid = (uint32_t)uid;
			return 1;
		}
		r = gx_sql__step(g->cursor);
	}
	return r;
}

/* Words between blanks. */
static int split(struct gx_arena *a, const char *text, const char *const **ret_v)
{
	const char **v = gx_arena_new_array(a, const char *, WORDS_MAX + 1);
	size_t n = 0;
	if (v == NULL)
		return GX_E_NOMEM;
	for (text += strspn(text, BLANK); *text != '\0' && n < WORDS_MAX; text += strspn(text, BLANK)) {
		size_t len = strcspn(text, BLANK);
		v[n] = gx_arena_strndup(a, text, len);
		if (v[n++] == NULL)
			return GX_E_NOMEM;
		text += len;
	}
	*ret_v = n == 0 ? NULL : v;
	return 0;
}

static uint32_t flags_of(struct gx_stmt *st)
{
	static const uint32_t bit[] = {GX_MSGF_ANSWERED, GX_MSGF_FLAGGED, GX_MSGF_DELETED, GX_MSGF_FORWARDED,
		GX_MSGF_RECENT, GX_MSGF_DRAFT};
	uint32_t flags = 0;
	for (int i = 0; i < 6; i++)
		if (gx_sql__int(st, 2 + i) != 0)
			flags |= bit[i];
	return flags;
}

int gx_gromox__imap_msg(struct gx_gromox *g, uint64_t mid, struct gx_arena *a, struct gx_gromox_imap *ret_i)
{
	*ret_i = (struct gx_gromox_imap){.fid = 0};
	if (g->midb == NULL)
		return 0;
	GX_STMT(st, g->midb, g->q_midb_msg);
	gx_sql__bind_int(st, 1, (int64_t)mid);
	int r = gx_sql__step(st);
	if (r <= 0)
		return r;
	uint64_t uid = gx_sql__u64(st, 1);
	*ret_i = (struct gx_gromox_imap){.fid = gx_sql__u64(st, 0), .uid = uid < UINT32_MAX ? (uint32_t)uid : 0,
		.flags = flags_of(st), .read = gx_sql__int(st, 8) != 0, .modified = gx_sql__u64(st, 11),
		.received = gx_sql__int(st, 12)};
	if (!gx_sql__is_null(st, 10) && *gx_sql__text(st, 10) != '\0') {
		ret_i->eml = gx_arena_strdup(a, gx_sql__text(st, 10));
		if (ret_i->eml == NULL)
			return GX_E_NOMEM;
	}
	int err = gx_sql__is_null(st, 9) ? 0 : split(a, gx_sql__text(st, 9), &ret_i->keywords);
	return err != 0 ? err : 1;
}

int gx_gromox__imap_folder(struct gx_gromox *g, uint64_t fid, uint32_t *ret_uidlast, bool *ret_subscribed)
{
	if (g->midb == NULL)
		return 0;
	GX_STMT(st, g->midb, g->q_midb_folder);
	gx_sql__bind_int(st, 1, (int64_t)fid);
	int r = gx_sql__step(st);
	if (r <= 0)
		return r;
	uint64_t last = gx_sql__u64(st, 0);
	*ret_uidlast = last < UINT32_MAX ? (uint32_t)last : 0;
	*ret_subscribed = gx_sql__int(st, 1) == 0;
	return 1;
}
