/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_mime [PACK...]: megabytes of mail a second through the MIME parser; each PACK is made by
 * corpus.py. Without one it makes a light and an office pack itself. CPU time, best of the rounds.
 * Cases: parse; parse in pieces of 16 KB; parse and decode all leaves; IMAP's envelope and structure.
 */
#include "lg.h"
#include <gx/mime.h>

#define SECONDS 1.0
#define PIECE 16384

static struct gx_arena *arena, *scratch;
static uint8_t *room;
static uint64_t sink;

static struct gx_mime_part *parse(const struct msg *m)
{
	struct gx_mime_part *root;
	if (gx_mime_parse(arena, NULL, m->p, m->n, &root) != 0)
		die("out of memory");
	return root;
}

static void run_parse(const struct msg *m)
{
	sink += parse(m)->body_lines;
}

static void run_pieces(const struct msg *m)
{
	struct gx_mime_parser *p = gx_mime_parser_new(arena, NULL);
	struct gx_mime_part *root;
	for (size_t at = 0; at < m->n; at += PIECE)
		if (gx_mime_parser_feed(p, m->p + at, m->n - at < PIECE ? m->n - at : PIECE) != 0)
			die("out of memory");
	if (gx_mime_parser_finish(p, &root) != 0)
		die("out of memory");
	sink += root->body_lines;
}

static void run_decode(const struct msg *m)
{
	const struct gx_mime_part *root = parse(m);
	for (const struct gx_mime_part *p = root; p != NULL; p = gx_mime_next(root, p)) {
		struct gx_decoder d;
		if (p->first_child != NULL)
			continue;
		gx_decoder_init(&d, p->cte);
		sink += gx_decoder_run(&d, (const uint8_t *)m->p + p->body_off, p->body_len, true, room);
	}
}

static void run_imap(const struct msg *m)
{
	static struct gx_strbuf b;
	const struct gx_mime_part *root = parse(m);
	gx_strbuf_clear(&b);
	gx_mime_envelope(&b, root, scratch);
	gx_mime_bodystructure(&b, root, true, scratch);
	sink += b.len;
	gx_arena_reset(scratch);
}

static void measure(const char *pack, const struct pack *k, const char *what, void (*run)(const struct msg *))
{
	double best = 1e9, start = self_cpu(), before = start;
	while (before - start < SECONDS) {
		for (size_t i = 0; i < k->n; ++i) {
			run(&k->m[i]);
			gx_arena_reset(arena);
		}
		double after = self_cpu();
		if (after - before < best)
			best = after - before;
		before = after;
	}
	printf("{\"bench\": \"mime\", \"case\": \"%s\", \"pack\": \"%s\", \"mean_bytes\": %zu, \"cpu_mb_per_s\": %.0f,"
		" \"cpu_us_per_message\": %.2f}\n", what, pack, k->bytes / k->n, (double)k->bytes / best / 1e6,
		best * 1e6 / (double)k->n);
	fflush(stdout);
}

static void bench(const char *name, struct pack k)
{
	size_t most = 0;
	for (size_t i = 0; i < k.n; ++i)
		most = k.m[i].n > most ? k.m[i].n : most;
	struct gx_decoder d;
	gx_decoder_init(&d, GX_CTE_BINARY);
	size_t need = gx_decoder_bound(&d, most) + 4096;
	room = realloc(room, need);
	if (room == NULL)
		die("out of memory");
	measure(name, &k, "parse", run_parse);
	measure(name, &k, "parse in pieces", run_pieces);
	measure(name, &k, "parse and decode", run_decode);
	measure(name, &k, "parse, envelope, bodystructure", run_imap);
	pack_free(&k);
}

int main(int argc, char **argv)
{
	arena = gx_arena_new(0);
	scratch = gx_arena_new(0);
	if (arena == NULL || scratch == NULL)
		die("out of memory");
	for (int i = 1; i < argc; ++i)
		bench(argv[i], pack_load(argv[i]));
	if (argc < 2) {
		bench("light", pack_made("light", 1000));
		bench("office", pack_made("office", 200));
	}
	gx_arena_free(arena);
	gx_arena_free(scratch);
	free(room);
	return sink == 0;
}
