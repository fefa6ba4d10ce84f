/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two clients that change their copies of a folder while they are offline, and somebody who works on the server: each synchronises up
 * and down through sessions after random steps, and loses some of them on the way. No change is lost without a conflict, none is in
 * conflict that is not, nothing comes back that was brought, and in the end everybody has the same.
 */
#include <config.h>
#include <time.h>
#include "libgxproto/emsmdb/icsclient.h"
#include "libgxstore/ics/offline.h"

static struct gx_bin sets_of[CLIENTS][GX_SYNCIN_SETS];
static unsigned lost;               /* sessions */
static bool alone;                  /* nobody works on the server, and no session is lost */

static struct gx_bin *sets(const struct client *c)
{
	return sets_of[c - w.c];
}

/* ---- Up ---- */

static struct gx_proplist said(const struct item *i)
{
	struct gx_proplist l = {0};
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagSubject, i->subject), 0);
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagMessageClass, "IPM.Note"), 0);
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagBody, i->subject), 0);
	/* counts when it is made; also one that was deleted for good, and comes again */
	ck_assert_int_eq(gx_proplist_set_i32(&l, et_a, PidTagMessageFlags, i->read), 0);
	return l;
}

static void put_properties(const struct item *i)
{
	const struct gx_rop_set_properties_req q = {said(i)};
	ST_OK(et_do(RopSetProperties, IC_MESSAGE, 0, &q, NULL));
}

/* The same as a stream, as Outlook does it. */
static void put_stream(const struct item *i)
{
	static uint8_t buf[16384];
	const struct gx_rop_fast_transfer_destination_configure_req conf = {GX_FTX_FROM_COPY_TO, 0};
	struct gx_proplist l = said(i);
	size_t n;
	struct gx_ftx_out *out = gx_ftx_out_new(&(struct gx_ftx_out_opts){.root = GX_FTX_MESSAGE_CONTENT, .send_options = GX_FTX_SEND_UNICODE});
	ck_assert_int_eq(gx_ftx_out_proplist(out, &l), 0);
	ck_assert_int_eq(gx_ftx_out_u32(out, MetaTagFXDelProp, PidTagMessageRecipients), 0);
	ck_assert_int_eq(gx_ftx_out_end(out), 0);
	ck_assert_int_eq(gx_ftx_out_read(out, buf, sizeof(buf), &n), 0);
	ck_assert(gx_ftx_out_done(out));
	gx_ftx_out_free(out);
	const struct gx_rop_fast_transfer_destination_put_buffer_req put = {{buf, n}};
	ST_OK(et_do(RopFastTransferDestinationConfigure, IC_MESSAGE, IC_DEST, &conf, NULL));
	ST_OK(et_do(RopFastTransferDestinationPutBuffer, IC_DEST, 0, &put, NULL));
	ic_release(IC_DEST);
}

static gx_ec announce(const struct item *i)
{
	struct gx_rop_synchronization_import_message_change_req q = {.import_flag = i->fai ? 0x10 : 0};
	struct gx_bin self = source_key(i->mid);
	ck_assert_int_eq(gx_proplist_set_bin(&q.property_values, et_a, PidTagSourceKey, self.data, self.len), 0);
	ck_assert_int_eq(gx_proplist_set_time(&q.property_values, et_a, PidTagLastModificationTime, i->modified), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&q.property_values, et_a, PidTagChangeKey, i->key, KEY), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&q.property_values, et_a, PidTagPredecessorChangeList, i->pcl, i->pcl_len), 0);
	return et_do(RopSynchronizationImportMessageChange, IC_COLLECTOR, IC_MESSAGE, &q, NULL);
}

/* @return whether the client still has it. */
static bool upload(struct client *c, struct item *i)
{
	gx_ec ec = announce(i);
	if (gx_ec_is(ec, ecSyncObjectDeleted))
		return false;
	if (gx_ec_is(ec, ecIgnoreFailure)) { /* the session was lost behind it */
		ck_assert(lost > 0);
	} else {
		ST_OK(ec);
		if (rnd(2) == 0)
			put_properties(i);
		else
			put_stream(i);
		ST_OK(et_do(RopSaveChangesMessage, IC_MESSAGE, IC_MESSAGE, &(struct gx_rop_save_changes_message_req){2}, NULL));
		ic_release(IC_MESSAGE);
		c->uploads++;
	}
	i->dirty = false;
	i->known = true;
	ic_state_change(sets(c), GX_SYNCIN_GIVEN, i->mid, true); /* it gave the id itself, and hears of its deletion from now on */
	return true;
}

static void upload_reads(struct client *c)
{
	static struct gx_message_read_state v[ITEMS];
	uint32_t n = 0;
	for (size_t k = 0; k < c->n; k++)
		if (c->v[k].read_dirty)
			v[n++] = (struct gx_message_read_state){source_key(c->v[k].mid), c->v[k].read};
	const struct gx_rop_synchronization_import_read_state_changes_req q = {v, n};
	if (n > 0)
		ST_OK(et_do(RopSynchronizationImportReadStateChanges, IC_COLLECTOR, 0, &q, NULL));
	for (size_t k = 0; k < c->n; k++) {
		c->v[k].read = c->v[k].read && !(c->v[k].fai && c->v[k].read_dirty);
		c->v[k].read_dirty = false;
	}
}

