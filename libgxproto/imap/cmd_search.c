/* SPDX-License-Identifier: Apache-2.0 */
/* SEARCH: [RFC 3501] 6.4.4, ESEARCH [RFC 4731], SEARCHRES [RFC 5182], MODSEQ [RFC 7162] 3.1.5. */
#include <config.h>
#include "libgxproto/imap/ahead.h"
#include "libgxproto/imap/search-int.h"

enum { SLICE_MS = 20, LOOK = 256, AHEAD_BYTES = 512 * 1024 };

static bool return_options(struct imap_search *q, struct imap_parse *c)
{
	static const struct {
		const char *name;
		unsigned bit;
	} opts[] = {{"MIN", IMAP_RET_MIN}, {"MAX", IMAP_RET_MAX}, {"ALL", IMAP_RET_ALL}, {"COUNT", IMAP_RET_COUNT},
		{"SAVE", IMAP_RET_SAVE}};
	enum { OPTS = sizeof(opts) / sizeof(*opts) };
	q->extended = true;
	if (!gx_imap__sp(c) || !gx_imap__expect(c, '('))
		return false;
	while (!gx_imap__accept(c, ')')) {
		size_t i = 0;
		while (i < OPTS && !gx_imap__accept_word(c, opts[i].name))
			++i;
		if (i == OPTS)
			return gx_imap__fail(c, "Unknown RETURN option");
		q->ret |= opts[i].bit;
		if (!gx_imap__accept_sp(c) && gx_imap__peek(c) != ')')
			return gx_imap__expect(c, ')');
	}
	if (q->ret == 0)
		q->ret = IMAP_RET_ALL;
	return gx_imap__sp(c);
}

static void release(void *args)
{
	struct imap_search *q = args;
	gx_arena_free(q->hits);
	gx_arena_free(q->scratch);
}

bool gx_imap__search_parse(struct imap_session *s, struct imap_parse *c)
{
	struct imap_search *q = s->args = gx_arena_new_obj(s->arena, struct imap_search);
	if (q == NULL)
		return false;
	s->release = release;
	if (!gx_imap__sp(c) || (gx_imap__accept_word(c, "RETURN") && !return_options(q, c)))
		return false;
	return gx_imap__search_keys(s, q, c);
}

/* Sets in the tree become message numbers. */
static bool resolve(struct imap_session *s, struct imap_key *k)
{
	for (; k != NULL; k = k->next) {
		if (k->kind == IMAP_KEY_SET && !gx_imap__resolve(s, &k->set, k->uid, &k->v, &k->n))
			return false;
		if ((k->a != NULL && !resolve(s, k->a)) || (k->b != NULL && !resolve(s, k->b)))
			return false;
	}
	return true;
}

static enum imap_result start(struct imap_session *s, struct imap_search *q)
{
	if (q->bad_charset)
		return gx_imap__no(s, "[BADCHARSET (US-ASCII UTF-8 ISO-8859-1 ISO-8859-15 WINDOWS-1252 UTF-16LE)] Unknown character set");
	if (!resolve(s, q->root))
		return IMAP_DONE;
	if (q->modseq)
		gx_imap__enable_condstore(s);
	q->hits = gx_arena_new(0);
	q->scratch = gx_arena_new(0);
	if (q->hits == NULL || q->scratch == NULL)
		return gx_imap__no_err(s, GX_E_NOMEM, "Search failed");
	q->started = true;
	q->seq = 1;
	return IMAP_MORE;
}

static bool hit(struct imap_search *q, const struct gx_uid_entry *e)
{
	q->found = gx_arena_grow(q->hits, q->found, &q->found_cap, q->found_n + 1, sizeof(*q->found));
	if (q->found == NULL)
		return false;
	q->found[q->found_n++] = q->seq;
	if (e->modseq > q->highest)
		q->highest = e->modseq;
	return true;
}

static unsigned ahead_of(const struct imap_key *k)
{
	unsigned what = 0;
	switch (k->kind) {
	case IMAP_KEY_DATE: return GX_AHEAD_INFO;
	case IMAP_KEY_SENT:
	case IMAP_KEY_ENVELOPE: return GX_AHEAD_MIME;
	case IMAP_KEY_HEADER:
	case IMAP_KEY_BODY:
	case IMAP_KEY_TEXT: return GX_AHEAD_ORIGINAL;
	case IMAP_KEY_NOT: return ahead_of(k->a);
	case IMAP_KEY_OR: return ahead_of(k->a) | ahead_of(k->b);
	case IMAP_KEY_AND:
		for (const struct imap_key *i = k->a; i != NULL; i = i->next)
			what |= ahead_of(i);
		return what;
	default: return 0;
	}
}

