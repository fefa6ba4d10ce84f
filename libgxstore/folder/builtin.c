/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/folder.h>
#include "libgxstore/store-int.h"
#include "libgxstore/foldernames-table.h"

/* The folders that every store has, and their names in the languages of the table. */

#define N(v) (sizeof(v) / sizeof((v)[0]))

/* [gromox formats 3]: numbers and parents are known to clients and must not change. */
static const struct gx_builtin private_folders[] = {
	{GX_FID_ROOT, 0, "Root", "", -1, GX_FOLDER_GENERIC, 0},
	{GX_FID_DEFERRED, GX_FID_ROOT, "Deferred Action", "", -1, GX_FOLDER_GENERIC, 0},
	{GX_FID_SPOOLER, GX_FID_ROOT, "Spooler Queue", "IPF.Note", -1, GX_FOLDER_SEARCH, 0},
	{GX_FID_SHORTCUTS, GX_FID_ROOT, "Shortcuts", "", -1, GX_FOLDER_GENERIC, 0},
	{GX_FID_FINDER, GX_FID_ROOT, "Finder", "", -1, GX_FOLDER_GENERIC, 0},
	{GX_FID_VIEWS, GX_FID_ROOT, "Views", "", -1, GX_FOLDER_GENERIC, 0},
	{GX_FID_COMMON_VIEWS, GX_FID_ROOT, "Common Views", "", -1, GX_FOLDER_GENERIC, 0},
	{GX_FID_SCHEDULE, GX_FID_ROOT, "Schedule", "", -1, GX_FOLDER_GENERIC, 0},
	{GX_FID_IPMSUBTREE, GX_FID_ROOT, "Top of Information Store", "", -1, GX_FOLDER_GENERIC, 0},
	{GX_FID_SENT, GX_FID_IPMSUBTREE, NULL, "IPF.Note", GX_FN_SENT, GX_FOLDER_GENERIC, GX_FF_SUBSCRIBED},
	{GX_FID_DELETED, GX_FID_IPMSUBTREE, NULL, "IPF.Note", GX_FN_DELETED, GX_FOLDER_GENERIC, GX_FF_SUBSCRIBED},
	{GX_FID_OUTBOX, GX_FID_IPMSUBTREE, NULL, "IPF.Note", GX_FN_OUTBOX, GX_FOLDER_GENERIC, 0},
	{GX_FID_INBOX, GX_FID_IPMSUBTREE, NULL, "IPF.Note", GX_FN_INBOX, GX_FOLDER_GENERIC, GX_FF_SUBSCRIBED},
	{GX_FID_DRAFTS, GX_FID_IPMSUBTREE, NULL, "IPF.Note", GX_FN_DRAFTS, GX_FOLDER_GENERIC, GX_FF_SUBSCRIBED},
	{GX_FID_CALENDAR, GX_FID_IPMSUBTREE, NULL, "IPF.Appointment", GX_FN_CALENDAR, GX_FOLDER_GENERIC, 0},
	{GX_FID_JOURNAL, GX_FID_IPMSUBTREE, NULL, "IPF.Journal", GX_FN_JOURNAL, GX_FOLDER_GENERIC, 0},
	{GX_FID_NOTES, GX_FID_IPMSUBTREE, NULL, "IPF.StickyNote", GX_FN_NOTES, GX_FOLDER_GENERIC, 0},
	{GX_FID_TASKS, GX_FID_IPMSUBTREE, NULL, "IPF.Task", GX_FN_TASKS, GX_FOLDER_GENERIC, 0},
	{GX_FID_CONTACTS, GX_FID_IPMSUBTREE, NULL, "IPF.Contact", GX_FN_CONTACTS, GX_FOLDER_GENERIC, 0},
	{GX_FID_QUICKCONTACTS, GX_FID_CONTACTS, "Quick Contacts", "IPF.Contact.MOC.QuickContacts", -1, GX_FOLDER_GENERIC, GX_FF_HIDDEN},
	{GX_FID_IMCONTACTS, GX_FID_CONTACTS, "IM Contacts List", "IPF.Contact.MOC.ImContactList", -1, GX_FOLDER_GENERIC, GX_FF_HIDDEN},
	{GX_FID_GALCONTACTS, GX_FID_CONTACTS, "GAL Contacts", "IPF.Contact.GalContacts", -1, GX_FOLDER_GENERIC, GX_FF_HIDDEN},
	{GX_FID_JUNK, GX_FID_IPMSUBTREE, NULL, "IPF.Note", GX_FN_JUNK, GX_FOLDER_GENERIC, GX_FF_SUBSCRIBED},
	{GX_FID_FREEBUSY, GX_FID_ROOT, "Freebusy Data", "", -1, GX_FOLDER_GENERIC, 0},
	{GX_FID_SYNCISSUES, GX_FID_IPMSUBTREE, NULL, "IPF.Note", GX_FN_SYNCISSUES, GX_FOLDER_GENERIC, 0},
	{GX_FID_CONFLICTS, GX_FID_SYNCISSUES, NULL, "IPF.Note", GX_FN_CONFLICTS, GX_FOLDER_GENERIC, 0},
	{GX_FID_LOCALFAIL, GX_FID_SYNCISSUES, NULL, "IPF.Note", GX_FN_LOCALFAIL, GX_FOLDER_GENERIC, 0},
	{GX_FID_SERVERFAIL, GX_FID_SYNCISSUES, NULL, "IPF.Note", GX_FN_SERVERFAIL, GX_FOLDER_GENERIC, 0},
	{GX_FID_CONVACTION, GX_FID_IPMSUBTREE, "Conversation Action Settings", "IPF.Configuration", -1, GX_FOLDER_GENERIC, GX_FF_HIDDEN},
};

