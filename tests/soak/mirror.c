/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "tests/soak/soak.h"

int soak_mirror_init(struct soak_mirror *m, struct soak *k)
{
	memset(m, 0, sizeof(*m));
	m->k = k;
	return pthread_mutex_init(&m->lock, NULL) == 0 ? 0 : GX_E_NOMEM;
}

void soak_mirror_release(struct soak_mirror *m)
{
	atomic_fetch_add(&m->k->mirrored, m->told);
	atomic_fetch_add(&m->k->read_anew, m->anew);
	pthread_mutex_destroy(&m->lock);
	free(m->v);
}

static void reserve(struct soak_mirror *m, size_t n)
{
	if (n <= m->cap)
		return;
	m->cap = n * 2;
	m->v = realloc(m->v, m->cap * sizeof(*m->v));
	if (m->v == NULL)
		abort();
}

static size_t place(const struct soak_mirror *m, uint64_t fid, uint64_t mid, uint32_t inst)
{
	size_t i = 0;
	while (i < m->n &&
		(m->hierarchy ? m->v[i].fid != fid : m->v[i].mid != mid || m->v[i].inst != inst))
		i++;
	return i;
}

static void remove_at(struct soak_mirror *m, size_t i)
{
	m->n--;
	memmove(m->v + i, m->v + i + 1, (m->n - i) * sizeof(*m->v));
}

static void insert_at(struct soak_mirror *m, size_t i, struct soak_row r)
{
	reserve(m, m->n + 1);
	memmove(m->v + i + 1, m->v + i, (m->n - i) * sizeof(*m->v));
	m->v[i] = r;
	m->n++;
}

static void apply_row(struct soak_mirror *m, const struct gx_table_event *ev)
{
	size_t at = place(m, ev->row_fid, ev->row_mid, ev->row_inst), to = 0;
	bool there = at < m->n;
	m->told++;
	if (there != (ev->type != GX_TABLE_EV_ADDED)) {
		soak_fail(m->k, "row %" PRIx64 "/%" PRIx64 ": event %u, but it is %s", ev->row_fid,
			ev->row_mid, ev->type, there ? "there" : "not there");
		m->valid = false;
		return;
	}
	if (there)
		remove_at(m, at);
	if (ev->type == GX_TABLE_EV_DELETED)
		return;
	if (ev->after_mid != 0 || ev->after_fid != 0) {
		to = place(m, ev->after_fid, ev->after_mid, ev->after_inst) + 1;
		if (to > m->n) {
			soak_fail(m->k,
				"row %" PRIx64 "/%" PRIx64 " is to follow %" PRIx64 "/%" PRIx64
				", which is not there",
				ev->row_fid, ev->row_mid, ev->after_fid, ev->after_mid);
			m->valid = false;
			return;
		}
	}
	insert_at(m, to, (struct soak_row){ev->row_fid, ev->row_mid, ev->row_inst});
}

void soak_mirror_apply(struct soak_mirror *m, const struct gx_table_event *ev)
{
	pthread_mutex_lock(&m->lock);
	if (ev->type == GX_TABLE_EV_CHANGED) {
		m->valid = false;
		m->anew++;
	} else if (m->valid) {
		apply_row(m, ev);
	}
	pthread_mutex_unlock(&m->lock);
}

void soak_mirror_hear(struct gx_table *tb, const struct gx_table_event *ev, void *ctx)
{
	(void)tb;
	soak_mirror_apply(ctx, ev);
}

static void compare(struct soak_mirror *m, const struct soak_row *v, size_t n, const char *what)
{
	if (m->n != n)
		soak_fail(m->k, "%s: %zu rows, by its events %zu", what, n, m->n);
	for (size_t i = 0; i < n && i < m->n; i++)
		if (m->v[i].mid != v[i].mid || m->v[i].inst != v[i].inst ||
			(m->hierarchy && m->v[i].fid != v[i].fid)) {
			soak_fail(m->k,
				"%s: row %zu of %zu is %" PRIx64 "/%" PRIx64
				", by its events %" PRIx64 "/%" PRIx64,
				what, i, n, v[i].fid, v[i].mid, m->v[i].fid, m->v[i].mid);
			return;
		}
	atomic_fetch_add(&m->k->compared, 1);
}

void soak_mirror_compare(
	struct soak_mirror *m, const struct soak_row *v, size_t n, const char *what)
{
	pthread_mutex_lock(&m->lock);
	if (m->valid)
		compare(m, v, n, what);
	reserve(m, n);
	if (n > 0)
		memcpy(m->v, v, n * sizeof(*v));
	m->n = n;
	m->valid = true;
	pthread_mutex_unlock(&m->lock);
}
