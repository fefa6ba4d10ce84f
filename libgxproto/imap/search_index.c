/* SPDX-License-Identifier: Apache-2.0 */
/* SEARCH and the store's full-text index: messages that cannot match are not looked at. */
#include <config.h>
#include <string.h>
#include "libgxproto/imap/search-int.h"

enum { TEXTS_MAX = 16 };

/* Addresses are matched as "Name <local@domain>, ...": the index has names and addresses one by one. */
static bool usable(const struct imap_key *k)
{
	switch (k->kind) {
	case IMAP_KEY_BODY:
	case IMAP_KEY_TEXT:
		return true;
	case IMAP_KEY_ENVELOPE:
		if (k->env == IMAP_ENV_SUBJECT)
			return true;
		return (k->env == IMAP_ENV_FROM || k->env == IMAP_ENV_TO || k->env == IMAP_ENV_CC || k->env == IMAP_ENV_BCC) &&
			strpbrk(k->text, "<>,\"\\") == NULL;
	default:
		return false;
	}
}

static size_t texts_of(const struct imap_key *k, const char **v, size_t n)
{
	if (k->kind == IMAP_KEY_AND)
		for (k = k->a; k != NULL && n < TEXTS_MAX; k = k->next)
			n = texts_of(k, v, n);
	else if (n < TEXTS_MAX && usable(k) && strlen(k->text) == k->text_len)
		v[n++] = k->text;
	return n;
}

gx_ec gx_imap__search_candidates(struct imap_session *s, struct imap_search *q, struct gx_txn *t)
{
	const char *texts[TEXTS_MAX];
	size_t n = texts_of(q->root, texts, 0);
	q->candidates = (struct gx_candidates){.all = true};
	return n == 0 ? GX_EC(ecSuccess) : gx_search_texts(t, s->sel->fid, texts, n, q->hits, &q->candidates);
}
