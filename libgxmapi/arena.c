/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gx/arena.h>

#define ALIGN _Alignof(max_align_t)
#define FIRST_BLOCK 4096U
#define MAX_BLOCK (256U * 1024)

struct block {
	struct block *next;
	size_t size, used;
	_Alignas(max_align_t) uint8_t data[];
};

struct gx_arena {
	struct block *head; /* the one allocated from; older ones follow */
	size_t used, limit;
};

static struct block *block_new(size_t size)
{
	if (size > SIZE_MAX - sizeof(struct block))
		return NULL;
	struct block *b = malloc(sizeof(*b) + size);
	if (b == NULL)
		return NULL;
	b->next = NULL;
	b->size = size;
	b->used = 0;
	return b;
}

struct gx_arena *gx_arena_new(size_t limit)
{
	struct gx_arena *a = calloc(1, sizeof(*a));
	if (a != NULL)
		a->limit = limit;
	return a;
}

static void free_chain(struct block *b)
{
	while (b != NULL) {
		struct block *next = b->next;
		free(b);
		b = next;
	}
}

void gx_arena_free(struct gx_arena *a)
{
	if (a == NULL)
		return;
	free_chain(a->head);
	free(a);
}

void gx_arena_reset(struct gx_arena *a)
{
	a->used = 0;
#ifdef GX_DEBUG_ALLOC
	free_chain(a->head);
	a->head = NULL;
#else
	struct block *keep = NULL;
	for (struct block *b = a->head, *next; b != NULL; b = next) {
		next = b->next;
		if (next == NULL && b->size <= MAX_BLOCK)
			keep = b;
		else
			free(b);
	}
	a->head = keep;
	if (keep != NULL)
		keep->used = 0;
#endif
}

size_t gx_arena_used(const struct gx_arena *a)
{
	return a->used;
}

#ifdef GX_DEBUG_ALLOC
/* A block of its own for each piece, so that the sanitizers see every byte past its end. */
static void *take(struct gx_arena *a, size_t n)
{
	struct block *b = block_new(n);
	if (b == NULL)
		return NULL;
	b->used = n;
	b->next = a->head;
	a->head = b;
	return b->data;
}
#else
static void *take(struct gx_arena *a, size_t n)
{
	struct block *b = a->head;
	size_t need = (n + ALIGN - 1) & ~(ALIGN - 1);
	if (need < n)
		return NULL;
	if (b != NULL && b->size - b->used >= need) {
		void *p = b->data + b->used;
		b->used += need;
		return p;
	}
	size_t size = b == NULL ? FIRST_BLOCK : b->size < MAX_BLOCK ? b->size * 2 : MAX_BLOCK;
	if (size > MAX_BLOCK)
		size = MAX_BLOCK;
	bool own = need > size / 2;
	struct block *nb = block_new(own ? need : size);
	if (nb == NULL)
		return NULL;
	nb->used = need;
	if (own && b != NULL) { /* keep allocating from the current block */
		nb->next = b->next;
		b->next = nb;
	} else {
		nb->next = b;
		a->head = nb;
	}
	return nb->data;
}
#endif

void *gx_arena_alloc(struct gx_arena *a, size_t n)
{
	if (n == 0)
		n = 1;
	if (a->limit != 0 && n > a->limit - a->used)
		return NULL;
	void *p = take(a, n);
	if (p != NULL)
		a->used += n;
	return p;
}

void *gx_arena_calloc(struct gx_arena *a, size_t n, size_t size)
{
	size_t total;
	if (__builtin_mul_overflow(n, size, &total))
		return NULL;
	void *p = gx_arena_alloc(a, total);
	if (p != NULL)
		memset(p, 0, total);
	return p;
}

void *gx_arena_memdup(struct gx_arena *a, const void *src, size_t n)
{
	void *p = gx_arena_alloc(a, n);
	if (p != NULL && n != 0)
		memcpy(p, src, n);
	return p;
}

char *gx_arena_strndup(struct gx_arena *a, const char *s, size_t n)
{
	size_t len = n != 0 ? strnlen(s, n) : 0;
	char *p = gx_arena_alloc(a, len + 1);
	if (p == NULL)
		return NULL;
	if (len != 0)
		memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

char *gx_arena_strdup(struct gx_arena *a, const char *s)
{
	return s == NULL ? NULL : gx_arena_memdup(a, s, strlen(s) + 1);
}

char *gx_arena_vprintf(struct gx_arena *a, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		return NULL;
	char *p = gx_arena_alloc(a, (size_t)n + 1);
	if (p != NULL)
		vsnprintf(p, (size_t)n + 1, fmt, ap);
	return p;
}

char *gx_arena_printf(struct gx_arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *p = gx_arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

void *gx_arena_grow(struct gx_arena *a, void *p, size_t *io_cap, size_t want, size_t size)
{
	if (p != NULL && want <= *io_cap)
		return p;
	size_t cap = *io_cap < 4 ? 4 : *io_cap;
	while (cap < want)
		if (__builtin_mul_overflow(cap, (size_t)2, &cap))
			return NULL;
	void *q = gx_arena_calloc(a, cap, size);
	if (q == NULL)
		return NULL;
	if (p != NULL)
		memcpy(q, p, *io_cap * size);
	*io_cap = cap;
	return q;
}
