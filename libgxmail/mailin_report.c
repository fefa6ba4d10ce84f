/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivery status and disposition notifications, [MS-OXCMAIL] 2.2.3.6; [RFC 3464], [RFC 3798].
 * Class, recipients and causes come from here; text and returned message are walked as usual.
 */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "mailin-int.h"

#define MAX_STATUS_BYTES (256U * 1024)

/* Lines "Name: value" of a message/delivery-status; groups are parted by empty lines. */
struct fields {
	struct gx_arena *a;
	char *p;             /* rest of the text */
	const char *name, *value;
};

static char *cut_line(char **io_p)
{
	char *line = *io_p, *nl = strchr(line, '\n');
	if (nl == NULL) {
		*io_p = line + strlen(line);
	} else {
		*io_p = nl + 1;
		*nl = '\0';
		if (nl > line && nl[-1] == '\r')
			nl[-1] = '\0';
	}
	return line;
}

/* @return 1 a field, 0 the end of the group, -1 the end of the text */
static int next_field(struct fields *f)
{
	while (*f->p != '\0') {
		char *line = cut_line(&f->p);
		if (*line == '\0')
			return 0;
		char *colon = strchr(line, ':');
		if (colon == NULL)
			continue;
		*colon = '\0';
		char *value = colon + 1 + strspn(colon + 1, " \t");
		while (*f->p == ' ' || *f->p == '\t') { /* folded */
			char *more = cut_line(&f->p);
			value = gx_arena_printf(f->a, "%s %s", value, more + strspn(more, " \t"));
			if (value == NULL)
				return -1;
		}
		f->name = line;
		f->value = value;
		return 1;
	}
	return -1;
}

/* "rfc822; user@example.org" */
static const char *behind_type(const char *value)
{
	const char *semi = strchr(value, ';');
	return semi == NULL ? value : semi + 1 + strspn(semi + 1, " \t");
}

struct status {
	const char *rcpt, *original, *action, *diag, *remote;
	int code; /* 511 for 5.1.1 */
};

static int code_of(const char *v)
{
	if (v[0] < '2' || v[0] > '5' || v[1] != '.' || v[2] < '0' || v[2] > '9')
		return 0;
	int subject = v[2] - '0', detail = 0;
	const char *p = strchr(v + 2, '.');
	if (p != NULL && p[1] >= '0' && p[1] <= '9')
		detail = p[1] - '0';
	return (v[0] - '0') * 100 + subject * 10 + detail;
}

static void take_field(struct status *s, const char *name, const char *value)
{
	if (gx_ascii_casecmp(name, "Final-Recipient") == 0)
		s->rcpt = behind_type(value);
	else if (gx_ascii_casecmp(name, "Original-Recipient") == 0)
		s->original = behind_type(value);
	else if (gx_ascii_casecmp(name, "Action") == 0)
		s->action = value;
	else if (gx_ascii_casecmp(name, "Status") == 0)
		s->code = code_of(value);
	else if (gx_ascii_casecmp(name, "Diagnostic-Code") == 0)
		s->diag = behind_type(value);
	else if (gx_ascii_casecmp(name, "Remote-MTA") == 0)
		s->remote = behind_type(value);
}

static int add_rcpt(struct gx_mailin *in, const struct status *s)
{
	static const struct gx_mailin_addr_tags tags = {PidTagDisplayName, PidTagAddressType, PidTagEmailAddress, PidTagSmtpAddress};
	struct gx_mailin_addr x;
	int err = gx_mailin__first_addr(in, s->rcpt, &x);
	if (err <= 0)
		return err;
	struct gx_proplist *l = gx_msgobj_add_rcpt(in->m, in->a);
	if (l == NULL)
		return GX_E_NOMEM;
	err = gx_proplist_set_i32(l, in->a, PidTagRecipientType, 1);
	if (err == 0)
		err = gx_mailin__set_addr(in, l, &tags, &x);
	if (err == 0 && s->code != 0)
		err = gx_proplist_set_i32(l, in->a, PidTagNonDeliveryReportStatusCode, s->code);
	const struct {
		gx_proptag_t tag;
		const char *s;
	} texts[] = {{PidTagSupplementaryInfo, s->diag}, {PidTagRemoteMessageTransferAgent, s->remote},
		{PidTagOriginalDisplayTo, s->original}};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts) && err == 0; ++i)
		if (texts[i].s != NULL && *texts[i].s != '\0')
			err = gx_proplist_set_str(l, in->a, texts[i].tag, texts[i].s);
	return err;
}

static const char *class_of_action(const char *action)
{
	static const struct {
		const char *action, *cls;
	} rows[] = {{"failed", "REPORT.IPM.Note.NDR"}, {"delayed", "REPORT.IPM.Note.Delayed.DR"},
		{"expanded", "REPORT.IPM.Note.Expanded.DR"}, {"relayed", "REPORT.IPM.Note.Relayed.DR"},
		{"delivered", "REPORT.IPM.Note.DR"}};
	for (size_t i = 0; action != NULL && i < sizeof(rows) / sizeof(*rows); ++i)
		if (gx_ascii_ncasecmp(action, rows[i].action, strlen(rows[i].action)) == 0)
			return rows[i].cls;
	return NULL;
}

static char *text_of(struct gx_mailin *in, const struct gx_mime_part *p)
{
	struct gx_bin b;
	size_t n = p->body_len > MAX_STATUS_BYTES ? MAX_STATUS_BYTES : (size_t)p->body_len;
	char *s;
	if (gx_decode(in->a, p->cte, in->data + p->body_off, n, &b) != 0 ||
		gx_cp_to_utf8(in->a, GX_CP_UTF8, b.data, b.len, &s, NULL, NULL) != 0)
		return NULL;
	return s;
}

