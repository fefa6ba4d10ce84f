/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates lie in a directory: 0409-0.abk shows entries of display type 0 in the language 0x0409, 0409-SMTP.abk asks for an
 * address of that type. A language that has none takes those of its main form, then English.
 */
#include <config.h>
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <strings.h>
#include <gx/abkt.h>
#include <gx/entryid.h>
#include <gx/proptag.h>
#include "libgxproto/nsp/template.h"

enum { TI_TEMPLATE = 1, TI_SCRIPT = 4 };
enum { FILE_MOST = 256 << 10, LCID_ENGLISH = 0x0409, NAME_MOST = 32 };
enum { DT_REMOTE_MAILUSER = 6, DT_ADDRESS_TEMPLATE = 0x102 };
/* Instructions of scripts, [MS-OXOABKT] 2.2.2.2 */
enum { SCRIPT_HALT = 0, SCRIPT_EMIT_PROPERTY = 2 };

const char *const gx_nsp__address_types[] = {"SMTP", NULL};
enum { ADDRESS_TYPES = sizeof(gx_nsp__address_types) / sizeof(gx_nsp__address_types[0]) - 1 };

/* GX_E_NOTFOUND: there is no such file. */
static int read_file(struct nsp_call *c, const char *path, struct gx_bin *ret_b)
{
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return GX_E_NOTFOUND;
	uint8_t *p = gx_arena_alloc(c->a, FILE_MOST);
	size_t n = p == NULL ? 0 : fread(p, 1, FILE_MOST, f);
	int err = p == NULL ? GX_E_NOMEM : ferror(f) ? GX_E_IO : n == FILE_MOST ? GX_E_LIMIT : 0;
	fclose(f);
	*ret_b = (struct gx_bin){p, n};
	return err;
}

int gx_nsp__template_load(struct nsp_call *c, uint32_t lcid, const char *type, struct gx_abkt *ret_t)
{
	struct gx_bin b;
	if (*c->n->template_dir == '\0')
		return GX_E_NOTFOUND;
	const char *path = gx_arena_printf(c->a, "%s/%04x-%s.abk", c->n->template_dir, (unsigned)lcid, type);
	int err = path == NULL ? GX_E_NOMEM : read_file(c, path, &b);
	if (err == 0)
		err = gx_abkt_read(c->a, b.data, b.len, 0, ret_t);
	if (err != 0 && err != GX_E_NOTFOUND && err != GX_E_NOMEM) {
		gx_log(c->n->o.log, GX_LOG_ERROR, "address book: %s is no template (%s); make it anew with gromox-abktconv -b", path, gx_strerror(err));
		err = GX_E_NOTFOUND;
	}
	return err;
}

static int load(struct nsp_call *c, uint32_t lcid, const char *type, struct gx_abkt *ret_t)
{
	const uint32_t tries[] = {lcid & 0xffff, (lcid & 0x3ff) | 0x400, LCID_ENGLISH};
	int err = GX_E_NOTFOUND;
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]) && err == GX_E_NOTFOUND; ++i)
		err = gx_nsp__template_load(c, tries[i], type, ret_t);
	return err;
}

static int by_number(const void *p, const void *q)
{
	uint32_t x = *(const uint32_t *)p, y = *(const uint32_t *)q;
	return (x > y) - (x < y);
}

void gx_nsp__template_languages(struct nsp_call *c, uint32_t v[NSP_LANGUAGES_MOST], uint32_t *ret_n)
{
	DIR *d = *c->n->template_dir == '\0' ? NULL : opendir(c->n->template_dir);
	uint32_t n = 0;
	for (const struct dirent *f; d != NULL && n < NSP_LANGUAGES_MOST && (f = readdir(d)) != NULL;) {
		char *end;
		unsigned long lcid = strtoul(f->d_name, &end, 16);
		bool known = lcid == 0 || end != f->d_name + 4 || *end != '-' || strcmp(end + strcspn(end, "."), ".abk") != 0;
		for (uint32_t i = 0; i < n && !known; ++i)
			known = v[i] == lcid;
		if (!known)
			v[n++] = (uint32_t)lcid;
	}
	if (d != NULL)
		closedir(d);
	qsort(v, n, sizeof(*v), by_number);
	*ret_n = n;
}

/* ---- One template ---- */

/* ".../cn=409/cn=SMTP", as the address creation table gives it. */
static bool parse_dn(const char *dn, uint32_t *ret_lcid, char type[NAME_MOST])
{
	static const char mark[] = "/cn=Address-Templates/cn=";
	const char *at = strcasestr(dn, mark);
	char *end;
	if (at == NULL)
		return false;
	*ret_lcid = (uint32_t)strtoul(at + sizeof(mark) - 1, &end, 16);
	if (strncasecmp(end, "/cn=", 4) != 0 || strlen(end + 4) >= NAME_MOST)
		return false;
	snprintf(type, NAME_MOST, "%s", end + 4);
	for (const char *p = type; *p != '\0'; ++p)
		if (!isalnum((unsigned char)*p))
			return false;
	return *type != '\0';
}

static const char *known_type(const char *type)
{
	for (size_t i = 0; i < ADDRESS_TYPES; ++i)
		if (strcasecmp(gx_nsp__address_types[i], type) == 0)
			return gx_nsp__address_types[i];
	return NULL;
}

