/* SPDX-License-Identifier: Apache-2.0 */
/* LIST with the options of [RFC 5258], [RFC 5819], [RFC 6154]; LSUB. */
#include <config.h>
#include <gx/charset.h>
#include "libgxproto/imap/imap-int.h"

enum { MAX_PATTERNS = 64, MAX_PATTERN_BYTES = 8192 };
enum { SEL_SUBSCRIBED = 1, SEL_RECURSIVE = 2, SEL_SPECIAL = 4, RET_SUBSCRIBED = 8, RET_STATUS = 16 };

struct args {
	unsigned opts;
	unsigned status;
	const char *reference;
	const char *patterns[MAX_PATTERNS];   /* with the reference in front */
	size_t n, bytes;
	bool lsub;
};

struct word_opt {
	const char *word;
	unsigned opt;
};
/* REMOTE and CHILDREN change nothing: there is nothing remote, and children are always shown. */
static const struct word_opt selection[] = {{"SUBSCRIBED", SEL_SUBSCRIBED}, {"RECURSIVEMATCH", SEL_RECURSIVE},
	{"SPECIAL-USE", SEL_SPECIAL}, {"REMOTE", 0}, {NULL, 0}};
static const struct word_opt returns[] = {{"SUBSCRIBED", RET_SUBSCRIBED}, {"CHILDREN", 0}, {"SPECIAL-USE", 0},
	{"STATUS", RET_STATUS}, {NULL, 0}};

static bool options(struct imap_parse *c, const struct word_opt *table, struct args *a)
{
	if (!gx_imap__expect(c, '('))
		return false;
	while (!gx_imap__accept(c, ')')) {
		const struct word_opt *o = table;
		while (o->word != NULL && !gx_imap__accept_word(c, o->word))
			++o;
		if (o->word == NULL)
			return gx_imap__fail(c, "Unknown LIST option");
		a->opts |= o->opt;
		if (o->opt == RET_STATUS && (!gx_imap__sp(c) || !gx_imap__status_items(c, &a->status)))
			return false;
		if (!gx_imap__accept_sp(c) && gx_imap__peek(c) != ')')
			return gx_imap__expect(c, ')');
	}
	return true;
}

/* INBOX is caseless in patterns, too. */
static void upper_inbox(char *p)
{
	if (gx_ascii_ncasecmp(p, "INBOX", 5) == 0 && (p[5] == '\0' || p[5] == '/' || p[5] == '*' || p[5] == '%'))
		memcpy(p, "INBOX", 5);
}

static bool pattern(struct imap_parse *c, struct args *a)
{
	const char *p;
	if (a->n == MAX_PATTERNS)
		return gx_imap__fail(c, "Too many patterns");
	if (!gx_imap__mailbox(c, true, &p))
		return false;
	char *full = *p == '\0' ? gx_arena_strdup(c->arena, "") : gx_arena_printf(c->arena, "%s%s", a->reference, p);
	if (full == NULL)
		return gx_imap__fail(c, "Command too large");
	a->bytes += strlen(full);
	if (a->bytes > MAX_PATTERN_BYTES)
		return gx_imap__fail(c, "Patterns too long");
	upper_inbox(full);
	a->patterns[a->n++] = full;
	return true;
}

static bool patterns(struct imap_parse *c, struct args *a)
{
	if (!gx_imap__accept(c, '('))
		return pattern(c, a);
	do {
		if (!pattern(c, a))
			return false;
	} while (gx_imap__accept_sp(c));
	return gx_imap__expect(c, ')');
}

bool gx_imap__list_parse(struct imap_session *s, struct imap_parse *c)
{
	struct args *a = s->args = gx_arena_new_obj(s->arena, struct args);
	if (a == NULL || !gx_imap__sp(c))
		return false;
	if (gx_imap__peek(c) == '(' && (!options(c, selection, a) || !gx_imap__sp(c)))
		return false;
	if ((a->opts & SEL_RECURSIVE) && !(a->opts & SEL_SUBSCRIBED))
		return gx_imap__fail(c, "RECURSIVEMATCH needs SUBSCRIBED");
	if (!gx_imap__mailbox(c, false, &a->reference) || !gx_imap__sp(c) || !patterns(c, a))
		return false;
	if (!gx_imap__accept_sp(c))
		return true;
	if (!gx_imap__accept_word(c, "RETURN"))
		return gx_imap__fail(c, "RETURN expected");
	return gx_imap__sp(c) && options(c, returns, a);
}

