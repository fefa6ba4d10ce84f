/* SPDX-License-Identifier: Apache-2.0 */
/* The header of a message from its properties and recipients, [MS-OXCMAIL] 2.1.3. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/namedprop.h>
#include "headermap.h"
#include "lcid.h"
#include "mailout-int.h"

struct person {
	const char *name, *address;
};

static struct person person_of(struct gx_mailout *w, const struct gx_proplist *l, gx_proptag_t name, gx_proptag_t smtp,
	gx_proptag_t type, gx_proptag_t email)
{
	return (struct person){gx_proplist_str(l, name, NULL), gx_mailout__address(w, l, smtp, type, email)};
}

static bool is_nobody(const struct person *p)
{
	return p->address == NULL && (p->name == NULL || *p->name == '\0');
}

static bool same_person(const struct person *x, const struct person *y)
{
	return x->address != NULL && y->address != NULL && gx_ascii_casecmp(x->address, y->address) == 0;
}

static void field_person(struct gx_mailout *w, const char *field, const struct person *p)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_strbuf_printf(&b, "%s: ", field);
	gx_mailout__mailbox(w, &b, b.len, p->name, p->address);
	gx_strbuf_adds(&b, "\r\n");
	if (b.err != 0)
		gx_mailout__fail(w, b.err);
	else
		gx_push_bytes(w->out, gx_strbuf_cstr(&b), b.len);
	gx_strbuf_release(&b);
}

static void from_and_sender(struct gx_mailout *w, const struct gx_proplist *l)
{
	struct person from = person_of(w, l, PidTagSentRepresentingName, PidTagSentRepresentingSmtpAddress,
		PidTagSentRepresentingAddressType, PidTagSentRepresentingEmailAddress);
	struct person sender = person_of(w, l, PidTagSenderName, PidTagSenderSmtpAddress, PidTagSenderAddressType,
		PidTagSenderEmailAddress);
	if (is_nobody(&from))
		from = sender;
	if (is_nobody(&from))
		return;
	field_person(w, "From", &from);
	if (!is_nobody(&sender) && !same_person(&from, &sender))
		field_person(w, "Sender", &sender);
}

static void recipients(struct gx_mailout *w, const struct gx_msgobj *m, const char *field, int32_t type)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	size_t line = 0;
	gx_strbuf_printf(&b, "%s: ", field);
	size_t start = b.len;
	for (size_t i = 0; i < m->rcpt_count; ++i) {
		const struct gx_proplist *l = &m->rcpts[i];
		if ((gx_proplist_i32(l, PidTagRecipientType, 1) & 0xf) != type)
			continue;
		struct person p = person_of(w, l, PidTagDisplayName, PidTagSmtpAddress, PidTagAddressType, PidTagEmailAddress);
		if (is_nobody(&p))
			continue;
		if (b.len > start) {
			gx_strbuf_adds(&b, ",\r\n ");
			line = b.len - 1;
		}
		gx_mailout__mailbox(w, &b, b.len - line, p.name, p.address);
	}
	if (b.err != 0)
		gx_mailout__fail(w, b.err);
	else if (b.len > start)
		gx_push_printf(w->out, "%s\r\n", gx_strbuf_cstr(&b));
	gx_strbuf_release(&b);
}

/* UTF-16 text with its terminator inside a one-off entry id. */
static const char *entry_text(struct gx_mailout *w, struct gx_pull *c, bool unicode)
{
	char *s;
	if (!unicode) {
		const char *z = gx_pull_strz(c);
		return c->err != 0 || gx_cp_to_utf8(w->a, GX_CP_8BIT, z, strlen(z), &s, NULL, NULL) != 0 ? "" : s;
	}
	const uint8_t *from = c->p;
	size_t n = 0;
	while (c->err == 0 && gx_pull_u16(c) != 0)
		n += 2;
	return c->err != 0 || gx_utf16le_to_utf8(w->a, from, n, &s) != 0 ? "" : s;
}

/* [MS-OXCDATA] 2.2.5.1 one-off entry id: flags, provider, version, flags, name, type, address. */
static bool one_off(struct gx_mailout *w, struct gx_pull *c, struct person *ret_p)
{
	static const struct gx_guid provider = {0xa41f2b81, 0xa3be, 0x1910, {0x9d, 0x6e, 0x00, 0xdd, 0x01, 0x0f, 0x54, 0x02}};
	gx_pull_skip(c, 4);
	struct gx_guid uid = gx_pull_guid(c);
	gx_pull_skip(c, 2);
	bool unicode = (gx_pull_u16(c) & 0x8000) != 0;
	if (c->err != 0 || gx_guid_cmp(&uid, &provider) != 0)
		return false;
	ret_p->name = entry_text(w, c, unicode);
	const char *type = entry_text(w, c, unicode);
	ret_p->address = entry_text(w, c, unicode);
	return c->err == 0 && gx_ascii_casecmp(type, "SMTP") == 0 && *ret_p->address != '\0';
}

