/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <gx/engine.h>

#define FIRST_CAP 4096

void gx_iobuf_release(struct gx_iobuf *b)
{
	free(b->data);
	*b = (struct gx_iobuf){0};
}

/* The unread bytes move to the front when that alone makes room and costs less than it saves. */
static bool compact(struct gx_iobuf *b, size_t n)
{
	size_t left = b->len - b->off;
	if (b->off == 0 || left > b->off || n > b->cap - left)
		return false;
	memmove(b->data, b->data + b->off, left);
	b->off = 0;
	b->len = left;
	return true;
}

uint8_t *gx_iobuf_reserve(struct gx_iobuf *b, size_t n)
{
	if (b->data != NULL && n <= b->cap - b->len)
		return b->data + b->len;
	if (compact(b, n))
		return b->data + b->len;
	size_t left = b->len - b->off;
	if (n > SIZE_MAX / 4 - left)
		return NULL;
	size_t cap = left + n;
	if (cap < FIRST_CAP)
		cap = FIRST_CAP;
	else if (left > 0 && cap < b->cap + b->cap / 2)
		cap = b->cap + b->cap / 2;
	uint8_t *p = malloc(cap);
	if (p == NULL)
		return NULL;
	if (left > 0)
		memcpy(p, b->data + b->off, left);
	free(b->data);
	*b = (struct gx_iobuf){.data = p, .len = left, .cap = cap};
	return p + left;
}

void gx_iobuf_added(struct gx_iobuf *b, size_t n)
{
	assert(n <= b->cap - b->len);
	b->len += n;
}

int gx_iobuf_add(struct gx_iobuf *b, const void *p, size_t n)
{
	if (n == 0)
		return 0;
	uint8_t *d = gx_iobuf_reserve(b, n);
	if (d == NULL)
		return GX_E_NOMEM;
	memcpy(d, p, n);
	b->len += n;
	return 0;
}

void gx_iobuf_consume(struct gx_iobuf *b, size_t n)
{
	assert(n <= b->len - b->off);
	b->off += n;
	if (b->off == b->len)
		b->off = b->len = 0;
}

void gx_io_wake(struct gx_io *io)
{
	if (io->wake != NULL)
		io->wake(io);
}
