/* SPDX-License-Identifier: Apache-2.0 */
/* The selected mailbox: numbers, flags, and what changed. */
#include <config.h>
#include "libgxproto/imap/imap-int.h"

bool gx_imap__view_stale(const struct imap_session *s)
{
	return s->sel != NULL && !s->sel->gone && gx_imapview_stale(s->sel->view);
}

static void forget_keywords(struct imap_selected *sel)
{
	while (sel->kw_n > 0)
		free(sel->kw[--sel->kw_n].text);
	free(sel->kw);
	sel->kw = NULL;
	sel->kw_cap = 0;
}

void gx_imap__unselect(struct imap_session *s)
{
	struct imap_selected *sel = s->sel;
	if (sel == NULL)
		return;
	if (sel->subscribed)
		gx_store_unsubscribe(s->user->store, sel->sub);
	gx_imapview_close(sel->view);
	forget_keywords(sel);
	free(sel->saved);
	free(sel->parts);
	free(sel);
	s->sel = NULL;
	s->state = IMAP_AUTH;
}

uint64_t gx_imap__modseq(const struct imap_session *s)
{
	uint64_t m = gx_imapview_modseq(s->sel->view);
	return m == 0 ? 1 : m; /* [RFC 7162] 3.1.2.1: never zero */
}

void gx_imap__enable_condstore(struct imap_session *s)
{
	if (s->condstore)
		return;
	s->condstore = true;
	if (s->sel == NULL)
		return;
	imap_puts(s->out, "* OK [HIGHESTMODSEQ ");
	gx_imap__put_u64(s->out, gx_imap__modseq(s));
	imap_puts(s->out, "] CONDSTORE enabled\r\n");
}

enum { MAX_KEYWORD_SETS = 4096 };

