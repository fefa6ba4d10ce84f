/* SPDX-License-Identifier: Apache-2.0 */
/* FastTransfer streams both ways: elements of a usual message a second, and MB/s of values in their bulk. */
#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <gx/ftx.h>

#define PROPS 45        /* of a usual message; with three recipients of 10 and an attachment of 8 */
#define MESSAGES 2000
#define BULK (UINT64_C(256) << 20)
#define BUFFER 32000
#define SOURCE ((size_t)64 << 20)
#define ROUNDS 5

static uint8_t buffer[BUFFER], *source;
static size_t sink;
static struct gx_push stream;

static double now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void check(int err, const char *text)
{
	if (err == 0)
		return;
	fprintf(stderr, "%s %s\n", gx_strerror(err), text);
	exit(1);
}

static void put(struct gx_ftx_out *out, unsigned count)
{
	for (unsigned i = 0; i < count; ++i) {
		uint16_t id = (uint16_t)(0x1000 + i * 7);
		int err;
		switch (i % 5) {
		case 0: err = gx_ftx_out_u32(out, GX_PROP_TAG(id, PtypInteger32), i); break;
		case 1: err = gx_ftx_out_prop(out, GX_PROP_TAG(id, PtypTime), NULL, &(union gx_value){.time = i}); break;
		case 2: err = gx_ftx_out_bin(out, GX_PROP_TAG(id, PtypBinary), "0123456789012345678901", 22); break;
		default:
			err = gx_ftx_out_prop(out, GX_PROP_TAG(id, PtypString), NULL, &(union gx_value){.str = "somebody@example.com"});
			break;
		}
		check(err, gx_ftx_out_text(out));
	}
}

static void mark(struct gx_ftx_out *out, gx_proptag_t marker)
{
	check(gx_ftx_out_marker(out, marker), gx_ftx_out_text(out));
}

static int next_message(struct gx_ftx_out *out, void *ctx)
{
	unsigned *left = ctx;
	if ((*left)-- == 0)
		return 0;
	mark(out, StartMessage);
	put(out, PROPS);
	for (int i = 0; i < 3; ++i) {
		mark(out, StartRecip);
		put(out, 10);
		mark(out, EndToRecip);
	}
	mark(out, NewAttach);
	check(gx_ftx_out_u32(out, PidTagAttachNumber, 0), gx_ftx_out_text(out));
	put(out, 8);
	mark(out, EndAttach);
	mark(out, EndMessage);
	return 1;
}

static void make_messages(void)
{
	unsigned left = MESSAGES;
	struct gx_ftx_out *out = gx_ftx_out_new(&(struct gx_ftx_out_opts){GX_FTX_SEND_UNICODE, 0, GX_FTX_MESSAGE_LIST,
		next_message, &left});
	gx_push_clear(&stream);
	while (!gx_ftx_out_done(out)) {
		size_t n;
		check(gx_ftx_out_read(out, buffer, BUFFER, &n), gx_ftx_out_text(out));
		gx_push_bytes(&stream, buffer, n);
	}
	gx_ftx_out_free(out);
}

static int on_marker(gx_proptag_t marker, void *ctx)
{
	(void)ctx;
	sink += marker;
	return 0;
}

static int on_prop(const struct gx_ftx_prop *p, void *ctx)
{
	(void)ctx;
	sink += p->tag;
	return 0;
}

static int on_begin(const struct gx_ftx_prop *p, uint32_t n, void *ctx)
{
	(void)ctx;
	sink += p->tag + n;
	return 0;
}

static int on_part(const void *data, size_t n, void *ctx)
{
	(void)ctx;
	sink += n + *(const uint8_t *)data;
	return 0;
}

static int on_end(void *ctx)
{
	(void)ctx;
	return 0;
}

static struct gx_ftx_in *new_in(int root)
{
	static const struct gx_ftx_in_ops ops = {on_marker, on_prop, NULL, on_begin, on_part, on_end};
	return gx_ftx_in_new(&(struct gx_ftx_in_opts){.root = root}, &ops, NULL);
}

static void read_messages(void)
{
	struct gx_ftx_in *in = new_in(GX_FTX_MESSAGE_LIST);
	for (size_t at = 0; at < stream.len; at += BUFFER) {
		size_t n = stream.len - at < BUFFER ? stream.len - at : BUFFER;
		check(gx_ftx_in_write(in, stream.data + at, n, NULL), gx_ftx_in_text(in));
	}
	check(gx_ftx_in_end(in), gx_ftx_in_text(in));
	gx_ftx_in_free(in);
}

static int read_bulk(uint64_t off, void *buf, size_t n, size_t *ret_n, void *ctx)
{
	/* from memory that the caches do not hold, as a store's pages */
	size_t at = (size_t)(off % (SOURCE - BUFFER));
	(void)ctx;
	memcpy(buf, source + at, n);
	*ret_n = n;
	return 0;
}

/* Through both of them. */
static void bulk(gx_proptag_t tag, uint64_t size)
{
	struct gx_ftx_out *out = gx_ftx_out_new(&(struct gx_ftx_out_opts){.send_options = GX_FTX_SEND_UNICODE});
	struct gx_ftx_in *in = new_in(GX_FTX_ANY);
	check(gx_ftx_out_large(out, tag, NULL, &(struct gx_ftx_reader){size, read_bulk, NULL}), "");
	check(gx_ftx_out_end(out), "");
	while (!gx_ftx_out_done(out)) {
		size_t n;
		check(gx_ftx_out_read(out, buffer, BUFFER, &n), "");
		check(gx_ftx_in_write(in, buffer, n, NULL), gx_ftx_in_text(in));
	}
	check(gx_ftx_in_end(in), gx_ftx_in_text(in));
	gx_ftx_out_free(out);
	gx_ftx_in_free(in);
}

static void bulk_binary(void)
{
	bulk(PidTagAttachDataBinary, BULK);
}

static void bulk_text(void)
{
	bulk(PidTagBody, BULK / 8);
}

/* The best of some rounds. */
static void measure(const char *what, void (*run)(void), double elements, double bytes)
{
	double best = 1e9;
	for (int i = 0; i < ROUNDS; ++i) {
		double start = now();
		run();
		double t = now() - start;
		best = t < best ? t : best;
	}
	if (bytes == 0)
		bytes = (double)stream.len;
	printf("{\"bench\": \"ftx\", \"case\": \"%s\"", what);
	if (elements != 0)
		printf(", \"elements_per_s\": %.0f, \"ns_per_element\": %.1f", elements / best, best / elements * 1e9);
	printf(", \"mb_per_s\": %.0f}\n", bytes / best / 1e6);
}

int main(void)
{
	source = malloc(SOURCE);
	if (source == NULL)
		return 1;
	memset(source, 'x', SOURCE);
	const double elements = (double)MESSAGES * (PROPS + 3 * 12 + 8 + 3 + 2);
	measure("messages made", make_messages, elements, 0);
	measure("and taken apart", read_messages, elements, 0);
	measure("large binary, both ways", bulk_binary, 0, (double)BULK);
	measure("large text, both ways, as sent", bulk_text, 0, (double)BULK / 4);
	gx_push_release(&stream);
	free(source);
	return sink == 0;
}
