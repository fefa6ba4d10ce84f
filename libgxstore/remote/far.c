/* SPDX-License-Identifier: Apache-2.0 */
/* A store that another process owns: opened, flushed, closed; its keyword sets. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/remote/far-store.h"

/* ---- Keyword sets ---- */

struct gx_farwords {
	struct gx_farwords *next;
	uint32_t id;
	uint32_t n;
	char *text;              /* all of them, each with its zero */
};

static void free_words(struct gx_farwords *w)
{
	for (struct gx_farwords *next; w != NULL; w = next) {
		next = w->next;
		free(w->text);
		free(w);
	}
}

static void remember(struct gx_farstore *f, uint32_t id, const struct gx_o_keywords_ans *ans)
{
	size_t len = 0;
	for (uint32_t i = 0; i < ans->names_count; ++i)
		len += strlen(ans->names[i]) + 1;
	struct gx_farwords *w = calloc(1, sizeof(*w));
	if (w == NULL || (w->text = malloc(len + 1)) == NULL) {
		free(w);
		return;
	}
	char *p = w->text;
	w->id = id;
	w->n = ans->names_count;
	for (uint32_t i = 0; i < w->n; ++i) {
		size_t k = strlen(ans->names[i]) + 1;
		memcpy(p, ans->names[i], k);
		p += k;
	}
	pthread_mutex_lock(&f->lock);
	w->next = f->words;
	f->words = w;
	pthread_mutex_unlock(&f->lock);
}

/* Sets are never changed nor removed, so the first answer stays right. */
static const struct gx_farwords *known(struct gx_farstore *f, uint32_t id)
{
	pthread_mutex_lock(&f->lock);
	const struct gx_farwords *w = f->words;
	while (w != NULL && w->id != id)
		w = w->next;
	pthread_mutex_unlock(&f->lock);
	return w;
}

static gx_ec give(const char *text, uint32_t n, struct gx_arena *a, const char *const **ret_names)
{
	const char **v = gx_arena_new_array(a, const char *, (size_t)n + 1);
	for (uint32_t i = 0; v != NULL && i < n; ++i, text += strlen(text) + 1)
		if ((v[i] = gx_arena_strdup(a, text)) == NULL)
			v = NULL;
	*ret_names = v;
	return v != NULL ? GX_EC(ecSuccess) : gx_ec_from_err(GX_E_NOMEM);
}

static gx_ec keywords(struct gx_store *s, uint32_t kwset, struct gx_arena *a, const char *const **ret_names)
{
	struct gx_farstore *f = s->far;
	const struct gx_farwords *w = known(f, kwset);
	const struct gx_o_keywords_req q = {kwset};
	struct gx_o_keywords_ans ans = {0};
	if (kwset == 0)
		return give("", 0, a, ret_names);
	if (w != NULL)
		return give(w->text, w->n, a, ret_names);
	gx_ec ec = gx_far__outside(f, GX_O_KEYWORDS, &q, a, &ans, NULL);
	if (gx_ec_failed(ec))
		return ec;
	remember(f, kwset, &ans);
	const char **v = gx_arena_new_array(a, const char *, (size_t)ans.names_count + 1);
	if (v == NULL)
		return gx_ec_from_err(GX_E_NOMEM);
	for (uint32_t i = 0; i < ans.names_count; ++i)
		v[i] = ans.names[i];
	*ret_names = v;
	return ec;
}

/* ---- Flushing ---- */

static bool unsynced(struct gx_store *s)
{
	struct gx_farstore *f = s->far;
	pthread_mutex_lock(&f->lock);
	bool yes = f->boot != 0 || f->lost;
	pthread_mutex_unlock(&f->lock);
	return yes;
}

/* What is known to be lost is told once: whoever has it still must bring it again. */
static int flush(struct gx_farstore *f, uint64_t boot)
{
	struct gx_arena *a = gx_arena_new(0);
	const struct gx_o_sync_req q = {boot};
	const char *why = "";
	if (a == NULL)
		return GX_E_NOMEM;
	gx_ec ec = gx_far__outside(f, GX_O_SYNC, &q, a, NULL, &why);
	if (gx_ec_failed(ec))
		gx_log(f->s->log, gx_ec_is(ec, ecRpcFailed) ? GX_LOG_DEBUG : GX_LOG_WARN, "%s: cannot be flushed: %s: %s", f->s->dir, gx_ec_name(ec), why);
	gx_arena_free(a);
	return gx_ec_is(ec, ecNotInitialized) ? GX_E_STATE : gx_ec_to_err(ec);
}

