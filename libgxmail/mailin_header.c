/* SPDX-License-Identifier: Apache-2.0 */
/* Header fields to properties, [MS-OXCMAIL] 2.2.3.1 and 2.2.3.2. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/namedprop.h>
#include "headermap.h"
#include "lcid.h"
#include "mailin-int.h"

#define MAX_KEYWORDS 1000

static int set_time(struct gx_mailin *in, gx_proptag_t tag, const char *value)
{
	int64_t t;
	int offset;
	if (gx_mime_date(value, &t, &offset) != 0)
		return 0;
	return gx_proplist_set_time(&in->m->props, in->a, tag, gx_nttime_from_unix(t, 0));
}

/* The default is what an object has without the property, and later fields overrule earlier ones. */
static int set_words(struct gx_mailin *in, const struct gx_hdr_map *h, const char *value)
{
	size_t n = strcspn(value, " \t;(");
	for (const struct gx_hdr_word *e = h->words; e->word != NULL; ++e) {
		if (strlen(e->word) != n || gx_ascii_ncasecmp(e->word, value, n) != 0)
			continue;
		if (!e->not_written)
			return gx_proplist_set_i32(&in->m->props, in->a, h->tag, e->value);
		gx_proplist_remove(&in->m->props, h->tag);
		return 0;
	}
	return 0;
}

static int set_base64(struct gx_mailin *in, gx_proptag_t tag, const char *value)
{
	struct gx_bin b;
	int err = gx_decode(in->a, GX_CTE_BASE64, value, strlen(value), &b);
	if (err != 0 || b.len == 0)
		return err;
	return gx_proplist_set_bin(&in->m->props, in->a, tag, b.data, b.len);
}

/* Ids and URLs: folding leaves any white space between them, one space says as much. */
static int set_raw(struct gx_mailin *in, gx_proptag_t tag, const char *value)
{
	char *s = gx_arena_strdup(in->a, value), *out = s;
	if (s == NULL)
		return GX_E_NOMEM;
	for (const char *p = s; *p != '\0';) {
		size_t n = strcspn(p, " \t\r\n");
		if (n > 0 && out > s)
			*out++ = ' ';
		memmove(out, p, n);
		out += n;
		p += n;
		p += strspn(p, " \t\r\n");
	}
	*out = '\0';
	return gx_mailin__set_text(in, tag, s);
}

static int mapped(struct gx_mailin *in, const struct gx_hdr_map *h, const char *value)
{
	switch (h->kind) {
	case GX_HDR_TEXT:
		return gx_mailin__set_text(in, h->tag, value);
	case GX_HDR_RAW:
		return set_raw(in, h->tag, value);
	case GX_HDR_TIME:
		return set_time(in, h->tag, value);
	case GX_HDR_BASE64:
		return set_base64(in, h->tag, value);
	case GX_HDR_ENUM:
		return set_words(in, h, value);
	case GX_HDR_INT: {
		char *end;
		long n = strtol(value, &end, 10);
		return end == value || n < INT32_MIN || n > INT32_MAX ? 0 : gx_proplist_set_i32(&in->m->props, in->a, h->tag, (int32_t)n);
	}
	}
	return GX_E_INTERNAL;
}

/*
 * Fields that become named properties of PS_INTERNET_HEADERS: those that specifications name and
 * those that rules commonly ask for. Not every field there is, since a store has room for some
 * 28,000 names in all and senders could use them up; all fields stand in
 * PidTagTransportMessageHeaders.
 */
static bool is_promoted(const struct gx_propname *n)
{
	static const char *const more[] = {"x-spam-flag", "x-spam-status", "x-spam-level", "x-spam-score", "x-virus-scanned",
		"x-originating-ip", "user-agent", "precedence", "organization", "list-id", "list-post", "list-archive",
		"list-unsubscribe-post", "authentication-results", "received-spf", "x-loop", "x-mailing-list", "mailing-list",
		"x-bulkmail", "feedback-id", "auto-submitted"};
	if (gx_hdr__is_own(n->name))
		return false;
	if (gx_named_find(n) != NULL)
		return true;
	for (size_t i = 0; i < sizeof(more) / sizeof(*more); ++i)
		if (strcmp(n->name, more[i]) == 0)
			return true;
	return false;
}

