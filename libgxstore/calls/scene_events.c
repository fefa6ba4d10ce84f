/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions and batches. */
#include <config.h>
#include "libgxstore/calls/scenario-int.h"

enum { NEW_MAIL = 2, CREATED = 4, DELETED = 8, MODIFIED = 0x10 };

static uint32_t subscribe(struct scene *s, uint16_t types, bool whole, uint64_t fid, uint64_t mid)
{
	struct gx_x_subscribe_notification_req q = {types, whole, fid, mid};
	struct gx_x_subscribe_notification_ans id;
	OK2(s, subscribe_notification, &q, &id);
	ck_assert_uint_ne(id.sub_id, 0);
	return id.sub_id;
}

/* The next event is of that kind and for that subscription. */
static struct gx_x_notification expect(struct scene *s, uint8_t event, uint32_t sub)
{
	struct gx_x_notification n;
	int ret = gx_exmdb_event(s->x, 20000, s->a, &n);
	ck_assert_int_eq(ret, GX_XEV_EVENT);
	ck_assert_uint_eq(n.event, event);
	ck_assert_str_eq(n.dir, s->dir);
	bool there = false;
	for (uint32_t i = 0; i < n.ids_count; ++i)
		there = there || n.ids[i] == sub;
	ck_assert_msg(there, "%u ids from %u, not %u", n.ids_count, n.ids_count > 0 ? n.ids[0] : 0, sub);
	return n;
}

void scene_events(struct scene *s)
{
	struct gx_x_notification n;
	uint32_t whole = subscribe(s, NEW_MAIL, true, 0, 0), inbox = subscribe(s, NEW_MAIL, false, EID(13), 0);
	uint32_t other = subscribe(s, NEW_MAIL | CREATED, false, EID(10), 0);
	ck_assert_uint_ne(whole, inbox);
	struct gx_x_transport_new_mail_req mail = {EID(13), EID(0x10000), 0x40, "IPM.Note.X"};
	OK_REQ(s, transport_new_mail, &mail);
	n = expect(s, GX_X_EV_NEW_MAIL, whole);
	ck_assert_uint_eq(n.ids_count, 2);
	ck_assert_uint_eq(n.folder_id, 13);
	ck_assert_uint_eq(n.message_id, 0x10000);
	ck_assert_uint_eq(n.message_flags, 0x40);
	ck_assert_str_eq(n.message_class, "IPM.Note.X");
	struct gx_x_unsubscribe_notification_req u = {whole};
	OK_REQ(s, unsubscribe_notification, &u);
	FAILS_REQ(s, unsubscribe_notification, &u, ecNullObject);
	OK_REQ(s, transport_new_mail, &mail);
	n = expect(s, GX_X_EV_NEW_MAIL, inbox);
	ck_assert_uint_eq(n.ids_count, 1);
	mail.folder_id = EID(10);
	OK_REQ(s, transport_new_mail, &mail);
	(void)expect(s, GX_X_EV_NEW_MAIL, other);
	ck_assert_int_eq(gx_exmdb_event(s->x, 0, s->a, &n), GX_XEV_NONE);
	struct gx_x_subscribe_notification_req bad = {NEW_MAIL, false, 0, 0};
	struct gx_x_subscribe_notification_ans id;
	FAILS2(s, subscribe_notification, &bad, &id, ecInvalidParam);
}

void scene_batch(struct scene *s)
{
	struct gx_propval v[] = {{PidTagComment, {.str = "one"}}}, w[] = {{PidTagComment, {.str = "two"}}};
	struct gx_x_set_store_properties_req one = {.props = PROPS(v)}, two = {.props = PROPS(w)};
	struct gx_x_set_store_properties_ans ans[2];
	struct gx_x_allocate_ids_req many = {UINT32_MAX}, few = {3};
	struct gx_x_allocate_ids_ans ids;
	gx_proptag_t tag = PidTagComment;
	struct gx_x_get_store_properties_req get = {.tags = &tag, .tags_count = 1};
	struct gx_x_get_store_properties_ans got;
	const char *why;
	size_t done;
	struct gx_exmdb_item good[] = {
		{.call = GX_X_SET_STORE_PROPERTIES, .req = &one, .ans = &ans[0]}, {.call = GX_X_ALLOCATE_IDS, .req = &few, .ans = &ids},
	};
	gx_ec ec = gx_exmdb_batch(s->x, s->dir, true, good, 2, s->a, &done, &why);
	if (!s->full) {
		/* a plain server: one by one, and never all or nothing */
		ck_assert(gx_ec_is(ec, ecNotSupported));
		OK_(s, gx_exmdb_batch(s->x, s->dir, false, good, 2, s->a, &done, &why_));
		ck_assert_uint_eq(done, 2);
		return;
	}
	ck_assert_msg(!gx_ec_failed(ec), "%s", why);
	ck_assert_uint_eq(done, 2);
	ck_assert_uint_ne(ids.begin_eid, 0);
	/* the second fails: the first did not happen */
	struct gx_exmdb_item bad[] = {
		{.call = GX_X_SET_STORE_PROPERTIES, .req = &two, .ans = &ans[0]}, {.call = GX_X_ALLOCATE_IDS, .req = &many, .ans = &ids},
		{.call = GX_X_SET_STORE_PROPERTIES, .req = &two, .ans = &ans[1]},
	};
	ec = gx_exmdb_batch(s->x, s->dir, true, bad, 3, s->a, &done, &why);
	ck_assert(gx_ec_is(ec, ecInvalidParam));
	ck_assert_uint_eq(done, 2);
	ck_assert(*why != '\0');
	ck_assert(!gx_ec_failed(bad[0].ec) && gx_ec_failed(bad[1].ec));
	OK2(s, get_store_properties, &get, &got);
	ck_assert_str_eq(gx_proplist_str(&got.props, PidTagComment, ""), "one");
	/* without a transaction each stands for itself */
	struct gx_exmdb_item mixed[] = {
		{.call = GX_X_ALLOCATE_IDS, .req = &many, .ans = &ids}, {.call = GX_X_SET_STORE_PROPERTIES, .req = &two, .ans = &ans[0]},
		{.call = GX_X_GET_STORE_PROPERTIES, .req = &get, .ans = &got},
	};
	OK_(s, gx_exmdb_batch(s->x, s->dir, false, mixed, 3, s->a, &done, &why_));
	ck_assert_uint_eq(done, 3);
	ck_assert(gx_ec_failed(mixed[0].ec) && !gx_ec_failed(mixed[1].ec) && !gx_ec_failed(mixed[2].ec));
	ck_assert_str_eq(gx_proplist_str(&got.props, PidTagComment, ""), "two");
	/* what follows an unloading opens the store again */
	struct gx_exmdb_item again[] = {{.call = GX_X_UNLOAD_STORE}, {.call = GX_X_GET_STORE_PROPERTIES, .req = &get, .ans = &got}};
	OK_(s, gx_exmdb_batch(s->x, s->dir, false, again, 2, s->a, &done, &why_));
	ck_assert(!gx_ec_failed(again[0].ec) && !gx_ec_failed(again[1].ec));
	ck_assert_str_eq(gx_proplist_str(&got.props, PidTagComment, ""), "two");
	/* one that reads has no place among those that write */
	FAILS_(s, gx_exmdb_batch(s->x, s->dir, true, &mixed[1], 2, s->a, &done, &why_), ecInvalidParam);
}
