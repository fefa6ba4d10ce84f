/* SPDX-License-Identifier: Apache-2.0 */
/* Random streams as lists of elements, and a consumer that keeps what it gets as such a list. */
#ifndef GX_FTXTEST_H
#define GX_FTXTEST_H
#include <gx/ftx.h>
#include "libgxmapi/proprand.h"

struct ftx_elem {
	gx_proptag_t tag;       /* a marker, or a property with value and perhaps a name */
	struct gx_propname name;
	union gx_value v;
	uint16_t wire_type;     /* of what was read */
	bool in_parts;
};

struct ftx_list {
	struct gx_arena *a;
	struct ftx_elem *v;
	size_t n, cap;
	/* while reading */
	struct gx_push part;
	struct ftx_elem large;
	unsigned stop_every, events;
	size_t max_part;
};

/* Elements of a stream with that root, at least @n of them unless it is over before. */
void ftx_random(struct rnd *r, int root, uint32_t send_options, size_t n, struct ftx_list *l);
/* Puts it; text and binaries of so many bytes and more go by a reader. */
int ftx_put(struct gx_ftx_out *out, const struct ftx_elem *e, size_t large_from);
/* For gx_ftx_in_new(); the context is a list. */
extern const struct gx_ftx_in_ops ftx_keep, ftx_keep_whole;
void ftx_same(const struct ftx_list *x, const struct ftx_list *y);
void ftx_release(struct ftx_list *l);

/* With UTF-8 as code page when GX_FTX_SEND_PARTIAL_ITEM is set, else the usual one. */
struct gx_ftx_out *ftx_new_out(uint32_t send_options, int root);
/* All that there is of a stream. */
struct gx_bin ftx_drain(struct gx_arena *a, struct gx_ftx_out *out);
/* All of a good stream at once. */
struct ftx_list ftx_take(struct gx_arena *a, const struct gx_bin *b, const struct gx_ftx_in_opts *o,
	const struct gx_ftx_in_ops *ops);
/* Whatever the bytes are, in two pieces. The result of the stream. */
int ftx_swallow(const uint8_t *p, size_t n, const struct gx_ftx_in_opts *o, size_t cut);

#endif
