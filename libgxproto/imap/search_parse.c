/* SPDX-License-Identifier: Apache-2.0 */
/* Search keys: [RFC 3501] 6.4.4, WITHIN [RFC 5032], MODSEQ [RFC 7162] 3.1.5. */
#include <config.h>
#include <gx/charset.h>
#include "libgxproto/imap/search-int.h"

/* Keys that look at the text are dear, and a message is looked at in one go. */
enum { MAX_KEYS = 1000, MAX_TEXT_KEYS = 32 };

static bool and_list(struct imap_session *s, struct imap_search *q, struct imap_parse *c, struct imap_key **ret);
static bool one_key(struct imap_session *s, struct imap_search *q, struct imap_parse *c, struct imap_key **ret);

static struct imap_key *new_key(struct imap_search *q, struct imap_parse *c, enum imap_key_kind kind)
{
	q->text_keys += kind == IMAP_KEY_BODY || kind == IMAP_KEY_TEXT;
	bool many = ++q->keys > MAX_KEYS || q->text_keys > MAX_TEXT_KEYS;
	struct imap_key *k = many ? NULL : gx_arena_new_obj(c->arena, struct imap_key);
	if (k == NULL) {
		gx_imap__fail(c, "Too many search keys");
		return NULL;
	}
	k->kind = kind;
	k->cost = kind <= IMAP_KEY_MODSEQ ? 1 : kind <= IMAP_KEY_DATE ? 100 : kind <= IMAP_KEY_ENVELOPE ? 200 :
	          kind == IMAP_KEY_HEADER ? 1000 : 100000;
	return k;
}

struct word {
	const char *name;
	enum imap_key_kind kind;
	uint32_t mask, want;      /* FLAGS; ENVELOPE: mask is the field */
};

static const struct word words[] = {
	{"ALL", IMAP_KEY_ALL, 0, 0},
	{"ANSWERED", IMAP_KEY_FLAGS, GX_MSGF_ANSWERED, GX_MSGF_ANSWERED}, {"UNANSWERED", IMAP_KEY_FLAGS, GX_MSGF_ANSWERED, 0},
	{"DELETED", IMAP_KEY_FLAGS, GX_MSGF_DELETED, GX_MSGF_DELETED}, {"UNDELETED", IMAP_KEY_FLAGS, GX_MSGF_DELETED, 0},
	{"DRAFT", IMAP_KEY_FLAGS, GX_MSGF_DRAFT, GX_MSGF_DRAFT}, {"UNDRAFT", IMAP_KEY_FLAGS, GX_MSGF_DRAFT, 0},
	{"FLAGGED", IMAP_KEY_FLAGS, GX_MSGF_FLAGGED, GX_MSGF_FLAGGED}, {"UNFLAGGED", IMAP_KEY_FLAGS, GX_MSGF_FLAGGED, 0},
	{"SEEN", IMAP_KEY_FLAGS, GX_MSGF_READ, GX_MSGF_READ}, {"UNSEEN", IMAP_KEY_FLAGS, GX_MSGF_READ, 0},
	/* no message is \Recent here */
	{"OLD", IMAP_KEY_ALL, 0, 0}, {"RECENT", IMAP_KEY_FLAGS, 0, 1}, {"NEW", IMAP_KEY_FLAGS, 0, 1},
	{"SUBJECT", IMAP_KEY_ENVELOPE, IMAP_ENV_SUBJECT, 0}, {"FROM", IMAP_KEY_ENVELOPE, IMAP_ENV_FROM, 0},
	{"TO", IMAP_KEY_ENVELOPE, IMAP_ENV_TO, 0}, {"CC", IMAP_KEY_ENVELOPE, IMAP_ENV_CC, 0},
	{"BCC", IMAP_KEY_ENVELOPE, IMAP_ENV_BCC, 0},
	{"BODY", IMAP_KEY_BODY, 0, 0}, {"TEXT", IMAP_KEY_TEXT, 0, 0},
	{"HEADER", IMAP_KEY_HEADER, 0, 0}, {"KEYWORD", IMAP_KEY_KEYWORD, 0, 1}, {"UNKEYWORD", IMAP_KEY_KEYWORD, 0, 0},
	{"LARGER", IMAP_KEY_LARGER, 0, 0}, {"SMALLER", IMAP_KEY_SMALLER, 0, 0}, {"MODSEQ", IMAP_KEY_MODSEQ, 0, 0},
	{"NOT", IMAP_KEY_NOT, 0, 0}, {"OR", IMAP_KEY_OR, 0, 0}, {"UID", IMAP_KEY_SET, 0, 1},
	{NULL, 0, 0, 0},
};

