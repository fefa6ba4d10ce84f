/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/directory.h>
#include "libgxstore/people-int.h"

/*
 * Who is in distribution lists, for RELOP_MEMBER_OF_DL: asked of the opener once for all messages, and kept for a while. Only he
 * knows the directory. What a list has is a sorted array of keys, so that a message costs a binary search.
 */

enum { LISTS_MOST = 32, KEEP_MS = 60 * 1000 };

struct gx_members {
	struct gx_members *next;
	struct gx_arena *a;          /* it is in it */
	struct gx_bin list;
	const char **keys;
	size_t n;
	int64_t until;
};

int gx_people__init(struct gx_people *p)
{
	p->head = NULL;
	return pthread_mutex_init(&p->lock, NULL) != 0 ? GX_E_NOMEM : 0;
}

static void drop_from(struct gx_members **at)
{
	while (*at != NULL) {
		struct gx_members *m = *at;
		*at = m->next;
		gx_arena_free(m->a);
	}
}

void gx_people__release(struct gx_people *p)
{
	drop_from(&p->head);
	pthread_mutex_destroy(&p->lock);
}

/* Of a DN that Gromox makes the numbers count; names of organisations and people change. */
static const char *key_of(struct gx_arena *a, const char *address)
{
	uint32_t domain, user;
	const char *local;
	return gx_dn_parse(address, &domain, &user, &local) ? gx_arena_printf(a, "#%x/%x", (unsigned)domain, (unsigned)user) : address;
}

static int by_key(const void *x, const void *y)
{
	return gx_ascii_casecmp(*(const char *const *)x, *(const char *const *)y);
}

static int fill(const struct gx_store *s, struct gx_members *m)
{
	const char *const *v = NULL;
	size_t n = 0;
	int err = s->o.people(m->list, m->a, &v, &n, s->o.people_ctx);
	if (err != 0)
		return err == GX_E_NOTFOUND ? 0 : err;
	m->keys = gx_arena_new_array(m->a, const char *, n + 1);
	for (size_t i = 0; m->keys != NULL && i < n; i++)
		if ((m->keys[m->n++] = key_of(m->a, v[i])) == NULL)
			return GX_E_NOMEM;
	if (m->keys == NULL)
		return GX_E_NOMEM;
	qsort(m->keys, m->n, sizeof(*m->keys), by_key);
	return 0;
}

/* A list that could not be asked for has the members that it had, or none, until it is asked again. */
static struct gx_members *ask(const struct gx_store *s, struct gx_bin list, bool *ret_asked)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_members *m = a == NULL ? NULL : gx_arena_calloc(a, 1, sizeof(*m));
	if (m == NULL) {
		gx_arena_free(a);
		return NULL;
	}
	m->a = a;
	m->list = (struct gx_bin){gx_arena_memdup(a, list.data, list.len), list.len};
	int err = m->list.data == NULL && list.len > 0 ? GX_E_NOMEM : fill(s, m);
	if (err == GX_E_NOMEM) {
		gx_arena_free(a);
		return NULL;
	}
	if (err != 0) {
		gx_log(s->log, GX_LOG_WARN, "%s: who is in a distribution list: %s", s->dir, gx_strerror(err));
		m->n = 0;
	}
	m->until = gx_clock_mono_ms(s->clock) + KEEP_MS;
	*ret_asked = err == 0;
	return m;
}

static bool same(struct gx_bin x, struct gx_bin y)
{
	return x.len == y.len && (x.len == 0 || memcmp(x.data, y.data, x.len) == 0);
}

/* The one asked for last comes first. */
static int find(const struct gx_store *s, struct gx_people *p, struct gx_bin list, struct gx_members **ret_m)
{
	struct gx_members **at = &p->head, *old, *m = NULL;
	bool asked = false;
	for (unsigned i = 1; *at != NULL && !same((*at)->list, list); i++, at = &(*at)->next)
		if (i == LISTS_MOST)
			drop_from(&(*at)->next);
	old = *at;
	if (old == NULL || gx_clock_mono_ms(s->clock) >= old->until) {
		m = ask(s, list, &asked);
		if (m == NULL)
			return GX_E_NOMEM;
	}
	if (old != NULL)
		*at = old->next;
	if (old != NULL && m != NULL && !asked)
		old->until = m->until;
	struct gx_members *keep = m == NULL || (old != NULL && !asked) ? old : m, *other = keep == m ? old : m;
	keep->next = p->head;
	p->head = keep;
	if (other != NULL)
		gx_arena_free(other->a);
	*ret_m = keep;
	return 0;
}

static int has(struct gx_store *s, struct gx_bin list, const char *const *keys, size_t n)
{
	struct gx_members *m;
	pthread_mutex_lock(&s->people.lock);
	int r = find(s, &s->people, list, &m);
	for (size_t i = 0; r == 0 && i < n && m->n > 0; i++)
		r = bsearch(&keys[i], m->keys, m->n, sizeof(*m->keys), by_key) != NULL;
	pthread_mutex_unlock(&s->people.lock);
	return r;
}

/* Where the SMTP address of whom an entry id means stands beside it. */
static gx_proptag_t address_beside(gx_proptag_t tag)
{
	static const gx_proptag_t v[][2] = {
		{PidTagSenderEntryId, PidTagSenderSmtpAddress}, {PidTagSentRepresentingEntryId, PidTagSentRepresentingSmtpAddress},
		{PidTagEntryId, PidTagSmtpAddress}, {PidTagReceivedByEntryId, PidTagReceivedBySmtpAddress},
		{PidTagReceivedRepresentingEntryId, PidTagReceivedRepresentingSmtpAddress},
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (v[i][0] == tag)
			return v[i][1];
	return 0;
}

int gx_people__member(struct gx_store *s, struct gx_arena *a, gx_proptag_t tag, struct gx_bin list,
	int (*get)(gx_proptag_t tag, struct gx_propval *ret_pv, void *ctx), void *ctx)
{
	const char *keys[2], *type, *address, *name;
	gx_proptag_t beside = address_beside(tag);
	struct gx_propval pv;
	size_t n = 0;
	if (s->o.people == NULL)
		return 0;
	int r = get(tag, &pv, ctx), err = 0;
	if (r > 0 && GX_PROP_TYPE(pv.tag) == PtypBinary)
		err = gx_entryid_address(a, pv.v.bin, &type, &address, &name);
	if (r > 0 && GX_PROP_TYPE(pv.tag) == PtypBinary && err == 0)
		keys[n++] = key_of(a, address);
	if (r >= 0 && err != GX_E_NOMEM && beside != 0 && (r = get(beside, &pv, ctx)) > 0 && GX_PROP_TYPE(pv.tag) == PtypString)
		keys[n++] = pv.v.str;
	if (r < 0 || err == GX_E_NOMEM || (n > 0 && keys[0] == NULL))
		return r < 0 ? r : GX_E_NOMEM;
	return n == 0 ? 0 : has(s, list, keys, n);
}
