/* SPDX-License-Identifier: Apache-2.0 */
/* rules, permissions: what happens to messages of a folder, and who may do what in it. */
#include <config.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include "tools/mapi.h"
#include "tools/report.h"

static int open_folder(struct tool *t, const char *path, struct gx_mapi_obj **ret_f)
{
	uint64_t fid;
	gx_ec ec = gx_mapi_find_folder(t->store, path, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_mapi_open_folder(t->store, fid, 0, ret_f);
	return gx_ec_failed(ec) ? mapi_failed(t, ec, path) : EXIT_OK;
}

/* ---- Rules ---- */

/* [MS-OXORULE] 2.2.1.3.1.3 */
static const struct word {
	const char *name;
	uint32_t bit;
} states[] = {{"enabled", 1}, {"error", 2}, {"only-when-away", 4}, {"keep-away-history", 8}, {"last", 0x10}, {"skip-if-safe", 0x20}, {"unreadable", 0x40}, {0}};

/* [MS-OXORULE] 2.2.5.1.1 */
static const char *const actions[] = {"nothing", "move", "copy", "reply", "away-reply", "defer", "bounce", "forward", "delegate", "tag", "delete",
	"mark-as-read"};

static const char *words(struct gx_arena *a, const struct word *w, uint32_t bits)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	for (; w->name != NULL; ++w)
		if (bits & w->bit) {
			gx_strbuf_adds(&b, b.len > 0 ? "," : "");
			gx_strbuf_adds(&b, w->name);
			bits &= ~w->bit;
		}
	if (bits != 0)
		gx_strbuf_printf(&b, "%s0x%x", b.len > 0 ? "," : "", (unsigned)bits);
	const char *s = gx_arena_strdup(a, gx_strbuf_cstr(&b));
	gx_strbuf_release(&b);
	return s != NULL ? s : "";
}

/* The kinds of a rule's actions; each block begins with its size and its kind. [MS-OXORULE] 2.2.5.1 */
static const char *const *kinds(struct gx_arena *a, struct gx_bin actions_value)
{
	struct gx_pull c;
	gx_pull_init(&c, actions_value.data, actions_value.len);
	size_t n = gx_pull_u16(&c);
	const char **v = gx_arena_new_array(a, const char *, n + 1);
	for (size_t i = 0; v != NULL && i < n && c.err == 0; ++i) {
		uint16_t size = gx_pull_u16(&c);
		uint8_t kind = gx_pull_u8(&c);
		if (size > 1)
			(void)gx_pull_bytes(&c, size - 1U);
		v[i] = kind < sizeof(actions) / sizeof(actions[0]) ? actions[kind] : "other";
	}
	return v;
}

static void show_rule(struct tool *t, struct report *r, struct gx_arena *a, const struct gx_mapi_rule *u)
{
	static const char *const none[] = {NULL};
	struct gx_strbuf condition = GX_STRBUF_INIT;
	const char *const *does = kinds(a, u->actions), *id = gx_arena_printf(a, "0x%" PRIx64, u->id);
	if (u->condition != NULL)
		gx_restr_print(&condition, u->condition);
	const struct field f[] = {
		{.name = "id", .text = id != NULL ? id : ""}, {.name = "sequence", .number = (uint32_t)u->sequence}, {.name = "name", .text = u->name},
		{.name = "provider", .text = u->provider}, {.name = "state", .text = words(a, states, u->state)},
		{.name = "condition", .text = gx_strbuf_cstr(&condition)}, {.name = "actions", .list = does != NULL ? does : none}, {0}};
	if (t->json) {
		report_record(r, f, 0);
	} else {
		printf("%-20s %5" PRIu32 " %-12s %s: if %s:", f[0].text, (uint32_t)u->sequence, f[4].text, u->name, u->condition != NULL ? f[5].text : "always");
		for (size_t i = 0; f[6].list[i] != NULL; ++i)
			printf(" %s", f[6].list[i]);
		putchar('\n');
	}
	gx_strbuf_release(&condition);
}