/* "now" of OLDER and YOUNGER is when the command came. */
struct date_word {
	const char *name;
	bool sent, before, since, ago;
};
static const struct date_word dates[] = {
	{"BEFORE", false, true, false, false}, {"ON", false, true, true, false}, {"SINCE", false, false, true, false},
	{"SENTBEFORE", true, true, false, false}, {"SENTON", true, true, true, false}, {"SENTSINCE", true, false, true, false},
	{"OLDER", false, true, false, true}, {"YOUNGER", false, false, true, true},
	{NULL, false, false, false, false},
};

static bool date_key(struct imap_session *s, struct imap_search *q, struct imap_parse *c, const struct date_word *w,
	struct imap_key **ret)
{
	struct imap_key *k = new_key(q, c, w->sent ? IMAP_KEY_SENT : IMAP_KEY_DATE);
	int64_t day = 0;
	uint64_t ago = 0;
	if (k == NULL || !gx_imap__sp(c) || !(w->ago ? gx_imap__number(c, UINT32_MAX, &ago) : gx_imap__date(c, &day)))
		return false;
	int64_t when = w->ago ? gx_clock_unix(s->io->clock) - (int64_t)ago : day * 86400;
	k->from = w->since ? when : INT64_MIN;
	k->until = !w->before ? INT64_MAX : w->since ? when + 86400 : when + (w->ago ? 1 : 0);
	*ret = k;
	return true;
}

/* Needles arrive in the command's character set. */
static bool needle(struct imap_search *q, struct imap_parse *c, const char **ret, size_t *ret_len)
{
	struct imap_str str;
	char *utf8;
	if (!gx_imap__sp(c) || !gx_imap__astring(c, &str))
		return false;
	uint32_t cp = q->cp == 0 ? GX_CP_UTF8 : q->cp;
	if (gx_cp_to_utf8(c->arena, cp, str.s, str.len, &utf8, ret_len, NULL) != 0)
		return gx_imap__fail(c, "Command too large");
	*ret = utf8;
	return true;
}

/* Fields that the stored envelope has as they are need no look at the message. */
static void header_in_envelope(struct imap_key *k)
{
	static const struct {
		const char *name;
		enum imap_env_field env;
	} held[] = {{"Subject", IMAP_ENV_SUBJECT}, {"Message-ID", IMAP_ENV_MESSAGE_ID}, {"In-Reply-To", IMAP_ENV_IN_REPLY_TO}};
	for (size_t i = 0; i < sizeof(held) / sizeof(*held); ++i) {
		if (gx_ascii_casecmp(held[i].name, k->header) == 0) {
			k->kind = IMAP_KEY_ENVELOPE;
			k->env = held[i].env;
			k->cost = 200;
		}
	}
}

static bool modseq_key(struct imap_search *q, struct imap_parse *c, struct imap_key *k)
{
	struct imap_str entry;
	q->modseq = true;
	if (!gx_imap__sp(c))
		return false;
	/* entry name and type are of no use: all flags share one mod-sequence */
	if (gx_imap__peek(c) == '"') {
		if (!gx_imap__string(c, &entry) || !gx_imap__sp(c))
			return false;
		if (!gx_imap__accept_word(c, "all") && !gx_imap__accept_word(c, "priv") && !gx_imap__accept_word(c, "shared"))
			return gx_imap__fail(c, "Unknown entry type");
		if (!gx_imap__sp(c))
			return false;
	}
	return gx_imap__number(c, INT64_MAX, &k->number);
}

static bool keyword_key(struct imap_parse *c, struct imap_key *k)
{
	struct imap_str w;
	if (!gx_imap__sp(c) || !gx_imap__atom(c, &w))
		return false;
	for (const struct imap_flag_name *f = gx_imap__flag_names; f->name != NULL; ++f) {
		if (gx_ascii_casecmp(f->name, w.s) != 0)
			continue;
		k->kind = IMAP_KEY_FLAGS;
		k->flags = f->flag;
		k->want = k->want != 0 ? f->flag : 0;
	}
	k->text = w.s;
	return true;
}