static void upload_deletes(struct client *c)
{
	struct gx_rop_synchronization_import_deletes_req q = {.import_delete_flags = rnd(2) ? 2 : 0};
	union gx_value *v = gx_arena_new_array(et_a, union gx_value, c->ngone);
	for (size_t i = 0; i < c->ngone; i++)
		v[i].bin = source_key(c->gone[i]);
	const union gx_value all = {.mv = {v, (uint32_t)c->ngone}};
	ck_assert_int_eq(gx_proplist_set(&q.property_values, et_a, 0x00001102, all), 0);
	if (c->ngone > 0)
		ST_OK(et_do(RopSynchronizationImportDeletes, IC_COLLECTOR, 0, &q, NULL));
	c->ngone = 0;
}

/* @return false: the session was lost. */
static bool up(struct client *c)
{
	const struct gx_rop_synchronization_open_collector_req q = {true};
	ic_open(IC_FOLDER, w.fid);
	ST_OK(et_do(RopSynchronizationOpenCollector, IC_FOLDER, IC_COLLECTOR, &q, NULL));
	ic_upload_state(IC_COLLECTOR, sets(c));
	upload_deletes(c);
	for (size_t i = 0; i < c->n;) {
		uint64_t mid = c->v[i].mid;
		if (!alone && rnd(40) == 0) {
			if (c->v[i].dirty && rnd(2) == 0)
				(void)announce(&c->v[i]).v;
			ic_reconnect();
			lost++;
			return false;
		}
		if (!c->v[i].dirty || upload(c, &c->v[i])) {
			i++;
			continue;
		}
		drop(c, mid);
		ic_state_change(sets(c), GX_SYNCIN_GIVEN, mid, false);
	}
	upload_reads(c);
	ic_fetch_state(IC_COLLECTOR, sets(c));
	ic_release(IC_COLLECTOR);
	return true;
}

/* ---- Down ---- */

static struct gx_bin with_key(struct gx_bin pcl, struct gx_bin key)
{
	struct gx_bin all;
	ck_assert_int_eq(gx_pcl_add_key(et_a, pcl, key, &all), 0);
	return all;
}

/* Another version of the same message in one stream: the later one shows, a next edit comes from both. */
static void conflict(struct client *c, struct item *i, const struct gx_ics_version *v, const char *subject)
{
	const struct gx_ics_version mine = version_of(i);
	bool wins = gx_ics_wins(v, &mine);
	struct gx_bin both;
	ck_assert_int_eq(gx_pcl_merge(et_a, with_key(mine.pcl, mine.change_key), with_key(v->pcl, v->change_key), &both), 0);
	if (wins)
		snprintf(i->subject, sizeof(i->subject), "%s", subject);
	set_version(i, wins ? v->change_key : mine.change_key, both, wins ? v->modified : i->modified);
	i->in_conflict = true;
	c->conflicts++;
}

static int on_message(const struct gx_syncin_message *m, void *ctx)
{
	struct client *c = ctx;
	uint64_t mid = ic_number(ic_bin(m->header, PidTagSourceKey));
	struct item *i = find(c, mid);
	const struct gx_propval *when = gx_proplist_get(m->header, PidTagLastModificationTime);
	const struct gx_ics_version v = {.change_key = ic_bin(m->header, PidTagChangeKey), .pcl = ic_bin(m->header, PidTagPredecessorChangeList),
		.modified = when->v.time};
	const char *subject = gx_proplist_str(&m->msg->props, PidTagSubject, "");
	c->received++;
	if (i != NULL && i->seen_in == c->round) {
		conflict(c, i, &v, subject);
		return 0;
	}
	i = find_or_add(c, mid);
	ck_assert_msg(!i->dirty, "%s would be overwritten", i->subject);
	snprintf(i->subject, sizeof(i->subject), "%s", subject);
	set_version(i, v.change_key, v.pcl, v.modified);
	i->seen_in = c->round;
	i->known = true;
	i->in_conflict = false;
	i->fai = m->associated;
	i->read = (gx_proplist_i32(&m->msg->props, PidTagMessageFlags, 0) & 1) != 0;
	return 0;
}

static int on_gone(gx_proptag_t why, const struct gx_idset *ids, void *ctx)
{
	ck_assert_uint_eq(why, MetaTagIdsetDeleted);
	apply(ctx, gx_idset_get(ids, 1), GX_ICS_DELETED);
	return 0;
}

static int on_read(bool read, const struct gx_idset *ids, void *ctx)
{
	apply(ctx, gx_idset_get(ids, 1), read ? GX_ICS_READ : GX_ICS_UNREAD);
	return 0;
}

static int on_state(const struct gx_syncin_state *s, void *ctx)
{
	ic_state_copy(sets(ctx), s->set);
	return 0;
}

static const struct gx_syncin_ops ops = {.message = on_message, .gone = on_gone, .read = on_read, .state = on_state};