/* PidTagReplyRecipientEntries is a FlatEntryList, [MS-OXCDATA] 2.3.3. */
static void reply_to(struct gx_mailout *w, const struct gx_msgobj *m)
{
	struct gx_bin list;
	struct gx_pull c;
	struct gx_strbuf b = GX_STRBUF_INIT;
	if (!gx_mailout__bytes(w, m, PidTagReplyRecipientEntries, &list))
		return;
	gx_pull_init(&c, list.data, list.len);
	size_t n = gx_pull_count(&c, gx_pull_u32(&c), 4);
	gx_pull_skip(&c, 4);
	for (size_t i = 0; i < n && c.err == 0; ++i) {
		size_t size = gx_pull_u32(&c);
		struct gx_pull k = gx_pull_child(&c, size);
		struct person p = {NULL, NULL};
		if (one_off(w, &k, &p)) {
			gx_strbuf_adds(&b, b.len == 0 ? "Reply-To: " : ",\r\n ");
			gx_mailout__mailbox(w, &b, 10, p.name, p.address);
		}
		if (i + 1 < n)
			gx_pull_skip(&c, (4 - size % 4) % 4);
	}
	if (b.len > 0 && b.err == 0)
		gx_push_printf(w->out, "%s\r\n", gx_strbuf_cstr(&b));
	gx_strbuf_release(&b);
}

static void subject(struct gx_mailout *w, const struct gx_msgobj *m)
{
	const char *s = gx_proplist_str(&m->props, PidTagSubject, NULL);
	if (s == NULL) {
		const char *rest = gx_proplist_str(&m->props, PidTagNormalizedSubject, NULL);
		if (rest != NULL)
			s = gx_arena_printf(w->a, "%s%s", gx_proplist_str(&m->props, PidTagSubjectPrefix, ""), rest);
	}
	gx_mailout__field_text(w, "Subject", s);
}

static gx_nttime_t time_of(const struct gx_msgobj *m, gx_proptag_t tag)
{
	const struct gx_propval *pv = gx_proplist_get(&m->props, tag);
	return pv != NULL && GX_PROP_TYPE(pv->tag) == PtypTime ? pv->v.time : 0;
}

static void date(struct gx_mailout *w, const struct gx_msgobj *m)
{
	gx_nttime_t t = time_of(m, PidTagClientSubmitTime);
	if (t == 0)
		t = time_of(m, PidTagMessageDeliveryTime);
	if (t == 0)
		t = time_of(m, PidTagCreationTime);
	gx_mailout__field_time(w, "Date", t);
}

static void message_id(struct gx_mailout *w, const struct gx_msgobj *m)
{
	const char *id = gx_proplist_str(&m->props, PidTagInternetMessageId, NULL);
	if (id != NULL && *id != '\0')
		gx_mailout__field_raw(w, "Message-ID", id);
	else
		gx_push_printf(w->out, "Message-ID: <%016llx.gx@localhost>\r\n", (unsigned long long)w->seed);
}

static void receipts(struct gx_mailout *w, const struct gx_proplist *l)
{
	const struct gx_propval *read = gx_proplist_get(l, PidTagReadReceiptRequested);
	const struct gx_propval *delivered = gx_proplist_get(l, PidTagOriginatorDeliveryReportRequested);
	struct person p = person_of(w, l, PidTagSentRepresentingName, PidTagSentRepresentingSmtpAddress,
		PidTagSentRepresentingAddressType, PidTagSentRepresentingEmailAddress);
	struct person other = person_of(w, l, PidTagReadReceiptName, PidTagReadReceiptSmtpAddress,
		PidTagReadReceiptAddressType, PidTagReadReceiptEmailAddress);
	if (is_nobody(&p))
		p = person_of(w, l, PidTagSenderName, PidTagSenderSmtpAddress, PidTagSenderAddressType, PidTagSenderEmailAddress);
	if (other.address == NULL)
		other = p;
	if (read != NULL && read->v.b && !is_nobody(&other))
		field_person(w, "Disposition-Notification-To", &other);
	if (is_nobody(&p))
		return;
	if (delivered != NULL && delivered->v.b)
		field_person(w, "Return-Receipt-To", &p);
}

/* [MS-OXCMAIL] 2.1.3.1.16 */
static void auto_response_suppress(struct gx_mailout *w, const struct gx_proplist *l)
{
	static const struct {
		int32_t bit;
		const char *word;
	} words[] = {{0x1, "DR"}, {0x2, "NDR"}, {0x4, "RN"}, {0x8, "NRN"}, {0x10, "OOF"}, {0x20, "AutoReply"}};
	int32_t v = gx_proplist_i32(l, PidTagAutoResponseSuppress, 0);
	if (v == 0)
		return;
	gx_push_str(w->out, "X-Auto-Response-Suppress: ");
	if (v == -1) {
		gx_push_str(w->out, "All\r\n");
		return;
	}
	const char *sep = "";
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); ++i)
		if (v & words[i].bit) {
			gx_push_printf(w->out, "%s%s", sep, words[i].word);
			sep = ", ";
		}
	gx_push_str(w->out, "\r\n");
}