static bool arguments(struct imap_session *s, struct imap_search *q, struct imap_parse *c, struct imap_key *k)
{
	struct imap_str name;
	switch (k->kind) {
	case IMAP_KEY_ENVELOPE:
		k->env = (enum imap_env_field)k->flags;
		return needle(q, c, &k->text, &k->text_len);
	case IMAP_KEY_BODY:
	case IMAP_KEY_TEXT:
		return needle(q, c, &k->text, &k->text_len);
	case IMAP_KEY_HEADER:
		if (!gx_imap__sp(c) || !gx_imap__astring(c, &name) || !needle(q, c, &k->text, &k->text_len))
			return false;
		k->header = name.s;
		header_in_envelope(k);
		return true;
	case IMAP_KEY_KEYWORD:
		return keyword_key(c, k);
	case IMAP_KEY_LARGER:
	case IMAP_KEY_SMALLER:
		return gx_imap__sp(c) && gx_imap__number(c, UINT32_MAX, &k->number);
	case IMAP_KEY_MODSEQ:
		return modseq_key(q, c, k);
	case IMAP_KEY_SET:
		k->uid = true;
		return gx_imap__sp(c) && gx_imap__set(c, &k->set);
	case IMAP_KEY_NOT:
		if (!gx_imap__sp(c) || !one_key(s, q, c, &k->a))
			return false;
		k->cost = k->a->cost;
		return true;
	case IMAP_KEY_OR:
		if (!gx_imap__sp(c) || !one_key(s, q, c, &k->a) || !gx_imap__sp(c) || !one_key(s, q, c, &k->b))
			return false;
		k->cost = k->a->cost + k->b->cost;
		return true;
	default:
		return true;
	}
}

static bool named_key(struct imap_session *s, struct imap_search *q, struct imap_parse *c, struct imap_key **ret)
{
	for (const struct date_word *w = dates; w->name != NULL; ++w)
		if (gx_imap__accept_word(c, w->name))
			return date_key(s, q, c, w, ret);
	for (const struct word *w = words; w->name != NULL; ++w) {
		if (!gx_imap__accept_word(c, w->name))
			continue;
		struct imap_key *k = *ret = new_key(q, c, w->kind);
		if (k == NULL)
			return false;
		k->flags = w->mask;
		k->want = w->want;
		return arguments(s, q, c, k);
	}
	return gx_imap__fail(c, "Unknown search key");
}

static bool one_key(struct imap_session *s, struct imap_search *q, struct imap_parse *c, struct imap_key **ret)
{
	bool ok;
	int ch = gx_imap__peek(c);
	if (!gx_imap__enter(c))
		return false;
	if (gx_imap__accept(c, '(')) {
		ok = and_list(s, q, c, ret) && gx_imap__expect(c, ')');
	} else if (ch == '*' || ch == '$' || (ch >= '0' && ch <= '9')) {
		*ret = new_key(q, c, IMAP_KEY_SET);
		ok = *ret != NULL && gx_imap__set(c, &(*ret)->set);
	} else {
		ok = named_key(s, q, c, ret);
	}
	gx_imap__leave(c);
	return ok;
}

/* Cheap keys first: the dear ones are asked about few messages. */
static void insert_by_cost(struct imap_key **head, struct imap_key *k)
{
	while (*head != NULL && (*head)->cost <= k->cost)
		head = &(*head)->next;
	k->next = *head;
	*head = k;
}

static bool and_list(struct imap_session *s, struct imap_search *q, struct imap_parse *c, struct imap_key **ret)
{
	struct imap_key *and = *ret = new_key(q, c, IMAP_KEY_AND);
	if (and == NULL)
		return false;
	and->cost = 0;
	do {
		struct imap_key *k;
		if (!one_key(s, q, c, &k))
			return false;
		insert_by_cost(&and->a, k);
		and->cost += k->cost;
	} while (gx_imap__accept_sp(c));
	return true;
}

static bool charset(struct imap_search *q, struct imap_parse *c)
{
	struct imap_str name;
	if (!gx_imap__accept_word(c, "CHARSET"))
		return true;
	if (!gx_imap__sp(c) || !gx_imap__astring(c, &name) || !gx_imap__sp(c))
		return false;
	q->cp = gx_cp_from_charset(name.s);
	q->bad_charset = q->cp == 0;
	return true;
}

bool gx_imap__search_keys(struct imap_session *s, struct imap_search *q, struct imap_parse *c)
{
	return charset(q, c) && and_list(s, q, c, &q->root);
}
