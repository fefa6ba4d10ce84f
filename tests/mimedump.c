/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mimedump [--piece N] FILE...: what the MIME parser makes of messages, one JSON object a line, for
 * comparison with other parsers. Bytes above 0x7f are written as \u00XX.
 */
#include <config.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gx/mime.h>

static void put_json(const char *key, const char *s, size_t n)
{
	printf(",\"%s\":\"", key);
	for (size_t i = 0; i < n; ++i) {
		unsigned char c = (unsigned char)s[i];
		if (c < ' ' || c >= 0x7f || c == '"' || c == '\\')
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void put_text(const char *key, const char *s)
{
	if (s != NULL)
		put_json(key, s, strlen(s));
}

static uint32_t crc32_of(const uint8_t *p, size_t n)
{
	uint32_t crc = 0xffffffff;
	while (n-- > 0) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; ++bit)
			crc = crc >> 1 ^ (0xedb88320 & -(crc & 1));
	}
	return ~crc;
}

static int put_content(struct gx_arena *a, const struct gx_mime_part *p, const uint8_t *msg)
{
	struct gx_bin bin;
	int r = gx_decode(a, p->cte, msg + p->body_off, p->body_len, &bin);
	if (r == 0)
		printf(",\"decoded\":%zu,\"crc\":%" PRIu32, bin.len, crc32_of(bin.data, bin.len));
	return r;
}

static int put_part(struct gx_arena *a, const struct gx_mime_part *p, const uint8_t *msg)
{
	printf("{\"part\":true");
	put_text("type", p->type);
	put_text("subtype", p->subtype);
	put_text("cte", p->cte_name);
	put_text("disposition", p->disposition);
	put_text("charset", gx_mime_param(p->params, "charset"));
	put_text("name", gx_mime_param(p->params, "name"));
	put_text("filename", gx_mime_param(p->disp_params, "filename"));
	printf(",\"flags\":%" PRIu32 ",\"hdr_off\":%" PRIu64 ",\"hdr_len\":%" PRIu64 ",\"body_off\":%" PRIu64
		",\"body_len\":%" PRIu64 ",\"lines\":%" PRIu64, p->flags, p->hdr_off, p->hdr_len, p->body_off,
		p->body_len, p->body_lines);
	int r = p->first_child == NULL ? put_content(a, p, msg) : 0;
	puts("}");
	return r;
}

static int put_message(struct gx_arena *a, const char *path, const struct gx_mime_part *root)
{
	struct gx_strbuf env = GX_STRBUF_INIT, bs = GX_STRBUF_INIT, body = GX_STRBUF_INIT;
	const struct gx_mime_header *subject = gx_mime_header(root, "subject"), *date = gx_mime_header(root, "date");
	char *text = NULL;
	int64_t sec = 0;
	int off = 0;
	printf("{\"message\":true");
	put_text("path", path);
	gx_mime_envelope(&env, root, a);
	gx_mime_bodystructure(&bs, root, true, a);
	gx_mime_bodystructure(&body, root, false, a);
	put_json("envelope", gx_strbuf_cstr(&env), env.len);
	put_json("bodystructure", gx_strbuf_cstr(&bs), bs.len);
	put_json("body", gx_strbuf_cstr(&body), body.len);
	if (subject != NULL && gx_mime_decode_text(a, subject->value, 0, &text) == 0)
		put_text("subject", text);
	if (date != NULL && gx_mime_date(date->value, &sec, &off) == 0)
		printf(",\"date\":%" PRId64 ",\"offset\":%d", sec, off);
	puts("}");
	int r = env.err | bs.err | body.err;
	gx_strbuf_release(&env);
	gx_strbuf_release(&bs);
	gx_strbuf_release(&body);
	return r;
}

static int parse(struct gx_arena *a, const uint8_t *msg, size_t len, size_t piece, struct gx_mime_part **ret_root)
{
	if (piece == 0)
		return gx_mime_parse(a, NULL, msg, len, ret_root);
	struct gx_mime_parser *p = gx_mime_parser_new(a, NULL);
	int r = p == NULL ? GX_E_NOMEM : 0;
	for (size_t at = 0; r == 0 && at < len; at += piece)
		r = gx_mime_parser_feed(p, msg + at, piece < len - at ? piece : len - at);
	return r != 0 ? r : gx_mime_parser_finish(p, ret_root);
}

static uint8_t *read_file(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		return NULL;
	size_t cap = 65536, n = 0, got;
	uint8_t *buf = malloc(cap);
	while (buf != NULL && (got = fread(buf + n, 1, cap - n, f)) != 0) {
		n += got;
		uint8_t *more = n == cap ? realloc(buf, cap *= 2) : buf;
		if (more == NULL)
			free(buf);
		buf = more;
	}
	fclose(f);
	*ret_len = n;
	return buf;
}

static int dump(const char *path, size_t piece)
{
	size_t len = 0;
	struct gx_mime_part *root = NULL;
	uint8_t *msg = read_file(path, &len);
	struct gx_arena *a = gx_arena_new(0);
	int r = msg == NULL || a == NULL ? GX_E_IO : parse(a, msg, len, piece, &root);
	if (r == 0)
		r = put_message(a, path, root);
	for (const struct gx_mime_part *p = root; r == 0 && p != NULL; p = gx_mime_next(root, p))
		r = put_part(a, p, msg);
	if (r != 0)
		fprintf(stderr, "%s: %s\n", path, gx_strerror(r));
	gx_arena_free(a);
	free(msg);
	return r;
}

int main(int argc, char **argv)
{
	int bad = 0, at = 1;
	size_t piece = 0;
	if (argc > 2 && strcmp(argv[1], "--piece") == 0) {
		piece = strtoul(argv[2], NULL, 10);
		at = 3;
	}
	for (; at < argc; ++at)
		bad |= dump(argv[at], piece) != 0;
	return bad;
}
