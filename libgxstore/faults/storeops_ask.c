/* SPDX-License-Identifier: Apache-2.0 */
/* Questions beside reading: about instances, search folders, rules, sizes. */
#include <config.h>
#include <gx/folder.h>
#include <gx/instance.h>
#include <gx/rules.h>
#include <gx/search.h>
#include <gx/storesize.h>
#include "libgxstore/faults/storeops.h"

static bool pick_msg(struct so_world *w)
{
	return so_msgs(w, 1, false);
}

static gx_ec about_instance(struct so_world *w, struct gx_txn *t, struct gx_inst *i)
{
	struct gx_inst_across_opts o = GX_INST_ACROSS_OPTS_INIT;
	struct gx_inst_info info;
	uint16_t *names;
	size_t n;
	o.rcpts = o.atts = true;
	gx_inst_info(i, &info);
	gx_ec ec = gx_inst_see_flags(t, i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_named(t, i, &o, w->a, &names, &n);
	w->x.n = gx_inst_size(i) > 0;
	return ec;
}

static gx_ec run_instance(struct so_world *w, struct gx_txn *t)
{
	struct gx_inst *i = NULL;
	gx_ec ec = gx_inst_open(t, 0, w->x.mids[0], GX_INST_WRITE, &i);
	if (!gx_ec_failed(ec))
		ec = about_instance(w, t, i);
	gx_inst_free(i);
	return ec;
}

static gx_ec run_search(struct so_world *w, struct gx_txn *t)
{
	static const struct gx_restr words = {.type = RES_CONTENT,
		.u.content = {FL_SUBSTRING, FL_IGNORECASE, PidTagSubject, {PidTagSubject, {.str = "message"}}}};
	struct gx_candidates found;
	gx_ec ec = gx_search_restr(t, 0, &words, w->a, &found);
	return gx_ec_failed(ec) ? ec : gx_search_shows(t, w->x.fid, w->x.mids[0], &w->x.on);
}

static gx_ec run_folder(struct so_world *w, struct gx_txn *t)
{
	uint32_t after = 0;
	uint64_t mids[4];
	size_t n, most;
	gx_ec ec = gx_folder_next_messages(t, w->x.fid, false, UINT32_MAX, &after, 4, mids, &n);
	return gx_ec_failed(ec) ? ec : gx_rules_extended(t, w->x.fid, &n, &most);
}

static struct gx_store_sizes sizes;

static gx_ec run_measure(struct so_world *w, struct gx_txn *t)
{
	(void)t;
	return gx_ec_from_err(gx_store_measure(w->s, w->a, &sizes));
}

/* The same when nothing fails. Files may have grown or gone. */
static void check_measure(struct so_world *w)
{
	struct gx_store_sizes now;
	ck_assert_int_eq(gx_store_measure(w->s, w->a, &now), 0);
	ck_assert_mem_eq(&sizes.normal, &now.normal, sizeof(now.normal));
	ck_assert_mem_eq(&sizes.bodies, &now.bodies, sizeof(now.bodies));
	ck_assert_mem_eq(&sizes.attachments, &now.attachments, sizeof(now.attachments));
	ck_assert_mem_eq(&sizes.originals, &now.originals, sizeof(now.originals));
	ck_assert_mem_eq(&sizes.contents, &now.contents, sizeof(now.contents));
	ck_assert_mem_eq(&sizes.missing, &now.missing, sizeof(now.missing));
	ck_assert_uint_eq(sizes.other.count, now.other.count);
	ck_assert_uint_eq(sizes.ntables, now.ntables);
}

static const struct so_op rows[] = {
	{"ask_instance", SO_READ, pick_msg, run_instance, NULL},
	{"ask_search", SO_READ, pick_msg, run_search, NULL},
	{"ask_folder", SO_READ, pick_msg, run_folder, NULL},
	{"measure", SO_OWN, NULL, run_measure, check_measure},
};
SO_OPS(so_ask_ops, rows);
