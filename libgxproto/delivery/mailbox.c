/* SPDX-License-Identifier: Apache-2.0 */
/* The queues of the mailboxes. All functions are called with the delivery's lock held. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "crc32c.h"
#include "pipeline-int.h"

enum { FIRST_TABLE = 64 };

static struct gx_mailbox **slot(struct gx_delivery *d, const char *dir)
{
	struct gx_mailbox **p = &d->table[gx_crc32c__update(0, dir, strlen(dir)) & (d->table_size - 1)];
	while (*p != NULL && strcmp((*p)->dir, dir) != 0)
		p = &(*p)->hnext;
	return p;
}

static int grow(struct gx_delivery *d)
{
	size_t n = d->table_size == 0 ? FIRST_TABLE : d->table_size * 2;
	struct gx_mailbox **old = d->table, **t = calloc(n, sizeof(struct gx_mailbox *));
	size_t old_n = d->table_size;
	if (t == NULL)
		return GX_E_NOMEM;
	d->table = t;
	d->table_size = n;
	for (size_t i = 0; i < old_n; ++i) {
		for (struct gx_mailbox *m = old[i], *next; m != NULL; m = next) {
			next = m->hnext;
			m->hnext = NULL;
			*slot(d, m->dir) = m;
		}
	}
	free(old);
	return 0;
}

int gx_mailbox__get(struct gx_delivery *d, const char *dir, struct gx_mailbox **ret_m)
{
	if (d->mailboxes >= d->table_size && grow(d) != 0)
		return GX_E_NOMEM;
	struct gx_mailbox **p = slot(d, dir);
	if (*p == NULL) {
		struct gx_mailbox *m = calloc(1, sizeof(*m));
		if (m == NULL)
			return GX_E_NOMEM;
		m->dir = strdup(dir);
		if (m->dir == NULL) {
			free(m);
			return GX_E_NOMEM;
		}
		m->tail = &m->head;
		*p = m;
		d->mailboxes++;
	}
	*ret_m = *p;
	return 0;
}

void gx_mailbox__drop_if_idle(struct gx_delivery *d, struct gx_mailbox *m)
{
	if (m->queued || m->head != NULL)
		return;
	gx_hold__forget(d, m);
	*slot(d, m->dir) = m->hnext;
	d->mailboxes--;
	free(m->dir);
	free(m);
}

void gx_mailbox__append(struct gx_delivery *d, struct gx_mailbox *m, struct gx_drop *x)
{
	m->count++;
	d->stuck += m->parked;
	gx_hold__add(d, m, x->job->share);
	x->next = NULL;
	*m->tail = x;
	m->tail = &x->next;
}

void gx_mailbox__run(struct gx_delivery *d, struct gx_mailbox *m)
{
	if (m->queued || m->head == NULL)
		return;
	m->queued = true;
	m->qnext = NULL;
	if (d->run == NULL)
		d->run_tail = &d->run;
	*d->run_tail = m;
	d->run_tail = &m->qnext;
}
