/* SPDX-License-Identifier: Apache-2.0 */
/* Messages whose every part says what the others must be. */
#include <config.h>
#include "tests/model/model.h"

enum { LINE = 64 };

static uint32_t hash(uint32_t h, const char *s)
{
	while (*s != 0)
		h = (h * 31 + (uint8_t)*s++) & 0xffff;
	return h;
}

/* Its first line is "TAG VERSION LENGTH ATTACHMENT", behind it are LENGTH letters in lines. */
char *text_of(const char *tag, const char *ver, uint32_t len, uint32_t att)
{
	char head[2 * NAME + 30];
	uint32_t h = hash(hash(7, tag), ver);
	int n = snprintf(head, sizeof(head), "%s %s %u %u\r\n", tag, ver, len, att);
	char *s = gx_arena_alloc(w.a, (size_t)n + len + 2 * (len / LINE + 1) + 1), *p = s + n;
	memcpy(s, head, (size_t)n);
	for (uint32_t i = 0; i < len; ++i) {
		*p++ = (char)('a' + (h + i * 7 + i / 61) % 26);
		if (i % LINE == LINE - 1) {
			*p++ = '\r';
			*p++ = '\n';
		}
	}
	*p = 0;
	return s;
}

uint8_t *attachment_of(const char *tag, uint32_t att)
{
	uint8_t *b = gx_arena_alloc(w.a, att);
	uint32_t h = hash(7, tag);
	for (uint32_t i = 0; i < att; ++i)
		b[i] = (uint8_t)(h + i * 13);
	return b;
}

void props_of(struct gx_proplist *l, const char *tag, const char *ver, uint32_t att)
{
	uint32_t len = rnd(10) == 0 ? rnd(50000) : rnd(1500);
	if (gx_proplist_set_str(l, w.a, PidTagSubject, gx_arena_printf(w.a, "%s %s", tag, ver)) != 0 ||
	    gx_proplist_set_str(l, w.a, PidTagBody, text_of(tag, ver, len, att)) != 0 ||
	    gx_proplist_set_str(l, w.a, PidTagMessageClass, "IPM.Note") != 0)
		abort();
}

/* Line ends differ with the way a text took, and those behind the last line do not count. */
static bool same_text(const char *x, const char *y)
{
	for (;;) {
		while (*x == '\r' || *x == '\n')
			++x;
		while (*y == '\r' || *y == '\n')
			++y;
		if (*x != *y)
			return false;
		if (*x == 0)
			return true;
		++x;
		++y;
	}
}

bool split_name(const char *s, char *ret_tag, char *ret_ver)
{
	char rest;
	return sscanf(s, "%39s %39s%c", ret_tag, ret_ver, &rest) == 2;
}

static void look_at_parts(const struct gx_msgobj *m, struct item *i)
{
	const char *body = gx_proplist_str(&m->props, PidTagBody, "");
	char tag[NAME] = "", ver[NAME] = "";
	uint32_t len = 0, att = 0;
	if (sscanf(body, "%39s %39s %u %u", tag, ver, &len, &att) != 4 || strcmp(tag, i->tag) != 0 || strcmp(ver, i->ver) != 0)
		bad("message %s %s has the text of %s %s", i->tag, i->ver, tag, ver);
	else if (!same_text(body, text_of(tag, ver, len, att)))
		bad("message %s %s: its text is not whole", i->tag, i->ver);
	if (m->att_count != (att > 0))
		bad("message %s %s: has %zu attachments", i->tag, i->ver, m->att_count);
	else if (att > 0) {
		const struct gx_propval *v = gx_proplist_get(&m->atts[0].props, PidTagAttachDataBinary);
		if (v == NULL || v->v.bin.len != att || memcmp(v->v.bin.data, attachment_of(tag, att), att) != 0)
			bad("message %s %s: its attachment is another's", i->tag, i->ver);
	}
	i->att = att;
}

void set_key(struct key *k, struct gx_bin b)
{
	if (b.len > sizeof(k->b))
		abort();
	memcpy(k->b, b.data, b.len);
	k->len = b.len;
}

void set_pcl(struct pcl *k, struct gx_bin b)
{
	if (b.len > sizeof(k->b))
		abort();
	memcpy(k->b, b.data, b.len);
	k->len = b.len;
}

struct gx_bin key_bin(const struct key *k)
{
	return (struct gx_bin){k->b, k->len};
}

void read_item(const struct gx_mapi_change *ch, const struct gx_msgobj *m, struct item *ret_i)
{
	*ret_i = (struct item){.mid = ch->id, .fai = ch->associated};
	const char *subject = gx_proplist_str(&m->props, PidTagSubject, "");
	if (!split_name(subject, ret_i->tag, ret_i->ver))
		bad("a message with the subject \"%s\"", subject);
	ret_i->read = (gx_proplist_i32(&m->props, PidTagMessageFlags, 0) & 1) != 0;
	ret_i->flagged = gx_proplist_i32(&m->props, PidTagFlagStatus, 0) == 2;
	set_key(&ret_i->source, ch->source_key);
	set_key(&ret_i->change, ch->change_key);
	set_pcl(&ret_i->pcl, ch->predecessors);
	look_at_parts(m, ret_i);
}

/* ---- The copy ---- */

struct item *find_item(struct place *p, uint64_t mid)
{
	for (size_t i = 0; i < p->n; ++i)
		if (p->v[i].mid == mid)
			return &p->v[i];
	return NULL;
}

void put_item(struct place *p, const struct item *i)
{
	struct item *at = find_item(p, i->mid);
	if (at == NULL && p->n == ITEMS) {
		bad("%s has more than %d messages", p->name, ITEMS);
		return;
	}
	*(at != NULL ? at : &p->v[p->n++]) = *i;
}

void drop_item(struct place *p, uint64_t mid)
{
	struct item *i = find_item(p, mid);
	if (i != NULL)
		*i = p->v[--p->n];
}