static int other(struct gx_mailin *in, const char *field, const char *value)
{
	char lower[64], *s;
	size_t len = strlen(field);
	if (len >= sizeof(lower))
		return 0;
	for (size_t i = 0; i <= len; ++i)
		lower[i] = (char)gx_ascii_tolower((unsigned char)field[i]);
	struct gx_propname n = {PS_INTERNET_HEADERS_INIT, true, 0, lower};
	if (!is_promoted(&n) || gx_msgobj_get_named(in->m, &n) != NULL)
		return 0;
	n.name = gx_arena_strdup(in->a, lower);
	int err = n.name == NULL ? GX_E_NOMEM : gx_mime_decode_text(in->a, value, in->env->default_cp, &s);
	return err != 0 || *s == '\0' ? err : gx_msgobj_set_named(in->m, in->a, &n, PtypString, (union gx_value){.str = s});
}

/* ---- fields with rules of their own ---- */

static int f_from(struct gx_mailin *in, const char *value)
{
	static const struct gx_mailin_addr_tags tags = {PidTagSentRepresentingName, PidTagSentRepresentingAddressType,
		PidTagSentRepresentingEmailAddress, PidTagSentRepresentingSmtpAddress};
	struct gx_mailin_addr x;
	int err = gx_mailin__first_addr(in, value, &x);
	return err <= 0 ? err : gx_mailin__set_addr(in, &in->m->props, &tags, &x);
}

static int f_sender(struct gx_mailin *in, const char *value)
{
	static const struct gx_mailin_addr_tags tags = {PidTagSenderName, PidTagSenderAddressType, PidTagSenderEmailAddress,
		PidTagSenderSmtpAddress};
	struct gx_mailin_addr x;
	int err = gx_mailin__first_addr(in, value, &x);
	return err <= 0 ? err : gx_mailin__set_addr(in, &in->m->props, &tags, &x);
}

static int f_to(struct gx_mailin *in, const char *value)
{
	return gx_mailin__rcpts(in, 1, value);
}

static int f_cc(struct gx_mailin *in, const char *value)
{
	return gx_mailin__rcpts(in, 2, value);
}

static int f_bcc(struct gx_mailin *in, const char *value)
{
	return gx_mailin__rcpts(in, 3, value);
}

static int f_subject(struct gx_mailin *in, const char *value)
{
	char *s;
	int err = gx_mime_decode_text(in->a, value, in->env->default_cp, &s);
	if (err != 0 || *s == '\0')
		return err;
	size_t n = gx_subject_prefix(s);
	err = gx_proplist_set_str(&in->m->props, in->a, PidTagSubject, s);
	if (err == 0 && n > 0)
		err = gx_proplist_set_str(&in->m->props, in->a, PidTagSubjectPrefix, gx_arena_strndup(in->a, s, n));
	if (err == 0)
		err = gx_proplist_set_str(&in->m->props, in->a, PidTagNormalizedSubject, s + n);
	return err;
}

static int f_date(struct gx_mailin *in, const char *value)
{
	return set_time(in, PidTagClientSubmitTime, value);
}

/* [MS-OXOMSG] 2.2.1.25 - 2.2.1.30 */
static int f_read_receipt(struct gx_mailin *in, const char *value)
{
	static const struct gx_mailin_addr_tags tags = {PidTagReadReceiptName, PidTagReadReceiptAddressType,
		PidTagReadReceiptEmailAddress, PidTagReadReceiptSmtpAddress};
	struct gx_mailin_addr x;
	int err = gx_mailin__first_addr(in, value, &x);
	if (err <= 0)
		return err;
	err = gx_mailin__set_addr(in, &in->m->props, &tags, &x);
	if (err == 0)
		err = gx_proplist_set_bool(&in->m->props, in->a, PidTagReadReceiptRequested, true);
	return err != 0 ? err : gx_proplist_set_bool(&in->m->props, in->a, PidTagNonReceiptNotificationRequested, true);
}

