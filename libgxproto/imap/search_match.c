/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/charset.h>
#include "libgxproto/imap/fetch-int.h"
#include "libgxproto/imap/search-int.h"

static bool failed(struct imap_subject *m, gx_ec ec)
{
	if (gx_ec_failed(ec) && !gx_ec_failed(m->ec))
		m->ec = ec;
	return gx_ec_failed(ec);
}

static bool need_mime(struct imap_subject *m)
{
	if (!m->has_mime && failed(m, gx_msg_mime(m->t, m->e->mid, &m->mime)))
		return false;
	m->has_mime = true;
	return true;
}

static bool in_range(const struct imap_key *k, int64_t t)
{
	return t >= k->from && t < k->until;
}

static bool match_date(struct imap_subject *m, const struct imap_key *k)
{
	if (!m->has_info && failed(m, gx_msg_get(m->t, m->e->mid, &m->info)))
		return false;
	m->has_info = true;
	m->has_mime = false; /* what it borrowed went with the call */
	return in_range(k, gx_nttime_to_unix(m->info.received, NULL));
}

/* The field's token in a stored envelope. */
static bool field_at(const struct gx_bin *env, enum imap_env_field f, const char **ret_p, const char **ret_end)
{
	const char *p = (const char *)env->data, *end = p + env->len;
	if (env->len < 2 || *p != '(')
		return false;
	++p;
	for (unsigned i = 0;; ++i) {
		while (p < end && *p == ' ')
			++p;
		const char *next = gx_imap__skip_token(p, end);
		if (next == p)
			return false;
		if (i == (unsigned)f) {
			*ret_p = p;
			*ret_end = next;
			return true;
		}
		p = next;
	}
}

static bool decode_into(struct gx_arena *a, const char *s, size_t len, struct gx_strbuf *out)
{
	char *text;
	if (gx_ascii_only(s, len) && memmem(s, len, "=?", 2) == NULL) {
		gx_strbuf_add(out, s, len);
		return true;
	}
	if (gx_mime_decode_text(a, s, 0, &text) != 0)
		return false;
	gx_strbuf_adds(out, text);
	return true;
}

/* (name route mailbox host): a group's begin and end have no host */
static bool address(struct gx_arena *a, struct imap_parse *c, struct gx_strbuf *out)
{
	struct imap_str name, route, local, host;
	if (!gx_imap__expect(c, '(') || !gx_imap__nstring(c, &name) || !gx_imap__sp(c) || !gx_imap__nstring(c, &route) ||
	    !gx_imap__sp(c) || !gx_imap__nstring(c, &local) || !gx_imap__sp(c) || !gx_imap__nstring(c, &host) ||
	    !gx_imap__expect(c, ')'))
		return false;
	if (out->len > 0)
		gx_strbuf_adds(out, ", ");
	if (name.s != NULL && !decode_into(a, name.s, name.len, out))
		return false;
	if (local.s == NULL)
		return true;
	gx_strbuf_adds(out, name.s != NULL ? " <" : "<");
	gx_strbuf_add(out, local.s, local.len);
	if (host.s != NULL) {
		gx_strbuf_addc(out, '@');
		gx_strbuf_add(out, host.s, host.len);
	}
	gx_strbuf_addc(out, '>');
	return true;
}

bool gx_imap__envelope_text(struct gx_arena *a, const struct gx_bin *env, enum imap_env_field f, struct gx_strbuf *out)
{
	const char *p, *end;
	struct imap_parse c;
	struct imap_str text;
	if (!field_at(env, f, &p, &end))
		return false;
	gx_imap__parse_init(&c, p, (size_t)(end - p), a);
	if (!gx_imap__accept(&c, '(')) {
		if (!gx_imap__nstring(&c, &text) || text.s == NULL)
			return false;
		return decode_into(a, text.s, text.len, out);
	}
	while (!gx_imap__accept(&c, ')')) {
		if (!address(a, &c, out))
			return false;
		gx_imap__accept(&c, ' ');
	}
	return true;
}

