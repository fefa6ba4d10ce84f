/* SPDX-License-Identifier: Apache-2.0 */
/* Messages out and in. */
#include <config.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <gx/charset.h>
#include <gx/mailconv.h>
#include "tools/mapi.h"
#include "tools/progress.h"

/* ---- Mail and object ---- */

int mapi_to_mail(struct gx_arena *a, const struct gx_msgobj *m, struct gx_bin *ret_mail)
{
	const struct gx_mailconv_env env = {.clock = gx_clock_system()};
	struct gx_push out = GX_PUSH_INIT;
	int err = gx_msg_to_mail(&env, m, (struct gx_bin){0}, GX_MAIL_KEEP_BCC, &out);
	if (err == 0)
		err = gx_push_finish(&out, a, ret_mail);
	gx_push_release(&out);
	return err;
}

/* The value that a piece of the mail stands for. */
static int unslice(struct gx_arena *a, struct gx_bin mail, const struct gx_slice_prop *s, struct gx_proplist *io_l)
{
	union gx_value v;
	int err = gx_decode(a, s->slice.cte, mail.data + s->slice.off, s->slice.len, &v.bin);
	if (err == 0 && GX_PROP_TYPE(s->tag) == PtypString) {
		char *text = NULL;
		err = gx_cp_to_utf8(a, s->slice.cp, v.bin.data, v.bin.len, &text, NULL, NULL);
		v.str = text;
	}
	return err == 0 ? gx_proplist_set(io_l, a, s->tag, v) : err;
}

static int unslice_all(struct gx_arena *a, struct gx_bin mail, struct gx_msgobj *m)
{
	int err = 0;
	for (size_t i = 0; i < sizeof(m->slices) / sizeof(m->slices[0]) && m->slices[i].tag != 0 && err == 0; ++i)
		err = unslice(a, mail, &m->slices[i], &m->props);
	for (size_t i = 0; i < m->att_count && err == 0; ++i) {
		struct gx_attach *t = &m->atts[i];
		if (t->data.tag != 0)
			err = unslice(a, mail, &t->data, &t->props);
		t->data.tag = 0;
		if (err == 0 && t->embedded != NULL)
			err = unslice_all(a, mail, t->embedded);
	}
	memset(m->slices, 0, sizeof(m->slices));
	return err;
}

int mapi_from_mail(struct gx_arena *a, struct gx_bin mail, struct gx_msgobj **ret_m)
{
	const struct gx_mailconv_env env = {.clock = gx_clock_system()};
	struct gx_mime_part *root;
	int err = gx_mime_parse(a, NULL, mail.data, mail.len, &root);
	if (err == 0)
		err = gx_mail_to_msg(a, &env, mail.data, mail.len, root, ret_m);
	return err == 0 ? unslice_all(a, mail, *ret_m) : err;
}

const char *mapi_not_mail(struct gx_bin mail)
{
	size_t n = 0;
	if (mail.len == 0)
		return "the file is empty";
	while (n < mail.len && mail.data[n] > ' ' && mail.data[n] < 127 && mail.data[n] != ':')
		++n;
	return n > 0 && n < mail.len && mail.data[n] == ':' ? NULL : "this is no mail: the first line is no header field";
}

/* ---- What mail cannot carry ---- */

/* Follow-up, answers, receipts, views: what users and clients have set and no header field says. */
static const gx_proptag_t beside_mail[] = {
	PidTagFlagStatus, PidTagFlagCompleteTime, PidTagFollowupIcon, PidTagToDoItemFlags, PidTagSwappedToDoStore, PidTagIconIndex,
	PidTagLastVerbExecuted, PidTagLastVerbExecutionTime, PidTagBlockStatus, PidTagReplyTime, PidTagReplyRequested,
	PidTagMessageDeliveryTime, PidTagReceivedByEntryId, PidTagReceivedByName, PidTagReceivedByAddressType, PidTagReceivedByEmailAddress,
	PidTagReceivedBySearchKey,
};

