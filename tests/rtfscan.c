/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtfscan [-p] FILE...: looks for compressed RTF in files of any kind, makes text and HTML of it, and packs it
 * again: the same must come out. -p prints the texts. Says how many were found, and how many were whole.
 */
#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gx/bodyconv.h>
#include <gx/htmltext.h>
#include <gx/rtfcp.h>

static bool print;
static unsigned found, whole, packed_html, bad;

static void wrong(const char *path, const char *what)
{
	printf("%s: %s\n", path, what);
	bad++;
}

static void show(const char *title, const struct gx_push *p)
{
	if (print)
		printf("---- %s\n%.*s\n", title, (int)p->len, (const char *)p->data);
}

static bool equal(const struct gx_push *a, const struct gx_push *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* HTML that was packed can be packed again. */
static void html_again(const char *path, const struct gx_push *html)
{
	struct gx_push rtf = GX_PUSH_INIT, back = GX_PUSH_INIT, rtf2 = GX_PUSH_INIT, back2 = GX_PUSH_INIT;
	struct gx_push text = GX_PUSH_INIT, text2 = GX_PUSH_INIT;
	if (gx_html_to_rtf((const char *)html->data, html->len, &rtf) != 0 || gx_rtf_native(rtf.data, rtf.len) != GX_BODY_HTML ||
	    gx_rtf_to_html(rtf.data, rtf.len, NULL, &back) != 0)
		wrong(path, "HTML cannot be packed");
	/* Ends of lines and no-break spaces have one form after the first time. */
	else if (gx_html_to_rtf((const char *)back.data, back.len, &rtf2) != 0 || gx_rtf_to_html(rtf2.data, rtf2.len, NULL, &back2) != 0 ||
		 !equal(&back, &back2))
		wrong(path, "packed HTML changes");
	gx_html_plain((const char *)html->data, html->len, &text);
	gx_html_plain((const char *)back.data, back.len, &text2);
	if (!equal(&text, &text2))
		wrong(path, "the text of packed HTML changes");
	gx_push_release(&rtf);
	gx_push_release(&rtf2);
	gx_push_release(&back);
	gx_push_release(&back2);
	gx_push_release(&text);
	gx_push_release(&text2);
}

static void one(const char *path, const struct gx_push *rtf)
{
	struct gx_push packed = GX_PUSH_INIT, again = GX_PUSH_INIT, text = GX_PUSH_INIT, html = GX_PUSH_INIT;
	if (gx_rtfcp_encode(rtf->data, rtf->len, &packed) != 0 || gx_rtfcp_decode(packed.data, packed.len, rtf->len, &again) != 0 ||
	    !equal(rtf, &again))
		wrong(path, "compressing it gives something else");
	if (gx_rtf_native(rtf->data, rtf->len) == 0) {
		if (print)
			printf("%s: no RTF\n", path);
	} else if (gx_rtf_to_text(rtf->data, rtf->len, &text) != 0 || gx_rtf_to_html(rtf->data, rtf->len, NULL, &html) != 0) {
		wrong(path, "cannot be converted");
	} else if (gx_rtf_native(rtf->data, rtf->len) == GX_BODY_HTML) {
		packed_html++;
		html_again(path, &html);
	}
	show(path, &text);
	show("html", &html);
	gx_push_release(&packed);
	gx_push_release(&again);
	gx_push_release(&text);
	gx_push_release(&html);
}

static void scan(const char *path, const uint8_t *p, size_t n)
{
	for (size_t i = 8; n >= 16 && i < n - 8; i++) {
		struct gx_push rtf = GX_PUSH_INIT;
		if (memcmp(p + i, "LZFu", 4) != 0)
			continue;
		found++;
		if (gx_rtfcp_decode(p + i - 8, n - i + 8, GX_BODYCONV_MAX, &rtf) == 0) {
			whole++;
			one(path, &rtf);
		} else if (print) {
			printf("%s: damaged or in pieces\n", path);
		}
		gx_push_release(&rtf);
	}
}

static int scan_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t cap = 1 << 20, n = 0, got;
	uint8_t *p = malloc(cap);
	while (f != NULL && p != NULL && (got = fread(p + n, 1, cap - n, f)) > 0) {
		n += got;
		if (n == cap)
			p = realloc(p, cap *= 2);
	}
	if (f == NULL || p == NULL) {
		fprintf(stderr, "%s: cannot be read\n", path);
		free(p);
		return -1;
	}
	fclose(f);
	scan(path, p, n);
	if (n >= 5 && memcmp(p, "{\\rtf", 5) == 0) {
		struct gx_push rtf = GX_PUSH_INIT;
		gx_push_bytes(&rtf, p, n);
		one(path, &rtf);
		gx_push_release(&rtf);
	}
	free(p);
	return 0;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-p") == 0)
			print = true;
		else if (scan_file(argv[i]) != 0)
			return EXIT_FAILURE;
	}
	printf("found %u whole %u html %u bad %u\n", found, whole, packed_html, bad);
	return bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
