/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes a second through the codecs, the character sets and the caseless search. */
#include <config.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <gx/charset.h>
#include <gx/codec.h>
#include <gx/idset.h>

#define SIZE (8U << 20)
#define SECONDS 0.3

static const struct input {
	uint8_t *data;
	size_t len;
} *current;
static uint8_t *room;
static size_t sink;

static double now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The best of the rounds that fit into the time. */
static void measure(const char *what, const struct input *in, void (*run)(void))
{
	double start = now(), best = 1e9, t = start;
	current = in;
	while (t - start < SECONDS) {
		run();
		double end = now();
		if (end - t < best)
			best = end - t;
		t = end;
	}
	printf("{\"bench\": \"codec\", \"case\": \"%s\", \"mb_per_s\": %.0f}\n", what, (double)in->len / best / 1e6);
}

static void decode_as(uint8_t cte)
{
	struct gx_decoder d;
	gx_decoder_init(&d, cte);
	sink += gx_decoder_run(&d, current->data, current->len, true, room);
}

static void run_base64_dec(void)
{
	decode_as(GX_CTE_BASE64);
}

static void run_qp_dec(void)
{
	decode_as(GX_CTE_QP);
}

static void run_uu_dec(void)
{
	decode_as(GX_CTE_UUENCODE);
}

static void run_base64_enc(void)
{
	sink += gx_base64_enc(current->data, current->len, (char *)room);
}

static void run_shape_write(void)
{
	struct gx_b64_shape s = {.width = 76, .eol = 2, .tail = 1};
	gx_b64_shape_write(&s, current->data, current->len, 0, (size_t)gx_b64_shape_len(&s, current->len), room);
}

static void run_shape_decode(void)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_b64_shape s;
	struct gx_bin b;
	sink += gx_b64_shape_decode(a, current->data, current->len, &s, &b) == 0;
	gx_arena_free(a);
}

static void run_qp_enc(void)
{
	struct gx_push p = GX_PUSH_INIT;
	gx_qp_enc(&p, current->data, current->len, true);
	sink += p.len;
	gx_push_release(&p);
}

static void run_utf8_valid(void)
{
	sink += gx_utf8_valid((const char *)current->data, current->len);
}

static void run_ascii_only(void)
{
	sink += gx_ascii_only((const char *)current->data, current->len);
}

static void run_find_ascii(void)
{
	sink += gx_utf8_casestr((const char *)current->data, current->len, "Invoice 4711", 12);
}

static void run_find_word(void)
{
	sink += gx_utf8_casestr((const char *)current->data, current->len, "\xc3\x9c" "bung", 6);
}

static void convert(uint32_t cp)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_cp_append_utf8(&b, cp, current->data, current->len);
	sink += b.len;
	gx_strbuf_release(&b);
}

static void run_latin1(void)
{
	convert(28591);
}

static void run_utf8(void)
{
	convert(GX_CP_UTF8);
}

static void run_utf16(void)
{
	convert(GX_CP_UTF16);
}

static void run_sjis(void)
{
	convert(932);
}

static void run_small_sjis(void)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	for (size_t off = 0; off + 32 <= current->len; off += 32) {
		gx_strbuf_clear(&b);
		gx_cp_append_utf8(&b, 932, current->data + off, 32);
	}
	sink += b.len;
	gx_strbuf_release(&b);
}

static struct gx_globset counters;

static void run_globset_push(void)
{
	struct gx_push p = GX_PUSH_INIT;
	gx_globset_push(&p, &counters);
	sink += p.len;
	gx_push_release(&p);
}

static void run_globset_pull(void)
{
	struct gx_globset g = GX_GLOBSET_INIT;
	struct gx_pull c;
	gx_pull_init(&c, current->data, current->len);
	sink += gx_globset_pull(&c, &g) == 0 && g.count == counters.count;
	gx_globset_release(&g);
}

static void run_globset_add(void)
{
	struct gx_globset g = GX_GLOBSET_INIT;
	for (uint64_t i = 0; i < 1U << 20; ++i)
		sink += gx_globset_add(&g, (i * 654321 + 17) % (1U << 20) * 2) == 0;
	gx_globset_release(&g);
}

/* A million counters with gaps, and their wire form. */
static struct input make_globset(void)
{
	struct gx_push p = GX_PUSH_INIT;
	for (uint64_t i = 0; i < 1000000; ++i)
		if (gx_globset_add(&counters, 0x10000 + i + i / 3 + (i * 2654435761U >> 20) % 2) != 0)
			abort();
	gx_globset_push(&p, &counters);
	return (struct input){p.data, p.len};
}