static bool same_name(const struct gx_propname *x, const struct gx_propname *y)
{
	if (gx_guid_cmp(&x->set, &y->set) != 0 || x->by_name != y->by_name)
		return false;
	return x->by_name ? strcmp(x->name, y->name) == 0 : x->lid == y->lid;
}

static bool has_name(const struct gx_msgobj *m, const struct gx_propname *name)
{
	for (size_t i = 0; i < m->named_count; ++i)
		if (same_name(&m->named[i].name, name))
			return true;
	return false;
}

/* @p was: the message; @p shown: what of it a mail says. */
static int add_rest(struct gx_arena *a, const struct gx_msgobj *was, const struct gx_msgobj *shown, struct gx_msgobj *m)
{
	struct gx_named_propval *all = gx_arena_new_array(a, struct gx_named_propval, was->named_count + m->named_count);
	size_t n = m->named_count;
	int err = all == NULL ? GX_E_NOMEM : 0;
	for (size_t i = 0; err == 0 && i < sizeof(beside_mail) / sizeof(beside_mail[0]); ++i) {
		const struct gx_propval *v = gx_proplist_get(&was->props, beside_mail[i]);
		if (v != NULL && gx_proplist_get(&m->props, v->tag) == NULL && gx_proplist_get(&shown->props, v->tag) == NULL)
			err = gx_proplist_set(&m->props, a, v->tag, v->v);
	}
	if (err != 0)
		return err;
	if (n > 0)
		memcpy(all, m->named, n * sizeof(*all));
	for (size_t i = 0; i < was->named_count; ++i)
		if (!has_name(m, &was->named[i].name) && !has_name(shown, &was->named[i].name))
			all[n++] = was->named[i];
	m->named = all;
	m->named_count = n;
	return 0;
}

gx_ec mapi_keep_rest(struct tool *t, struct gx_arena *a, uint64_t fid, uint64_t mid, struct gx_msgobj *io_m)
{
	struct gx_msgobj *was, *shown;
	struct gx_mapi_obj *m;
	struct gx_bin mail;
	gx_ec ec = gx_mapi_open_message(t->store, fid, mid, GX_MAPI_READ_ONLY, &m);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_mapi_read_message(m, MAPI_FILE_MAX, a, &was);
	gx_mapi_close(m);
	if (gx_ec_failed(ec))
		return ec;
	int err = mapi_to_mail(a, was, &mail);
	if (err == 0)
		err = mapi_from_mail(a, mail, &shown);
	if (err == 0)
		err = add_rest(a, was, shown, io_m);
	return err == 0 ? ec : gx_ec_from_err(err);
}

/* ---- Files ---- */

int mapi_read_file(struct gx_arena *a, const char *path, struct gx_bin *ret_data)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	struct gx_push all = GX_PUSH_INIT;
	size_t n = 1;
	if (f == NULL) {
		complain("%s: %s", path, strerror(errno));
		return EXIT_FAILED;
	}
	gx_push_init(&all, MAPI_FILE_MAX);
	while (n > 0) {
		uint8_t *p = gx_push_reserve(&all, 65536);
		n = p == NULL ? 0 : fread(p, 1, 65536, f);
		gx_push_added(&all, n);
	}
	int reason = ferror(f) ? errno : 0, err = reason != 0 ? GX_E_IO : gx_push_finish(&all, a, ret_data);
	gx_push_release(&all);
	if (f != stdin)
		fclose(f);
	if (err != 0)
		complain("%s: %s", path, reason != 0 ? strerror(reason) : gx_strerror(err));
	return err == 0 ? EXIT_OK : EXIT_FAILED;
}

/* ---- cat ---- */

int mapi_message_id(struct tool *t, const char *arg, uint64_t *ret_fid, uint64_t *ret_mid)
{
	const char *slash = strrchr(arg, '/');
	char *end = NULL;
	*ret_mid = slash == NULL || strncmp(slash + 1, "0x", 2) != 0 ? 0 : strtoull(slash + 1, &end, 16);
	if (*ret_mid == 0 || *end != '\0') {
		complain("%s is no message: write FOLDER/0xID, as ls shows it", arg);
		return EXIT_USAGE;
	}
	const char *path = gx_arena_strndup(t->a, arg, (size_t)(slash - arg));
	gx_ec ec = path == NULL ? GX_EC(ecMAPIOOM) : gx_mapi_find_folder(t->store, path, ret_fid);
	return gx_ec_failed(ec) ? mapi_failed(t, ec, arg) : EXIT_OK;
}

