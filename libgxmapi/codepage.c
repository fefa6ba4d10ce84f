/* SPDX-License-Identifier: Apache-2.0 */
/* The names of character sets and their code page numbers. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxmapi/charset-int.h"

struct charset_name {
	const char *key; /* letters and digits, lower case */
	uint32_t cp;
};

#include "libgxmapi/codepage-table.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define KEY_MAX 48

static int compare_page(const void *key, const void *elem)
{
	uint32_t cp = *(const uint32_t *)key, other = ((const struct gx_cp__page *)elem)->cp;
	return (cp > other) - (cp < other);
}

const struct gx_cp__page *gx_cp__find(uint32_t cp)
{
	return bsearch(&cp, pages, COUNT(pages), sizeof(pages[0]), compare_page);
}

static int compare_name(const void *key, const void *elem)
{
	return strcmp(key, ((const struct charset_name *)elem)->key);
}

/* Mail writes "ISO_8859-1", "iso8859-1", "'utf-8'": only letters and digits tell names apart. */
static bool make_key(const char *name, char key[KEY_MAX])
{
	size_t n = 0;
	for (; *name != '\0'; ++name) {
		int c = gx_ascii_tolower((unsigned char)*name);
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
			continue;
		if (n == KEY_MAX - 1)
			return false;
		key[n++] = (char)c;
	}
	key[n] = '\0';
	return n != 0;
}

/* "cp1252", "windows-1252", "x-ibm850": the number is the code page. */
static uint32_t numbered_page(const char *key)
{
	static const char *const prefixes[] = {"windows", "win", "cp", "ibm", "msdos", "ms", "codepage", "ansi"};
	if (*key == 'x')
		++key;
	for (size_t i = 0; i < COUNT(prefixes); ++i) {
		size_t n = strlen(prefixes[i]);
		if (strncmp(key, prefixes[i], n) != 0 || key[n] < '0' || key[n] > '9')
			continue;
		char *end;
		unsigned long cp = strtoul(key + n, &end, 10);
		return *end == '\0' && cp <= 65535 && gx_cp__find((uint32_t)cp) != NULL ? (uint32_t)cp : 0;
	}
	return 0;
}

uint32_t gx_cp_from_charset(const char *name)
{
	char key[KEY_MAX];
	if (name == NULL || !make_key(name, key))
		return 0;
	const struct charset_name *n = bsearch(key, names, COUNT(names), sizeof(names[0]), compare_name);
	return n != NULL ? n->cp : numbered_page(key);
}

const char *gx_cp_to_charset(uint32_t cp)
{
	const struct gx_cp__page *p = gx_cp__find(cp);
	return p == NULL ? NULL : p->charset;
}
