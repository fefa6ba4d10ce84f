/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments of FETCH: [RFC 3501] 6.4.5, [RFC 7162] 3.1.4. */
#include <config.h>
#include <gx/charset.h>
#include "libgxproto/imap/fetch-int.h"

enum { MAX_ITEMS = 200, MAX_FIELDS = 300, MAX_PART = 200 };

static struct imap_item *add(struct imap_fetch *f, struct imap_parse *c, enum imap_item_kind kind, const char *label)
{
	if (f->n == MAX_ITEMS) {
		gx_imap__fail(c, "Too many items");
		return NULL;
	}
	f->items = gx_arena_grow(c->arena, f->items, &f->cap, f->n + 1, sizeof(*f->items));
	if (f->items == NULL) {
		gx_imap__fail(c, "Command too large");
		return NULL;
	}
	struct imap_item *it = &f->items[f->n++];
	*it = (struct imap_item){.kind = kind, .label = label, .part = ""};
	return it;
}

static const struct {
	const char *name;
	enum imap_item_kind kind;
} simple[] = {
	{"FLAGS", IMAP_ITEM_FLAGS}, {"UID", IMAP_ITEM_UID}, {"MODSEQ", IMAP_ITEM_MODSEQ}, {"RFC822.SIZE", IMAP_ITEM_SIZE},
	{"INTERNALDATE", IMAP_ITEM_DATE}, {"ENVELOPE", IMAP_ITEM_ENVELOPE}, {"BODY", IMAP_ITEM_BODY},
	{"BODYSTRUCTURE", IMAP_ITEM_BODYSTRUCTURE},
};

static const struct {
	const char *name;
	enum imap_section_kind section;
	bool peek;
} rfc822[] = {
	{"RFC822", IMAP_SEC_ALL, false}, {"RFC822.HEADER", IMAP_SEC_HEADER, true}, {"RFC822.TEXT", IMAP_SEC_TEXT, false},
};

static bool add_simple(struct imap_fetch *f, struct imap_parse *c, const char *word)
{
	for (size_t i = 0; i < sizeof(simple) / sizeof(*simple); ++i)
		if (strcmp(simple[i].name, word) == 0)
			return add(f, c, simple[i].kind, simple[i].name) != NULL;
	for (size_t i = 0; i < sizeof(rfc822) / sizeof(*rfc822); ++i) {
		if (strcmp(rfc822[i].name, word) != 0)
			continue;
		struct imap_item *it = add(f, c, IMAP_ITEM_SECTION, rfc822[i].name);
		if (it == NULL)
			return false;
		it->section = rfc822[i].section;
		f->sets_seen = f->sets_seen || !rfc822[i].peek;
		return true;
	}
	return gx_imap__fail(c, "Unknown FETCH item");
}

/* "1.2." in front of the section's name; the last dot is eaten. */
static bool part_number(struct imap_parse *c, const char **ret)
{
	const char *start = c->p;
	size_t len = 0;
	uint64_t n;
	for (;;) {
		if (gx_imap__peek(c) < '0' || gx_imap__peek(c) > '9')
			break;
		if (!gx_imap__number(c, 99999, &n))
			return false;
		if (n == 0)
			return gx_imap__fail(c, "Part number 0");
		len = (size_t)(c->p - start);
		bool dot = gx_imap__accept(c, '.');
		if (dot == (gx_imap__peek(c) == ']'))
			return gx_imap__fail(c, "Invalid section");
		if (!dot)
			break;
	}
	if (len > MAX_PART)
		return gx_imap__fail(c, "Part number too long");
	*ret = gx_arena_strndup(c->arena, start, len);
	return *ret != NULL;
}

static bool field_list(struct imap_parse *c, struct imap_item *it)
{
	size_t cap = 0;
	if (!gx_imap__sp(c) || !gx_imap__expect(c, '('))
		return false;
	do {
		if (it->field_count == MAX_FIELDS)
			return gx_imap__fail(c, "Too many fields");
		it->fields = gx_arena_grow(c->arena, it->fields, &cap, it->field_count + 1, sizeof(*it->fields));
		if (it->fields == NULL || !gx_imap__astring(c, &it->fields[it->field_count]))
			return gx_imap__fail(c, "Command too large");
		++it->field_count;
	} while (gx_imap__accept_sp(c));
	return gx_imap__expect(c, ')');
}