static int show(struct tool *t, struct gx_arena *a, const struct gx_msgobj *m)
{
	struct gx_bin mail;
	if (t->json) {
		mapi_json_message(m);
		return EXIT_OK;
	}
	int err = mapi_to_mail(a, m, &mail);
	if (err != 0) {
		complain("cannot be written as mail: %s", gx_strerror(err));
		return EXIT_FAILED;
	}
	fwrite(mail.data, 1, mail.len, stdout);
	return EXIT_OK;
}

static int cat_one(struct tool *t, struct gx_arena *a, const char *arg)
{
	struct gx_mapi_obj *m;
	struct gx_msgobj *obj;
	uint64_t fid, mid;
	int rc = mapi_message_id(t, arg, &fid, &mid);
	if (rc != EXIT_OK)
		return rc;
	gx_ec ec = gx_mapi_open_message(t->store, fid, mid, GX_MAPI_READ_ONLY, &m);
	if (gx_ec_failed(ec))
		return mapi_failed(t, ec, arg);
	ec = gx_mapi_read_message(m, MAPI_FILE_MAX, a, &obj);
	gx_mapi_close(m);
	return gx_ec_failed(ec) ? mapi_failed(t, ec, arg) : show(t, a, obj);
}

int mapi_cat(struct tool *t)
{
	int rc = EXIT_OK;
	for (int i = 0; i < t->argc && rc == EXIT_OK; ++i) {
		struct gx_arena *a = gx_arena_new(0);
		rc = a == NULL ? EXIT_FAILED : cat_one(t, a, t->argv[i]);
		gx_arena_free(a);
	}
	return rc;
}

/* ---- put ---- */

static int put_one(struct tool *t, struct gx_arena *a, uint64_t fid, const char *path)
{
	enum { READ = 1 };
	struct gx_mapi_obj *m;
	struct gx_msgobj *obj;
	struct gx_bin mail;
	uint64_t mid;
	int rc = mapi_read_file(a, path, &mail);
	if (rc != EXIT_OK)
		return rc;
	int err = mapi_from_mail(a, mail, &obj);
	if (err == 0)
		err = gx_proplist_set_i32(&obj->props, a, PidTagMessageFlags, t->read ? READ : 0);
	if (err != 0) {
		complain("%s: %s", path, gx_strerror(err));
		return EXIT_FAILED;
	}
	gx_ec ec = gx_mapi_create_message(t->store, fid, false, &m);
	if (gx_ec_failed(ec))
		return mapi_failed(t, ec, path);
	ec = gx_mapi_write_message(m, obj);
	if (!gx_ec_failed(ec))
		ec = gx_mapi_save(m, false, &mid);
	gx_mapi_close(m);
	if (gx_ec_failed(ec))
		return mapi_failed(t, ec, path);
	progress_clear();
	printf(t->json ? "{\"folder\": \"0x%" PRIx64 "\", \"id\": \"0x%" PRIx64 "\"}\n" : "0x%" PRIx64 "/0x%" PRIx64 "\n", fid, mid);
	return EXIT_OK;
}

int mapi_put(struct tool *t)
{
	uint64_t fid;
	gx_ec ec = gx_mapi_find_folder(t->store, t->argv[0], &fid);
	int rc = gx_ec_failed(ec) ? mapi_failed(t, ec, t->argv[0]) : EXIT_OK;
	for (int i = 1; i < t->argc && rc == EXIT_OK; ++i) {
		struct gx_arena *a = gx_arena_new(0);
		progress_show("%d of %d: %s", i, t->argc - 1, t->argv[i]);
		rc = a == NULL ? EXIT_FAILED : put_one(t, a, fid, t->argv[i]);
		gx_arena_free(a);
	}
	return rc;
}
