/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exaddrxlat, zaddrxlat: people with addresses of another system get those that they have here, in
 * all places of a message where people stand, also in messages that are attached to it.
 */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/prop.h>
#include "libgxproto/mbop/mbop-int.h"

enum { MAX_DEPTH = 20, ALL_ROWS = UINT16_MAX, ATTACH_EMBEDDED = 5 /* [MS-OXCMSG] 2.2.2.9 */ };

/* A person in a message: properties that tell of the same address. 0: there is none of this kind. */
struct person {
	gx_proptag_t type, address, smtp, entryid, search_key, name;
};
static const struct person people[] = {
	{PidTagSenderAddressType, PidTagSenderEmailAddress, PidTagSenderSmtpAddress, PidTagSenderEntryId,
		PidTagSenderSearchKey, PidTagSenderName},
	{PidTagSentRepresentingAddressType, PidTagSentRepresentingEmailAddress, PidTagSentRepresentingSmtpAddress,
		PidTagSentRepresentingEntryId, PidTagSentRepresentingSearchKey, PidTagSentRepresentingName},
	{PidTagReceivedByAddressType, PidTagReceivedByEmailAddress, PidTagReceivedBySmtpAddress,
		PidTagReceivedByEntryId, PidTagReceivedBySearchKey, PidTagReceivedByName},
	{PidTagReceivedRepresentingAddressType, PidTagReceivedRepresentingEmailAddress,
		PidTagReceivedRepresentingSmtpAddress, PidTagReceivedRepresentingEntryId,
		PidTagReceivedRepresentingSearchKey, PidTagReceivedRepresentingName},
	{PidTagReadReceiptAddressType, PidTagReadReceiptEmailAddress, PidTagReadReceiptSmtpAddress,
		PidTagReadReceiptEntryId, PidTagReadReceiptSearchKey, PidTagReadReceiptName},
	{PidTagOriginalSenderAddressType, PidTagOriginalSenderEmailAddress, 0, PidTagOriginalSenderEntryId,
		PidTagOriginalSenderSearchKey, PidTagOriginalSenderName},
	{PidTagOriginalSentRepresentingAddressType, PidTagOriginalSentRepresentingEmailAddress, 0,
		PidTagOriginalSentRepresentingEntryId, PidTagOriginalSentRepresentingSearchKey,
		PidTagOriginalSentRepresentingName},
};
enum { PEOPLE = sizeof(people) / sizeof(people[0]) };
static const struct person recipient = {
	PidTagAddressType, PidTagEmailAddress, PidTagSmtpAddress, PidTagEntryId, PidTagSearchKey, PidTagDisplayName};

struct work {
	struct gx_mbop_job *j;
	const char *from;            /* the address type that goes */
	const struct gx_mbop_map *map;
	bool ex;
	uint64_t looked, changed, replaced, unknown;
};

/* NULL: nobody whom the map knows. */
static const char *address_for(const struct work *w, const struct gx_proplist *l, const struct person *p)
{
	const char *address = gx_proplist_str(l, p->address, "");
	const char *to = w->ex ? gx_mbop__map_dn(w->map, address) : gx_mbop__map_name(w->map, address);
	if (to != NULL || !w->ex || p->smtp == 0)
		return to;
	/* newer servers have put the SMTP address beside it */
	const char *smtp = gx_proplist_str(l, p->smtp, NULL);
	return smtp != NULL && strchr(smtp, '@') != NULL ? smtp : NULL;
}

static int put_person(
	struct gx_arena *a, struct gx_proplist *l, const struct person *p, const char *name, const char *to)
{
	struct gx_bin eid, key;
	int err = gx_entryid_oneoff(a, name, "SMTP", to, &eid);
	if (err == 0)
		err = gx_search_key(a, "SMTP", to, &key);
	if (err == 0)
		err = gx_proplist_set_str(l, a, p->type, "SMTP");
	if (err == 0)
		err = gx_proplist_set_str(l, a, p->address, to);
	if (err == 0 && p->smtp != 0)
		err = gx_proplist_set_str(l, a, p->smtp, to);
	if (err == 0)
		err = gx_proplist_set_bin(l, a, p->entryid, eid.data, eid.len);
	return err != 0 ? err : gx_proplist_set_bin(l, a, p->search_key, key.data, key.len);
}

/* Puts the new values into @out. @return 1 done, 0 nothing to be done, or GX_E_NOMEM. */
static int translate(struct work *w, const struct gx_proplist *l, const struct person *p, struct gx_proplist *out)
{
	if (gx_ascii_casecmp(gx_proplist_str(l, p->type, ""), w->from) != 0)
		return 0;
	const char *to = address_for(w, l, p);
	if (to == NULL) {
		++w->unknown;
		return 0;
	}
	++w->replaced;
	int err = put_person(w->j->a, out, p, gx_proplist_str(l, p->name, NULL), to);
	return err != 0 ? err : 1;
}

