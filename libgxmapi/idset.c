/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/idset.h>

/* "Byte-to-byte comparison": the wire form of the GUID decides, not its fields. */
static int cmp(const struct gx_idset *s, const struct gx_idset_replica *x, const struct gx_idset_replica *y)
{
	uint8_t p[16], q[16];
	if (s->form == GX_IDSET_REPLID)
		return (x->replid > y->replid) - (x->replid < y->replid);
	gx_guid_put(&x->guid, p);
	gx_guid_put(&y->guid, q);
	return memcmp(p, q, sizeof(p));
}

/* The place of a replica. @return whether it is there. */
static bool locate(const struct gx_idset *s, const struct gx_idset_replica *r, size_t *ret_i)
{
	size_t lo = 0, n = s->n;
	while (n > 0) {
		int d = cmp(s, &s->v[lo + n / 2], r);
		if (d == 0) {
			*ret_i = lo + n / 2;
			return true;
		}
		if (d < 0) {
			lo += n / 2 + 1;
			n -= n / 2 + 1;
		} else {
			n /= 2;
		}
	}
	*ret_i = lo;
	return false;
}

static int need(struct gx_idset *s, const struct gx_idset_replica *r, struct gx_globset **ret_g)
{
	size_t i;
	if (!locate(s, r, &i)) {
		if (s->n >= GX_IDSET_REPLICAS_MAX)
			return GX_E_LIMIT;
		if (s->n == s->cap) {
			size_t cap = s->cap < 2 ? 2 : s->cap * 2;
			struct gx_idset_replica *v = realloc(s->v, cap * sizeof(*v));
			if (v == NULL)
				return GX_E_NOMEM;
			s->v = v;
			s->cap = cap;
		}
		memmove(s->v + i + 1, s->v + i, (s->n - i) * sizeof(*s->v));
		s->v[i] = (struct gx_idset_replica){.replid = r->replid, .guid = r->guid};
		s->n++;
	}
	*ret_g = &s->v[i].set;
	return 0;
}

void gx_idset_release(struct gx_idset *s)
{
	for (size_t i = 0; i < s->n; ++i)
		gx_globset_release(&s->v[i].set);
	free(s->v);
	*s = (struct gx_idset)GX_IDSET_INIT(s->form);
}

uint64_t gx_idset_count(const struct gx_idset *s)
{
	uint64_t n = 0;
	for (size_t i = 0; i < s->n; ++i)
		n += s->v[i].set.count;
	return n;
}

static const struct gx_globset *get(const struct gx_idset *s, int form, const struct gx_idset_replica *r)
{
	size_t i;
	return s->form == form && locate(s, r, &i) ? &s->v[i].set : NULL;
}

const struct gx_globset *gx_idset_get(const struct gx_idset *s, uint16_t replid)
{
	return get(s, GX_IDSET_REPLID, &(struct gx_idset_replica){.replid = replid});
}

const struct gx_globset *gx_idset_get_guid(const struct gx_idset *s, const struct gx_guid *guid)
{
	return get(s, GX_IDSET_REPLGUID, &(struct gx_idset_replica){.guid = *guid});
}

int gx_idset_need(struct gx_idset *s, uint16_t replid, struct gx_globset **ret_g)
{
	if (s->form != GX_IDSET_REPLID)
		return GX_E_INVAL;
	return need(s, &(struct gx_idset_replica){.replid = replid}, ret_g);
}

int gx_idset_need_guid(struct gx_idset *s, const struct gx_guid *guid, struct gx_globset **ret_g)
{
	if (s->form != GX_IDSET_REPLGUID)
		return GX_E_INVAL;
	return need(s, &(struct gx_idset_replica){.guid = *guid}, ret_g);
}

int gx_idset_add(struct gx_idset *s, uint64_t eid)
{
	struct gx_globset *g;
	int err = gx_idset_need(s, gx_eid_replica(eid), &g);
	return err != 0 ? err : gx_globset_add(g, gx_eid_counter(eid));
}

