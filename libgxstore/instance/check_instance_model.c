/* SPDX-License-Identifier: Apache-2.0 */
/* Random edit scripts on instances against a plain model in memory, saved, reopened, compared. */
#include <config.h>
#include "libgxstore/instance/insttest.h"

#define VALUES 7
#define RCPTS 12
#define ATTS 40
#define DEPTH 3
#define MESSAGES 3

/* What a value is made of. */
struct val {
	bool there;
	size_t len;
	uint64_t seed;
};
struct mmsg;
struct matt {
	uint32_t num;
	struct val name, data;
	struct mmsg *inner;
};
struct mmsg {
	struct val v[VALUES], rcpt[RCPTS];
	struct matt att[ATTS];
	size_t natts;
};
static struct {
	struct gx_inst *i;
	struct mmsg *now, *saved;
	uint64_t mid;
} w[MESSAGES];
static uint64_t rng, serial;

static const gx_proptag_t tags[VALUES] = {PidTagBody, PidTagHtml, PidTagComment, 0x6601001f, 0x66020102, 0x66030003, 0x66040102};

static unsigned rnd(unsigned below)
{
	rng ^= rng >> 12;
	rng ^= rng << 25;
	rng ^= rng >> 27;
	return (unsigned)((rng * 2685821657736338717u) >> 33) % below;
}

static struct val some_value(void)
{
	static const size_t most[] = {1, 50, 300, 5000, 20000, 100000};
	size_t n = rnd(40) == 0 ? 2500000 : rnd((unsigned)most[rnd(6)]);
	return (struct val){true, n, ++serial};
}

static const uint8_t *bytes(const struct val *v)
{
	return it_noise(v->len, v->seed);
}

static const char *text(const struct val *v)
{
	char *s = (char *)it_noise(v->len, v->seed);
	for (size_t i = 0; i < v->len; i++)
		s[i] = (char)(' ' + (uint8_t)s[i] % 90);
	return s;
}

static union gx_value value(gx_proptag_t tag, const struct val *v)
{
	switch (GX_PROP_TYPE(tag)) {
	case PtypString:
		return (union gx_value){.str = text(v)};
	case PtypBinary:
		return (union gx_value){.bin = {bytes(v), v->len}};
	default:
		return (union gx_value){.i32 = (int32_t)v->seed};
	}
}

/* ---- The model ---- */

static struct mmsg *copy_model(const struct mmsg *m)
{
	struct mmsg *c = malloc(sizeof(*c));
	*c = *m;
	for (size_t i = 0; i < c->natts; i++)
		if (c->att[i].inner != NULL)
			c->att[i].inner = copy_model(c->att[i].inner);
	return c;
}

static void free_model(struct mmsg *m)
{
	for (size_t i = 0; m != NULL && i < m->natts; i++)
		free_model(m->att[i].inner);
	free(m);
}

static void check_value(const struct gx_proplist *l, gx_proptag_t tag, const struct val *v)
{
	const struct gx_propval *pv = gx_proplist_get(l, tag);
	ck_assert_msg((pv != NULL) == v->there, "%08x is %s", (unsigned)tag, pv == NULL ? "missing" : "there");
	if (pv == NULL)
		return;
	union gx_value want = value(tag, v);
	ck_assert_msg(gx_value_equal(GX_PROP_TYPE(tag), &pv->v, &want), "%08x differs", (unsigned)tag);
}

static void check_object(const struct gx_msgobj *o, const struct mmsg *m)
{
	size_t n = 0;
	for (size_t k = 0; k < VALUES; k++)
		check_value(&o->props, tags[k], &m->v[k]);
	for (size_t k = 0; k < RCPTS; k++) {
		if (!m->rcpt[k].there)
			continue;
		ck_assert_uint_lt(n, o->rcpt_count);
		ck_assert_int_eq(gx_proplist_i32(&o->rcpts[n], PidTagRowid, -1), (int32_t)k);
		check_value(&o->rcpts[n++], PidTagDisplayName, &m->rcpt[k]);
	}
	ck_assert_uint_eq(n, o->rcpt_count);
	ck_assert_uint_eq(o->att_count, m->natts);
	for (size_t k = 0; k < m->natts; k++) {
		ck_assert_int_eq(gx_proplist_i32(&o->atts[k].props, PidTagAttachNumber, -1), (int32_t)m->att[k].num);
		check_value(&o->atts[k].props, PidTagAttachLongFilename, &m->att[k].name);
		check_value(&o->atts[k].props, PidTagAttachDataBinary, &m->att[k].data);
		ck_assert_int_eq(o->atts[k].embedded != NULL, m->att[k].inner != NULL);
		if (m->att[k].inner != NULL)
			check_object(o->atts[k].embedded, m->att[k].inner);
	}
}