/* ---- In a message that is open for editing ---- */

static bool change_people(struct work *w, uint32_t inst, bool *io_changed)
{
	struct gx_mbop_job *j = w->j;
	gx_proptag_t tags[PEOPLE * 4];
	uint32_t n = 0;
	struct gx_proplist out = {0};
	for (size_t i = 0; i < PEOPLE; ++i) {
		tags[n++] = people[i].type;
		tags[n++] = people[i].address;
		tags[n++] = people[i].name;
		if (people[i].smtp != 0)
			tags[n++] = people[i].smtp;
	}
	const struct gx_x_get_instance_properties_req q = {.instance_id = inst, .tags = tags, .tags_count = n};
	struct gx_x_get_instance_properties_ans have;
	if (!MBOP2(j, get_instance_properties, &q, &have))
		return false;
	for (size_t i = 0; i < PEOPLE; ++i)
		if (translate(w, &have.props, &people[i], &out) < 0)
			return gx_mbop__nomem(j);
	if (out.count == 0)
		return true;
	*io_changed = true;
	const struct gx_x_set_instance_properties_req put = {.instance_id = inst, .props = out};
	struct gx_x_set_instance_properties_ans ans;
	return MBOP2(j, set_instance_properties, &put, &ans);
}

/* A row is replaced as a whole. */
static int change_row(struct work *w, struct gx_proplist *row)
{
	int r = translate(w, row, &recipient, row);
	if (r > 0)
		gx_proplist_remove(row, PidTagRecipientEntryId); /* that of the other system */
	return r;
}

static bool change_recipients(struct work *w, uint32_t inst, bool *io_changed)
{
	struct gx_mbop_job *j = w->j;
	const struct gx_x_get_message_instance_rcpts_req q = {.instance_id = inst, .row_id = 0, .need_count = ALL_ROWS};
	struct gx_x_get_message_instance_rcpts_ans have;
	if (!MBOP2(j, get_message_instance_rcpts, &q, &have))
		return false;
	struct gx_proplist *v = gx_arena_new_array(j->a, struct gx_proplist, have.rows_count);
	uint32_t n = 0;
	for (uint32_t i = 0; v != NULL && i < have.rows_count; ++i) {
		int r = gx_proplist_copy(j->a, &have.rows[i], &v[n]);
		if (r == 0)
			r = change_row(w, &v[n]);
		if (r < 0)
			return gx_mbop__nomem(j);
		n += r > 0;
	}
	if (v == NULL)
		return gx_mbop__nomem(j);
	if (n == 0)
		return true;
	*io_changed = true;
	const struct gx_x_update_message_instance_rcpts_req put = {.instance_id = inst, .rows = v, .rows_count = n};
	return MBOP_REQ(j, update_message_instance_rcpts, &put);
}

static bool change_message(struct work *w, uint32_t inst, int depth, bool *ret_changed);

static bool close_instance(struct gx_mbop_job *j, uint32_t inst, bool save, bool ok)
{
	const struct gx_x_flush_instance_req q = {.instance_id = inst};
	const struct gx_x_unload_instance_req u = {.instance_id = inst};
	struct gx_x_flush_instance_ans ans;
	if (ok && save) {
		ok = MBOP2(j, flush_instance, &q, &ans);
		if (ok && ans.ec != ecSuccess)
			ok = gx_mbop__fail(j, "flush_instance: %s", gx_ec_text(GX_EC(ans.ec)));
	}
	const char *why = j->why;
	bool unloaded = MBOP_REQ(j, unload_instance, &u);
	if (!ok)
		j->why = why;
	return ok && unloaded;
}

/* The message in an attachment. */
static bool change_embedded(struct work *w, uint32_t att, int depth, bool *io_changed)
{
	struct gx_mbop_job *j = w->j;
	const struct gx_x_load_embedded_instance_req q = {.create = false, .attachment_instance_id = att};
	struct gx_x_load_embedded_instance_ans ans;
	bool changed = false;
	if (!MBOP2(j, load_embedded_instance, &q, &ans))
		return false;
	bool ok = change_message(w, ans.instance_id, depth + 1, &changed);
	*io_changed = *io_changed || changed;
	return close_instance(j, ans.instance_id, changed, ok);
}

static bool change_attachment(struct work *w, uint32_t inst, uint32_t number, int depth, bool *io_changed)
{
	struct gx_mbop_job *j = w->j;
	const struct gx_x_load_attachment_instance_req q = {.message_instance_id = inst, .attachment_num = number};
	struct gx_x_load_attachment_instance_ans ans;
	bool changed = false;
	if (!MBOP2(j, load_attachment_instance, &q, &ans))
		return false;
	bool ok = change_embedded(w, ans.instance_id, depth, &changed);
	*io_changed = *io_changed || changed;
	return close_instance(j, ans.instance_id, changed, ok);
}