/* A receipt that goes to the sender needs no address of its own. */
static void drop_own_receipt_address(struct gx_mailin *in)
{
	static const gx_proptag_t tags[] = {PidTagReadReceiptName, PidTagReadReceiptAddressType, PidTagReadReceiptEmailAddress,
		PidTagReadReceiptSmtpAddress};
	const char *receipt = gx_proplist_str(&in->m->props, PidTagReadReceiptSmtpAddress, NULL);
	const char *from = gx_proplist_str(&in->m->props, PidTagSentRepresentingSmtpAddress, NULL);
	if (receipt == NULL || from == NULL || gx_ascii_casecmp(receipt, from) != 0)
		return;
	for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); ++i)
		gx_proplist_remove(&in->m->props, tags[i]);
}

static int f_return_receipt(struct gx_mailin *in, const char *value)
{
	return gx_proplist_set_bool(&in->m->props, in->a, PidTagOriginatorDeliveryReportRequested, true);
}

/* Comma-separated words into PidNameKeywords; Keywords and Categories fields add up. */
static int f_keywords(struct gx_mailin *in, const char *value)
{
	static const struct gx_propname name = GX_STR_INIT(PidNameKeywords);
	const struct gx_named_propval *old = gx_msgobj_get_named(in->m, &name);
	uint32_t n = old == NULL ? 0 : old->v.mv.count, max = n + 1;
	char *s;
	if (n >= MAX_KEYWORDS)
		return 0;
	int err = gx_mime_decode_text(in->a, value, in->env->default_cp, &s);
	if (err != 0)
		return err;
	for (const char *p = s; *p != '\0'; ++p)
		max += *p == ',';
	union gx_value *v = gx_arena_new_array(in->a, union gx_value, max);
	if (v == NULL)
		return GX_E_NOMEM;
	if (n > 0)
		memcpy(v, old->v.mv.v, n * sizeof(*v));
	for (char *save = NULL, *w = strtok_r(s, ",", &save); w != NULL && n < MAX_KEYWORDS; w = strtok_r(NULL, ",", &save)) {
		w += strspn(w, " \t");
		size_t len = strlen(w);
		while (len > 0 && (w[len - 1] == ' ' || w[len - 1] == '\t'))
			w[--len] = '\0';
		if (len > 0)
			v[n++].str = w;
	}
	return n == 0 ? 0 : gx_msgobj_set_named(in->m, in->a, &name, PtypMultipleString, (union gx_value){.mv = {v, n}});
}

/* [MS-OXCMAIL] 2.2.3.2.25 */
static int f_auto_response_suppress(struct gx_mailin *in, const char *value)
{
	static const struct {
		const char *word;
		int32_t bits;
	} words[] = {{"None", 0}, {"All", -1}, {"DR", 0x1}, {"NDR", 0x2}, {"RN", 0x4}, {"NRN", 0x8}, {"OOF", 0x10}, {"AutoReply", 0x20}};
	int32_t bits = gx_proplist_i32(&in->m->props, PidTagAutoResponseSuppress, 0);
	while (*value != '\0') {
		size_t n = strcspn(value, ", \t");
		for (size_t i = 0; i < sizeof(words) / sizeof(*words); ++i)
			if (strlen(words[i].word) == n && gx_ascii_ncasecmp(words[i].word, value, n) == 0)
				bits |= words[i].bits;
		value += n;
		value += strspn(value, ", \t");
	}
	return bits == 0 ? 0 : gx_proplist_set_i32(&in->m->props, in->a, PidTagAutoResponseSuppress, bits);
}

static int f_auto_submitted(struct gx_mailin *in, const char *value)
{
	int err = other(in, "Auto-Submitted", value);
	if (err != 0)
		return err;
	if (gx_ascii_ncasecmp(value, "no", 2) == 0 && strcspn(value, " \t;(") == 2)
		return 0;
	return gx_proplist_set_i32(&in->m->props, in->a, PidTagAutoResponseSuppress, -1);
}