int mapi_rules(struct tool *t)
{
	struct report r = {.json = t->json, .many = true};
	struct gx_mapi_obj *f;
	struct gx_mapi_rule *v;
	size_t n;
	int rc = open_folder(t, t->argv[0], &f);
	if (rc != EXIT_OK)
		return rc;
	gx_ec ec = gx_mapi_rules(f, t->a, &v, &n);
	gx_mapi_close(f);
	if (gx_ec_failed(ec))
		return mapi_failed(t, ec, t->argv[0]);
	for (size_t i = 0; i < n; ++i)
		show_rule(t, &r, t->a, &v[i]);
	report_end(&r);
	return EXIT_OK;
}

/* ---- Rights, [MS-OXCPERM] 2.2.7 ---- */

static const struct word rights[] = {
	{"read", GX_MAPI_MAY_READ}, {"create", GX_MAPI_MAY_CREATE}, {"edit-own", GX_MAPI_MAY_EDIT_OWN}, {"delete-own", GX_MAPI_MAY_DELETE_OWN},
	{"edit-any", GX_MAPI_MAY_EDIT_ANY}, {"delete-any", GX_MAPI_MAY_DELETE_ANY}, {"create-folders", GX_MAPI_MAY_CREATE_FOLDERS},
	{"owner", GX_MAPI_IS_OWNER}, {"contact", GX_MAPI_IS_CONTACT}, {"visible", GX_MAPI_SEES_FOLDER}, {"free-busy", GX_MAPI_SEES_FREE_BUSY},
	{"appointments", GX_MAPI_SEES_APPOINTMENTS}, {0},
};
/* What Outlook calls them. */
static const struct word roles[] = {
	{"none", 0}, {"reviewer", 0x401}, {"contributor", 0x402}, {"nonediting-author", 0x413}, {"author", 0x41b}, {"publishing-author", 0x49b},
	{"editor", 0x47b}, {"publishing-editor", 0x4fb}, {"all", 0x7fb}, {0},
};

static const struct word *find(const struct word *w, const char *s, size_t n)
{
	while (w->name != NULL && (strncasecmp(w->name, s, n) != 0 || w->name[n] != '\0'))
		++w;
	return w->name != NULL ? w : NULL;
}

/* Words separated by commas, or a number. */
static bool parse_rights(const char *s, uint32_t *ret_bits)
{
	char *end;
	*ret_bits = 0;
	if (strncmp(s, "0x", 2) == 0) {
		unsigned long v = strtoul(s, &end, 16);
		*ret_bits = (uint32_t)v;
		return *end == '\0' && v <= UINT32_MAX;
	}
	while (*s != '\0') {
		size_t n = strcspn(s, ",");
		const struct word *w = find(roles, s, n);
		if (w == NULL)
			w = find(rights, s, n);
		if (w == NULL)
			return false;
		*ret_bits |= w->bit;
		s += n;
		s += *s == ',';
	}
	return true;
}

static void show_permission(struct tool *t, struct report *r, const struct gx_mapi_permission *p)
{
	const char *role = "", *who = p->member == GX_MAPI_MEMBER_DEFAULT ? "default" : p->member == GX_MAPI_MEMBER_ANONYMOUS ? "anonymous" : p->address;
	const uint32_t free_busy = GX_MAPI_SEES_FREE_BUSY | GX_MAPI_SEES_APPOINTMENTS;
	for (const struct word *w = roles; w->name != NULL; ++w)
		if (w->bit == (p->rights & ~free_busy))
			role = w->name;
	const struct field f[] = {{.name = "user", .text = *who != '\0' ? who : p->name}, {.name = "name", .text = p->name}, {.name = "role", .text = role},
		{.name = "rights", .text = words(t->a, rights, p->rights)}, {.name = "bits", .number = p->rights}, {0}};
	if (t->json)
		report_record(r, f, 0);
	else
		printf("%-32s %-18s %s\n", f[0].text, role, f[3].text);
}