static bool change_attachments(struct work *w, uint32_t inst, int depth, bool *io_changed)
{
	static const gx_proptag_t tags[] = {PidTagAttachNumber, PidTagAttachMethod};
	struct gx_mbop_job *j = w->j;
	const struct gx_x_query_message_instance_attachment_table_req q = {
		.instance_id = inst, .tags = tags, .tags_count = 2, .start_pos = 0, .row_needed = INT16_MAX};
	struct gx_x_query_message_instance_attachment_table_ans ans;
	if (depth >= MAX_DEPTH)
		return true;
	if (!MBOP2(j, query_message_instance_attachment_table, &q, &ans))
		return false;
	for (uint32_t i = 0; i < ans.rows_count; ++i) {
		uint32_t number = (uint32_t)gx_proplist_i32(&ans.rows[i], PidTagAttachNumber, 0);
		if (gx_proplist_i32(&ans.rows[i], PidTagAttachMethod, 0) == ATTACH_EMBEDDED &&
			!change_attachment(w, inst, number, depth, io_changed))
			return false;
	}
	return true;
}

static bool change_message(struct work *w, uint32_t inst, int depth, bool *ret_changed)
{
	return change_people(w, inst, ret_changed) && change_recipients(w, inst, ret_changed) &&
	       change_attachments(w, inst, depth, ret_changed);
}

/* ---- Messages and folders ---- */

static bool stored_message(struct work *w, uint64_t fid, uint64_t mid)
{
	struct gx_mbop_job *j = w->j;
	const struct gx_x_load_message_instance_req q = {.folder_id = fid, .message_id = mid};
	struct gx_x_load_message_instance_ans ans;
	bool changed = false;
	if (!MBOP2(j, load_message_instance, &q, &ans))
		return gx_ec_is(j->ec, ecNotFound); /* gone meanwhile */
	bool ok = change_message(w, ans.instance_id, 0, &changed);
	if (!close_instance(j, ans.instance_id, changed, ok))
		return gx_mbop__fail(j, "message 0x%llx: %s", (unsigned long long)gx_eid_counter(mid), j->why);
	++w->looked;
	w->changed += changed;
	return true;
}

/* Each message has memory of its own. */
static bool folder(struct work *w, const struct gx_mbop_folder *f, bool fai)
{
	struct gx_mbop_job *j = w->j;
	struct gx_arena *outer = j->a;
	uint64_t *mids;
	size_t n;
	bool ok = gx_mbop__messages(j, f->fid, fai, NULL, &mids, &n);
	struct gx_arena *a = ok ? gx_arena_new(0) : NULL;
	if (a == NULL)
		return ok ? gx_mbop__nomem(j) : false;
	for (size_t i = 0; ok && i < n; ++i) {
		gx_mbop__progress(j, f->name, i, n);
		j->a = a;
		ok = stored_message(w, f->fid, mids[i]);
		j->a = outer;
		if (!ok)
			j->why = gx_arena_strdup(outer, j->why);
		gx_arena_reset(a);
	}
	gx_arena_free(a);
	j->why = j->why != NULL ? j->why : "";
	return ok;
}

static bool run(struct gx_mbop_job *j, const char *type)
{
	struct work w = {.j = j, .from = type, .map = gx_mbop__opt(j->cmd, "m")->map, .ex = strcmp(type, "EX") == 0};
	struct gx_mbop_folder *v;
	uint64_t fid;
	size_t n;
	for (size_t i = 0; i < j->cmd->nargs; ++i) {
		if (!gx_mbop__find(j, &j->cmd->args[i].spec, &fid) || !gx_mbop__tree(j, fid, gx_mbop__opt(j->cmd, "r")->set, &v, &n))
			return false;
		for (size_t k = 0; k < n; ++k)
			if (!folder(&w, &v[k], false) || !folder(&w, &v[k], true))
				return false;
	}
	gx_mbop__num(j, "messages", w.looked);
	gx_mbop__num(j, "changed", w.changed);
	gx_mbop__num(j, "addresses", w.replaced);
	gx_mbop__num(j, "unknown", w.unknown);
	gx_mbop__say(j, "%llu of %llu messages changed: %llu addresses replaced, %llu not in the map",
		(unsigned long long)w.changed, (unsigned long long)w.looked, (unsigned long long)w.replaced,
		(unsigned long long)w.unknown);
	return true;
}

bool gx_mbop__exaddrxlat(struct gx_mbop_job *j)
{
	return run(j, "EX");
}

bool gx_mbop__zaddrxlat(struct gx_mbop_job *j)
{
	return run(j, "ZARAFA");
}