/* The phrase over and over, in lines of about 72 bytes. */
static struct input make_text(const char *phrase, size_t size)
{
	struct input in = {malloc(size), 0};
	size_t n = strlen(phrase), col = 0;
	while (size - in.len > n) {
		memcpy(in.data + in.len, phrase, n);
		in.len += n;
		col += n;
		if (col >= 72) {
			in.data[in.len - 1] = '\n';
			col = 0;
		}
	}
	return in;
}

static struct input make_lines(void)
{
	struct gx_b64_shape s = {.width = 76, .eol = 2, .tail = 1};
	struct input in = {malloc(SIZE * 2), (size_t)gx_b64_shape_len(&s, SIZE)};
	gx_b64_shape_write(&s, room, SIZE, 0, in.len, in.data);
	return in;
}

static struct input make_qp(const struct input *text)
{
	struct gx_push p = GX_PUSH_INIT;
	gx_qp_enc(&p, text->data, text->len, true);
	return (struct input){p.data, p.len};
}

static struct input make_uu(void)
{
	struct input in = {malloc(SIZE), 0};
	in.len = (size_t)snprintf((char *)in.data, SIZE, "begin 644 x\n");
	for (; SIZE - in.len > 62; in.len += 62)
		memcpy(in.data + in.len, "M:F%S9&AF:V%J<V1H9FMJ87-H9&9K:F%S:&1F:V%S:&1F:V%S:&1F:V%S:&1F\n", 62);
	return in;
}

int main(void)
{
	room = malloc(SIZE * 4);
	for (size_t i = 0; i < SIZE * 4; ++i)
		room[i] = (uint8_t)((i * 2654435761U) >> 13);
	struct input binary = {malloc(SIZE), SIZE};
	memcpy(binary.data, room, SIZE);
	struct input lines = make_lines(), english = make_text("The quick brown fox, and an invoice; ", SIZE);
	struct input german = make_text("Gr\xc3\xbc\xc3\x9f" "e aus M\xc3\xbcnchen, eine \xc3\x9c" "berweisung ", SIZE);
	struct input cyrillic = make_text("\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82 ", SIZE);
	struct input latin1 = make_text("Gr\xfc\xdf" "e aus M\xfcnchen und Umgebung ", SIZE);
	struct input sjis = make_text("\x93\xfa\x96\x7b\x8c\xea ", SIZE / 8);
	struct input wide = {malloc(SIZE), SIZE};
	for (size_t i = 0; i < SIZE; ++i)
		wide.data[i] = (uint8_t)(i % 2 == 0 ? 'a' + i % 26 : 0);
	struct input qp_english = make_qp(&english), qp_cyrillic = make_qp(&cyrillic), uu = make_uu();
	measure("base64 decode, lines of 76", &lines, run_base64_dec);
	measure("base64 encode", &binary, run_base64_enc);
	measure("base64 shape: write lines of 76", &binary, run_shape_write);
	measure("base64 shape: find, decode, verify", &lines, run_shape_decode);
	measure("quoted-printable decode, English", &qp_english, run_qp_dec);
	measure("quoted-printable decode, Cyrillic", &qp_cyrillic, run_qp_dec);
	measure("quoted-printable encode, English", &english, run_qp_enc);
	measure("quoted-printable encode, Cyrillic", &cyrillic, run_qp_enc);
	measure("uuencode decode", &uu, run_uu_dec);
	measure("UTF-8 valid, English", &english, run_utf8_valid);
	measure("UTF-8 valid, German", &german, run_utf8_valid);
	measure("UTF-8 valid, Cyrillic", &cyrillic, run_utf8_valid);
	measure("ASCII only", &english, run_ascii_only);
	measure("caseless search, ASCII needle in English", &english, run_find_ascii);
	measure("caseless search, ASCII needle in Cyrillic", &cyrillic, run_find_ascii);
	measure("caseless search, German needle in German", &german, run_find_word);
	measure("from UTF-8", &english, run_utf8);
	measure("from ISO-8859-1", &latin1, run_latin1);
	measure("from UTF-16LE", &wide, run_utf16);
	measure("from Shift_JIS", &sjis, run_sjis);
	measure("from Shift_JIS, 32 bytes at a time", &sjis, run_small_sjis);
	struct input globset = make_globset(), million = {NULL, 1U << 20};
	printf("{\"bench\": \"codec\", \"case\": \"globset\", \"ids\": %llu, \"ranges\": %llu, \"wire_bytes\": %zu}\n",
		(unsigned long long)counters.count, (unsigned long long)counters.ranges, globset.len);
	measure("globset encode, fragments", &globset, run_globset_push);
	measure("globset decode, fragments", &globset, run_globset_pull);
	measure("globset add, random order (millions/s)", &million, run_globset_add);
	return sink == 0;
}