static int f_message_flag(struct gx_mailin *in, const char *value)
{
	static const struct gx_propname name = GX_LID_INIT(PidLidFlagRequest);
	char *s;
	int err = gx_mime_decode_text(in->a, value, in->env->default_cp, &s);
	if (err != 0 || *s == '\0')
		return err;
	err = gx_msgobj_set_named(in->m, in->a, &name, PtypString, (union gx_value){.str = s});
	return err != 0 ? err : gx_proplist_set_i32(&in->m->props, in->a, PidTagFlagStatus, 2); /* followupFlagged */
}

/* [MS-OXCMAIL] 2.2.3.2.8: the first language that has an LCID. */
static int f_language(struct gx_mailin *in, const char *value)
{
	while (*value != '\0') {
		size_t n = strcspn(value, ", \t;(");
		uint32_t lcid = gx_lcid__from_tag(value, n);
		if (lcid != 0)
			return gx_proplist_set_i32(&in->m->props, in->a, PidTagMessageLocaleId, (int32_t)lcid);
		value += n;
		value += strspn(value, ", \t;(");
	}
	return 0;
}

static int f_unsent(struct gx_mailin *in, const char *value)
{
	if (*value != '1' || in->depth > 0)
		return 0;
	return gx_proplist_set_i32(&in->m->props, in->a, PidTagMessageFlags, 8); /* mfUnsent */
}

/* The store knows when it got the outer message; for an embedded one the uppermost field says it. */
static int f_received(struct gx_mailin *in, const char *value)
{
	const char *date = strrchr(value, ';');
	if (in->depth == 0 || date == NULL || gx_proplist_get(&in->m->props, PidTagMessageDeliveryTime) != NULL)
		return 0;
	return set_time(in, PidTagMessageDeliveryTime, date + 1);
}

/* [MS-OXCMAIL] 2.2.3.2.4 */
static int f_content_class(struct gx_mailin *in, const char *value)
{
	static const struct {
		const char *content, *cls;
	} rows[] = {
		{"fax", "IPM.Note.Microsoft.Fax"}, {"fax-ca", "IPM.Note.Microsoft.Fax.CA"},
		{"missedcall", "IPM.Note.Microsoft.Missed.Voice"}, {"voice-uc", "IPM.Note.Microsoft.Conversation.Voice"},
		{"voice-ca", "IPM.Note.Microsoft.Voicemail.UM.CA"}, {"voice", "IPM.Note.Microsoft.Voicemail.UM"},
	};
	int err = other(in, "Content-Class", value);
	if (err != 0)
		return err;
	if (gx_ascii_ncasecmp(value, "InfoPathForm.", 13) == 0)
		return gx_proplist_set_str(&in->m->props, in->a, PidTagMessageClass,
			gx_arena_printf(in->a, "IPM.InfoPathForm.%.*s", (int)strcspn(value + 13, ". \t;"), value + 13));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); ++i)
		if (gx_ascii_casecmp(value, rows[i].content) == 0)
			return gx_proplist_set_str(&in->m->props, in->a, PidTagMessageClass, rows[i].cls);
	return 0;
}

static int f_tnef_key(struct gx_mailin *in, const char *value)
{
	if (*value == '\0')
		return 0;
	return gx_proplist_set_bin(&in->m->props, in->a, PidTagTnefCorrelationKey, value, strlen(value) + 1);
}

static const struct {
	const char *name;
	int (*fn)(struct gx_mailin *in, const char *value);
} special[] = {
	{"From", f_from}, {"Sender", f_sender}, {"To", f_to}, {"Cc", f_cc}, {"Bcc", f_bcc}, {"Reply-To", gx_mailin__reply_to},
	{"Subject", f_subject}, {"Date", f_date}, {"Disposition-Notification-To", f_read_receipt},
	{"Return-Receipt-To", f_return_receipt}, {"Keywords", f_keywords}, {"Categories", f_keywords},
	{"X-Categories", f_keywords}, {"X-Auto-Response-Suppress", f_auto_response_suppress},
	{"Auto-Submitted", f_auto_submitted}, {"X-Message-Flag", f_message_flag}, {"Content-Class", f_content_class},
	{"X-MS-TNEF-Correlator", f_tnef_key}, {"Content-Language", f_language}, {"X-Unsent", f_unsent}, {"Received", f_received},
};

