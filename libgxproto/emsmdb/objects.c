/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of a session by their handles: a slot and how often the slot was used before. */
#include <config.h>
#include <stdlib.h>
#include "libgxproto/emsmdb/job.h"

enum { SLOT_BITS = 20, SLOTS_MAX = (1 << SLOT_BITS) - 1, GENERATIONS = 1 << (32 - SLOT_BITS), FIRST_SLOTS = 16 };
#define NO_SLOT UINT32_MAX

static int grow(struct gx_ems_session *s)
{
	uint32_t n = s->slot_count == 0 ? FIRST_SLOTS : s->slot_count * 2;
	if (n > SLOTS_MAX)
		n = SLOTS_MAX;
	if (n == s->slot_count)
		return GX_E_LIMIT;
	struct gx_ems_slot *v = realloc(s->slots, n * sizeof(*v));
	if (v == NULL)
		return GX_E_NOMEM;
	for (uint32_t i = s->slot_count; i < n; ++i)
		v[i] = (struct gx_ems_slot){.next_free = i + 1 < n ? i + 1 : NO_SLOT};
	s->first_free = s->slot_count;
	s->slots = v;
	s->slot_count = n;
	return 0;
}

static bool full(const struct gx_ems_session *s, const struct gx_ems_logon *l)
{
	return l != NULL && s->e->o.max_handles != 0 && l->objects >= s->e->o.max_handles;
}

int gx_ems__add(struct gx_ems_session *s, struct gx_ems_obj *o)
{
	if (full(s, o->logon))
		return GX_E_LIMIT;
	if (s->slot_count == 0 || s->first_free == NO_SLOT) {
		int err = grow(s);
		if (err != 0)
			return err;
	}
	uint32_t i = s->first_free;
	struct gx_ems_slot *at = &s->slots[i];
	s->first_free = at->next_free;
	at->obj = o;
	o->handle = at->generation << SLOT_BITS | i;
	if (o->logon != NULL)
		++o->logon->objects;
	return 0;
}

static struct gx_ems_slot *slot_of(struct gx_ems_session *s, uint32_t handle)
{
	uint32_t i = handle & SLOTS_MAX;
	struct gx_ems_slot *at = i < s->slot_count ? &s->slots[i] : NULL;
	return at != NULL && at->obj != NULL && at->generation == handle >> SLOT_BITS ? at : NULL;
}

struct gx_ems_obj *gx_ems__find(struct gx_ems_session *s, uint32_t handle)
{
	struct gx_ems_slot *at = slot_of(s, handle);
	return at == NULL ? NULL : at->obj;
}

static void drop_one(struct gx_ems_session *s, struct gx_ems_obj *o)
{
	struct gx_ems_slot *at = slot_of(s, o->handle);
	at->obj = NULL;
	at->generation = (at->generation + 1) % GENERATIONS;
	at->next_free = s->first_free;
	s->first_free = (uint32_t)(at - s->slots);
	if (o->logon != NULL)
		--o->logon->objects;
	o->kind->free(o);
}

void gx_ems__drop(struct gx_ems_session *s, struct gx_ems_obj *o)
{
	struct gx_ems_logon *l = o->logon;
	if (&l->obj != o) {
		drop_one(s, o);
		return;
	}
	gx_ems__jobs_forget(s, l);
	for (uint32_t i = 0; i < s->slot_count; ++i)
		if (s->slots[i].obj != NULL && s->slots[i].obj->logon == l && s->slots[i].obj != o)
			drop_one(s, s->slots[i].obj);
	s->logons[l->id] = NULL;
	drop_one(s, o);
}

void gx_ems__drop_all(struct gx_ems_session *s)
{
	for (unsigned i = 0; i < 256; ++i)
		if (s->logons[i] != NULL)
			gx_ems__drop(s, &s->logons[i]->obj);
}