static int far_sync(struct gx_store *s)
{
	struct gx_farstore *f = s->far;
	pthread_mutex_lock(&f->lock);
	uint64_t boot = f->boot, commits = f->commits;
	bool lost = f->lost;
	f->lost = false;
	pthread_mutex_unlock(&f->lock);
	if (boot == 0 || lost)
		return lost ? GX_E_STATE : 0;
	int err = flush(f, boot);
	if (err != 0 && err != GX_E_STATE)
		return err;
	pthread_mutex_lock(&f->lock);
	if (f->boot == boot && (f->commits == commits || err == GX_E_STATE))
		f->boot = 0;
	pthread_mutex_unlock(&f->lock);
	return err;
}

/* ---- Opening and closing ---- */

static void free_far(struct gx_store *s)
{
	struct gx_farstore *f = s->far;
	free_words(f->words);
	gx_store__free_far(s);
	free(f->forget);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

/* Views that were open there go with the next request, or with the client. */
static void far_close(struct gx_store *s)
{
	gx_far__unwatch(s->far);
	free_far(s);
}

static const struct gx_far_ops ops = {
	.close = far_close, .sync = far_sync, .unsynced = unsynced, .watch = gx_far__watch, .keywords = keywords,
	.view = gx_far__view, .view_forget = gx_far__view_forget,
	.begin = gx_far__begin, .commit = gx_far__commit, .abort = gx_far__abort, .ahead = gx_far__ahead,
	.folder_get = gx_far__folder_get, .folder_list = gx_far__folder_list, .folder_by_name = gx_far__folder_by_name,
	.folder_create = gx_far__folder_create, .folder_move = gx_far__folder_move, .folder_delete = gx_far__folder_delete,
	.folder_set_subscribed = gx_far__folder_set_subscribed, .folder_get_props = gx_far__folder_get_props,
	.folder_set_props = gx_far__folder_set_props, .folder_rights = gx_far__folder_rights,
	.folder_set_permission = gx_far__folder_set_permission, .folder_vanished = gx_far__folder_vanished,
	.store_get_props = gx_far__store_get_props, .store_set_props = gx_far__store_set_props, .msg_get = gx_far__msg_get,
	.msg_get_props = gx_far__msg_get_props, .msg_insert = gx_far__msg_insert,
	.msg_insert_many = gx_far__msg_insert_many, .msg_change_flags = gx_far__msg_change_flags,
	.msg_delete = gx_far__msg_delete, .msg_copy = gx_far__msg_copy, .msg_mime = gx_far__msg_mime,
	.msg_original = gx_far__msg_original, .search_texts = gx_far__search_texts,
};

static int learn(struct gx_store *s, struct gx_arena *a, const char **ret_why)
{
	struct gx_o_info_ans i;
	const char *why = "";
	gx_ec ec = gx_far__outside(s->far, GX_O_INFO, NULL, a, &i, &why);
	if (gx_ec_failed(ec)) {
		gx_store__why(a, ret_why, "%s", *why != '\0' ? why : gx_ec_text(ec));
		return gx_ec_to_err(ec);
	}
	s->is_public = i.is_public;
	s->replica = i.replica;
	s->mailbox = i.mailbox;
	return 0;
}

/* A server that refuses the store is there. */
int gx_far__reach(struct gx_exmdb *x, const char *dir, struct gx_arena *a, const char **ret_why)
{
	struct gx_remote *r = gx_remote__of(x);
	struct gx_rserver *s;
	struct gx_rconn *c;
	if (r == NULL)
		return GX_E_INVAL;
	gx_ec ec = gx_rserver__find(r, dir, a, &s, ret_why);
	if (gx_ec_failed(ec))
		return gx_ec_to_err(ec);
	ec = gx_rserver__take(s, dir, gx_remote__deadline(r), a, &c, ret_why);
	if (!gx_ec_failed(ec)) {
		gx_rserver__give(s, c, true);
		return 0;
	}
	pthread_mutex_lock(&s->lock);
	bool down = s->told[0] != '\0';
	pthread_mutex_unlock(&s->lock);
	return down ? gx_ec_to_err(ec) : 0;
}

int gx_far__open(struct gx_exmdb *x, const char *dir, const struct gx_store_opts *o, struct gx_store **ret_store, struct gx_arena *a,
	const char **ret_why)
{
	struct gx_remote *r = gx_remote__of(x);
	struct gx_arena *own = a == NULL ? gx_arena_new(0) : NULL;
	if (r == NULL || (a == NULL && own == NULL))
		return r == NULL ? GX_E_INVAL : GX_E_NOMEM;
	struct gx_farstore *f = calloc(1, sizeof(*f));
	struct gx_store *s = f == NULL || pthread_mutex_init(&f->lock, NULL) != 0 ? NULL : gx_store__new_far(dir, o, &ops);
	if (s == NULL) {
		free(f);
		gx_arena_free(own);
		return GX_E_NOMEM;
	}
	f->r = r;
	f->s = s;
	s->far = f;
	int err = learn(s, own != NULL ? own : a, ret_why);
	gx_arena_free(own);
	if (err != 0)
		free_far(s);
	else
		*ret_store = s;
	return err;
}
