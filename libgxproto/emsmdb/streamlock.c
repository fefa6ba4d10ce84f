/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locked regions of properties, for all sessions of the process. A session that was silent for 30 seconds loses its locks to the
 * one that asks next, and with them what it had written. [MS-OXCPRPT] 3.2.5.21
 */
#include <config.h>
#include <stdlib.h>
#include "libgxproto/emsmdb/stream.h"

enum { EXPIRES_MS = 30000, LOCKS_MAX = 1024 /* of a session */, READERS_MAY = 1 };

/* Which property of what; an object that nobody else can have open is known by its address. */
struct key {
	const void *of;
	uint64_t id;
	uint32_t att;
	gx_proptag_t tag;
};

struct gx_ems_lock {
	struct gx_ems_lock *next;
	struct key key;
	struct gx_ems_session *s;
	const struct gx_ems_bytes *b;
	uint64_t off, size;
	uint32_t flags;
	bool lost;
};

static struct key key_of(const struct gx_ems_bytes *b)
{
	struct gx_inst_info info;
	if (b->inst == NULL)
		return (struct key){b->logon->store, b->fid, UINT32_MAX, b->tag};
	gx_inst_info(b->inst, &info);
	if (info.mid == 0 || info.level > 0)
		return (struct key){b->inst, 0, 0, b->tag};
	return (struct key){b->logon->store, info.mid, info.kind == GX_INST_ATTACHMENT ? info.att_num + 1 : 0, b->tag};
}

static bool same(const struct key *x, const struct key *y)
{
	return x->of == y->of && x->id == y->id && x->att == y->att && x->tag == y->tag;
}

static bool overlap(const struct gx_ems_lock *l, uint64_t off, uint64_t size)
{
	return off < l->off ? size > l->off - off : l->size > off - l->off;
}

/* ---- All with the lock of gx_ems held ---- */

static bool is_silent(const struct gx_ems *e, const struct gx_ems_session *s)
{
	return gx_clock_mono_ms(e->o.clock) - atomic_load(&s->sess.used_ms) > EXPIRES_MS;
}

static gx_ec add(struct gx_rop_call *c, struct gx_ems_lock *fresh)
{
	struct gx_ems *e = c->s->e;
	unsigned mine = 0;
	for (struct gx_ems_lock *l = e->locks; l != NULL; l = l->next) {
		mine += l->s == c->s;
		if (!l->lost && same(&l->key, &fresh->key) && overlap(l, fresh->off, fresh->size) && (l->s == c->s || !is_silent(e, l->s)))
			return gx_rop__fail(c, ecAccessDenied, "the region is locked");
	}
	if (mine >= LOCKS_MAX)
		return gx_rop__fail(c, ecTooManyLocks, "a session has at most %u locks", (unsigned)LOCKS_MAX);
	for (struct gx_ems_lock *l = e->locks; l != NULL; l = l->next)
		l->lost = l->lost || (same(&l->key, &fresh->key) && overlap(l, fresh->off, fresh->size));
	fresh->next = e->locks;
	e->locks = fresh;
	return EMS_OK;
}

static gx_ec check(const struct gx_ems *e, struct gx_ems_session *s, const struct key *k, uint64_t off, uint64_t size, bool write)
{
	for (const struct gx_ems_lock *l = e->locks; l != NULL; l = l->next) {
		if (!same(&l->key, k) || !overlap(l, off, size))
			continue;
		if (l->s == s && l->lost)
			return GX_EC(ecNetworkError);
		if (l->s != s && !l->lost && (write || l->flags != READERS_MAY))
			return GX_EC(ecStorageLockViolation);
	}
	return EMS_OK;
}

/* ---- */

gx_ec gx_lock__add(struct gx_rop_call *c, struct gx_ems_bytes *b, uint64_t off, uint64_t size, uint32_t flags)
{
	struct gx_ems_lock *l = calloc(1, sizeof(*l));
	if (l == NULL)
		return GX_EC(ecMAPIOOM);
	*l = (struct gx_ems_lock){.key = key_of(b), .s = c->s, .b = b, .off = off, .size = size, .flags = flags};
	pthread_mutex_lock(&c->s->e->lock);
	gx_ec ec = add(c, l);
	pthread_mutex_unlock(&c->s->e->lock);
	if (gx_ec_failed(ec))
		free(l);
	return ec;
}

void gx_lock__remove(struct gx_rop_call *c, struct gx_ems_bytes *b, uint64_t off, uint64_t size, uint32_t flags)
{
	struct key k = key_of(b);
	pthread_mutex_lock(&c->s->e->lock);
	for (struct gx_ems_lock **at = &c->s->e->locks, *l; (l = *at) != NULL;) {
		if (l->s == c->s && same(&l->key, &k) && l->off == off && l->size == size && l->flags == flags) {
			*at = l->next;
			free(l);
		} else {
			at = &l->next;
		}
	}
	pthread_mutex_unlock(&c->s->e->lock);
}

gx_ec gx_lock__check(struct gx_rop_call *c, struct gx_ems_bytes *b, uint64_t off, uint64_t size, bool write)
{
	struct gx_ems *e = c->s->e;
	gx_ec ec = EMS_OK;
	pthread_mutex_lock(&e->lock);
	bool any = e->locks != NULL;
	pthread_mutex_unlock(&e->lock);
	if (!any)
		return ec;
	struct key k = key_of(b);
	pthread_mutex_lock(&e->lock);
	ec = check(e, c->s, &k, off, size, write);
	pthread_mutex_unlock(&e->lock);
	gx_ec undone = gx_ec_is(ec, ecNetworkError) ? gx_bytes__revert(c, b) : EMS_OK;
	return gx_ec_failed(undone) ? undone : ec;
}

void gx_lock__drop(struct gx_ems_bytes *b)
{
	pthread_mutex_lock(&b->s->e->lock);
	for (struct gx_ems_lock **at = &b->s->e->locks, *l; (l = *at) != NULL;) {
		if (l->b == b) {
			*at = l->next;
			free(l);
		} else {
			at = &l->next;
		}
	}
	pthread_mutex_unlock(&b->s->e->lock);
}