bool gx_imap__lsub_parse(struct imap_session *s, struct imap_parse *c)
{
	struct args *a = s->args = gx_arena_new_obj(s->arena, struct args);
	if (a == NULL)
		return false;
	a->lsub = true;
	a->opts = SEL_SUBSCRIBED | SEL_RECURSIVE;
	return gx_imap__sp(c) && gx_imap__mailbox(c, false, &a->reference) && gx_imap__sp(c) && pattern(c, a);
}

static bool matches(const struct args *a, const char *name)
{
	for (size_t i = 0; i < a->n; ++i)
		if (gx_imap__pattern_match(a->patterns[i], name))
			return true;
	return false;
}

/* A subscribed mailbox below that no pattern shows by itself? v: parents first, so it comes later. */
static bool subscribed_below(const struct args *a, const struct imap_mailbox *v, size_t i, size_t n)
{
	size_t len = strlen(v[i].name);
	for (size_t k = i + 1; k < n; ++k)
		if (v[k].info->subscribed && strncmp(v[k].name, v[i].name, len) == 0 && v[k].name[len] == '/' &&
		    (!a->lsub || !matches(a, v[k].name)))
			return true;
	return false;
}

static void put_attributes(struct imap_session *s, const struct args *a, const struct imap_mailbox *m, bool by_child)
{
	if (a->lsub) {
		gx_push_str(s->out, by_child || !m->mail ? "\\Noselect" : "");
		return;
	}
	gx_push_str(s->out, m->children ? "\\HasChildren" : "\\HasNoChildren");
	if (!m->mail)
		imap_puts(s->out, " \\Noselect");
	if (m->info->special_use != NULL && *m->info->special_use != '\0') {
		imap_puts(s->out, " ");
		gx_push_str(s->out, m->info->special_use);
	}
	if ((a->opts & (SEL_SUBSCRIBED | RET_SUBSCRIBED)) && m->info->subscribed)
		imap_puts(s->out, " \\Subscribed");
}

static void put_mailbox(struct imap_session *s, const struct args *a, const struct imap_mailbox *v, size_t i, size_t n)
{
	const struct imap_mailbox *m = &v[i];
	if (!matches(a, m->name))
		return;
	bool below = (a->opts & SEL_RECURSIVE) && subscribed_below(a, v, i, n);
	bool by_child = (a->opts & SEL_SUBSCRIBED) && !m->info->subscribed;
	if (by_child && !below)
		return;
	if ((a->opts & SEL_SPECIAL) && (m->info->special_use == NULL || *m->info->special_use == '\0'))
		return;
	gx_push_str(s->out, a->lsub ? "* LSUB (" : "* LIST (");
	put_attributes(s, a, m, by_child);
	imap_puts(s->out, ") \"/\" ");
	gx_imap__put_mailbox(s, m->name);
	if (below && !a->lsub)
		imap_puts(s->out, " (\"CHILDINFO\" (\"SUBSCRIBED\"))");
	imap_puts(s->out, "\r\n");
	if ((a->opts & RET_STATUS) && m->mail)
		gx_imap__put_status(s, m->name, m->info, a->status);
}

enum imap_result gx_imap__list_run(struct imap_session *s)
{
	const struct args *a = s->args;
	struct imap_mailbox *v;
	size_t n;
	if (a->n == 1 && *a->patterns[0] == '\0') { /* asks for the delimiter, [RFC 3501] 6.3.8 */
		imap_puts(s->out, "* LIST (\\Noselect) \"/\" \"\"\r\n");
		return gx_imap__ok(s, "List done");
	}
	struct gx_txn *t = gx_imap__begin(s, GX_TXN_READ);
	if (t == NULL)
		return IMAP_DONE;
	gx_ec ec = gx_imap__mailbox_list(t, s->arena, &v, &n);
	if (gx_ec_failed(ec))
		return gx_imap__no_ec(s, ec, "No list", t);
	gx_txn_abort(t);
	if (a->status & IMAP_ST_HIGHESTMODSEQ)
		gx_imap__enable_condstore(s);
	for (size_t i = 0; i < n; ++i)
		put_mailbox(s, a, v, i, n);
	return gx_imap__ok(s, "List done");
}

enum imap_result gx_imap__lsub_run(struct imap_session *s)
{
	return gx_imap__list_run(s);
}