static int one(struct gx_mailin *in, const struct gx_mime_header *h)
{
	const char *value = h->value + strspn(h->value, " \t");
	for (size_t i = 0; i < sizeof(special) / sizeof(*special); ++i)
		if (gx_ascii_casecmp(special[i].name, h->name) == 0)
			return special[i].fn(in, value);
	const struct gx_hdr_map *m = gx_hdr__find(h->name);
	return m != NULL ? mapped(in, m, value) : other(in, h->name, value);
}

/* The one of From and Sender that is missing is the other one, [MS-OXCMAIL] 2.2.3.1.4. */
static int complete_sender(struct gx_mailin *in)
{
	static const gx_proptag_t pairs[][2] = {{PidTagSenderName, PidTagSentRepresentingName},
		{PidTagSenderAddressType, PidTagSentRepresentingAddressType},
		{PidTagSenderEmailAddress, PidTagSentRepresentingEmailAddress},
		{PidTagSenderSmtpAddress, PidTagSentRepresentingSmtpAddress}};
	const char *sender = gx_proplist_str(&in->m->props, PidTagSenderSmtpAddress, NULL);
	const char *from = gx_proplist_str(&in->m->props, PidTagSentRepresentingSmtpAddress, NULL);
	bool have_sender = sender != NULL, have_from = from != NULL;
	if (have_sender && have_from && gx_ascii_casecmp(sender, from) == 0)
		have_sender = false; /* the same one, perhaps without the name */
	if (have_sender == have_from)
		return 0;
	int err = 0;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs) && err == 0; ++i)
		err = gx_proplist_set_str(&in->m->props, in->a, pairs[i][have_sender],
			gx_proplist_str(&in->m->props, pairs[i][!have_sender], ""));
	return err;
}

/* What follows from several fields or from the absence of one. */
static int complete(struct gx_mailin *in)
{
	struct gx_proplist *l = &in->m->props;
	const char *topic = gx_proplist_str(l, PidTagNormalizedSubject, NULL);
	int err = complete_sender(in);
	if (err == 0 && topic != NULL && gx_proplist_get(l, PidTagConversationTopic) == NULL)
		err = gx_proplist_set_str(l, in->a, PidTagConversationTopic, topic);
	if (err == 0 && gx_proplist_get(l, PidTagFlagCompleteTime) != NULL)
		err = gx_proplist_set_i32(l, in->a, PidTagFlagStatus, 1); /* followupComplete */
	const struct gx_propval *sent = gx_proplist_get(l, PidTagClientSubmitTime);
	if (err == 0 && in->depth > 0 && sent != NULL && gx_proplist_get(l, PidTagMessageDeliveryTime) == NULL)
		err = gx_proplist_set_time(l, in->a, PidTagMessageDeliveryTime, sent->v.time);
	const struct gx_propval *hold = gx_proplist_get(l, PidTagDeferredSendTime);
	if (err == 0 && hold != NULL)
		err = gx_proplist_set_time(l, in->a, PidTagDeferredDeliveryTime, hold->v.time);
	drop_own_receipt_address(in);
	return err;
}

int gx_mailin__header(struct gx_mailin *in)
{
	int err = 0;
	for (const struct gx_mime_header *h = in->root->headers; h != NULL && err == 0; h = h->next)
		err = one(in, h);
	if (err == 0)
		err = complete(in);
	if (err == 0 && in->root->hdr_len > 0)
		err = gx_mailin__set_slice(in, PidTagTransportMessageHeaders,
			&(struct gx_slice){.off = in->root->hdr_off, .len = in->root->hdr_len, .cp = 0, .cte = GX_CTE_8BIT});
	return err;
}
