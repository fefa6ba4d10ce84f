/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of header fields as properties, [MS-OXCMAIL] 2.2.3.1. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "mailin-int.h"

/* No control characters, and no white space around. */
static void clean(char **io_s)
{
	for (char *p = *io_s; *p != '\0'; ++p)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	char *s = *io_s + strspn(*io_s, " \t\r\n");
	size_t n = strlen(s);
	while (n > 0 && strchr(" \t\r\n", s[n - 1]) != NULL)
		--n;
	s[n] = '\0';
	*io_s = s;
}

int gx_mailin__addr(struct gx_mailin *in, const struct gx_mime_addr *x, struct gx_mailin_addr *ret_x)
{
	char *name = NULL;
	const char *known_name = NULL, *dn = NULL;
	const char *never = *x->domain == '[' ? "()<>,;@\\\"" : "()<>,;@\\\":[]"; /* as the writer leaves them out */
	char *address = *x->domain == '\0' ? gx_arena_strdup(in->a, x->local)
					   : gx_arena_printf(in->a, "%s@%s", x->local, x->domain);
	if (address == NULL)
		return GX_E_NOMEM;
	char *out = address + strlen(x->local) + (*x->domain != '\0');
	for (const char *p = x->domain; *p != '\0'; ++p)
		if ((unsigned char)*p > 0x20 && strchr(never, *p) == NULL)
			*out++ = *p;
	*out = '\0';
	clean(&address);
	const char *smtp = gx_mailin__utf8(in, address);
	if (smtp == NULL)
		return GX_E_NOMEM;
	if (x->name != NULL && *x->name != '\0') {
		int err = gx_mime_decode_text(in->a, x->name, in->env->default_cp, &name);
		if (err != 0)
			return err;
	}
	if (in->env->resolve != NULL)
		in->env->resolve(smtp, &known_name, &dn, in->env->ctx);
	if (name != NULL)
		clean(&name);
	if (name == NULL || *name == '\0')
		name = gx_arena_strdup(in->a, known_name != NULL ? known_name : smtp);
	*ret_x = (struct gx_mailin_addr){name, smtp, gx_arena_strdup(in->a, dn)};
	return name == NULL || (dn != NULL && ret_x->dn == NULL) ? GX_E_NOMEM : 0;
}

static bool is_mailbox(const struct gx_mime_addr *x)
{
	/* Groups have no domain, ends of groups nothing. */
	return x->local != NULL && x->domain != NULL && (*x->local != '\0' || *x->domain != '\0');
}

int gx_mailin__first_addr(struct gx_mailin *in, const char *value, struct gx_mailin_addr *ret_x)
{
	struct gx_mime_addr *list;
	int err = gx_mime_addrs(in->a, value, &list);
	if (err != 0)
		return err;
	for (; list != NULL; list = list->next)
		if (is_mailbox(list)) {
			err = gx_mailin__addr(in, list, ret_x);
			return err != 0 ? err : 1;
		}
	return 0;
}

int gx_mailin__set_addr(struct gx_mailin *in, struct gx_proplist *l, const struct gx_mailin_addr_tags *t,
	const struct gx_mailin_addr *x)
{
	int err = gx_proplist_set_str(l, in->a, t->name, x->name);
	if (err == 0)
		err = gx_proplist_set_str(l, in->a, t->type, x->dn != NULL ? "EX" : "SMTP");
	if (err == 0)
		err = gx_proplist_set_str(l, in->a, t->email, x->dn != NULL ? x->dn : x->smtp);
	if (err == 0)
		err = gx_proplist_set_str(l, in->a, t->smtp, x->smtp);
	return err;
}

int gx_mailin__rcpts(struct gx_mailin *in, int32_t type, const char *value)
{
	static const struct gx_mailin_addr_tags tags = {PidTagDisplayName, PidTagAddressType, PidTagEmailAddress, PidTagSmtpAddress};
	struct gx_mime_addr *list;
	int err = gx_mime_addrs(in->a, value, &list);
	for (; err == 0 && list != NULL && in->m->rcpt_count < GX_MAILIN_MAX_RCPTS; list = list->next) {
		struct gx_mailin_addr x;
		if (!is_mailbox(list))
			continue;
		err = gx_mailin__addr(in, list, &x);
		if (err != 0)
			break;
		struct gx_proplist *l = gx_msgobj_add_rcpt(in->m, in->a);
		if (l == NULL)
			return GX_E_NOMEM;
		err = gx_proplist_set_i32(l, in->a, PidTagRecipientType, type);
		if (err == 0)
			err = gx_mailin__set_addr(in, l, &tags, &x);
	}
	return err;
}

static void push_utf16z(struct gx_mailin *in, struct gx_push *out, const char *s)
{
	struct gx_bin b;
	int err = gx_utf8_to_utf16le(in->a, s, true, &b);
	if (err != 0)
		gx_push_fail(out, err);
	else
		gx_push_bytes(out, b.data, b.len);
}

/* [MS-OXCDATA] 2.2.5.1: Unicode, no rich text; in a FlatEntry of a FlatEntryList, 2.3.3. */
static void push_flat_entry(struct gx_mailin *in, struct gx_push *out, const struct gx_mailin_addr *x)
{
	static const struct gx_guid provider = {0xa41f2b81, 0xa3be, 0x1910, {0x9d, 0x6e, 0x00, 0xdd, 0x01, 0x0f, 0x54, 0x02}};
	size_t size_at = out->len;
	gx_push_u32(out, 0);
	gx_push_u32(out, 0);
	gx_push_guid(out, &provider);
	gx_push_u16(out, 0);
	gx_push_u16(out, 0x9001);
	push_utf16z(in, out, x->name);
	push_utf16z(in, out, "SMTP");
	push_utf16z(in, out, x->smtp);
	if (out->err == 0)
		gx_push_patch_u32(out, size_at, (uint32_t)(out->len - size_at - 4));
	while (out->err == 0 && out->len % 4 != 0)
		gx_push_u8(out, 0);
}

int gx_mailin__reply_to(struct gx_mailin *in, const char *value)
{
	struct gx_mime_addr *list;
	struct gx_push out = GX_PUSH_INIT;
	struct gx_strbuf names = GX_STRBUF_INIT;
	struct gx_bin bin;
	uint32_t n = 0;
	int err = gx_mime_addrs(in->a, value, &list);
	gx_push_u32(&out, 0);
	gx_push_u32(&out, 0);
	for (; err == 0 && list != NULL && n < 1000; list = list->next) {
		struct gx_mailin_addr x;
		if (!is_mailbox(list))
			continue;
		err = gx_mailin__addr(in, list, &x);
		if (err != 0)
			break;
		push_flat_entry(in, &out, &x);
		gx_strbuf_printf(&names, "%s%s", n == 0 ? "" : ";", x.name);
		++n;
	}
	gx_push_patch_u32(&out, 0, n);
	gx_push_patch_u32(&out, 4, (uint32_t)(out.len - 8));
	if (err == 0 && n > 0)
		err = gx_push_finish(&out, in->a, &bin);
	if (err == 0 && n > 0)
		err = gx_proplist_set_bin(&in->m->props, in->a, PidTagReplyRecipientEntries, bin.data, bin.len);
	if (err == 0 && n > 0)
		err = gx_proplist_set_str(&in->m->props, in->a, PidTagReplyRecipientNames,
			gx_arena_strdup(in->a, gx_strbuf_cstr(&names)));
	gx_push_release(&out);
	gx_strbuf_release(&names);
	return err;
}
