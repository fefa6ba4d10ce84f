/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <gx/charset.h>
#include "tools/report.h"

/* Names of files may be bytes that are no text: JSON has no place for them. */
void report_json_text(const char *s)
{
	const char *end = s + strlen(s);
	putchar('"');
	while (s < end) {
		const char *from = s;
		uint32_t c = gx_utf8_next(&s, end);
		if (c == '"' || c == '\\')
			printf("\\%c", (int)c);
		else if (c < 0x20 || c == 0x7f || c == 0xfffd)
			printf("\\u%04x", (unsigned)c);
		else
			fwrite(from, 1, (size_t)(s - from), stdout);
	}
	putchar('"');
}

static void json_value(const struct field *f)
{
	if (f->text != NULL) {
		report_json_text(f->text);
	} else if (f->list != NULL) {
		putchar('[');
		for (size_t i = 0; f->list[i] != NULL; ++i) {
			fputs(i == 0 ? "" : ", ", stdout);
			report_json_text(f->list[i]);
		}
		putchar(']');
	} else {
		printf("%" PRIu64, f->number);
	}
}

static void plain_value(const struct field *f)
{
	if (f->text != NULL) {
		fputs(f->text, stdout);
	} else if (f->list != NULL) {
		for (size_t i = 0; f->list[i] != NULL; ++i)
			printf("%s%s", i == 0 ? "" : " ", f->list[i]);
	} else {
		printf("%" PRIu64, f->number);
	}
}

static void json_record(const struct report *r, const struct field *f)
{
	if (r->many)
		fputs(r->n == 0 ? "[\n  " : ",\n  ", stdout);
	putchar('{');
	for (unsigned i = 0; f[i].name != NULL; ++i) {
		fputs(i == 0 ? "" : ", ", stdout);
		report_json_text(f[i].name);
		fputs(": ", stdout);
		json_value(&f[i]);
	}
	fputs(r->many ? "}" : "}\n", stdout);
}

void report_record(struct report *r, const struct field *f, unsigned columns)
{
	if (r->json) {
		json_record(r, f);
	} else if (r->many) {
		for (unsigned i = 0; i < columns && f[i].name != NULL; ++i) {
			fputs(i == 0 ? "" : "\t", stdout);
			plain_value(&f[i]);
		}
		putchar('\n');
	} else {
		for (unsigned i = 0; f[i].name != NULL; ++i) {
			printf("%s: ", f[i].name);
			plain_value(&f[i]);
			putchar('\n');
		}
	}
	++r->n;
}

void report_end(struct report *r)
{
	if (r->json && r->many)
		fputs(r->n == 0 ? "[]\n" : "\n]\n", stdout);
}
