/* SPDX-License-Identifier: Apache-2.0 */
/* Signed and encrypted messages: the content becomes one attachment, untouched; [MS-OXOSMIME] 2.1. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/namedprop.h>
#include "mailin-int.h"

static bool is_opaque(const struct gx_mime_part *p)
{
	if (strcmp(p->type, "application") != 0)
		return false;
	if (strcmp(p->subtype, "pkcs7-mime") == 0 || strcmp(p->subtype, "x-pkcs7-mime") == 0)
		return true;
	const char *name = gx_mime_param(p->disp_params, "filename");
	if (name == NULL)
		name = gx_mime_param(p->params, "name");
	size_t n = name == NULL ? 0 : strlen(name);
	return strcmp(p->subtype, "octet-stream") == 0 && n > 4 && gx_ascii_casecmp(name + n - 4, ".p7m") == 0;
}

static bool is_clear_signed(const struct gx_mime_part *p)
{
	const char *protocol = gx_mime_param(p->params, "protocol");
	return gx_mailin__is(p, "multipart", "signed") && p->first_child != NULL && protocol != NULL &&
		(gx_ascii_casecmp(protocol, "application/pkcs7-signature") == 0 ||
			gx_ascii_casecmp(protocol, "application/x-pkcs7-signature") == 0);
}

/* Of the entity; language and class are the message's and become properties. */
static bool is_content_field(const struct gx_mime_header *h)
{
	return gx_ascii_ncasecmp(h->name, "content-", 8) == 0 && gx_ascii_casecmp(h->name, "content-language") != 0 &&
		gx_ascii_casecmp(h->name, "content-class") != 0;
}

/* The Content-* fields, if nothing but them stands at the end of the header: then the entity is a slice. */
static bool entity_slice(const struct gx_mailin *in, struct gx_slice *ret_s)
{
	uint64_t start = 0;
	bool typed = false;
	for (const struct gx_mime_header *h = in->root->headers; h != NULL; h = h->next) {
		if (!is_content_field(h)) {
			start = 0;
			typed = false;
			continue;
		}
		if (start == 0)
			start = h->off;
		typed |= gx_ascii_casecmp(h->name, "Content-Type") == 0;
	}
	uint64_t outside = 0; /* a Content-* field before the last other one would be lost */
	for (const struct gx_mime_header *h = in->root->headers; h != NULL && h->off < start; h = h->next)
		outside += is_content_field(h);
	*ret_s = (struct gx_slice){.off = start, .len = in->root->body_off + in->root->body_len - start, .cp = 0, .cte = GX_CTE_8BIT};
	return typed && outside == 0;
}

static int entity_value(struct gx_mailin *in, struct gx_attach *t)
{
	struct gx_push out = GX_PUSH_INIT;
	struct gx_bin b;
	for (const struct gx_mime_header *h = in->root->headers; h != NULL; h = h->next)
		if (is_content_field(h))
			gx_push_bytes(&out, in->data + h->off, (size_t)h->len);
	gx_push_str(&out, "\r\n");
	gx_push_bytes(&out, in->data + in->root->body_off, (size_t)in->root->body_len);
	int err = gx_push_finish(&out, in->a, &b);
	gx_push_release(&out);
	return err != 0 ? err : gx_proplist_set_bin(&t->props, in->a, PidTagAttachDataBinary, b.data, b.len);
}

static int clear_signed(struct gx_mailin *in)
{
	struct gx_attach *t = gx_msgobj_add_attach(in->m, in->a);
	struct gx_slice s;
	if (t == NULL)
		return GX_E_NOMEM;
	int err = gx_proplist_set_i32(&t->props, in->a, PidTagAttachMethod, 1);
	if (err == 0)
		err = gx_proplist_set_str(&t->props, in->a, PidTagAttachMimeTag, "multipart/signed");
	if (err == 0)
		err = gx_proplist_set_str(&t->props, in->a, PidTagAttachLongFilename, "smime.p7m");
	if (err == 0)
		err = gx_proplist_set_str(&t->props, in->a, PidTagAttachFilename, "smime.p7m");
	if (err == 0)
		err = gx_proplist_set_str(&t->props, in->a, PidTagAttachExtension, ".p7m");
	if (err == 0)
		err = gx_proplist_set_str(&t->props, in->a, PidTagDisplayName, "smime.p7m");
	if (err != 0)
		return err;
	if (!entity_slice(in, &s))
		return entity_value(in, t);
	t->data = (struct gx_slice_prop){PidTagAttachDataBinary, s};
	return 0;
}

/* [MS-OXOSMIME] 2.1.3.2: the parameters of the type matter to clients. */
static int content_type(struct gx_mailin *in)
{
	static const struct gx_propname name = GX_STR_INIT(PidNameContentType);
	const struct gx_mime_header *h = gx_mime_header(in->root, "Content-Type");
	if (h == NULL)
		return 0;
	const char *s = gx_mailin__utf8(in, h->value + strspn(h->value, " \t"));
	return s == NULL ? GX_E_NOMEM : gx_msgobj_set_named(in->m, in->a, &name, PtypString, (union gx_value){.str = s});
}

int gx_mailin__smime(struct gx_mailin *in)
{
	bool opaque = is_opaque(in->root);
	if (!opaque && !is_clear_signed(in->root))
		return 0;
	int err = gx_proplist_set_str(&in->m->props, in->a, PidTagMessageClass,
		opaque ? "IPM.Note.SMIME" : "IPM.Note.SMIME.MultipartSigned");
	if (err == 0)
		err = opaque ? content_type(in) : clear_signed(in);
	if (err != 0)
		return err;
	/* [MS-OXOSMIME] 2.1.3.1: the bodies of what is signed; 2.1.3.2: none of what is sealed. */
	in->bodies_only = !opaque;
	err = opaque ? gx_mailin__attach(in, in->root, false) : gx_mailin__body(in, in->root->first_child);
	return err != 0 ? err : 1;
}