int gx_idset_remove(struct gx_idset *s, uint64_t eid)
{
	size_t i;
	if (s->form != GX_IDSET_REPLID)
		return GX_E_INVAL;
	if (!locate(s, &(struct gx_idset_replica){.replid = gx_eid_replica(eid)}, &i))
		return 0;
	return gx_globset_remove(&s->v[i].set, gx_eid_counter(eid));
}

bool gx_idset_contains(const struct gx_idset *s, uint64_t eid)
{
	const struct gx_globset *g = gx_idset_get(s, gx_eid_replica(eid));
	return g != NULL && gx_globset_contains(g, gx_eid_counter(eid));
}

/* The next replica with a counter, from i on. */
static size_t skip_empty(const struct gx_idset *s, size_t i)
{
	while (i < s->n && s->v[i].set.count == 0)
		i++;
	return i;
}

bool gx_idset_equal(const struct gx_idset *a, const struct gx_idset *b)
{
	size_t i = skip_empty(a, 0), k = skip_empty(b, 0);
	if (a->form != b->form)
		return false;
	while (i < a->n && k < b->n) {
		if (cmp(a, &a->v[i], &b->v[k]) != 0 || !gx_globset_equal(&a->v[i].set, &b->v[k].set))
			return false;
		i = skip_empty(a, i + 1);
		k = skip_empty(b, k + 1);
	}
	return i == a->n && k == b->n;
}

int gx_idset_union(struct gx_idset *a, const struct gx_idset *b)
{
	struct gx_globset *g;
	int err = a->form == b->form ? 0 : GX_E_INVAL;
	for (size_t i = 0; i < b->n && err == 0 && a != b; ++i) {
		err = need(a, &b->v[i], &g);
		if (err == 0)
			err = gx_globset_union(g, &b->v[i].set);
	}
	return err;
}

int gx_idset_subtract(struct gx_idset *a, const struct gx_idset *b)
{
	size_t k;
	int err = a->form == b->form ? 0 : GX_E_INVAL;
	for (size_t i = 0; i < b->n && err == 0; ++i)
		if (locate(a, &b->v[i], &k))
			err = gx_globset_subtract(&a->v[k].set, &b->v[i].set);
	return err;
}

int gx_idset_convert(struct gx_idset *dst, const struct gx_idset *src, gx_idset_map_cb map, void *ctx)
{
	struct gx_globset *g;
	if (dst->form == src->form)
		return GX_E_INVAL;
	for (size_t i = 0; i < src->n; ++i) {
		struct gx_idset_replica names = {.replid = src->v[i].replid, .guid = src->v[i].guid};
		int err = map(&names, ctx);
		if (err == GX_E_NOTFOUND)
			continue;
		if (err == 0)
			err = need(dst, &names, &g);
		if (err == 0)
			err = gx_globset_union(g, &src->v[i].set);
		if (err != 0)
			return err;
	}
	return 0;
}

void gx_idset_push(struct gx_push *out, const struct gx_idset *s)
{
	for (size_t i = skip_empty(s, 0); i < s->n; i = skip_empty(s, i + 1)) {
		if (s->form == GX_IDSET_REPLID)
			gx_push_u16(out, s->v[i].replid);
		else
			gx_push_guid(out, &s->v[i].guid);
		gx_globset_push(out, &s->v[i].set);
	}
}

int gx_idset_pull(struct gx_pull *c, struct gx_idset *s)
{
	while (c->err == 0 && c->left > 0) {
		struct gx_idset_replica r = {0};
		struct gx_globset *g;
		if (s->form == GX_IDSET_REPLID)
			r.replid = gx_pull_u16(c);
		else
			r.guid = gx_pull_guid(c);
		if (c->err != 0)
			break;
		int err = need(s, &r, &g);
		if (err != 0)
			gx_pull_fail(c, err);
		else
			err = gx_globset_pull(c, g);
	}
	return c->err;
}
