/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_mailconv [PACK...]: microseconds a message for the converters; each PACK is made by corpus.py.
 * Without one it makes a light and an office pack itself. CPU time, best of the rounds. Cases: to
 * object (parsed before); to mail (object made before); pack, which also gives the mean bytes of
 * the packed properties (named ones with assumed ids), recipients and attachments of a message.
 */
#include "lg.h"
#include <gx/mailconv.h>

#define SECONDS 1.0

static struct gx_arena *keep, *arena;
static struct gx_mailconv_env env;
static struct {
	struct gx_mime_part *root;
	struct gx_msgobj *obj;
	const struct msg *m;
} *items;
static uint64_t sink;
static struct gx_push out;
static uint64_t row_bytes, rcpt_bytes, att_bytes;

static void to_object(size_t i)
{
	struct gx_msgobj *m;
	if (gx_mail_to_msg(arena, &env, items[i].m->p, items[i].m->n, items[i].root, &m) != 0)
		die("cannot convert message %zu", i);
	sink += m->props.count;
}

static void to_mail(size_t i)
{
	gx_push_clear(&out);
	if (gx_msg_to_mail(&env, items[i].obj, (struct gx_bin){(const uint8_t *)items[i].m->p, items[i].m->n}, 0, &out) != 0)
		die("cannot write message %zu", i);
	sink += out.len;
}

static size_t packed(const struct gx_proplist *l)
{
	gx_push_clear(&out);
	if (gx_prow_pack(&out, l) != 0)
		die("cannot pack");
	return out.len;
}

static void pack(size_t i)
{
	const struct gx_msgobj *m = items[i].obj;
	struct gx_proplist l;
	if (gx_proplist_copy(arena, &m->props, &l) != 0)
		die("out of memory");
	for (size_t k = 0; k < m->named_count; ++k)
		if (gx_proplist_set(&l, arena, GX_PROP_TAG(0x8000 + k, m->named[k].type), m->named[k].v) != 0)
			die("out of memory");
	row_bytes += packed(&l);
	for (size_t k = 0; k < sizeof(m->slices) / sizeof(*m->slices) && m->slices[k].tag != 0; ++k)
		row_bytes += 13; /* tag, kind, offset, length, encoding, code page */
	for (size_t k = 0; k < m->rcpt_count; ++k)
		rcpt_bytes += packed(&m->rcpts[k]);
	for (size_t k = 0; k < m->att_count; ++k)
		att_bytes += packed(&m->atts[k].props);
}

static void measure(const char *name, const struct pack *k, const char *what, void (*run)(size_t i))
{
	double best = 1e9, start = self_cpu(), before = start;
	while (before - start < SECONDS) {
		row_bytes = rcpt_bytes = att_bytes = 0;
		for (size_t i = 0; i < k->n; ++i) {
			run(i);
			gx_arena_reset(arena);
		}
		double after = self_cpu();
		if (after - before < best)
			best = after - before;
		before = after;
	}
	printf("{\"bench\": \"mailconv\", \"case\": \"%s\", \"pack\": \"%s\", \"mean_bytes\": %zu, \"cpu_us_per_message\": %.2f",
		what, name, k->bytes / k->n, best * 1e6 / (double)k->n);
	if (row_bytes != 0)
		printf(", \"row_bytes\": %zu, \"recipient_bytes\": %zu, \"attachment_bytes\": %zu", (size_t)(row_bytes / k->n),
			(size_t)(rcpt_bytes / k->n), (size_t)(att_bytes / k->n));
	puts("}");
	fflush(stdout);
}

static void bench(const char *name, struct pack k)
{
	items = calloc(k.n, sizeof(*items));
	if (items == NULL)
		die("out of memory");
	for (size_t i = 0; i < k.n; ++i) {
		items[i].m = &k.m[i];
		if (gx_mime_parse(keep, NULL, k.m[i].p, k.m[i].n, &items[i].root) != 0 ||
			gx_mail_to_msg(keep, &env, k.m[i].p, k.m[i].n, items[i].root, &items[i].obj) != 0)
			die("cannot convert message %zu", i);
	}
	measure(name, &k, "mail to object", to_object);
	measure(name, &k, "object to mail", to_mail);
	measure(name, &k, "pack", pack);
	pack_free(&k);
	free(items);
	gx_arena_reset(keep);
}

int main(int argc, char **argv)
{
	keep = gx_arena_new(0);
	arena = gx_arena_new(0);
	if (keep == NULL || arena == NULL)
		die("out of memory");
	for (int i = 1; i < argc; ++i)
		bench(argv[i], pack_load(argv[i]));
	if (argc < 2) {
		bench("light", pack_made("light", 1000));
		bench("office", pack_made("office", 200));
	}
	gx_push_release(&out);
	gx_arena_free(keep);
	gx_arena_free(arena);
	return sink == 0;
}