/* @return up to which message they were asked for. */
static uint32_t look_ahead(struct imap_session *s, struct imap_search *q, struct gx_txn *t, uint32_t count)
{
	struct imap_ahead h;
	uint32_t seq = q->seq;
	gx_imap__ahead_begin(&h, ahead_of(q->root), AHEAD_BYTES);
	for (; seq <= count; ++seq) {
		const struct gx_uid_entry entry = gx_imapview_at(s->sel->view, seq), *e = &entry;
		if ((!q->looked_up || gx_candidates_have(&q->candidates, e->mid)) && !gx_imap__ahead_add(&h, e))
			break;
	}
	gx_imap__ahead_end(&h, t);
	return seq > q->seq ? seq - 1 : q->seq;
}

/* Looks at messages for a while. IMAP_MORE: there are more. IMAP_CLOSE: all seen. */
static enum imap_result slice(struct imap_session *s, struct imap_search *q)
{
	uint32_t count = gx_imapview_count(s->sel->view), asked = 0;
	int64_t until = gx_clock_mono_ms(s->io->clock) + SLICE_MS;
	struct gx_push whole = GX_PUSH_INIT;
	struct imap_subject m = {.s = s, .a = q->scratch, .whole = &whole};
	enum imap_result r = IMAP_CLOSE;
	if (q->root->cost >= 100 && (m.t = gx_imap__begin(s, GX_TXN_READ)) == NULL)
		return IMAP_DONE;
	if (m.t != NULL && !q->looked_up) {
		gx_ec ec = gx_imap__search_candidates(s, q, m.t);
		if (gx_ec_failed(ec))
			return gx_imap__no_ec(s, ec, "Search failed", m.t);
		q->looked_up = true;
	}
	for (unsigned k = 1; q->seq <= count; ++q->seq, ++k) {
		if ((k % LOOK == 0 || q->root->cost >= 1000) && gx_clock_mono_ms(s->io->clock) > until) {
			r = IMAP_MORE;
			break;
		}
		if (m.t != NULL && q->seq > asked)
			asked = look_ahead(s, q, m.t, count);
		m.seq = q->seq;
		const struct gx_uid_entry entry = gx_imapview_at(s->sel->view, q->seq);
		m.e = &entry;
		if (q->looked_up && !gx_candidates_have(&q->candidates, m.e->mid))
			continue;
		m.has_info = m.has_mime = false;
		m.root = NULL;
		m.ec = GX_EC(ecSuccess);
		bool yes = gx_imap__search_match(&m, q->root);
		gx_arena_reset(q->scratch);
		if (gx_ec_is(m.ec, ecNotFound))
			continue;
		if (gx_ec_failed(m.ec)) {
			r = gx_imap__no_ec(s, m.ec, "Search failed", m.t);
			m.t = NULL;
			break;
		}
		if (yes && !hit(q, m.e)) {
			r = gx_imap__no_err(s, GX_E_NOMEM, "Search failed");
			break;
		}
	}
	gx_txn_abort(m.t);
	gx_push_release(&whole);
	return r;
}

static uint32_t shown(struct imap_session *s, uint32_t seq, bool uid)
{
	return uid ? gx_imapview_at(s->sel->view, seq).uid : seq;
}

/* The found ones as ranges of what the command speaks of. */
static struct imap_range *as_ranges(struct imap_session *s, const struct imap_search *q, bool uid, size_t *ret_n)
{
	size_t k = 0, cap = 0;
	struct imap_range *v = NULL;
	for (size_t i = 0; i < q->found_n; ++i) {
		uint32_t x = shown(s, q->found[i], uid);
		if (k > 0 && v[k - 1].hi + 1 == x) {
			v[k - 1].hi = x;
			continue;
		}
		v = gx_arena_grow(q->hits, v, &cap, k + 1, sizeof(*v));
		if (v == NULL)
			return NULL;
		v[k++] = (struct imap_range){x, x};
	}
	*ret_n = k;
	return v;
}

