/* SPDX-License-Identifier: Apache-2.0 */
/* Nanoseconds for what happens to every message: rows, restrictions, wire forms, entry ids. */
#include <config.h>
#include <stdio.h>
#include <time.h>
#include <gx/entryid.h>

#define PROPS 45 /* of a usual message */
#define BATCH 1000
#define SECONDS 0.3

static struct gx_arena *a, *fixed;
static struct gx_proplist list;
static struct gx_bin row, rop, oneoff;
static const struct gx_restr *filter;
static size_t sink;

static double now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The best of the batches that fit into the time. */
static void measure(const char *what, void (*run)(void))
{
	double start = now(), best = 1e9, t = start;
	while (t - start < SECONDS) {
		for (int i = 0; i < BATCH; ++i) {
			gx_arena_reset(a);
			run();
		}
		double end = now();
		if (end - t < best)
			best = end - t;
		t = end;
	}
	printf("{\"bench\": \"prop\", \"case\": \"%s\", \"ns\": %.0f}\n", what, best / BATCH * 1e9);
}

static void check(int err)
{
	if (err == 0)
		return;
	fprintf(stderr, "%s\n", gx_strerror(err));
	exit(1);
}

static void run_pack(void)
{
	struct gx_push out = GX_PUSH_INIT;
	check(gx_prow_pack(&out, &list));
	sink += out.len;
	gx_push_release(&out);
}

static void run_unpack(void)
{
	struct gx_proplist l;
	check(gx_prow_unpack(a, row.data, row.len, &l));
	sink += l.count;
}

static void run_find_last(void)
{
	struct gx_propval pv;
	check(gx_prow_find(row.data, row.len, list.v[list.count - 1].tag, a, &pv));
	sink += pv.tag;
}

static int from_row(gx_proptag_t tag, struct gx_propval *ret_pv, void *ctx)
{
	int err = gx_prow_find(row.data, row.len, tag, a, ret_pv);
	return err == 0 ? 1 : err == GX_E_NOTFOUND ? 0 : err;
}

static void run_eval(void)
{
	const struct gx_propsrc src = {.get = from_row};
	bool match;
	check(gx_restr_eval(filter, &src, &match));
	sink += match;
}

static void run_rop_push(void)
{
	const struct gx_px x = GX_PX_ROP(a, 1252);
	struct gx_push out = GX_PUSH_INIT;
	gx_px_push_proplist(&out, &x, &list);
	check(out.err);
	sink += out.len;
	gx_push_release(&out);
}

static void run_rop_pull(void)
{
	const struct gx_px x = GX_PX_ROP(a, 1252);
	struct gx_pull c;
	struct gx_proplist l;
	gx_pull_init(&c, rop.data, rop.len);
	gx_px_pull_proplist(&c, &x, &l);
	check(c.err);
	sink += l.count;
}

static void run_entryid(void)
{
	struct gx_bin b;
	check(gx_entryid_message(a, &muidOOP, &muidOOP, 1, &muidEMSAB, 2, &b));
	sink += b.len;
}

static void run_oneoff(void)
{
	const struct gx_dctx x = GX_DCTX(a);
	struct gx_oneoff_eid e;
	check(gx_desc_decode(&x, gx_entryid_desc(GX_ENTRYID_ONEOFF_EID), oneoff.data, oneoff.len, &e));
	sink += e.bits;
}

static void run_name(void)
{
	sink += gx_proptag_by_name("PidTagSubject");
}

/* Numbers, times, texts and keys in the mix of a mail; the tags themselves do not matter. */
static void make_list(void)
{
	for (uint16_t i = 0; i < PROPS; ++i) {
		uint16_t id = (uint16_t)(0x1000 + i * 7);
		switch (i % 5) {
		case 0: check(gx_proplist_set_i32(&list, fixed, GX_PROP_TAG(id, PtypInteger32), i)); break;
		case 1: check(gx_proplist_set_time(&list, fixed, GX_PROP_TAG(id, PtypTime), i)); break;
		case 2: check(gx_proplist_set_bin(&list, fixed, GX_PROP_TAG(id, PtypBinary), "0123456789012345678901", 22)); break;
		default: check(gx_proplist_set_str(&list, fixed, GX_PROP_TAG(id, PtypString), "somebody@example.com")); break;
		}
	}
}

static void make_inputs(void)
{
	static struct gx_restr both[2], all = {.type = RES_AND, .u.list = {both, 2}};
	const struct gx_px x = GX_PX_ROP(fixed, 1252);
	struct gx_push out = GX_PUSH_INIT;
	make_list();
	check(gx_prow_pack(&out, &list));
	check(gx_push_finish(&out, fixed, &row));
	gx_push_clear(&out);
	gx_px_push_proplist(&out, &x, &list);
	check(gx_push_finish(&out, fixed, &rop));
	gx_push_release(&out);
	check(gx_entryid_oneoff(fixed, "Some Body", "SMTP", "somebody@example.com", &oneoff));
	both[0] = (struct gx_restr){.type = RES_PROPERTY, .u.prop = {RELOP_GE, list.v[0].tag, list.v[0]}};
	both[1] = (struct gx_restr){.type = RES_CONTENT, .u.content = {FL_SUBSTRING, FL_IGNORECASE, list.v[3].tag,
		{list.v[3].tag, {.str = "EXAMPLE"}}}};
	filter = &all;
}

int main(void)
{
	a = gx_arena_new(0);
	fixed = gx_arena_new(0);
	if (a == NULL || fixed == NULL)
		return 1;
	make_inputs();
	measure("pack a row of 45", run_pack);
	measure("unpack it", run_unpack);
	measure("find its last", run_find_last);
	measure("number and text restriction on it", run_eval);
	measure("list of 45 to ROP form", run_rop_push);
	measure("and back", run_rop_pull);
	measure("message entry id made", run_entryid);
	measure("one-off entry id decoded", run_oneoff);
	measure("tag by name", run_name);
	gx_arena_free(a);
	gx_arena_free(fixed);
	return sink == 0;
}