/* Place of the set, or where it belongs. */
static size_t keyword_place(const struct imap_selected *sel, uint32_t kwset)
{
	size_t lo = 0, hi = sel->kw_n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (sel->kw[mid].kwset < kwset)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static char *load_keywords(struct imap_session *s, uint32_t kwset)
{
	const char *const *names;
	struct gx_strbuf b = GX_STRBUF_INIT;
	struct gx_arena *a = gx_arena_new(0);
	gx_strbuf_adds(&b, "");
	if (a != NULL && !gx_ec_failed(gx_store_keywords(s->user->store, kwset, a, &names)))
		for (; *names != NULL; ++names)
			gx_strbuf_printf(&b, " %s", *names);
	gx_arena_free(a);
	return gx_strbuf_take(&b);
}

static const char *keyword_text(struct imap_session *s, uint32_t kwset)
{
	struct imap_selected *sel = s->sel;
	size_t i = keyword_place(sel, kwset);
	if (i < sel->kw_n && sel->kw[i].kwset == kwset)
		return sel->kw[i].text;
	if (sel->kw_n == MAX_KEYWORD_SETS) {
		forget_keywords(sel);
		i = 0;
	}
	if (sel->kw_n == sel->kw_cap) {
		size_t cap = sel->kw_cap == 0 ? 8 : sel->kw_cap * 2;
		struct imap_kwtext *v = realloc(sel->kw, cap * sizeof(*v));
		if (v == NULL)
			return "";
		sel->kw = v;
		sel->kw_cap = cap;
	}
	char *text = load_keywords(s, kwset);
	if (text == NULL)
		return "";
	memmove(&sel->kw[i + 1], &sel->kw[i], (sel->kw_n - i) * sizeof(*sel->kw));
	sel->kw[i] = (struct imap_kwtext){kwset, text};
	++sel->kw_n;
	return text;
}

bool gx_imap__knows_flags(const struct imap_session *s, const struct gx_uid_entry *e)
{
	if (e->kwset == 0)
		return true;
	size_t i = keyword_place(s->sel, e->kwset);
	return i < s->sel->kw_n && s->sel->kw[i].kwset == e->kwset;
}

void gx_imap__put_flags(struct imap_session *s, const struct gx_uid_entry *e)
{
	char text[96];
	size_t n = 0;
	for (const struct imap_flag_name *f = gx_imap__flag_names; f->name != NULL; ++f) {
		if (!(e->flags & f->flag))
			continue;
		size_t len = strlen(f->name);
		if (n > 0)
			text[n++] = ' ';
		memcpy(text + n, f->name, len);
		n += len;
	}
	imap_puts(s->out, "(");
	gx_push_bytes(s->out, text, n);
	if (e->kwset != 0) {
		const char *kw = keyword_text(s, e->kwset);
		gx_push_str(s->out, n == 0 && *kw == ' ' ? kw + 1 : kw);
	}
	imap_puts(s->out, ")");
}

struct report {
	struct imap_session *s;
	const struct imap_range *except;
	size_t except_n;
	uint32_t count;   /* that the client knows */
};

static void on_expunged(uint32_t seq, uint32_t uid, void *ctx)
{
	struct report *r = ctx;
	--r->count;
	imap_puts(r->s->out, "* ");
	gx_imap__put_u64(r->s->out, seq);
	imap_puts(r->s->out, " EXPUNGE\r\n");
}

static void on_changed(uint32_t seq, const struct gx_uid_entry *e, void *ctx)
{
	struct report *r = ctx;
	struct imap_session *s = r->s;
	if (gx_imap__ranges_has(r->except, r->except_n, seq))
		return;
	imap_puts(s->out, "* ");
	gx_imap__put_u64(s->out, seq);
	imap_puts(s->out, " FETCH (UID ");
	gx_imap__put_u64(s->out, e->uid);
	imap_puts(s->out, " FLAGS ");
	gx_imap__put_flags(s, e);
	if (s->condstore) {
		imap_puts(s->out, " MODSEQ (");
		gx_imap__put_u64(s->out, e->modseq);
		imap_puts(s->out, ")");
	}
	imap_puts(s->out, ")\r\n");
}

static void on_exists(uint32_t count, uint32_t recent, void *ctx)
{
	struct report *r = ctx;
	if (count == r->count) /* EXPUNGE counts down by itself, [RFC 3501] 7.4.1 */
		return;
	imap_puts(r->s->out, "* ");
	gx_imap__put_u64(r->s->out, count);
	imap_puts(r->s->out, " EXISTS\r\n");
}

static void refresh(struct imap_session *s, bool allow_expunge, const struct imap_range *v, size_t n)
{
	if (s->sel == NULL || s->sel->gone)
		return;
	struct report r = {s, v, n, gx_imapview_count(s->sel->view)};
	const struct gx_imapview_sink sink = {on_expunged, on_changed, on_exists, &r};
	gx_ec ec = gx_imapview_refresh(s->sel->view, allow_expunge, &sink);
	if (gx_ec_is(ec, ecNotFound) || gx_ec_is(ec, ecAccessDenied))
		s->sel->gone = true;
	else if (gx_ec_failed(ec))
		gx_log(s->io->log, GX_LOG_ERROR, "[%llu] imap user=%s: refresh: %s", (unsigned long long)s->io->id,
			s->user->actor.user, gx_ec_name(ec));
}

void gx_imap__view_refresh(struct imap_session *s, bool allow_expunge)
{
	refresh(s, allow_expunge, NULL, 0);
}

void gx_imap__view_refresh_except(struct imap_session *s, const struct imap_range *v, size_t n)
{
	refresh(s, false, v, n);
}

/* '*' is the last message; false when the range lies in an empty mailbox. */
static bool fill_star(struct imap_range *r, uint32_t last)
{
	bool star = r->lo == UINT32_MAX || r->hi == UINT32_MAX;
	if (r->lo == UINT32_MAX)
		r->lo = last;
	if (r->hi == UINT32_MAX)
		r->hi = last;
	if (r->lo > r->hi) {
		uint32_t t = r->lo;
		r->lo = r->hi;
		r->hi = t;
	}
	return !star || last != 0;
}

static size_t uids_to_seqs(const struct gx_imapview *view, struct imap_range *v, size_t n)
{
	size_t k = 0;
	for (size_t i = 0; i < n; ++i) {
		uint32_t a = gx_imapview_lower(view, v[i].lo);
		uint32_t b = v[i].hi == UINT32_MAX ? gx_imapview_count(view) : gx_imapview_lower(view, v[i].hi + 1) - 1;
		if (a <= b)
			v[k++] = (struct imap_range){a, b};
	}
	return k;
}

bool gx_imap__resolve(struct imap_session *s, const struct imap_set *set, bool uid, struct imap_range **ret_v, size_t *ret_n)
{
	const struct gx_imapview *view = s->sel->view;
	uint32_t count = gx_imapview_count(view);
	const struct imap_range *from = set->saved ? s->sel->saved : set->v;
	size_t n = set->saved ? s->sel->saved_n : set->n, k = 0;
	struct imap_range *v = gx_arena_new_array(s->arena, struct imap_range, n + 1);
	if (v == NULL) {
		gx_imap__no_err(s, GX_E_NOMEM, "Command failed");
		return false;
	}
	uid = uid || set->saved;
	uint32_t last = !uid || count == 0 ? count : gx_imapview_at(view, count).uid;
	for (size_t i = 0; i < n; ++i) {
		v[k] = from[i];
		if (!fill_star(&v[k], last))
			continue;
		if (!uid && v[k].hi > count) {
			gx_imap__bad(s, "No such message number");
			return false;
		}
		++k;
	}
	gx_imap__ranges_normalize(v, &k);
	if (uid) {
		k = uids_to_seqs(view, v, k);
		gx_imap__ranges_normalize(v, &k);
	}
	*ret_v = v;
	*ret_n = k;
	return true;
}

uint64_t gx_imap__ranges_count(const struct imap_range *v, size_t n)
{
	uint64_t c = 0;
	for (size_t i = 0; i < n; ++i)
		c += (uint64_t)v[i].hi - v[i].lo + 1;
	return c;
}

uint64_t *gx_imap__mids(struct imap_session *s, const struct imap_range *v, size_t n, size_t *ret_n)
{
	uint64_t *mids = gx_arena_new_array(s->arena, uint64_t, gx_imap__ranges_count(v, n) + 1);
	size_t k = 0;
	for (size_t i = 0; mids != NULL && i < n; ++i)
		for (uint32_t seq = v[i].lo; seq <= v[i].hi; ++seq)
			mids[k++] = gx_imapview_at(s->sel->view, seq).mid;
	*ret_n = k;
	return mids;
}
