/* SPDX-License-Identifier: Apache-2.0 */
/* Folders as they are typed: by number, by path, by the names of built-in ones. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/store.h>
#include "libgxproto/mbop/mbop-int.h"

static const struct {
	const char *name;
	uint64_t fid;
} symbols[] = {
	{"CALENDAR", GX_FID_CALENDAR}, {"COMMON_VIEWS", GX_FID_COMMON_VIEWS}, {"CONFLICTS", GX_FID_CONFLICTS},
	{"CONTACTS", GX_FID_CONTACTS},
	{"DEFERRED_ACTION", GX_FID_DEFERRED}, {"DELETED", GX_FID_DELETED}, {"TRASH", GX_FID_DELETED},
	{"WASTEBASKET", GX_FID_DELETED},
	{"DRAFT", GX_FID_DRAFTS}, {"DRAFTS", GX_FID_DRAFTS}, {"FINDER", GX_FID_FINDER}, {"INBOX", GX_FID_INBOX},
	{"IPM_SUBTREE", GX_FID_IPMSUBTREE}, {"JOURNAL", GX_FID_JOURNAL}, {"JUNK", GX_FID_JUNK},
	{"LOCAL_FAILURES", GX_FID_LOCALFAIL},
	{"NOTES", GX_FID_NOTES}, {"OUTBOX", GX_FID_OUTBOX}, {"SENT", GX_FID_SENT},
	{"SERVER_FAILURES", GX_FID_SERVERFAIL},
	{"SHORTCUTS", GX_FID_SHORTCUTS}, {"SYNC_ISSUES", GX_FID_SYNCISSUES}, {"TASKS", GX_FID_TASKS},
	{"VIEWS", GX_FID_VIEWS},
};

static uint64_t symbol(const char *s, size_t len)
{
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); ++i)
		if (strlen(symbols[i].name) == len && gx_ascii_ncasecmp(symbols[i].name, s, len) == 0)
			return symbols[i].fid;
	return 0;
}

static bool numeric(const char *text, uint64_t *ret_n)
{
	char *end;
	if (*text < '0' || *text > '9')
		return false;
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	*ret_n = strtoull(text, &end, hex ? 16 : 10);
	return *end == '\0' && *ret_n != 0 && *ret_n <= GX_COUNTER_MAX;
}

/* Names between separators; empty ones do not count. */
static int split(struct gx_arena *a, const char *text, char sep, struct gx_mbop_spec *s)
{
	size_t most = 1;
	for (const char *p = text; *p != '\0'; ++p)
		most += *p == sep;
	const char **v = gx_arena_new_array(a, const char *, most);
	if (v == NULL)
		return GX_E_NOMEM;
	while (*text != '\0') {
		const char *end = strchr(text, sep);
		size_t len = end != NULL ? (size_t)(end - text) : strlen(text);
		if (len > 0 && (v[s->n++] = gx_arena_strndup(a, text, len)) == NULL)
			return GX_E_NOMEM;
		text += end != NULL ? len + 1 : len;
	}
	s->names = v;
	return 0;
}

int gx_mbop__spec(struct gx_arena *a, const char *text, struct gx_mbop_spec *s, const char **ret_why)
{
	*s = (struct gx_mbop_spec){.text = text};
	if (numeric(text, &s->base))
		return 0;
	size_t len = strcspn(text, "/\\");
	char sep = text[len];
	s->base = len == 0 ? GX_FID_ROOT : symbol(text, len);
	s->symbolic = len > 0;
	if (*text == '\0' || s->base == 0) {
		const char *why = gx_arena_printf(a,
			"\"%s\" is no folder: expected a number, a path that begins with /, "
			"or one that begins with a name as INBOX or IPM_SUBTREE",
			text);
		*ret_why = why != NULL ? why : "";
		return why != NULL ? GX_E_INVAL : GX_E_NOMEM;
	}
	return sep == '\0' ? 0 : split(a, text + len, sep, s);
}
