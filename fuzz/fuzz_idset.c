/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte says in which form the rest is read; what was read comes back after writing. */
#include <config.h>
#include <assert.h>
#include <gx/idset.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ascending, apart from each other, and counted right. */
static void check_set(const struct gx_globset *g)
{
	struct gx_globset_iter it;
	struct gx_idrange r;
	uint64_t count = 0, ranges = 0, last = 0;
	gx_globset_iter(g, &it);
	while (gx_globset_next(&it, &r)) {
		assert(r.lo <= r.hi && r.hi <= GX_COUNTER_MAX);
		assert(ranges == 0 || r.lo > last + 1);
		assert(gx_globset_contains(g, r.lo) && gx_globset_contains(g, r.hi));
		count += r.hi - r.lo + 1;
		ranges++;
		last = r.hi;
	}
	assert(count == g->count && ranges == g->ranges);
}

static void write_and_read(const struct gx_idset *s)
{
	struct gx_push out = GX_PUSH_INIT;
	struct gx_idset back = GX_IDSET_INIT(s->form);
	struct gx_pull c;
	gx_idset_push(&out, s);
	assert(out.err == 0);
	gx_pull_init(&c, out.data, out.len);
	int err = gx_idset_pull(&c, &back);
	assert(err == 0 && gx_idset_equal(s, &back));
	err = gx_idset_subtract(&back, s);
	assert(err == 0 && gx_idset_count(&back) == 0);
	gx_idset_release(&back);
	gx_push_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gx_pull c;
	if (size == 0)
		return 0;
	struct gx_idset s = GX_IDSET_INIT(data[0] & 1);
	gx_pull_init(&c, data + 1, size - 1);
	int err = gx_idset_pull(&c, &s);
	for (size_t i = 0; i < s.n; ++i)
		check_set(&s.v[i].set);
	if (err == 0)
		write_and_read(&s);
	gx_idset_release(&s);
	return 0;
}