static void mapped(struct gx_mailout *w, const struct gx_msgobj *m, const struct gx_hdr_map *h)
{
	const struct gx_propval *pv = gx_proplist_get(&m->props, h->tag);
	if (pv == NULL || GX_PROP_TYPE(pv->tag) != GX_PROP_TYPE(h->tag))
		return;
	switch (h->kind) {
	case GX_HDR_TEXT:
		gx_mailout__field_text(w, h->name, pv->v.str);
		break;
	case GX_HDR_RAW:
		gx_mailout__field_raw(w, h->name, pv->v.str);
		break;
	case GX_HDR_TIME:
		gx_mailout__field_time(w, h->name, pv->v.time);
		break;
	case GX_HDR_INT:
		gx_push_printf(w->out, "%s: %d\r\n", h->name, (int)pv->v.i32);
		break;
	case GX_HDR_BASE64: {
		char *s = gx_arena_alloc(w->a, gx_base64_enc_len(pv->v.bin.len) + 1);
		if (s == NULL) {
			gx_mailout__fail(w, GX_E_NOMEM);
			break;
		}
		s[gx_base64_enc(pv->v.bin.data, pv->v.bin.len, s)] = '\0';
		gx_mailout__field_raw(w, h->name, s);
		break;
	}
	case GX_HDR_ENUM:
		for (const struct gx_hdr_word *e = h->words; e->word != NULL; ++e)
			if (e->value == pv->v.i32) {
				if (!e->not_written)
					gx_push_printf(w->out, "%s: %s\r\n", h->name, e->word);
				break;
			}
		break;
	}
}

static bool is_field_name(const char *s) /* [RFC 5322] 3.6.8 */
{
	if (*s == '\0')
		return false;
	for (; *s != '\0'; ++s)
		if ((unsigned char)*s <= 0x20 || (unsigned char)*s >= 0x7f || *s == ':')
			return false;
	return true;
}

static void keywords(struct gx_mailout *w, const struct gx_named_propval *nv)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	for (uint32_t i = 0; i < nv->v.mv.count; ++i)
		gx_strbuf_printf(&b, "%s%s", i == 0 ? "" : ", ", nv->v.mv.v[i].str);
	if (b.err != 0)
		gx_mailout__fail(w, b.err);
	else
		gx_mailout__field_text(w, "Keywords", gx_strbuf_cstr(&b));
	gx_strbuf_release(&b);
}

/* Fields of one property each whose values need more than a table. */
static void single_fields(struct gx_mailout *w, const struct gx_msgobj *m)
{
	static const struct gx_propname request = GX_LID_INIT(PidLidFlagRequest);
	const struct gx_named_propval *flag = gx_msgobj_get_named(m, &request);
	if (flag != NULL && flag->type == PtypString)
		gx_mailout__field_text(w, "X-Message-Flag", flag->v.str);
	const char *language = gx_lcid__to_tag((uint32_t)gx_proplist_i32(&m->props, PidTagMessageLocaleId, 0));
	if (language != NULL)
		gx_push_printf(w->out, "Content-Language: %s\r\n", language);
	struct gx_bin key;
	if (gx_mailout__bytes(w, m, PidTagTnefCorrelationKey, &key))
		gx_mailout__field_raw(w, "X-MS-TNEF-Correlator", gx_arena_strndup(w->a, (const char *)key.data, key.len));
}

static void named(struct gx_mailout *w, const struct gx_msgobj *m)
{
	static const struct gx_propname kw = GX_STR_INIT(PidNameKeywords);
	for (size_t i = 0; i < m->named_count; ++i) {
		const struct gx_named_propval *nv = &m->named[i];
		if (nv->type == PtypMultipleString && gx_propname_equal(&nv->name, &kw))
			keywords(w, nv);
		else if (nv->name.by_name && nv->type == PtypString && gx_guid_cmp(&nv->name.set, &PS_INTERNET_HEADERS) == 0 &&
			is_field_name(nv->name.name) && !gx_hdr__is_own(nv->name.name))
			gx_mailout__field_text(w, nv->name.name, nv->v.str);
	}
}

static void addressees(struct gx_mailout *w, const struct gx_msgobj *m)
{
	if (gx_mailout__is_status(m)) {
		struct person p = person_of(w, &m->props, PidTagReceivedByName, PidTagReceivedBySmtpAddress,
			PidTagReceivedByAddressType, PidTagReceivedByEmailAddress);
		if (!is_nobody(&p))
			field_person(w, "To", &p);
		return;
	}
	recipients(w, m, "To", 1);
	recipients(w, m, "Cc", 2);
	if (w->flags & GX_MAIL_KEEP_BCC)
		recipients(w, m, "Bcc", 3);
}

void gx_mailout__header(struct gx_mailout *w, const struct gx_msgobj *m)
{
	from_and_sender(w, &m->props);
	addressees(w, m);
	reply_to(w, m);
	subject(w, m);
	date(w, m);
	message_id(w, m);
	for (const struct gx_hdr_map *h = gx_hdr__map; h->name != NULL; ++h)
		if (h->dir & GX_HDR_EXPORT)
			mapped(w, m, h);
	receipts(w, &m->props);
	auto_response_suppress(w, &m->props);
	single_fields(w, m);
	named(w, m);
}