static void check_inst(struct gx_inst *i, const struct mmsg *m)
{
	struct gx_txn *t = st_begin(it_s, GX_TXN_READ);
	struct gx_msgobj *o;
	ST_OK(gx_inst_read(t, i, it_a, &o));
	check_object(o, m);
	gx_txn_abort(t);
}

/* ---- Work ---- */

static void edit(struct gx_txn *t, struct gx_inst *i, struct mmsg *m, unsigned depth, unsigned steps);

static void do_value(struct gx_inst *i, struct mmsg *m)
{
	size_t k = rnd(VALUES);
	struct gx_proplist l = {0};
	if (rnd(4) == 0) {
		ST_OK(gx_inst_remove_props(i, &tags[k], 1, 0, it_a, NULL));
		m->v[k].there = false;
		return;
	}
	m->v[k] = some_value();
	if (tags[k] == PidTagBody || tags[k] == PidTagHtml) { /* together, so that neither goes with the other */
		size_t o = tags[k] == PidTagBody ? 1 : 0;
		m->v[o] = some_value();
		ck_assert_int_eq(gx_proplist_set(&l, it_a, tags[o], value(tags[o], &m->v[o])), 0);
	}
	ck_assert_int_eq(gx_proplist_set(&l, it_a, tags[k], value(tags[k], &m->v[k])), 0);
	ST_OK(gx_inst_set_props(i, &l, 0, it_a, NULL));
}

static void do_stream(struct gx_txn *t, struct gx_inst *i, struct mmsg *m)
{
	const size_t k = 6;
	struct gx_inst_stream *s;
	struct val v = some_value();
	const uint8_t *p = bytes(&v);
	ST_OK(gx_inst_stream_open(t, i, tags[k], GX_STREAM_CREATE, &s));
	for (size_t at = v.len; at > 0;) { /* from the end */
		size_t n = 1 + rnd(200000);
		n = n < at ? n : at;
		at -= n;
		ST_OK(gx_inst_stream_write(t, s, at, p + at, n));
	}
	if (rnd(4) != 0) {
		ST_OK(gx_inst_stream_commit(s));
		m->v[k] = v;
	}
	gx_inst_stream_free(s);
}

static void do_rcpt(struct gx_inst *i, struct mmsg *m)
{
	unsigned k = rnd(RCPTS);
	struct gx_proplist l = {0};
	if (rnd(15) == 0) {
		ST_OK(gx_inst_clear_rcpts(i));
		memset(m->rcpt, 0, sizeof(m->rcpt));
		return;
	}
	m->rcpt[k] = rnd(3) == 0 ? (struct val){0} : (struct val){true, rnd(60), ++serial};
	ck_assert_int_eq(gx_proplist_set_i32(&l, it_a, PidTagRowid, (int32_t)k), 0);
	if (m->rcpt[k].there)
		ck_assert_int_eq(gx_proplist_set_str(&l, it_a, PidTagDisplayName, text(&m->rcpt[k])), 0);
	ST_OK(gx_inst_set_rcpts(i, &l, 1));
}

