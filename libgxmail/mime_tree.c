/* SPDX-License-Identifier: Apache-2.0 */
/* Ways through the tree of parts. */
#include <config.h>
#include <string.h>
#include "libgxmail/mime-int.h"

bool gx_mime__is_multipart(const struct gx_mime_part *p)
{
	return strcmp(p->type, "multipart") == 0;
}

bool gx_mime__is_message(const struct gx_mime_part *p)
{
	return strcmp(p->type, "message") == 0 &&
		(strcmp(p->subtype, "rfc822") == 0 || strcmp(p->subtype, "global") == 0);
}

const struct gx_mime_part *gx_mime_next(const struct gx_mime_part *root, const struct gx_mime_part *p)
{
	if (p->first_child != NULL)
		return p->first_child;
	for (; p != root && p != NULL; p = p->parent)
		if (p->next != NULL)
			return p->next;
	return NULL;
}

/* [RFC 3501] 6.4.5: a message that is no multipart has one part, numbered 1. */
static const struct gx_mime_part *nth(const struct gx_mime_part *p, bool is_msg, unsigned long n)
{
	if (!gx_mime__is_multipart(p))
		return is_msg && n == 1 ? p : NULL;
	const struct gx_mime_part *c = p->first_child;
	while (c != NULL && --n != 0)
		c = c->next;
	return c;
}

static bool number(const char **io_s, unsigned long *ret_n)
{
	const char *s = *io_s;
	unsigned long n = 0;
	while (*s >= '0' && *s <= '9' && n < 1000000)
		n = n * 10 + (unsigned long)(*s++ - '0');
	if (n == 0 || (*s != '.' && *s != '\0'))
		return false;
	*io_s = *s == '.' ? s + 1 : s;
	*ret_n = n;
	return s[0] == '\0' || s[1] != '\0';
}

const struct gx_mime_part *gx_mime_part_by_number(const struct gx_mime_part *root, const char *num)
{
	const struct gx_mime_part *p = root;
	bool is_msg = true;
	unsigned long n;
	while (*num != '\0') {
		if (!number(&num, &n))
			return NULL;
		if (!is_msg && p->first_child != NULL && gx_mime__is_message(p)) {
			p = p->first_child;
			is_msg = true;
		}
		const struct gx_mime_part *next = nth(p, is_msg, n);
		if (next == NULL)
			return NULL;
		is_msg = false;
		p = next;
	}
	return p;
}