/* "$", [RFC 5182] 2.1: what MIN and MAX alone would return, else everything. */
static bool save(struct imap_session *s, const struct imap_search *q)
{
	size_t n = 0;
	struct imap_range *v = as_ranges(s, q, true, &n), *keep = NULL, ends[2];
	unsigned ext = q->ret & (IMAP_RET_MIN | IMAP_RET_MAX);
	if (q->found_n > 0 && v == NULL)
		return false;
	if (n > 0 && ext != 0 && !(q->ret & (IMAP_RET_ALL | IMAP_RET_COUNT))) {
		struct imap_range lo = {v[0].lo, v[0].lo}, hi = {v[n - 1].hi, v[n - 1].hi};
		n = 0;
		if (ext & IMAP_RET_MIN)
			ends[n++] = lo;
		if (ext & IMAP_RET_MAX)
			ends[n++] = hi;
		v = ends;
	}
	if (n > 0) {
		keep = malloc(n * sizeof(*keep));
		if (keep == NULL)
			return false;
		memcpy(keep, v, n * sizeof(*keep));
	}
	free(s->sel->saved);
	s->sel->saved = keep;
	s->sel->saved_n = n;
	return true;
}

static void put_modseq(struct imap_session *s, const struct imap_search *q, bool parens)
{
	if (!q->modseq || q->found_n == 0)
		return;
	gx_push_str(s->out, parens ? " (MODSEQ " : " MODSEQ ");
	gx_imap__put_u64(s->out, q->highest);
	if (parens)
		imap_puts(s->out, ")");
}

static bool put_esearch(struct imap_session *s, const struct imap_search *q)
{
	imap_puts(s->out, "* ESEARCH (TAG ");
	gx_imap__put_string(s->out, s->tag, strlen(s->tag));
	gx_push_str(s->out, s->uid_form ? ") UID" : ")");
	if ((q->ret & IMAP_RET_MIN) && q->found_n > 0) {
		imap_puts(s->out, " MIN ");
		gx_imap__put_u64(s->out, shown(s, q->found[0], s->uid_form));
	}
	if ((q->ret & IMAP_RET_MAX) && q->found_n > 0) {
		imap_puts(s->out, " MAX ");
		gx_imap__put_u64(s->out, shown(s, q->found[q->found_n - 1], s->uid_form));
	}
	if (q->ret & IMAP_RET_COUNT) {
		imap_puts(s->out, " COUNT ");
		gx_imap__put_u64(s->out, q->found_n);
	}
	if ((q->ret & IMAP_RET_ALL) && q->found_n > 0) {
		size_t n;
		struct imap_range *v = as_ranges(s, q, s->uid_form, &n);
		if (v == NULL)
			return false;
		imap_puts(s->out, " ALL ");
		gx_imap__put_ranges(s->out, v, n);
	}
	put_modseq(s, q, false);
	imap_puts(s->out, "\r\n");
	return true;
}

static void put_search(struct imap_session *s, const struct imap_search *q)
{
	imap_puts(s->out, "* SEARCH");
	for (size_t i = 0; i < q->found_n; ++i) {
		imap_puts(s->out, " ");
		gx_imap__put_u64(s->out, shown(s, q->found[i], s->uid_form));
	}
	put_modseq(s, q, true);
	imap_puts(s->out, "\r\n");
}

enum imap_result gx_imap__search_run(struct imap_session *s)
{
	struct imap_search *q = s->args;
	if (s->rev2 && !q->extended) { /* [RFC 9051] 6.4.4: never a plain SEARCH answer */
		q->extended = true;
		q->ret = IMAP_RET_ALL;
	}
	if (!q->started) {
		enum imap_result r = start(s, q);
		if (r != IMAP_MORE)
			return r;
	}
	enum imap_result r = slice(s, q);
	if (r != IMAP_CLOSE)
		return r;
	bool ok = !(q->ret & IMAP_RET_SAVE) || save(s, q);
	if (ok && q->extended && q->ret != IMAP_RET_SAVE)
		ok = put_esearch(s, q);
	else if (ok && !q->extended)
		put_search(s, q);
	return ok ? gx_imap__ok(s, "Search done") : gx_imap__no_err(s, GX_E_NOMEM, "Search failed");
}