/* An attachment is edited, and put back or given up. */
static void do_att(struct gx_txn *t, struct gx_inst *i, struct mmsg *m, unsigned depth)
{
	struct matt *at = m->natts == 0 || (rnd(3) == 0 && m->natts < 6) ? NULL : &m->att[rnd((unsigned)m->natts)], x = {0};
	struct gx_inst *a, *e;
	if (at == NULL) {
		ST_OK(gx_inst_att_new(t, i, &x.num, &a));
	} else {
		ST_OK(gx_inst_att_open(t, i, at->num, GX_INST_WRITE, &a));
		x = *at;
		x.inner = x.inner == NULL ? NULL : copy_model(x.inner);
	}
	x.name = (struct val){true, rnd(40), ++serial};
	it_set_str(a, PidTagAttachLongFilename, text(&x.name));
	if (x.inner != NULL || (depth < DEPTH && rnd(3) == 0)) {
		bool fresh = x.inner == NULL;
		struct mmsg *inner = fresh ? calloc(1, sizeof(*inner)) : copy_model(x.inner);
		ST_OK(gx_inst_embedded_open(t, a, fresh, GX_INST_WRITE, &e));
		edit(t, e, inner, depth + 1, 1 + rnd(4));
		if (rnd(4) != 0 || fresh) {
			ST_OK(gx_inst_save(t, e, 0, NULL));
			free_model(x.inner);
			x.inner = inner;
			x.data.there = false;
		} else {
			free_model(inner);
		}
		gx_inst_free(e);
	} else {
		x.data = some_value();
		it_set_bin(a, PidTagAttachDataBinary, bytes(&x.data), x.data.len);
	}
	if (rnd(5) != 0) {
		ST_OK(gx_inst_save(t, a, 0, NULL));
		if (at == NULL) {
			ck_assert(m->natts < ATTS);
			at = &m->att[m->natts++];
			ck_assert(m->natts < 2 || at[-1].num < x.num);
		} else {
			free_model(at->inner);
		}
		*at = x;
	} else {
		free_model(x.inner);
	}
	gx_inst_free(a);
}

static void do_att_away(struct gx_txn *t, struct gx_inst *i, struct mmsg *m)
{
	if (m->natts == 0)
		return;
	size_t k = rnd((unsigned)m->natts);
	ST_OK(gx_inst_att_delete(t, i, m->att[k].num));
	free_model(m->att[k].inner);
	m->natts--;
	memmove(&m->att[k], &m->att[k + 1], (m->natts - k) * sizeof(m->att[0]));
}

static void edit(struct gx_txn *t, struct gx_inst *i, struct mmsg *m, unsigned depth, unsigned steps)
{
	while (steps-- > 0)
		switch (rnd(8)) {
		case 0:
		case 1:
			do_value(i, m);
			break;
		case 2:
			do_stream(t, i, m);
			break;
		case 3:
			do_rcpt(i, m);
			break;
		case 4:
			do_att_away(t, i, m);
			break;
		default:
			do_att(t, i, m, depth);
			break;
		}
}

/* ---- Messages ---- */

static void reopen(unsigned k)
{
	struct gx_txn *t = st_begin(it_s, GX_TXN_READ);
	gx_inst_free(w[k].i);
	w[k].i = it_open(t, w[k].mid);
	gx_txn_abort(t);
	free_model(w[k].now);
	w[k].now = copy_model(w[k].saved);
}

static void save(unsigned k)
{
	struct gx_save_result r;
	if (rnd(2))
		ck_assert_int_eq(gx_inst_prepare(w[k].i), 0);
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	ST_OK(gx_inst_save(t, w[k].i, 0, &r));
	if (rnd(10) == 0) { /* not committed: the instance is given up */
		gx_txn_abort(t);
		if (w[k].mid != 0) {
			reopen(k);
			return;
		}
		gx_inst_free(w[k].i);
		t = st_begin(it_s, GX_TXN_READ);
		w[k].i = it_new(t, GX_FID_DRAFTS);
		gx_txn_abort(t);
		free_model(w[k].now);
		w[k].now = calloc(1, sizeof(*w[k].now));
		return;
	}
	st_commit(t);
	ck_assert(w[k].mid == 0 || w[k].mid == r.mid);
	w[k].mid = r.mid;
	free_model(w[k].saved);
	w[k].saved = copy_model(w[k].now);
}