static bool section_name(struct imap_parse *c, struct imap_item *it)
{
	static const struct {
		const char *name;
		enum imap_section_kind kind;
	} names[] = {
		{"HEADER.FIELDS.NOT", IMAP_SEC_FIELDS_NOT}, {"HEADER.FIELDS", IMAP_SEC_FIELDS},
		{"HEADER", IMAP_SEC_HEADER}, {"TEXT", IMAP_SEC_TEXT}, {"MIME", IMAP_SEC_MIME},
	};
	if (gx_imap__peek(c) == ']') {
		it->section = IMAP_SEC_ALL;
		return true;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); ++i) {
		if (!gx_imap__accept_word(c, names[i].name))
			continue;
		it->section = names[i].kind;
		if (it->section == IMAP_SEC_MIME && *it->part == '\0')
			return gx_imap__fail(c, "MIME needs a part number");
		return it->field_count != 0 || (it->section != IMAP_SEC_FIELDS && it->section != IMAP_SEC_FIELDS_NOT) ||
		       field_list(c, it);
	}
	return gx_imap__fail(c, "Unknown section");
}

/* What the client sent between the brackets, in our spelling. */
static bool label(struct imap_parse *c, struct imap_item *it, const char *name)
{
	static const char *const names[] = {"", "HEADER", "TEXT", "MIME", "HEADER.FIELDS", "HEADER.FIELDS.NOT"};
	struct gx_push b;
	struct gx_bin text;
	gx_push_init(&b, 0);
	gx_push_str(&b, name);
	gx_push_str(&b, it->part);
	if (*it->part != '\0' && it->section != IMAP_SEC_ALL)
		imap_puts(&b, ".");
	gx_push_str(&b, names[it->section]);
	for (size_t i = 0; i < it->field_count; ++i) {
		gx_push_str(&b, i == 0 ? " (" : " ");
		gx_imap__put_string(&b, it->fields[i].s, it->fields[i].len);
	}
	gx_push_str(&b, it->field_count > 0 ? ")]" : "]");
	if (it->partial)
		gx_push_printf(&b, "<%llu>", (unsigned long long)it->off);
	gx_push_u8(&b, 0);
	int err = gx_push_finish(&b, c->arena, &text);
	gx_push_release(&b);
	it->label = (const char *)text.data;
	return err == 0 || gx_imap__fail(c, "Command too large");
}

static bool partial(struct imap_parse *c, struct imap_item *it)
{
	it->partial = gx_imap__accept(c, '<');
	if (!it->partial)
		return true;
	if (!gx_imap__number(c, UINT32_MAX, &it->off) || !gx_imap__expect(c, '.') ||
	    !gx_imap__number(c, UINT32_MAX, &it->most) || !gx_imap__expect(c, '>'))
		return false;
	return it->most != 0 || gx_imap__fail(c, "Partial fetch of no bytes");
}

static bool add_section(struct imap_fetch *f, struct imap_parse *c, bool peek)
{
	struct imap_item *it = add(f, c, IMAP_ITEM_SECTION, "");
	if (it == NULL || !part_number(c, &it->part) || !section_name(c, it) || !gx_imap__expect(c, ']') || !partial(c, it))
		return false;
	f->sets_seen = f->sets_seen || !peek;
	return label(c, it, "BODY[");
}

static bool add_binary(struct imap_fetch *f, struct imap_parse *c, enum imap_item_kind kind, bool peek)
{
	struct imap_item *it = add(f, c, kind, "");
	if (it == NULL || !part_number(c, &it->part) || !gx_imap__expect(c, ']'))
		return false;
	if (kind == IMAP_ITEM_BINARY && !partial(c, it))
		return false;
	f->sets_seen = f->sets_seen || !peek;
	return label(c, it, kind == IMAP_ITEM_BINARY ? "BINARY[" : "BINARY.SIZE[");
}

/* An item with brackets; the opening one is read. */
static bool bracketed(struct imap_fetch *f, struct imap_parse *c, const char *word)
{
	if (strcmp(word, "BODY") == 0 || strcmp(word, "BODY.PEEK") == 0)
		return add_section(f, c, word[4] != '\0');
	if (strcmp(word, "BINARY") == 0 || strcmp(word, "BINARY.PEEK") == 0)
		return add_binary(f, c, IMAP_ITEM_BINARY, word[6] != '\0');
	if (strcmp(word, "BINARY.SIZE") == 0)
		return add_binary(f, c, IMAP_ITEM_BINARY_SIZE, true);
	return gx_imap__fail(c, "Unknown FETCH item");
}

