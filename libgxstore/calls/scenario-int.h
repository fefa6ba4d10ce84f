/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_CALLS_SCENARIO_INT_H
#define GX_CALLS_SCENARIO_INT_H
#include <gx/entryid.h>
#include "libgxstore/calls/scenario.h"
#include "tests/gxtest.h"

/* call: OK(s, get_folder_perm, &req, &ans) and so on. */
#define OK_(s, expr) \
	do { \
		const char *why_ = ""; \
		gx_ec ec_ = (expr); \
		ck_assert_msg(!gx_ec_failed(ec_), "%s gave %s: %s", #expr, gx_ec_name(ec_), why_); \
	} while (0)
#define OK2(s, call, req, ans) OK_(s, gx_exmdb_##call((s)->x, (s)->dir, req, (s)->a, ans, &why_))
#define OK_REQ(s, call, req) OK_(s, gx_exmdb_##call((s)->x, (s)->dir, req, (s)->a, &why_))
#define OK_ANS(s, call, ans) OK_(s, gx_exmdb_##call((s)->x, (s)->dir, (s)->a, ans, &why_))
#define OK0(s, call) OK_(s, gx_exmdb_##call((s)->x, (s)->dir, (s)->a, &why_))
/* Fails with that code, as far as codes arrive, and says why. */
#define FAILS_(s, expr, code) \
	do { \
		const char *why_ = ""; \
		gx_ec ec_ = (expr); \
		ck_assert_msg(gx_ec_failed(ec_), "%s succeeded", #expr); \
		if ((s)->full) \
			ck_assert_msg(gx_ec_is(ec_, code), "%s gave %s instead of %s: %s", #expr, gx_ec_name(ec_), #code, why_); \
		ck_assert_msg(*why_ != '\0', "%s: no reason given", #expr); \
	} while (0)
#define FAILS2(s, call, req, ans, code) FAILS_(s, gx_exmdb_##call((s)->x, (s)->dir, req, (s)->a, ans, &why_), code)
#define FAILS_REQ(s, call, req, code) FAILS_(s, gx_exmdb_##call((s)->x, (s)->dir, req, (s)->a, &why_), code)

#define EID(n) gx_eid_make(1, (n))
#define LEN(v) (uint32_t)(sizeof(v) / sizeof((v)[0]))
#define PROPS(v) ((struct gx_proplist){(v), LEN(v), LEN(v)})

void scene_store(struct scene *s);
void scene_names(struct scene *s);
void scene_settings(struct scene *s);
void scene_upkeep(struct scene *s);
void scene_events(struct scene *s);
void scene_batch(struct scene *s);
void scene_folder(struct scene *s);
void scene_tree(struct scene *s);
void scene_receive(struct scene *s);
void scene_message(struct scene *s);
void scene_transfer(struct scene *s);
void scene_sync(struct scene *s);
void scene_files(struct scene *s);
void scene_permission(struct scene *s);
void scene_rule(struct scene *s);
void scene_table(struct scene *s);
void scene_categories(struct scene *s);
void scene_other_tables(struct scene *s);
void scene_table_events(struct scene *s);
void scene_search(struct scene *s);
void scene_contact(struct scene *s);
void scene_instance(struct scene *s);
void scene_instance_whole(struct scene *s);
void scene_instance_rcpts(struct scene *s);
void scene_instance_atts(struct scene *s);
void scene_embedded(struct scene *s);
void scene_deliver(struct scene *s);
void scene_quota(struct scene *s);

/* A new folder, a new message with a recipient and an attachment; ids as on the wire. */
uint64_t scene_make_folder(struct scene *s, uint64_t parent, const char *name);
uint64_t scene_make_message(struct scene *s, uint64_t fid, const char *subject);
int32_t scene_count(struct scene *s, uint64_t fid, gx_proptag_t tag);
#endif