static void copy_parts(unsigned from, unsigned to)
{
	struct mmsg *m = w[to].now;
	bool done;
	if (from == to)
		return;
	struct gx_txn *t = st_begin(it_s, GX_TXN_READ);
	ST_OK(gx_inst_copy_atts(t, w[from].i, w[to].i, true, &done));
	ck_assert(done);
	struct mmsg *src = copy_model(w[from].now);
	struct gx_proplist *rows;
	size_t n;
	const gx_proptag_t num = PidTagAttachNumber;
	ST_OK(gx_inst_att_rows(t, w[to].i, &num, 1, 0, ATTS, it_a, &rows, &n));
	ck_assert_uint_eq(n, src->natts);
	for (size_t i = 0; i < m->natts; i++)
		free_model(m->att[i].inner);
	memcpy(m->att, src->att, sizeof(m->att));
	m->natts = n;
	for (size_t i = 0; i < n; i++) /* with numbers of their own */
		m->att[i].num = (uint32_t)gx_proplist_i32(&rows[i], num, -1);
	src->natts = 0;
	free_model(src);
	gx_txn_abort(t);
}

static void step(void)
{
	unsigned k = rnd(MESSAGES);
	struct gx_flag_change c = {GX_FLAGS_ADD + (int)rnd(2), GX_MSGF_READ, NULL, UINT64_MAX};
	struct gx_txn *t;
	switch (rnd(8)) {
	case 0:
	case 1:
		save(k);
		break;
	case 2:
		if (w[k].mid != 0)
			reopen(k);
		break;
	case 3:
		copy_parts(k, rnd(MESSAGES));
		break;
	case 4:
		if (w[k].mid == 0)
			break;
		t = st_begin(it_s, GX_TXN_WRITE);
		ST_OK(gx_msg_change_flags(t, GX_FID_DRAFTS, &w[k].mid, 1, &c, NULL, NULL, NULL));
		st_commit(t);
		break;
	default:
		t = st_begin(it_s, GX_TXN_READ);
		edit(t, w[k].i, w[k].now, 0, 1 + rnd(4));
		gx_txn_abort(t);
		break;
	}
	check_inst(w[k].i, w[k].now);
	gx_arena_reset(it_a);
}

static void check_stored(void)
{
	for (unsigned k = 0; k < MESSAGES; k++) {
		if (w[k].mid == 0)
			continue;
		struct gx_txn *t = st_begin(it_s, GX_TXN_READ);
		struct gx_inst *i = it_open(t, w[k].mid);
		gx_txn_abort(t);
		check_inst(i, w[k].saved);
		gx_inst_free(i);
		gx_arena_reset(it_a);
	}
}

START_TEST(edits_agree_with_the_model)
{
	rng = (uint64_t)_i * 7919 + 12345;
	struct gx_txn *t = st_begin(it_s, GX_TXN_READ);
	for (unsigned k = 0; k < MESSAGES; k++) {
		memset(&w[k], 0, sizeof(w[k]));
		w[k].now = calloc(1, sizeof(*w[k].now));
		w[k].saved = calloc(1, sizeof(*w[k].saved));
		w[k].i = it_new(t, GX_FID_DRAFTS);
	}
	gx_txn_abort(t);
	for (int i = 0; i < 250; i++) {
		step();
		if (i % 50 == 49) {
			check_stored();
			st_verify(it_s);
		}
	}
	for (unsigned k = 0; k < MESSAGES; k++) {
		gx_inst_free(w[k].i);
		free_model(w[k].now);
		free_model(w[k].saved);
		if (w[k].mid == 0)
			continue;
		t = st_begin(it_s, GX_TXN_WRITE);
		ST_OK(gx_msg_delete(t, GX_FID_DRAFTS, &w[k].mid, 1, true));
		st_commit(t);
	}
	t = st_begin(it_s, GX_TXN_READ);
	ck_assert_int_eq(it_count(t, "SELECT (SELECT COUNT(*) FROM body)+(SELECT COUNT(*) FROM att)+(SELECT COUNT(*) FROM content)"), 0);
	gx_txn_abort(t);
}
END_TEST

static Suite *suite(void)
{
	Suite *su = suite_create("instance_model");
	TCase *c = tcase_create("model");
	tcase_set_timeout(c, 600);
	tcase_add_checked_fixture(c, it_setup, it_teardown);
	tcase_add_loop_test(c, edits_agree_with_the_model, 0, 4);
	suite_add_tcase(su, c);
	return su;
}

GXTEST_MAIN(suite)