static const struct gx_builtin public_folders[] = {
	{GX_FID_PUB_ROOT, 0, "Root", "", -1, GX_FOLDER_GENERIC, 0},
	{GX_FID_PUB_IPMSUBTREE, GX_FID_PUB_ROOT, "IPM_SUBTREE", "", -1, GX_FOLDER_GENERIC, 0},
	{GX_FID_PUB_NONIPM, GX_FID_PUB_ROOT, "NON_IPM_SUBTREE", "", -1, GX_FOLDER_GENERIC, 0},
	{GX_FID_PUB_EFORMS, GX_FID_PUB_NONIPM, "EFORMS REGISTRY", "", -1, GX_FOLDER_GENERIC, 0},
};

const struct gx_builtin *gx_builtin__folders(bool public_store, size_t *ret_n)
{
	*ret_n = public_store ? N(public_folders) : N(private_folders);
	return public_store ? public_folders : private_folders;
}

/* "de_AT.UTF-8" takes "de_AT" if there is one, else "de", else English. */
const char *const *gx_builtin__names(const char *lang)
{
	const char *const *best = gx_folder_names[0].name;
	size_t full = lang == NULL ? 0 : strcspn(lang, ".@"), base = lang == NULL ? 0 : strcspn(lang, "_-.@");
	for (size_t i = 0; i < N(gx_folder_names); i++) {
		const char *have = gx_folder_names[i].lang;
		if (strlen(have) == base && gx_ascii_ncasecmp(have, lang, base) == 0)
			best = gx_folder_names[i].name;
	}
	for (size_t i = 0; i < N(gx_folder_names); i++) {
		const char *have = gx_folder_names[i].lang;
		if (strlen(have) == full && full > base && gx_ascii_ncasecmp(have, lang, base) == 0 &&
		    gx_ascii_ncasecmp(have + base + 1, lang + base + 1, full - base - 1) == 0)
			return gx_folder_names[i].name;
	}
	return best;
}

static bool has_language(const char *lang)
{
	size_t base = strcspn(lang, "_-.@");
	for (size_t i = 0; i < N(gx_folder_names); i++) {
		const char *have = gx_folder_names[i].lang;
		if (strcspn(have, "_-") == base && gx_ascii_ncasecmp(have, lang, base) == 0)
			return true;
	}
	return false;
}

const char *gx_folder_name_in(const char *lang, uint64_t fid)
{
	if (lang == NULL || !has_language(lang))
		return NULL;
	const char *const *names = gx_builtin__names(lang);
	for (size_t i = 0; i < N(private_folders); i++)
		if (private_folders[i].fid == fid)
			return private_folders[i].localised >= 0 ? names[private_folders[i].localised] : NULL;
	return NULL;
}

/* The place of a name may be taken by a folder of the user's: then the old name stays. */
static gx_ec rename_one(struct gx_txn *t, const struct gx_builtin *b, const char *name)
{
	struct gx_folder_row row;
	int err = gx_folder__row(t, b->fid, &row);
	if (err != 0)
		return gx_txn__ec(t, err);
	gx_ec ec = gx_folder__rename(t, &row, name);
	if (gx_ec_is(ec, ecDuplicateName))
		return GX_OK_EC;
	if (gx_ec_failed(ec))
		return ec;
	struct gx_event ev = {.type = GX_EV_FOLDER_CHANGED, .fid = b->fid, .parent = row.parent, .cn = t->store_state->modseq};
	return gx_txn__ec(t, gx_txn__event(t, &ev));
}

gx_ec gx_store_localise(struct gx_txn *t, const char *lang, const char *const *names)
{
	size_t n;
	const struct gx_builtin *v = gx_builtin__folders(t->s->is_public, &n);
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec) && !gx_txn__all_rights(t))
		ec = gx_txn__fail(t, ecAccessDenied, "only the owner renames built-in folders");
	if (names == NULL)
		names = gx_builtin__names(lang);
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; i++)
		if (v[i].localised >= 0)
			ec = rename_one(t, &v[i], names[v[i].localised]);
	return ec;
}