/* The address is what was typed in. */
int gx_nsp__address_script(struct nsp_call *c, struct gx_bin *ret_b)
{
	struct gx_push p = GX_PUSH_INIT;
	gx_push_u32(&p, 3); /* numbers that follow */
	gx_push_u32(&p, SCRIPT_EMIT_PROPERTY);
	gx_push_u32(&p, GX_PROP_RETYPE(PidTagEmailAddress, PtypString8));
	gx_push_u32(&p, SCRIPT_HALT);
	int err = gx_push_finish(&p, c->a, ret_b);
	gx_push_release(&p);
	return err;
}

static int add_script(struct nsp_call *c, struct gx_proplist *l)
{
	struct gx_bin b;
	int err = gx_nsp__address_script(c, &b);
	return err == 0 ? gx_proplist_set_bin(l, c->a, PidTagScriptData, b.data, b.len) : err;
}

static int add_template(struct nsp_call *c, const struct gx_abkt *t, uint32_t cp, struct gx_proplist *l)
{
	struct gx_bin b;
	int err = gx_abkt_write(c->a, t, cp, false, &b);
	return err == 0 ? gx_proplist_set_bin(l, c->a, PidTagTemplateData, b.data, b.len) : err;
}

gx_ec gx_nsp__template(struct nsp_call *c, const struct gx_mh_get_template_info_req *q, struct gx_proplist *ret_l)
{
	struct gx_abkt t;
	char type[NAME_MOST];
	uint32_t lcid = q->locale_id;
	const char *address_type = NULL;
	snprintf(type, sizeof(type), "%u", (unsigned)q->display_type);
	if (q->template_dn != NULL && *q->template_dn != '\0') {
		address_type = parse_dn(q->template_dn, &lcid, type) ? known_type(type) : NULL;
		if (address_type == NULL)
			return GX_EC(ecInvalidLocale);
		snprintf(type, sizeof(type), "%s", address_type);
	}
	int err = load(c, lcid, type, &t);
	if (err == GX_E_NOTFOUND)
		return GX_EC(ecInvalidLocale);
	*ret_l = (struct gx_proplist){0};
	if (err == 0 && (q->flags & TI_SCRIPT) && address_type != NULL)
		err = add_script(c, ret_l);
	if (err == 0 && (q->flags & TI_TEMPLATE))
		err = add_template(c, &t, q->code_page, ret_l);
	return gx_ec_from_err(err);
}

/* ---- What addresses can be made of ---- */

const char *gx_nsp__address_type_name(struct nsp_call *c, const char *type)
{
	return gx_arena_printf(c->a, "%s address", type);
}

const char *gx_nsp__address_template_dn(struct nsp_call *c, uint32_t lcid, const char *type)
{
	return gx_arena_printf(c->a, "/o=%s/cn=Addressing/cn=Address-Templates/cn=%x/cn=%s", c->n->org, (unsigned)lcid, type);
}

static int creation_row(struct nsp_call *c, uint32_t lcid, uint32_t number, struct gx_proplist *l)
{
	const uint8_t key[4] = {(uint8_t)number, 0, 0, 0};
	struct gx_bin eid;
	const char *type = gx_nsp__address_types[number];
	const char *name = gx_nsp__address_type_name(c, type), *dn = gx_nsp__address_template_dn(c, lcid, type);
	int err = name == NULL || dn == NULL ? GX_E_NOMEM : gx_entryid_addressbook(c->a, DT_ADDRESS_TEMPLATE, dn, &eid);
	if (err == 0)
		err = gx_proplist_set_str(l, c->a, PidTagAddressType, type);
	if (err == 0)
		err = gx_proplist_set_str(l, c->a, PidTagDisplayName, name);
	if (err == 0)
		err = gx_proplist_set_i32(l, c->a, PidTagDisplayType, DT_REMOTE_MAILUSER);
	if (err == 0)
		err = gx_proplist_set_bin(l, c->a, PidTagEntryId, eid.data, eid.len);
	if (err == 0)
		err = gx_proplist_set_i32(l, c->a, PidTagDepth, 0);
	if (err == 0)
		err = gx_proplist_set_bool(l, c->a, PidTagSelectable, true);
	return err == 0 ? gx_proplist_set_bin(l, c->a, PidTagInstanceKey, gx_arena_memdup(c->a, key, sizeof(key)), sizeof(key)) : err;
}

gx_ec gx_nsp__creation_rows(struct nsp_call *c, uint32_t lcid, struct gx_proplist **ret_v, size_t *ret_n)
{
	struct gx_proplist *v = gx_arena_new_array(c->a, struct gx_proplist, ADDRESS_TYPES);
	struct gx_abkt t;
	size_t n = 0;
	int err = v == NULL ? GX_E_NOMEM : 0;
	for (uint32_t i = 0; i < ADDRESS_TYPES && err == 0; ++i) {
		int found = load(c, lcid, gx_nsp__address_types[i], &t);
		v[n] = (struct gx_proplist){0};
		err = found == GX_E_NOTFOUND ? 0 : found != 0 ? found : creation_row(c, lcid, i, &v[n++]);
	}
	*ret_v = v;
	*ret_n = n;
	return gx_ec_from_err(err);
}
