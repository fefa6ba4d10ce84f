/* SPDX-License-Identifier: Apache-2.0 */
/* NspiResolveNames and NspiResolveNamesW, [MS-OXNSPI] 3.1.4.1.16 and 3.1.4.1.17 */
#include <config.h>
#include <string.h>
#include <strings.h>
#include "libgxproto/nsp/nsp-int.h"

enum { NAMES_MOST = 1000 };

struct search {
	struct nsp_call *c;
	const struct nsp_container *k;
	const char *text, *key;
	bool exact;           /* "=ann": nobody whose name only begins so */
	uint32_t found, named; /* how many begin so, how many are called so */
	uint32_t first, exactly;
};

static bool is_called(const struct search *s, uint32_t entry)
{
	const struct nsp_entry *e = &s->c->b->v[entry];
	size_t n = strcspn(e->e->username, "@");
	return strcmp(e->key, s->key) == 0 || (strlen(s->text) == n && strncasecmp(e->e->username, s->text, n) == 0);
}

/* In the container that is named; the first of all has whoever may be found, also who is not to be leafed through. */
static bool is_inside(const struct search *s, uint32_t entry)
{
	uint32_t lo = 0, hi = s->k->count;
	while (s->k->mid != 0 && lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (s->k->rows[mid] < entry)
			lo = mid + 1;
		else
			hi = mid;
	}
	return s->k->mid == 0 || (lo < s->k->count && s->k->rows[lo] == entry);
}

static bool may_be_found(const struct search *s, uint32_t entry)
{
	return is_inside(s, entry) && !(s->c->b->v[entry].hidden & NSP_HIDE_RESOLVE) && gx_nsp__sees(s->c, entry);
}

static void look_at(struct search *s, uint32_t entry)
{
	if (!may_be_found(s, entry))
		return;
	if (is_called(s, entry)) {
		++s->named;
		s->exactly = entry;
	}
	if (s->found++ == 0)
		s->first = entry;
}

/* One whose whole name it is comes before those whose names only begin so. */
static uint32_t verdict(const struct search *s, uint32_t *ret_entry)
{
	bool one = s->named == 1 || (!s->exact && s->found == 1);
	*ret_entry = s->named == 1 ? s->exactly : s->first;
	if (one)
		return MID_RESOLVED;
	return s->named > 1 || (!s->exact && s->found > 1) ? MID_AMBIGUOUS : MID_UNRESOLVED;
}

static int by_words(struct search *s, uint32_t *ret_verdict, uint32_t *ret_entry)
{
	const uint8_t *bits = gx_nsp__anr(s->c, s->text);
	s->key = gx_nsp__key(s->c->a, s->text);
	if (bits == NULL || s->key == NULL)
		return GX_E_NOMEM;
	for (uint32_t byte = 0; byte < s->c->b->n / 8 + 1; ++byte)
		for (uint32_t i = 0; bits[byte] != 0 && i < 8; ++i)
			if (bits[byte] >> i & 1)
				look_at(s, byte * 8 + i);
	*ret_verdict = verdict(s, ret_entry);
	return 0;
}

static uint32_t by_address(struct search *s)
{
	const char *t = s->text;
	if (strncasecmp(t, "EX:", 3) == 0)
		t += 3;
	if (*t == '/') {
		uint32_t named = gx_nsp__by_dn(s->c, t);
		return named != NSP_NONE && is_inside(s, named) ? named : NSP_NONE;
	}
	if (strncasecmp(t, "SMTP:", 5) == 0)
		t += 5;
	uint32_t entry = strchr(t, '@') == NULL ? NSP_NONE : gx_nsp__by_address(s->c, t);
	return entry != NSP_NONE && may_be_found(s, entry) ? entry : NSP_NONE;
}

static int resolve(struct nsp_call *c, const struct nsp_container *k, const char *name, uint32_t *ret_verdict, uint32_t *ret_entry)
{
	struct search s = {.c = c, .k = k, .first = NSP_NONE, .exactly = NSP_NONE};
	name += strspn(name, " \t\r\n");
	s.exact = *name == '=';
	name += s.exact;
	size_t n = strlen(name);
	while (n > 0 && strchr(" \t\r\n", name[n - 1]) != NULL)
		--n;
	s.text = gx_arena_strndup(c->a, name, n);
	*ret_verdict = MID_UNRESOLVED;
	if (s.text == NULL)
		return GX_E_NOMEM;
	if (n == 0)
		return 0;
	*ret_entry = by_address(&s);
	if (*ret_entry != NSP_NONE) {
		*ret_verdict = MID_RESOLVED;
		return 0;
	}
	return by_words(&s, ret_verdict, ret_entry);
}

NSP_OP(resolve_names)
{
	const struct gx_columns cols = gx_nsp__columns(q->has_property_tags ? q->property_tags : NULL, q->property_tags_count);
	gx_ec ec = gx_nsp__check_stat(q->state);
	if (!gx_ec_failed(ec) && (q->reserved != 0 || !q->has_names || q->name_values_count > NAMES_MOST))
		ec = GX_EC(ecInvalidParam);
	const struct nsp_container *k = gx_ec_failed(ec) ? NULL : gx_nsp__container(c, q->state->container_id);
	if (k == NULL)
		return gx_ec_failed(ec) ? ec : GX_EC(ecInvalidBookmark);
	uint32_t *verdicts = gx_arena_new_array(c->a, uint32_t, q->name_values_count + 1), n = 0;
	uint32_t *mids = gx_arena_new_array(c->a, uint32_t, q->name_values_count + 1);
	int err = verdicts == NULL || mids == NULL ? GX_E_NOMEM : 0;
	for (uint32_t i = 0; err == 0 && i < q->name_values_count; ++i) {
		uint32_t entry = NSP_NONE;
		err = resolve(c, k, q->name_values[i], &verdicts[i], &entry);
		if (err == 0 && verdicts[i] == MID_RESOLVED)
			mids[n++] = gx_nsp__mid(c, entry);
	}
	if (err != 0)
		return gx_ec_from_err(err);
	r->code_page = q->state->code_page;
	r->has_minimal_ids = true;
	r->minimal_ids = verdicts;
	r->minimal_ids_count = q->name_values_count;
	r->has_rows_and_cols = true;
	return gx_nsp__rows(c, mids, n, 0, &cols, true, &r->rows);
}