static int show_permissions(struct tool *t, struct gx_mapi_obj *f)
{
	struct report r = {.json = t->json, .many = true};
	struct gx_mapi_permission *v;
	size_t n;
	gx_ec ec = gx_mapi_permissions(f, true, t->a, &v, &n);
	if (gx_ec_failed(ec))
		return mapi_failed(t, ec, t->argv[0]);
	for (size_t i = 0; i < n; ++i)
		show_permission(t, &r, &v[i]);
	report_end(&r);
	return EXIT_OK;
}

/* Whom @p user means: a row that there is, or an entry of the address book. */
static int find_member(struct tool *t, struct gx_mapi_obj *f, const char *user, struct gx_mapi_permission_change *x)
{
	struct gx_mapi_resolved who;
	struct gx_mapi_permission *v;
	size_t n;
	bool anonymous = strcasecmp(user, "anonymous") == 0;
	x->op = GX_MAPI_ROW_MODIFY;
	x->member = anonymous ? GX_MAPI_MEMBER_ANONYMOUS : GX_MAPI_MEMBER_DEFAULT;
	if (anonymous || strcasecmp(user, "default") == 0)
		return EXIT_OK;
	gx_ec ec = gx_mapi_permissions(f, true, t->a, &v, &n);
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; ++i)
		if (v[i].entry_id.len > 0 && (strcasecmp(v[i].address, user) == 0 || strcasecmp(v[i].name, user) == 0)) {
			x->member = v[i].member;
			return EXIT_OK;
		}
	if (!gx_ec_failed(ec))
		ec = gx_mapi_resolve(t->c, &user, 1, t->a, &who);
	if (gx_ec_failed(ec))
		return mapi_failed(t, ec, user);
	const struct gx_propval *id = who.verdict == GX_MAPI_RESOLVED ? gx_proplist_get(&who.props, PidTagEntryId) : NULL;
	if (id == NULL) {
		complain("%s: %s", user, who.verdict == GX_MAPI_AMBIGUOUS ? "the address book knows several" : "the address book knows nobody of that name");
		return EXIT_NOTHING;
	}
	x->op = GX_MAPI_ROW_ADD;
	x->entry_id = id->v.bin;
	/* he may have a row under his address */
	const char *address = gx_proplist_str(&who.props, PidTagSmtpAddress, "");
	for (size_t i = 0; i < n; ++i)
		if (*address != '\0' && strcasecmp(v[i].address, address) == 0) {
			x->op = GX_MAPI_ROW_MODIFY;
			x->member = v[i].member;
		}
	return EXIT_OK;
}

static int change(struct tool *t, struct gx_mapi_obj *f)
{
	struct gx_mapi_permission_change x = {0};
	const char *equals = t->set != NULL ? strrchr(t->set, '=') : NULL, *user = t->remove;
	if (t->set != NULL) {
		user = equals == NULL ? NULL : gx_arena_strndup(t->a, t->set, (size_t)(equals - t->set));
		if (user == NULL || *user == '\0' || !parse_rights(equals + 1, &x.rights)) {
			complain("--set takes USER=RIGHTS; RIGHTS are a role (none, reviewer, contributor, author, editor, ... all), or words like "
				"read,create,edit-own, or a number 0x...");
			return EXIT_USAGE;
		}
	}
	int rc = find_member(t, f, user, &x);
	if (rc != EXIT_OK)
		return rc;
	if (t->remove != NULL && x.op == GX_MAPI_ROW_ADD) {
		complain("%s has no row there", user);
		return EXIT_NOTHING;
	}
	if (t->remove != NULL)
		x.op = GX_MAPI_ROW_REMOVE;
	gx_ec ec = gx_mapi_change_permissions(f, &x, 1, false, true);
	return gx_ec_failed(ec) ? mapi_failed(t, ec, user) : EXIT_OK;
}

int mapi_permissions(struct tool *t)
{
	struct gx_mapi_obj *f;
	if (t->set != NULL && t->remove != NULL) {
		complain("either --set or --remove");
		return EXIT_USAGE;
	}
	int rc = open_folder(t, t->argv[0], &f);
	if (rc != EXIT_OK)
		return rc;
	rc = t->set != NULL || t->remove != NULL ? change(t, f) : show_permissions(t, f);
	gx_mapi_close(f);
	return rc;
}
