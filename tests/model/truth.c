/* SPDX-License-Identifier: Apache-2.0 */
/* What the client has, and what tables say. */
#include <config.h>
#include <inttypes.h>
#include "tests/model/model.h"

enum { ROWS = 200 };

void print_copy(void)
{
	for (unsigned k = 0; k < PLACES; ++k)
		for (size_t i = 0; i < w.p[k].n; ++i) {
			const struct item *m = &w.p[k].v[i];
			printf("m %s %" PRIx64 " %s %s %d %d %d\n", w.p[k].name, m->mid, m->tag, m->ver, m->read, m->flagged, m->fai);
		}
	for (size_t i = 0; i < w.tree.n; ++i)
		printf("f %" PRIx64 " %" PRIx64 " %s\n", w.tree.v[i].fid, w.tree.v[i].parent, w.tree.v[i].name);
}

static uint64_t u64_of(const struct gx_proplist *l, gx_proptag_t tag)
{
	const struct gx_propval *v = gx_proplist_get(l, tag);
	return v == NULL ? 0 : (uint64_t)v->v.i64;
}

static void print_row(const struct place *p, const struct gx_proplist *l, bool fai)
{
	char tag[NAME] = "?", ver[NAME] = "?";
	(void)split_name(gx_proplist_str(l, PidTagSubject, ""), tag, ver);
	printf("t %s %" PRIx64 " %s %s %d %d %d %d\n", p->name, u64_of(l, PidTagMid), tag, ver,
		gx_proplist_i32(l, PidTagMessageFlags, 0) & 1, gx_proplist_i32(l, PidTagFlagStatus, 0) == 2, fai,
		gx_proplist_i32(l, PidTagInternetArticleNumber, 0));
}

/* Rows of a table; @p p NULL: of folders. */
static gx_ec print_rows(struct gx_mapi_obj *t, const struct place *p, bool fai)
{
	static const gx_proptag_t of_messages[] = {PidTagMid, PidTagSubject, PidTagMessageFlags, PidTagFlagStatus, PidTagInternetArticleNumber};
	static const gx_proptag_t of_folders[] = {PidTagFolderId, PidTagParentFolderId, PidTagDisplayName};
	struct gx_proplist *v;
	size_t n = 0;
	gx_ec ec = gx_mapi_set_columns(t, p == NULL ? of_folders : of_messages, p == NULL ? 3 : 5);
	if (!gx_ec_failed(ec))
		ec = gx_mapi_rows(t, ROWS, w.a, &v, &n);
	while (!gx_ec_failed(ec) && n > 0) {
		for (size_t i = 0; i < n; ++i)
			if (p != NULL)
				print_row(p, &v[i], fai);
			else
				printf("g %" PRIx64 " %" PRIx64 " %s\n", u64_of(&v[i], PidTagFolderId), u64_of(&v[i], PidTagParentFolderId),
					gx_proplist_str(&v[i], PidTagDisplayName, ""));
		ec = gx_mapi_rows(t, ROWS, w.a, &v, &n);
	}
	return ec;
}

static gx_ec print_table(uint64_t fid, const struct place *p, unsigned flags)
{
	struct gx_mapi_obj *f, *t;
	gx_ec ec = gx_mapi_open_folder(w.store, fid, 0, &f);
	if (gx_ec_failed(ec))
		return ec;
	ec = p == NULL ? gx_mapi_hierarchy(f, flags, &t, NULL) : gx_mapi_contents(f, flags, &t, NULL);
	if (!gx_ec_failed(ec)) {
		ec = print_rows(t, p, (flags & GX_MAPI_ASSOCIATED) != 0);
		gx_mapi_close(t);
	}
	gx_mapi_close(f);
	return ec;
}

bool print_tables(void)
{
	gx_ec ec = print_table(gx_mapi_special_folder(w.store, GX_MAPI_IPMSUBTREE), NULL, GX_MAPI_DEPTH);
	for (unsigned k = 0; k < PLACES && !gx_ec_failed(ec); ++k) {
		ec = print_table(w.p[k].fid, &w.p[k], 0);
		if (!gx_ec_failed(ec))
			ec = print_table(w.p[k].fid, &w.p[k], GX_MAPI_ASSOCIATED);
	}
	if (gx_ec_failed(ec))
		(void)verdict(ec);
	return !gx_ec_failed(ec);
}