static bool word_char(int ch)
{
	return ch == '.' || (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z');
}

static bool item(struct imap_fetch *f, struct imap_parse *c)
{
	char word[24];
	size_t n = 0;
	for (int ch = gx_imap__peek(c); word_char(ch); ch = gx_imap__peek(c)) {
		if (n + 1 == sizeof(word))
			return gx_imap__fail(c, "Unknown FETCH item");
		word[n++] = (char)(ch >= 'a' ? ch - 'a' + 'A' : ch);
		gx_imap__accept(c, (char)ch);
	}
	word[n] = '\0';
	return gx_imap__accept(c, '[') ? bracketed(f, c, word) : add_simple(f, c, word);
}

static bool macro(struct imap_fetch *f, struct imap_parse *c)
{
	bool full = gx_imap__accept_word(c, "FULL");
	bool all = full || gx_imap__accept_word(c, "ALL");
	if (!all && !gx_imap__accept_word(c, "FAST"))
		return false;
	add_simple(f, c, "FLAGS");
	add_simple(f, c, "INTERNALDATE");
	add_simple(f, c, "RFC822.SIZE");
	if (all)
		add_simple(f, c, "ENVELOPE");
	if (full)
		add_simple(f, c, "BODY");
	return true;
}

static bool items(struct imap_fetch *f, struct imap_parse *c)
{
	if (macro(f, c))
		return c->err == NULL;
	if (!gx_imap__accept(c, '('))
		return item(f, c);
	do {
		if (!item(f, c))
			return false;
	} while (gx_imap__accept_sp(c));
	return gx_imap__expect(c, ')');
}

static bool modifiers(struct imap_fetch *f, struct imap_parse *c)
{
	if (!gx_imap__accept_sp(c))
		return true;
	if (!gx_imap__expect(c, '('))
		return false;
	if (!gx_imap__accept_word(c, "CHANGEDSINCE"))
		return gx_imap__fail(c, "Unknown FETCH modifier");
	return gx_imap__sp(c) && gx_imap__number(c, INT64_MAX, &f->changed_since) && gx_imap__expect(c, ')');
}

static unsigned ahead_of(const struct imap_item *it)
{
	switch (it->kind) {
	case IMAP_ITEM_FLAGS:
	case IMAP_ITEM_UID:
	case IMAP_ITEM_MODSEQ:
	case IMAP_ITEM_SIZE: return 0;
	case IMAP_ITEM_DATE: return GX_AHEAD_INFO;
	case IMAP_ITEM_SECTION:
		if (*it->part == '\0' && (it->section == IMAP_SEC_FIELDS || it->section == IMAP_SEC_FIELDS_NOT))
			return GX_AHEAD_INFO | GX_AHEAD_ORIGINAL;
		return GX_AHEAD_INFO | GX_AHEAD_MIME | GX_AHEAD_ORIGINAL;
	case IMAP_ITEM_BINARY:
	case IMAP_ITEM_BINARY_SIZE: return GX_AHEAD_INFO | GX_AHEAD_MIME | GX_AHEAD_ORIGINAL;
	default: return GX_AHEAD_INFO | GX_AHEAD_MIME;
	}
}

static bool classify(struct imap_session *s, struct imap_fetch *f, struct imap_parse *c, bool changed_since)
{
	f->memory_only = true;
	for (size_t i = 0; i < f->n; ++i) {
		enum imap_item_kind k = f->items[i].kind;
		f->has_flags = f->has_flags || k == IMAP_ITEM_FLAGS;
		f->has_uid = f->has_uid || k == IMAP_ITEM_UID;
		f->has_modseq = f->has_modseq || k == IMAP_ITEM_MODSEQ;
		f->needs_info = f->needs_info || k == IMAP_ITEM_DATE;
		f->ahead |= ahead_of(&f->items[i]);
		f->memory_only = f->memory_only && k <= IMAP_ITEM_SIZE;
	}
	if (s->uid_form && !f->has_uid && add(f, c, IMAP_ITEM_UID, "UID") == NULL)
		return false;
	if (changed_since && !f->has_modseq && add(f, c, IMAP_ITEM_MODSEQ, "MODSEQ") == NULL)
		return false;
	f->has_modseq = f->has_modseq || changed_since;
	s->on_loop = f->memory_only;
	return true;
}

static void release(void *args)
{
	struct imap_fetch *f = args;
	gx_arena_free(f->scratch);
	gx_push_release(&f->whole);
}

bool gx_imap__fetch_parse(struct imap_session *s, struct imap_parse *c)
{
	struct imap_fetch *f = s->args = gx_arena_new_obj(s->arena, struct imap_fetch);
	if (f == NULL)
		return false;
	s->release = release;
	f->changed_since = UINT64_MAX;
	if (!gx_imap__sp(c) || !gx_imap__set(c, &f->set) || !gx_imap__sp(c) || !items(f, c) || !modifiers(f, c))
		return false;
	bool since = f->changed_since != UINT64_MAX;
	if (!since)
		f->changed_since = 0;
	return classify(s, f, c, since);
}