/* Fields about the whole message, before those of the recipients. */
static int message_field(struct gx_mailin *in, const char *name, const char *value)
{
	int64_t t;
	int offset;
	if (gx_ascii_casecmp(name, "Reporting-MTA") == 0 && *behind_type(value) != '\0')
		return gx_proplist_set_str(&in->m->props, in->a, PidTagReportingMessageTransferAgent, behind_type(value));
	if (gx_ascii_casecmp(name, "Arrival-Date") == 0 && gx_mime_date(value, &t, &offset) == 0)
		return gx_proplist_set_time(&in->m->props, in->a, PidTagDeliverTime, gx_nttime_from_unix(t, 0));
	return 0;
}

/* Next group of fields that names a recipient. @return 1, 0 the end, GX_E_*. */
static int next_status(struct gx_mailin *in, struct fields *f, struct status *ret_s)
{
	int r;
	do {
		struct status s = {0};
		while ((r = next_field(f)) == 1) {
			int err = message_field(in, f->name, f->value);
			if (err != 0)
				return err;
			take_field(&s, f->name, f->value);
		}
		if (s.rcpt != NULL) {
			*ret_s = s;
			return 1;
		}
	} while (r == 0);
	return 0;
}

/* The worst that happened to a recipient: one failure makes it an NDR. */
static int class_of_report(struct gx_mailin *in, const struct gx_mime_part *p, const char **ret_cls)
{
	struct fields f = {.a = in->a, .p = text_of(in, p)};
	struct status s;
	int r = f.p == NULL ? GX_E_NOMEM : next_status(in, &f, &s);
	for (; r == 1; r = next_status(in, &f, &s)) {
		const char *c = class_of_action(s.action);
		struct gx_mailin_addr x;
		int have = c == NULL ? 0 : gx_mailin__first_addr(in, s.rcpt, &x);
		if (have < 0)
			return have;
		if (have == 1 && (*ret_cls == NULL || strcmp(c, "REPORT.IPM.Note.NDR") == 0))
			*ret_cls = c;
	}
	return r;
}

/* Whom the report is for; its To field has that, while the recipients are those reported on. */
static int keep_receiver(struct gx_mailin *in)
{
	static const struct gx_mailin_addr_tags tags = {PidTagReceivedByName, PidTagReceivedByAddressType,
		PidTagReceivedByEmailAddress, PidTagReceivedBySmtpAddress};
	const struct gx_mime_header *h = gx_mime_header(in->root, "To");
	struct gx_mailin_addr x;
	int r = h == NULL ? 0 : gx_mailin__first_addr(in, h->value, &x);
	in->m->rcpt_count = 0;
	return r <= 0 ? r : gx_mailin__set_addr(in, &in->m->props, &tags, &x);
}

/* The recipients that the class is true of take the place of those in its To field, [MS-OXOMSG] 2.2.2.5. */
static int delivery_status(struct gx_mailin *in, const struct gx_mime_part *p)
{
	const char *cls = NULL;
	int err = class_of_report(in, p, &cls);
	if (err != 0 || cls == NULL)
		return err;
	struct fields f = {.a = in->a, .p = text_of(in, p)};
	struct status s;
	err = f.p == NULL ? GX_E_NOMEM : keep_receiver(in);
	while (err == 0 && in->m->rcpt_count < GX_MAILIN_MAX_RCPTS && (err = next_status(in, &f, &s)) == 1)
		err = class_of_action(s.action) == cls ? add_rcpt(in, &s) : 0;
	in->status = p;
	if (err == 0)
		err = gx_proplist_set_str(&in->m->props, in->a, PidTagMessageClass, cls);
	return err != 0 ? err : 1;
}

static int disposition(struct gx_mailin *in, const struct gx_mime_part *p)
{
	struct fields f = {.a = in->a, .p = text_of(in, p)};
	const char *what = NULL;
	int err = 0, r;
	if (f.p == NULL)
		return GX_E_NOMEM;
	while ((r = next_field(&f)) >= 0 && err == 0) {
		if (r == 1 && gx_ascii_casecmp(f.name, "Disposition") == 0)
			what = behind_type(f.value);
		else if (r == 1 && gx_ascii_casecmp(f.name, "Original-Message-ID") == 0 && *f.value != '\0')
			err = gx_proplist_set_str(&in->m->props, in->a, PidTagOriginalMessageId, f.value);
	}
	if (err != 0 || what == NULL)
		return err;
	if (*what == '\0')
		return 0;
	bool unread = gx_ascii_ncasecmp(what, "deleted", 7) == 0;
	err = gx_proplist_set_str(&in->m->props, in->a, PidTagMessageClass,
		unread ? "REPORT.IPM.Note.IPNNRN" : "REPORT.IPM.Note.IPNRN");
	in->status = p;
	return err != 0 ? err : 1;
}

int gx_mailin__report(struct gx_mailin *in)
{
	if (!gx_mailin__is(in->root, "multipart", "report"))
		return 0;
	for (const struct gx_mime_part *p = in->root->first_child; p != NULL; p = p->next) {
		if (strcmp(p->type, "message") != 0)
			continue;
		if (strcmp(p->subtype, "delivery-status") == 0 || strcmp(p->subtype, "global-delivery-status") == 0)
			return delivery_status(in, p);
		if (strcmp(p->subtype, "disposition-notification") == 0)
			return disposition(in, p);
	}
	return 0;
}