static bool match_sent(struct imap_subject *m, const struct imap_key *k)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	int64_t when;
	int zone;
	bool yes = need_mime(m) && gx_imap__envelope_text(m->a, &m->mime.envelope, IMAP_ENV_DATE, &b) &&
	           gx_mime_date(gx_strbuf_cstr(&b), &when, &zone) == 0 && in_range(k, when + (int64_t)zone * 60);
	gx_strbuf_release(&b);
	return yes;
}

/* Plain quoted text is searched where it stands. */
static bool match_envelope(struct imap_subject *m, const struct imap_key *k)
{
	const char *p, *end;
	if (!need_mime(m) || !field_at(&m->mime.envelope, k->env, &p, &end))
		return false;
	size_t n = (size_t)(end - p);
	if (n == 3 && gx_ascii_ncasecmp(p, "NIL", 3) == 0)
		return false;
	if (*p == '"' && memchr(p, '\\', n) == NULL && memmem(p, n, "=?", 2) == NULL)
		return gx_utf8_casestr(p + 1, n - 2, k->text, k->text_len);
	struct gx_strbuf b = GX_STRBUF_INIT;
	bool yes = gx_imap__envelope_text(m->a, &m->mime.envelope, k->env, &b) &&
	           gx_utf8_casestr(gx_strbuf_cstr(&b), b.len, k->text, k->text_len);
	gx_strbuf_release(&b);
	return yes;
}

static bool match_keyword(struct imap_subject *m, const struct imap_key *k)
{
	const char *const *names;
	bool has = false;
	if (m->e->kwset != 0 && !failed(m, gx_store_keywords(m->s->user->store, m->e->kwset, m->a, &names)))
		for (; *names != NULL && !has; ++names)
			has = gx_ascii_casecmp(*names, k->text) == 0;
	return has == (k->want != 0);
}

static bool match_size(struct imap_subject *m, const struct imap_key *k)
{
	uint64_t size = m->e->size32;
	if (size == UINT32_MAX) {
		if (m->t == NULL || !need_mime(m))
			return false;
		size = m->mime.size;
	}
	return k->kind == IMAP_KEY_LARGER ? size > k->number : size < k->number;
}

bool gx_imap__search_match(struct imap_subject *m, const struct imap_key *k)
{
	switch (k->kind) {
	case IMAP_KEY_ALL: return true;
	case IMAP_KEY_FLAGS: return (m->e->flags & k->flags) == k->want;
	case IMAP_KEY_KEYWORD: return match_keyword(m, k);
	case IMAP_KEY_SET: return gx_imap__ranges_has(k->v, k->n, m->seq);
	case IMAP_KEY_LARGER:
	case IMAP_KEY_SMALLER: return match_size(m, k);
	case IMAP_KEY_MODSEQ: return m->e->modseq >= k->number;
	case IMAP_KEY_DATE: return match_date(m, k);
	case IMAP_KEY_SENT: return match_sent(m, k);
	case IMAP_KEY_ENVELOPE: return match_envelope(m, k);
	case IMAP_KEY_HEADER: return gx_imap__search_header(m, k->header, k->text, k->text_len);
	case IMAP_KEY_BODY: return gx_imap__search_body(m, k->text, k->text_len, false);
	case IMAP_KEY_TEXT: return gx_imap__search_body(m, k->text, k->text_len, true);
	case IMAP_KEY_NOT: return !gx_imap__search_match(m, k->a);
	case IMAP_KEY_OR: return gx_imap__search_match(m, k->a) || gx_imap__search_match(m, k->b);
	case IMAP_KEY_AND:
		for (k = k->a; k != NULL; k = k->next)
			if (!gx_imap__search_match(m, k))
				return false;
		return true;
	}
	return false;
}