static void down(struct client *c)
{
	const struct gx_rop_synchronization_configure_req q = {.synchronization_type = GX_SYNC_CONTENTS, .send_options = GX_FTX_SEND_UNICODE,
		.synchronization_flags = GX_SYNC_NORMAL | GX_SYNC_FAI | GX_SYNC_READ_STATE | GX_SYNC_BEST_BODY | GX_SYNC_UNICODE};
	struct gx_syncin_opts o = GX_SYNCIN_OPTS_INIT;
	struct gx_syncin *in;
	c->round++;
	c->received = 0;
	ST_OK(ic_try_configure(&q));
	ic_upload_state(IC_SYNC, sets(c));
	struct gx_bin b = ic_all(IC_SYNC, 20000);
	ck_assert_int_eq(gx_syncin_new(&o, &ops, c, &in), 0);
	ck_assert_msg(gx_syncin_write(in, b.data, b.len) == 0, "%s", gx_syncin_text(in));
	ck_assert_int_eq(gx_syncin_end(in), 0);
	gx_syncin_free(in);
	ic_release(IC_SYNC);
}

/* The copy is the folder, item by item. */
static void compare(struct client *c)
{
	static const gx_proptag_t tags[] = {PidTagSubject, PidTagChangeKey, PidTagPredecessorChangeList};
	struct gx_txn *t = st_begin(w.s, GX_TXN_READ);
	struct gx_msg_info info;
	struct gx_proplist l;
	for (size_t k = 0; k < c->n; k++) {
		const struct item *i = &c->v[k];
		ST_OK(gx_msg_get(t, i->mid, &info));
		ck_assert(!(info.flags & GX_MSGF_SOFTDEL) && info.fid == w.fid);
		ST_OK(gx_msg_get_props(t, i->mid, tags, 3, et_a, &l));
		ck_assert_str_eq(i->subject, gx_proplist_str(&l, PidTagSubject, ""));
		struct gx_bin key = ic_bin(&l, PidTagChangeKey), pcl = ic_bin(&l, PidTagPredecessorChangeList);
		if (!i->in_conflict) {
			ck_assert_mem_eq(i->key, key.data, KEY);
			ck_assert_uint_eq(i->pcl_len, pcl.len);
			ck_assert_mem_eq(i->pcl, pcl.data, pcl.len);
		}
		ck_assert(i->fai == ((info.flags & GX_MSGF_FAI) != 0));
		ck_assert(i->fai || i->read == ((info.flags & GX_MSGF_READ) != 0));
	}
	compare_count(c, t);
	gx_txn_abort(t);
}

static void synchronise(struct client *c)
{
	ic_reset();
	if (!up(c))
		return;
	down(c);
	if (alone)
		ck_assert_uint_eq(c->received, 0); /* it was all its own */
	compare(c);
}

/* ---- All together ---- */

static void setup(void)
{
	ic_setup();
	offline_begin(et_s->logons[0]->store, et_a, GX_FID_DRAFTS, 100000);
}

static void teardown(void)
{
	for (int i = 0; i < CLIENTS; i++)
		ic_state_free(sets(&w.c[i]));
	st_verify(w.s);
	ic_teardown();
}

static void run(unsigned steps)
{
	for (unsigned step = 0; step < steps; step++) {
		uint32_t what = rnd(10);
		struct client *c = &w.c[rnd(2)];
		ic_reset();
		if (what < 5)
			work_offline(c);
		else if (what < 8)
			work_at_server(1);
		else
			synchronise(c);
	}
	alone = true; /* no session is lost any more */
	for (int i = 0; i < 6; i++) {
		ic_reset();
		if (up(&w.c[i % 2]))
			down(&w.c[i % 2]);
		compare(&w.c[i % 2]);
	}
	alone = false;
	same_copies();
}

START_TEST(two_clients)
{
	const char *seconds = getenv("GX_SOAK_SECONDS");
	time_t until = time(NULL) + (seconds == NULL ? 0 : strtol(seconds, NULL, 10));
	w.seed = 1 + (uint64_t)_i;
	do {
		run(350);
	} while (time(NULL) < until);
	ck_assert_uint_gt(w.c[0].uploads, 15);
	ck_assert_uint_gt(w.c[0].conflicts + w.c[1].conflicts, 0);
	ck_assert_uint_gt(lost, 0);
}
END_TEST

/* Nobody else changes anything: there is no conflict, and nothing comes back. */
START_TEST(one_client)
{
	struct client *c = &w.c[0];
	w.seed = 100;
	alone = true;
	for (int step = 0; step < 200; step++) {
		work_offline(c);
		if (rnd(5) == 0)
			synchronise(c);
	}
	synchronise(c);
	ck_assert_uint_eq(c->conflicts, 0);
	ck_assert_uint_gt(c->uploads, 20);
}
END_TEST

static Suite *emsupload_suite(void)
{
	Suite *suite = suite_create("emsupload");
	TCase *t = tcase_create("emsupload");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 3600);
	tcase_add_test(t, one_client);
	tcase_add_loop_test(t, two_clients, 0, (int)gxtest_rounds(3));
	suite_add_tcase(suite, t);
	return suite;
}

GXTEST_MAIN(emsupload_suite)
