/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_TOOLS_REPORT_H
#define GX_TOOLS_REPORT_H
/* Answers of a tool: for people, or as JSON with --json. */
#include <stdbool.h>
#include <stdint.h>

struct field {
	const char *name;
	const char *text;          /* NULL: a number */
	uint64_t number;
	const char *const *list;   /* NULL-terminated, when text is NULL and it is a list */
};

struct report {
	bool json;
	bool many;   /* a list: one line a record for people, an array in JSON */
	unsigned n;
};

/* A string in quotes, escaped. */
void report_json_text(const char *s);
/* Fields end with a name of NULL. In lists people see the first @p columns fields. */
void report_record(struct report *r, const struct field *f, unsigned columns);
/* Closes the array; also when there was no record. */
void report_end(struct report *r);

#endif
